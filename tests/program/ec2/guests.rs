//! `RunInstances`: new guests of `--instances`, each asked as its caller.

use super::*;

/// Instances by their caller, none at first.
pub(super) fn fleet(name: &str, caller: &str, flags: &[&str]) -> Operated {
    Operated::start(&[&none(name, caller).iter().map(String::as_str).collect::<Vec<_>>(), flags].concat())
}

/// The flags for an empty directory.
fn none(name: &str, caller: &str) -> [String; 4] {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(format!("ec2-{name}"));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    ["--instances", directory.to_str().unwrap(), "--caller", caller].map(str::to_owned)
}

pub(super) const IMAGE: (&str, &str) = ("ImageId", "ami-0123456789abcdef0");

impl Operated {
    /// Launches so many instances; gives their ids.
    fn launch(&self, count: usize, parameters: &[(&str, &str)]) -> Vec<String> {
        let count = count.to_string();
        let told =
            self.done("RunInstances", &[&[IMAGE, ("MinCount", &count), ("MaxCount", &count)], parameters].concat());
        told.fields("instanceId").into_iter().map(str::to_owned).collect()
    }

    /// What the guest with this id sees where its proxy says who it is: the status, and
    /// the body.
    pub(super) fn seen_as(&self, id: &str, path: &str) -> (u16, String) {
        let answer =
            self.served.request(&format!("GET /latest/{path} HTTP/1.1\r\nHost: localhost\r\nX-Guest: {id}\r\n\r\n"));
        let Some((head, body)) = answer.split_once("\r\n\r\n") else { return (0, String::new()) };
        (head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap(), body.to_owned())
    }
}

#[test]
fn a_guest_is_what_its_launch_says() {
    let ec2 = fleet("launch", "header:x-guest", &["--http-put-response-hop-limit", "2"]);
    let told = ec2.done(
        "RunInstances",
        &[
            IMAGE,
            ("MinCount", "1"),
            ("MaxCount", "2"),
            ("InstanceType", "c7g.xlarge"),
            ("KeyName", "ops"),
            ("SecurityGroupId.1", "sg-0123456789abcdef0"),
            ("UserData", "IyEvYmluL3NoCg=="),
            ("IamInstanceProfile.Name", "web"),
            ("MetadataOptions.InstanceMetadataTags", "enabled"),
            ("Monitoring.Enabled", "true"),
            ("Placement.AvailabilityZone", "us-east-1c"),
            ("InstanceMarketOptions.MarketType", "spot"),
            ("InstanceMarketOptions.SpotOptions.SpotInstanceType", "persistent"),
            ("InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior", "stop"),
            ("BlockDeviceMapping.1.DeviceName", "/dev/sdf"),
            ("BlockDeviceMapping.1.Ebs.VolumeSize", "8"),
            ("TagSpecification.1.ResourceType", "instance"),
            ("TagSpecification.1.Tag.1.Key", "Name"),
            ("TagSpecification.1.Tag.1.Value", "web-1"),
        ],
    );
    assert_eq!(told.fields("instanceState"), ["<code>0</code><name>pending</name>"; 2]);
    let ids: Vec<_> = told.fields("instanceId").into_iter().map(str::to_owned).collect();
    let item = |id: &str, path: &str| {
        let (status, body) = ec2.seen_as(id, &format!("meta-data/{path}"));
        assert_eq!(status, 200, "{path}: {body}");
        body
    };
    for (index, id) in ids.iter().enumerate() {
        for (path, value) in [
            ("instance-id", &**id),
            ("ami-launch-index", &index.to_string()),
            ("ami-id", IMAGE.1),
            ("instance-type", "c7g.xlarge"),
            ("reservation-id", told.field("reservationId")),
            ("public-keys/", "0=ops"),
            ("iam/security-credentials/", "web"),
            ("tags/instance/Name", "web-1"),
            ("placement/availability-zone", "us-east-1c"),
            ("instance-life-cycle", "spot"),
            ("block-device-mapping/ebs1", "sdf"),
            ("local-ipv4", told.fields("privateIpAddress")[index * 3]),
        ] {
            assert_eq!(item(id, path), value, "{path}");
        }
        assert_eq!(ec2.seen_as(id, "user-data").1, "#!/bin/sh\n");
        let mac = item(id, "mac");
        assert_eq!(item(id, &format!("network/interfaces/macs/{mac}/security-group-ids")), "sg-0123456789abcdef0");
        assert_eq!(item(id, &format!("network/interfaces/macs/{mac}/subnet-ipv4-cidr-block")), "172.31.0.0/20");
    }
    assert_ne!(item(&ids[0], "mac"), item(&ids[1], "mac"));
    assert_ne!(item(&ids[0], "public-ipv4"), item(&ids[1], "public-ipv4"));
    let described = ec2.done("DescribeInstances", &[]);
    assert_eq!(
        (described.fields("reservationId").len(), described.fields("httpPutResponseHopLimit")),
        (1, vec!["2"; 2])
    );
    assert_eq!(ec2.done("GetInstanceMetadataDefaults", &[]).field("httpPutResponseHopLimit"), "2");
    // Each by itself.
    ec2.done("StopInstances", &[("InstanceId.1", &ids[0])]);
    assert_eq!((ec2.seen_as(&ids[0], "meta-data/").0, ec2.seen_as(&ids[1], "meta-data/").0), (0, 200));
}

#[test]
fn what_a_launch_does_not_ask_for_a_guest_does_not_have() {
    let ec2 = fleet("bare", "header:x-guest", &[]);
    let id = &ec2.launch(1, &[])[0];
    for path in ["meta-data/iam/info", "meta-data/public-keys/", "user-data", "meta-data/tags/instance/"] {
        assert_eq!(ec2.seen_as(id, path).0, 404, "{path}");
    }
    let told = ec2.done("DescribeInstances", &[("InstanceId.1", id)]);
    assert!(!told.body.contains("<keyName>") && !told.body.contains("<iamInstanceProfile>"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_guest_with_an_address_is_asked_from_there() {
    let ec2 = fleet("address", "client-address", &[]);
    let own = [("PrivateIpAddress", "127.0.0.1")];
    let id = &ec2.launch(1, &own)[0];
    assert_eq!(ec2.item("instance-id"), *id);
    assert_eq!(ec2.item("local-ipv4"), "127.0.0.1");
    let again = [IMAGE, ("MinCount", "1"), ("MaxCount", "1"), own[0]];
    assert_eq!(ec2.code("RunInstances", &again), "InvalidIPAddress.InUse");
    assert_eq!(
        ec2.code("RunInstances", &[again[0], again[1], ("MaxCount", "2"), ("PrivateIpAddress", "127.0.0.9")]),
        "InvalidParameterCombination"
    );
}

#[test]
fn a_launch_that_is_repeated_is_the_same_launch() {
    let ec2 = fleet("token", "header:x-guest", &[]);
    let token = ("ClientToken", "deploy-7");
    let first = ec2.launch(2, &[token]);
    assert_eq!(ec2.launch(2, &[token]), first);
    assert_eq!(ec2.done("DescribeInstances", &[]).fields("instanceId").len(), 2);
    let other = [IMAGE, ("MinCount", "1"), ("MaxCount", "1"), token];
    assert_eq!(ec2.code("RunInstances", &other), "IdempotentParameterMismatch");
    // One that failed launched nothing, and may come again.
    let wrong =
        [IMAGE, ("MinCount", "2"), ("MaxCount", "2"), ("ClientToken", "b"), ("MetadataOptions.HttpTokens", "x")];
    assert_eq!(ec2.code("RunInstances", &wrong), "InvalidParameterValue");
    assert_eq!(ec2.launch(1, &[("ClientToken", "b")]).len(), 1);
}

#[test]
fn an_address_is_of_one_instance_until_that_is_terminated() {
    for caller in ["client-address", "header:x-guest"] {
        let ec2 = fleet(&format!("addresses-{}", &caller[..6]), caller, &[]);
        let address = ("PrivateIpAddress", "172.31.0.6");
        let first = ec2.launch(1, &[address]);
        let again = [IMAGE, ("MinCount", "1"), ("MaxCount", "1"), address];
        assert_eq!(ec2.code("RunInstances", &again), "InvalidIPAddress.InUse", "{caller}");
        // Nobody gets it by chance.
        let ids = ec2.launch(3, &[]);
        let told = ec2.done("DescribeInstances", &[]);
        let mut addresses = told.fields("privateIpAddress");
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses, ["172.31.0.4", "172.31.0.5", "172.31.0.6", "172.31.0.7"], "{caller}: {ids:?}");
        ec2.done("TerminateInstances", &[("InstanceId.1", &first[0])]);
        assert_eq!(ec2.launch(1, &[address]).len(), 1, "{caller}");
    }
}

#[test]
fn an_address_moves_between_interfaces_and_is_of_one_alone() {
    let ec2 = fleet("moved", "header:x-guest", &[]);
    let ids = ec2.launch(2, &[]);
    let interface =
        |id: &str| ec2.done("DescribeInstances", &[("InstanceId.1", id)]).field("networkInterfaceId").to_owned();
    let (first, second) = (interface(&ids[0]), interface(&ids[1]));
    let addresses = |id: &str| {
        let mac = ec2.seen_as(id, "meta-data/mac").1;
        ec2.seen_as(id, &format!("meta-data/network/interfaces/macs/{mac}/local-ipv4s")).1
    };
    // Launches and further addresses take from one subnet.
    ec2.done("AssignPrivateIpAddresses", &[("NetworkInterfaceId", &first), ("SecondaryPrivateIpAddressCount", "2")]);
    assert_eq!(
        (addresses(&ids[0]), addresses(&ids[1])),
        ("172.31.0.4\n172.31.0.6\n172.31.0.7".into(), "172.31.0.5".into())
    );
    let third = ec2.launch(1, &[]);
    assert_eq!(addresses(&third[0]), "172.31.0.8");
    let stated = [IMAGE, ("MinCount", "1"), ("MaxCount", "1"), ("PrivateIpAddress", "172.31.0.7")];
    assert_eq!(ec2.code("RunInstances", &stated), "InvalidIPAddress.InUse");

    let moved = [("NetworkInterfaceId", &*second), ("PrivateIpAddress.1", "172.31.0.6")];
    let refused = ("InvalidParameterValue".to_owned(), "[172.31.0.6] assigned, but move is not allowed.".to_owned());
    assert_eq!(ec2.refused("AssignPrivateIpAddresses", &moved), refused);
    let allowed = ("AllowReassignment", "true");
    ec2.done("AssignPrivateIpAddresses", &[moved[0], moved[1], allowed]);
    assert_eq!(
        (addresses(&ids[0]), addresses(&ids[1])),
        ("172.31.0.4\n172.31.0.7".into(), "172.31.0.5\n172.31.0.6".into())
    );
    // The first address of an interface stays, and so do all others then.
    let both = [moved[0], ("PrivateIpAddress.1", "172.31.0.7"), ("PrivateIpAddress.2", "172.31.0.4"), allowed];
    assert_eq!(ec2.code("AssignPrivateIpAddresses", &both), "InvalidParameterValue");
    assert_eq!(addresses(&ids[0]), "172.31.0.4\n172.31.0.7");
    // One that is given back is free.
    ec2.done("UnassignPrivateIpAddresses", &moved);
    let stated = [stated[0], stated[1], stated[2], ("PrivateIpAddress", "172.31.0.6")];
    ec2.done("RunInstances", &stated);
}

#[test]
fn a_dry_run_of_a_launch_finds_what_the_launch_finds() {
    let ec2 = fleet("dry-launch", "header:x-guest", &[]);
    let launch = [IMAGE, ("MinCount", "1"), ("MaxCount", "1"), ("DryRun", "true")];
    assert_eq!(ec2.code("RunInstances", &launch), "DryRunOperation");
    for wrong in [("Placement.AvailabilityZone", "bogus"), ("KeyName", "a\u{1}b")] {
        let launch = [launch[0], launch[1], launch[2], launch[3], wrong];
        assert_eq!(ec2.code("RunInstances", &launch), "InvalidParameterValue", "{wrong:?}");
    }
    assert_eq!(ec2.done("DescribeInstances", &[]).fields("instanceId"), [""; 0]);
}

#[test]
fn a_call_on_several_changes_all_or_none() {
    let ec2 = fleet("all-or-none", "header:x-guest", &[]);
    let hides = ec2.launch(1, &[]);
    let shows = ec2.launch(1, &[("MetadataOptions.InstanceMetadataTags", "enabled")]);
    let tag = [("ResourceId.1", &*hides[0]), ("ResourceId.2", &*shows[0]), ("Tag.1.Key", "a/b"), ("Tag.1.Value", "x")];
    assert_eq!(ec2.code("CreateTags", &tag), "InvalidParameterValue");
    assert_eq!(ec2.done("DescribeTags", &[]).fields("key"), [""; 0]);
}

#[test]
fn a_launch_has_limits() {
    let ec2 = fleet("limits", "header:x-guest", &[]);
    let refused = |parameters: &[(&str, &str)]| ec2.code("RunInstances", parameters);
    let (one, most) = (("MinCount", "1"), ("MaxCount", "1"));
    for (parameters, code) in [
        (&[one, most][..], "MissingParameter"),
        (&[IMAGE, most], "MissingParameter"),
        (&[IMAGE, one, ("MaxCount", "0")], "InvalidParameterValue"),
        (&[IMAGE, ("MinCount", "2"), most], "InvalidParameterValue"),
        (&[IMAGE, one, ("MaxCount", "1001")], "InstanceLimitExceeded"),
        (&[("ImageId", "debian"), one, most], "InvalidAMIID.Malformed"),
        (&[IMAGE, one, most, ("SubnetId", "a")], "InvalidSubnetID.Malformed"),
        (&[IMAGE, one, most, ("SecurityGroupId.1", "web")], "InvalidGroupId.Malformed"),
        (&[IMAGE, one, most, ("UserData", "%%%")], "InvalidParameterValue"),
        (&[IMAGE, one, most, ("NetworkInterface.1.DeviceIndex", "1")], "UnsupportedOperation"),
        (&[IMAGE, one, most, ("LaunchTemplate.LaunchTemplateName", "web")], "UnknownParameter"),
        (
            &[
                IMAGE,
                one,
                most,
                ("TagSpecification.1.ResourceType", "instance"),
                ("TagSpecification.1.Tag.1.Key", "aws:a"),
            ],
            "InvalidParameterValue",
        ),
        (&[IMAGE, one, most, ("DryRun", "true")], "DryRunOperation"),
    ] {
        assert_eq!(refused(parameters), code, "{parameters:?}");
    }
    assert_eq!(ec2.done("DescribeInstances", &[]).fields("instanceId"), [""; 0]);
}

#[test]
fn a_thousand_guests_are_launched_listed_by_pages_and_asked() {
    let ec2 = fleet("thousand", "header:x-guest", &[]);
    let started = Instant::now();
    let mut ids = ec2.launch(1000, &[]);
    let launched = started.elapsed();
    ids.sort();
    let (mut listed, mut token) = (Vec::new(), String::new());
    let started = Instant::now();
    loop {
        let page = [("MaxResults", "300"), ("NextToken", &*token)];
        let told = ec2.done("DescribeInstances", &page[..if token.is_empty() { 1 } else { 2 }]);
        listed.extend(told.fields("instanceId").into_iter().map(str::to_owned));
        match told.fields("nextToken")[..] {
            [next] => token = next.to_owned(),
            _ => break,
        }
    }
    let described = started.elapsed();
    listed.sort();
    assert_eq!(listed, ids);
    let started = Instant::now();
    for id in &ids {
        assert_eq!(ec2.seen_as(id, "meta-data/instance-id"), (200, id.clone()));
    }
    let asked = started.elapsed();
    println!("1000 guests: launched in {launched:?}, listed in {described:?}, asked in {asked:?}");
    // Far above what it takes, also where much else runs.
    assert!(launched + described + asked < 9 * DEADLINE);
}

#[test]
fn whoever_adds_an_instance_keeps_to_the_limit() {
    let none = none("instances-max", "header:x-guest");
    let flags: Vec<_> = none.iter().map(String::as_str).chain(["--instances-max", "3"]).collect();
    let (ec2, control) = Operated::with_control(&flags);
    // As many as there is room for, if these are enough.
    assert_eq!(ec2.code("RunInstances", &[IMAGE, ("MinCount", "4"), ("MaxCount", "4")]), "InstanceLimitExceeded");
    let told = ec2.done("RunInstances", &[IMAGE, ("MinCount", "1"), ("MaxCount", "4")]);
    assert_eq!(told.fields("instanceId").len(), 3);
    let one = [IMAGE, ("MinCount", "1"), ("MaxCount", "1"), ("DryRun", "true")];
    assert_eq!(ec2.code("RunInstances", &one), "InstanceLimitExceeded");
    let file = File::new("ec2-one-more.toml", "instance-type = 'm7g.large'");
    let added = imds(&["ctl", "--control", &control, "--instance", "web", "put", file.path.to_str().unwrap()]);
    let why = text(&added.stderr);
    assert!(!added.status.success() && why.contains("there are 3 instances, as many as there may be"), "{why}");
}

#[test]
fn a_key_that_looks_like_an_id_is_none() {
    let file = File::new(
        "ec2-keys.jsonl",
        "{\"caller\": \"i-aaa\", \"instance\": {\"instance-id\": \"i-bbb\"}}\n{\"caller\": \"b\", \"instance\": {\"instance-id\": \"i-aaa\"}}\n",
    );
    let ec2 = Operated::start(&["--instances", file.path.to_str().unwrap(), "--caller", "header:x-guest"]);
    assert_eq!(ec2.done("DescribeInstances", &[("InstanceId.1", "i-aaa")]).field("instanceId"), "i-aaa");
    ec2.done("StopInstances", &[("InstanceId.1", "i-aaa")]);
    assert_eq!((ec2.seen_as("i-aaa", "").0, ec2.seen_as("b", "").0), (200, 0));
    let ids: Vec<_> = (1..=9).map(|n| (format!("InstanceId.{n}"), "i-bbb")).collect();
    let ids: Vec<_> = ids.iter().map(|(name, id)| (&**name, *id)).collect();
    assert_eq!(ec2.done("DescribeInstances", &ids).fields("instanceId"), ["i-bbb"]);
}
