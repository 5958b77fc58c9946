//! Calls that change what metadata shows.

use super::*;

#[test]
fn tags_are_seen_inside_when_they_are_shown() {
    let ec2 = Operated::start(&["--instance-metadata-tags", "enabled"]);
    let tags = [("ResourceId.1", ID), ("Tag.1.Key", "Name"), ("Tag.1.Value", "web & <1>"), ("Tag.2.Key", "Empty")];
    ec2.done("CreateTags", &tags);
    assert_eq!(ec2.item("tags/instance/Name"), "web & <1>");
    assert_eq!(ec2.item("tags/instance/Empty"), "");
    let told = ec2.done("DescribeTags", &[("Filter.1.Name", "key"), ("Filter.1.Value.1", "Na?e")]);
    assert_eq!((told.fields("key"), told.fields("value")), (vec!["Name"], vec!["web &amp; &lt;1&gt;"]));
    // A value that is given is to be the one that is there.
    let other = [("ResourceId.1", ID), ("Tag.1.Key", "Name"), ("Tag.1.Value", "db")];
    ec2.done("DeleteTags", &other);
    assert!(ec2.has("tags/instance/Name"));
    ec2.done("DeleteTags", &other[..2]);
    assert!(!ec2.has("tags/instance/Name") && ec2.has("tags/instance/Empty"));
    ec2.done("DeleteTags", &other[..1]);
    assert_eq!(ec2.done("DescribeTags", &[]).fields("key"), [""; 0]);
}

#[test]
fn a_terminated_instance_has_tags_as_long_as_it_is_shown() {
    let ec2 = Operated::start(&[]);
    ec2.done("TerminateInstances", &[("InstanceId.1", ID)]);
    let tag = [("ResourceId.1", ID), ("Tag.1.Key", "State"), ("Tag.1.Value", "done")];
    ec2.done("CreateTags", &tag);
    let told = ec2.done("DescribeInstances", &[("Filter.1.Name", "tag:State"), ("Filter.1.Value.1", "done")]);
    assert_eq!(told.field("instanceState"), "<code>48</code><name>terminated</name>");
    ec2.done("DeleteTags", &tag);
    assert_eq!(ec2.done("DescribeTags", &[]).fields("key"), [""; 0]);
}

#[test]
fn tags_follow_ec2s_rules() {
    let ec2 = Operated::start(&["--instance-metadata-tags", "enabled"]);
    let refused = |key: &str, value: &str| {
        ec2.refused("CreateTags", &[("ResourceId.1", ID), ("Tag.1.Key", key), ("Tag.1.Value", value)])
    };
    let long = "x".repeat(257);
    for (key, value, message) in [
        ("aws:name", "", "Tag keys starting with &apos;aws:&apos; are reserved for internal use"),
        (&long[..128], "", "Tag key exceeds the maximum length of 127 characters"),
        ("Name", &long, "Tag value exceeds the maximum length of 256 characters"),
        ("", "", "Tag key cannot be empty"),
    ] {
        assert_eq!(refused(key, value), ("InvalidParameterValue".to_owned(), message.to_owned()), "{key}");
    }
    // Not where tags are shown in metadata.
    assert_eq!(refused("My Name", "").0, "InvalidParameterValue");
    let many: Vec<_> = (1..=51).map(|n| (format!("Tag.{n}.Key"), format!("k{n}"))).collect();
    let many: Vec<_> = many.iter().map(|(name, key)| (&**name, &**key)).chain([("ResourceId.1", ID)]).collect();
    assert_eq!(ec2.code("CreateTags", &many), "TagLimitExceeded");
    ec2.done("CreateTags", &many[1..]);
    assert_eq!(refused("one-more", "").0, "TagLimitExceeded");
    ec2.done("CreateTags", &[("ResourceId.1", ID), ("Tag.1.Key", "k50"), ("Tag.1.Value", "again")]);
    assert_eq!(ec2.item("tags/instance/k50"), "again");
    assert_eq!(ec2.code("CreateTags", &[("ResourceId.1", "vol-12345678"), ("Tag.1.Key", "a")]), "UnsupportedOperation");
    assert_eq!(ec2.code("CreateTags", &[("ResourceId.1", "web"), ("Tag.1.Key", "a")]), "InvalidID");
    assert_eq!(ec2.code("CreateTags", &[("Tag.1.Key", "a")]), "MissingParameter");
}

#[test]
fn options_are_pending_in_the_answer_and_applied_afterwards() {
    let ec2 = Operated::start(&[]);
    assert_eq!(ec2.seen("meta-data/").0, 200);
    let told = ec2.done("ModifyInstanceMetadataOptions", &[("InstanceId", ID), ("HttpTokens", "required")]);
    assert_eq!((told.field("state"), told.field("httpTokens")), ("pending", "required"));
    assert_eq!(ec2.seen("meta-data/").0, 401);
    let options = |ec2: &Operated| {
        let told = ec2.done("DescribeInstances", &[("InstanceId.1", ID)]);
        told.field("metadataOptions")
            .split('<')
            .filter_map(|part| Some(part.split_once('>')?.1.to_owned()))
            .collect::<String>()
    };
    assert_eq!(options(&ec2), "appliedrequired1enableddisableddisabled");
    // A stopped instance has them from its start.
    ec2.done("StopInstances", &[("InstanceId.1", ID)]);
    ec2.done("ModifyInstanceMetadataOptions", &[("InstanceId", ID), ("HttpEndpoint", "disabled")]);
    assert_eq!(options(&ec2), "pendingrequired1disableddisableddisabled");
    ec2.done("StartInstances", &[("InstanceId.1", ID)]);
    assert_eq!(options(&ec2), "appliedrequired1disableddisableddisabled");
    assert_eq!(ec2.seen("meta-data/").0, 403);
    for (name, value, code) in [
        ("HttpTokens", "sometimes", "InvalidParameterValue"),
        ("HttpPutResponseHopLimit", "0", "InvalidParameterValue"),
        ("HttpPutResponseHopLimit", "65", "InvalidParameterValue"),
        ("HttpPutResponseHopLimit", "few", "InvalidParameterValue"),
        ("HttpEndpoints", "enabled", "UnknownParameter"),
    ] {
        assert_eq!(ec2.code("ModifyInstanceMetadataOptions", &[("InstanceId", ID), (name, value)]), code, "{name}");
    }
    assert_eq!(ec2.code("ModifyInstanceMetadataOptions", &[("InstanceId", ID)]), "InvalidParameterCombination");
    // What flags give every new guest are the defaults of the account.
    assert!(!ec2.done("GetInstanceMetadataDefaults", &[]).body.contains("httpTokens"));
}

#[test]
fn attributes_change_as_ec2_allows() {
    let ec2 = Operated::of("attributes", "user-data = 'before'");
    let user_data = [("InstanceId", ID), ("UserData.Value", "IyEvYmluL3NoCg==")];
    let kind = [("InstanceId", ID), ("InstanceType.Value", "m7g.large")];
    for change in [&user_data, &kind] {
        let (code, message) = ec2.refused("ModifyInstanceAttribute", change);
        assert_eq!(code, "IncorrectInstanceState");
        assert_eq!(message, format!("The instance &apos;{ID}&apos; is not in the &apos;stopped&apos; state."));
    }
    ec2.done("ModifyInstanceAttribute", &[("InstanceId", ID), ("GroupId.1", "sg-0123456789abcdef0")]);
    let mac = ec2.item("mac");
    assert_eq!(ec2.item(&format!("network/interfaces/macs/{mac}/security-group-ids")), "sg-0123456789abcdef0");

    ec2.done("StopInstances", &[("InstanceId.1", ID)]);
    ec2.done("ModifyInstanceAttribute", &user_data);
    ec2.done("ModifyInstanceAttribute", &[("InstanceId", ID), ("Attribute", "instanceType"), ("Value", "m7g.large")]);
    let attribute = |name: &str| ec2.done("DescribeInstanceAttribute", &[("InstanceId", ID), ("Attribute", name)]);
    assert_eq!(attribute("userData").field("value"), "IyEvYmluL3NoCg==");
    assert_eq!(attribute("instanceType").field("value"), "m7g.large");
    assert_eq!(attribute("groupSet").field("groupId"), "sg-0123456789abcdef0");
    assert_eq!(attribute("rootDeviceName").field("value"), "/dev/xvda");
    ec2.done("StartInstances", &[("InstanceId.1", ID)]);
    assert_eq!(ec2.seen("user-data"), (200, "#!/bin/sh\n".to_owned()));
    assert_eq!(ec2.item("instance-type"), "m7g.large");

    ec2.done("StopInstances", &[("InstanceId.1", ID)]);
    let secret = "not base64, but a secret";
    let (code, message) = ec2.refused("ModifyInstanceAttribute", &[("InstanceId", ID), ("UserData.Value", secret)]);
    assert_eq!((&*code, &*message), ("InvalidParameterValue", "Invalid BASE64 encoding of user data"));
    let both = [user_data[0], user_data[1], kind[1]];
    assert_eq!(ec2.code("ModifyInstanceAttribute", &both), "InvalidParameterCombination");
    let other = [("InstanceId", ID), ("Attribute", "sriovNetSupport"), ("Value", "simple")];
    assert_eq!(ec2.code("ModifyInstanceAttribute", &other), "UnsupportedOperation");
    assert_eq!(
        ec2.code("DescribeInstanceAttribute", &[("InstanceId", ID), ("Attribute", "colour")]),
        "InvalidParameterValue"
    );
    ec2.done("ModifyInstanceAttribute", &[("InstanceId", ID), ("UserData.Value", "")]);
    ec2.done("StartInstances", &[("InstanceId.1", ID)]);
    assert_eq!(ec2.seen("user-data").0, 404);
}

#[test]
fn a_profile_comes_and_goes() {
    let ec2 = Operated::start(&[]);
    let association = || {
        let told = ec2.done("DescribeIamInstanceProfileAssociations", &[]);
        told.fields("associationId").first().map(|id| (*id).to_owned())
    };
    let role = "iam/security-credentials/";
    assert_eq!(ec2.item(role), "imds");
    let another = [("InstanceId", ID), ("IamInstanceProfile.Name", "web")];
    assert_eq!(ec2.code("AssociateIamInstanceProfile", &another), "IncorrectState");
    let first = association().unwrap();
    let replaced = [("AssociationId", &*first), ("IamInstanceProfile.Name", "web")];
    assert_eq!(ec2.done("ReplaceIamInstanceProfileAssociation", &replaced).field("state"), "associating");
    assert_eq!(ec2.item(role), "web");
    assert_eq!(ec2.code("ReplaceIamInstanceProfileAssociation", &replaced), "InvalidAssociationID.NotFound");
    ec2.done("DisassociateIamInstanceProfile", &[("AssociationId", &association().unwrap())]);
    assert!(!ec2.has("iam/info"));
    assert_eq!(association(), None);
    let arn = "arn:aws:iam::123456789012:instance-profile/team/db";
    ec2.done("AssociateIamInstanceProfile", &[("InstanceId", ID), ("IamInstanceProfile.Arn", arn)]);
    assert_eq!(ec2.item(role), "db");
    assert!(ec2.item("iam/info").contains(arn));
    assert_eq!(ec2.done("DescribeInstances", &[]).field("arn"), arn);
}

#[test]
fn an_event_is_put_off_and_ends_with_a_reboot() {
    let ec2 = Operated::of("event", "events = [{ code = 'instance-reboot', not-before = '2099-12-01T00:00:00Z' }]");
    let status =
        || ec2.done("DescribeInstanceStatus", &[("Filter.1.Name", "event.code"), ("Filter.1.Value.1", "*-reboot")]);
    let told = status();
    assert_eq!(told.field("notBefore"), "2099-12-01T00:00:00.000Z");
    let id = told.field("instanceEventId").to_owned();
    let later = [("InstanceId", ID), ("InstanceEventId", &id), ("NotBefore", "2099-12-24T18:00:00Z")];
    assert_eq!(ec2.done("ModifyInstanceEventStartTime", &later).field("notBefore"), "2099-12-24T18:00:00.000Z");
    assert!(ec2.item("events/maintenance/scheduled").contains("24 Dec 2099 18:00:00 GMT"));
    assert_eq!(
        ec2.code("ModifyInstanceEventStartTime", &[later[0], ("InstanceEventId", "x"), later[2]]),
        "InvalidInstanceEventIDNotFound"
    );
    assert_eq!(
        ec2.code("ModifyInstanceEventStartTime", &[later[0], later[1], ("NotBefore", "2001-01-01T00:00:00Z")]),
        "InvalidInstanceEventStartTime"
    );
    ec2.done("RebootInstances", &[("InstanceId.1", ID)]);
    assert_eq!(ec2.item("events/maintenance/scheduled"), "[]");
    assert!(status().field("description").starts_with("[Completed] "));
}

#[test]
fn monitoring_is_seen_inside() {
    let ec2 = Operated::start(&[]);
    assert_ne!(ec2.seen("dynamic/fws/instance-monitoring").0, 200);
    assert_eq!(ec2.done("MonitorInstances", &[("InstanceId.1", ID)]).field("state"), "pending");
    assert_eq!(ec2.seen("dynamic/fws/instance-monitoring"), (200, "enabled".to_owned()));
    assert_eq!(ec2.done("UnmonitorInstances", &[("InstanceId.1", ID)]).field("state"), "disabling");
    assert_ne!(ec2.seen("dynamic/fws/instance-monitoring"), (200, "enabled".to_owned()));
}
