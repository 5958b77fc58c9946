//! What instances are, by the API; and what is no call.

use super::*;

#[test]
fn an_instance_is_what_its_metadata_shows() {
    let toml = "
        instance-type = 'c7g.xlarge'
        tags = { Name = 'web-1' }
        security-groups = [{ group-name = 'web' }, { group-name = 'ssh' }]
        placement = { availability-zone = 'eu-west-1b' }
    ";
    let ec2 = Operated::of("described", toml);
    let told = ec2.done("DescribeInstances", &[]);
    let mac = ec2.item("mac");
    for (field, item) in [
        ("instanceId", "instance-id"),
        ("imageId", "ami-id"),
        ("instanceType", "instance-type"),
        ("reservationId", "reservation-id"),
        ("availabilityZone", "placement/availability-zone"),
        ("privateIpAddress", "local-ipv4"),
        ("ipAddress", "public-ipv4"),
        ("privateDnsName", "local-hostname"),
        ("dnsName", "public-hostname"),
        ("macAddress", "mac"),
        ("subnetId", &format!("network/interfaces/macs/{mac}/subnet-id")),
        ("vpcId", &format!("network/interfaces/macs/{mac}/vpc-id")),
        ("networkInterfaceId", &format!("network/interfaces/macs/{mac}/interface-id")),
        ("ownerId", &format!("network/interfaces/macs/{mac}/owner-id")),
    ] {
        assert_eq!(told.field(field), ec2.item(item), "{field}");
    }
    assert_eq!(told.fields("groupName")[1..3], ["ssh", "web"]);
    assert_eq!((told.field("architecture"), told.field("keyName")), ("arm64", "imds"));
    assert_eq!((told.field("key"), told.field("value")), ("Name", "web-1"));
}

#[test]
fn filters_let_those_pass_that_they_fit() {
    let ec2 =
        Operated::of("filters", "tags = { Name = 'web-1', env = 'test' }\nmetadata-options.http-tokens = 'required'");
    let found = |filters: &[(&str, &str)]| {
        let named: Vec<_> =
            (1..=filters.len()).map(|n| [format!("Filter.{n}.Name"), format!("Filter.{n}.Value.1")]).collect();
        let pairs = named
            .iter()
            .zip(filters)
            .flat_map(|([name, value], (filter, wanted))| [(&**name, *filter), (&**value, *wanted)]);
        !ec2.done("DescribeInstances", &pairs.collect::<Vec<_>>()).fields("instanceId").is_empty()
    };
    for (name, fits, not) in [
        ("instance-id", ID, "i-0"),
        ("instance-state-name", "running", "stopped"),
        ("instance-state-code", "16", "80"),
        ("tag:Name", "web-*", "db-*"),
        ("tag-key", "env", "role"),
        ("instance-type", "t?.micro", "t?.large"),
        ("image-id", "ami-*", "ari-*"),
        ("private-ip-address", "10.0.0.10", "10.0.0.11"),
        ("availability-zone", "us-east-1a", "us-east-1b"),
        ("vpc-id", "vpc-0123456789abcdef0", "vpc-1"),
        ("subnet-id", "subnet-0123456789abcdef0", "subnet-1"),
        ("metadata-options.http-tokens", "required", "optional"),
        ("iam-instance-profile.name", "imds", "other"),
    ] {
        assert!(found(&[(name, fits)]), "{name}");
        assert!(!found(&[(name, not)]), "{name}");
        assert!(!found(&[(name, fits), ("owner-id", "0")]), "{name}");
    }
    let unknown = [("Filter.1.Name", "colour"), ("Filter.1.Value.1", "red")];
    let expected = ("InvalidParameterValue".to_owned(), "The filter &apos;colour&apos; is invalid".to_owned());
    assert_eq!(ec2.refused("DescribeInstances", &unknown), expected);
    assert_eq!(ec2.refused("DescribeTags", &unknown), expected);
}

#[test]
fn a_spot_instance_has_a_request() {
    let ec2 = Operated::of("spot", "instance-lifecycle = 'spot'\nspot-interruption = { time = '+90s' }");
    let told = ec2.done("DescribeSpotInstanceRequests", &[]);
    assert_eq!((told.field("state"), told.field("instanceId")), ("active", ID));
    assert_eq!(told.field("code"), "marked-for-termination");
    assert_eq!(told.field("spotInstanceRequestId"), ec2.done("DescribeInstances", &[]).field("spotInstanceRequestId"));
    assert!(ec2.has("spot/instance-action"));
    let id = told.field("spotInstanceRequestId").to_owned();
    ec2.done("DescribeSpotInstanceRequests", &[("SpotInstanceRequestId.1", &id)]);
    let other = [("SpotInstanceRequestId.1", "sir-1")];
    assert_eq!(ec2.code("DescribeSpotInstanceRequests", &other), "InvalidSpotInstanceRequestID.NotFound");
    assert_eq!(Operated::start(&[]).done("DescribeSpotInstanceRequests", &[]).fields("state"), [""; 0]);
    let ended = "instance-lifecycle = 'spot'\nstate = 'terminated'\nspot-interruption = { time = '-10s' }";
    let ec2 = Operated::of("spot-ended", ended);
    let told = ec2.done("DescribeSpotInstanceRequests", &[]);
    assert_eq!((told.field("state"), told.field("code")), ("closed", "instance-terminated-no-capacity"));
    assert!(ec2.done("DescribeInstances", &[]).field("stateReason").contains("Server.SpotInstanceTermination"));
}

#[test]
fn only_running_instances_have_a_status_unless_all_are_asked_for() {
    let ec2 = Operated::start(&[]);
    assert_eq!(ec2.done("DescribeInstanceStatus", &[]).field("status"), "ok");
    ec2.done("StopInstances", &[("InstanceId.1", ID)]);
    assert_eq!(ec2.done("DescribeInstanceStatus", &[]).fields("status"), [""; 0]);
    assert_eq!(
        ec2.done("DescribeInstanceStatus", &[("IncludeAllInstances", "true")]).field("status"),
        "not-applicable"
    );
}

#[test]
fn what_is_no_call_is_refused_in_ec2s_words() {
    let ec2 = Operated::start(&[]);
    for (action, parameters, code, message) in [
        (
            "StopInstances",
            &[("InstanceId.1", "i-12345678")][..],
            "InvalidInstanceID.NotFound",
            "The instance ID &apos;i-12345678&apos; does not exist",
        ),
        (
            "StopInstances",
            &[("InstanceId.1", "i-12345678"), ("InstanceId.2", "i-12345679")],
            "InvalidInstanceID.NotFound",
            "The instance IDs &apos;i-12345678, i-12345679&apos; do not exist",
        ),
        ("StopInstances", &[("InstanceId.1", "i-12")], "InvalidInstanceID.Malformed", "Invalid id: &quot;i-12&quot;"),
        ("StopInstances", &[("InstanceId.1", "web")], "InvalidInstanceID.Malformed", "Invalid id: &quot;web&quot;"),
        ("StopInstances", &[], "MissingParameter", "The request must contain the parameter InstanceId"),
        ("CreateTags", &[("ResourceId.1", ID)], "MissingParameter", "The request must contain the parameter Tag"),
        (
            "StopInstances",
            &[("InstanceIds.1", ID)],
            "UnknownParameter",
            "The parameter InstanceIds is not recognized. Offered here are: InstanceId, Hibernate, Force, SkipOsShutdown",
        ),
        (
            "DescribeInstances",
            &[("MaxResults", "4")],
            "InvalidParameterValue",
            "Value (4) for parameter maxResults is invalid. Expecting a value between 5 and 1000.",
        ),
        (
            "DescribeInstances",
            &[("MaxResults", "5"), ("InstanceId.1", ID)],
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        ),
    ] {
        assert_eq!(ec2.refused(action, parameters), (code.to_owned(), message.to_owned()), "{action} {parameters:?}");
    }
    let (code, message) = ec2.refused("CreateVpc", &[]);
    assert_eq!(code, "UnsupportedOperation");
    assert!(message.contains("DescribeInstances") && message.contains("StopInstances"), "{message}");
    let (code, message) =
        ec2.refused("RunInstances", &[("MinCount", "1"), ("MaxCount", "1"), ("ImageId", "ami-12345678")]);
    assert_eq!(code, "UnsupportedOperation");
    assert!(message.contains("--instances"), "{message}");
    let version = ec2.post(&format!("{SIGNED}{FORM}"), "Action=DescribeInstances&Version=2006-01-01");
    assert_eq!((version.status, version.field("Code")), (400, "NoSuchVersion"));
    // A GET is one, too.
    let get = "GET /?Action=DescribeInstances&Version=2016-11-15 HTTP/1.1\r\nHost: localhost\r\n";
    let told = ec2.send(&format!("{get}{SIGNED}\r\n"));
    assert_eq!((told.status, told.field("instanceId")), (200, ID));
}

#[test]
fn a_tag_that_metadata_cannot_show_is_a_tag_all_the_same() {
    let ec2 = Operated::start(&[]);
    let tag = [("ResourceId.1", ID), ("Tag.1.Key", "kubernetes.io/cluster/x"), ("Tag.1.Value", "owned")];
    ec2.done("CreateTags", &tag);
    assert!(ec2.done("DescribeInstances", &[]).body.contains("<key>kubernetes.io/cluster/x</key>"));
    assert_eq!(ec2.done("DescribeTags", &[]).field("value"), "owned");
    ec2.done("DeleteTags", &tag[..2]);
    ec2.done("StopInstances", &[("InstanceId.1", ID)]);
}

#[test]
fn values_of_filters_have_bounds() {
    let ec2 = Operated::start(&[]);
    let long = "x".repeat(257);
    let filter = [("Filter.1.Name", "tag-value"), ("Filter.1.Value.1", &*long)];
    assert_eq!(ec2.code("DescribeInstances", &filter), "InvalidParameterValue");
    ec2.done("DescribeInstances", &[filter[0], ("Filter.1.Value.1", &long[1..])]);
}
