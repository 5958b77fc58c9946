//! Instances that are stopped, started, rebooted and terminated.

use super::*;

fn state(ec2: &Operated) -> String {
    ec2.done("DescribeInstances", &[("InstanceId.1", ID)]).field("instanceState").to_owned()
}

const RUNNING: &str = "<code>16</code><name>running</name>";
const STOPPED: &str = "<code>80</code><name>stopped</name>";
const TERMINATED: &str = "<code>48</code><name>terminated</name>";

#[test]
fn an_answer_tells_of_the_way_and_the_next_call_of_its_end() {
    let ec2 = Operated::start(&[]);
    let named = [("InstanceId.1", ID)];
    let changed = |action: &str| {
        let told = ec2.done(action, &named);
        (told.field("previousState").to_owned(), told.field("currentState").to_owned())
    };
    let words = |previous: &str, current: &str| (previous.to_owned(), current.to_owned());
    assert_eq!(changed("StopInstances"), words(RUNNING, "<code>64</code><name>stopping</name>"));
    assert_eq!(state(&ec2), STOPPED);
    assert_eq!(ec2.seen("meta-data/").0, 0);
    assert_eq!(changed("StopInstances"), words(STOPPED, STOPPED));
    assert_eq!(ec2.code("RebootInstances", &named), "IncorrectInstanceState");
    assert_eq!(changed("StartInstances"), words(STOPPED, "<code>0</code><name>pending</name>"));
    assert_eq!(state(&ec2), RUNNING);
    assert_eq!(ec2.seen("meta-data/").0, 200);
    assert_eq!(changed("StartInstances"), words(RUNNING, RUNNING));
    assert_eq!(ec2.done("RebootInstances", &named).field("return"), "true");
    assert_eq!(changed("TerminateInstances"), words(RUNNING, "<code>32</code><name>shutting-down</name>"));
    assert_eq!(state(&ec2), TERMINATED);
    assert_eq!(ec2.seen("meta-data/").0, 0);
    assert_eq!(changed("TerminateInstances"), words(TERMINATED, TERMINATED));
    for (action, message) in [
        (
            "StartInstances",
            "The instance &apos;i-0123456789abcdef0&apos; is not in a state from which it can be started.",
        ),
        (
            "StopInstances",
            "This instance &apos;i-0123456789abcdef0&apos; is not in a state from which it can be stopped.",
        ),
        (
            "RebootInstances",
            "The instance &apos;i-0123456789abcdef0&apos; is not in a state from which it can be rebooted.",
        ),
        ("MonitorInstances", "The instance &apos;i-0123456789abcdef0&apos; is terminated."),
    ] {
        assert_eq!(ec2.refused(action, &named), ("IncorrectInstanceState".to_owned(), message.to_owned()));
    }
}

#[test]
fn a_start_brings_another_public_address_and_launch_time() {
    let ec2 = Operated::start(&[]);
    let before = ec2.item("public-ipv4");
    let launched = |ec2: &Operated| ec2.done("DescribeInstances", &[]).field("launchTime").to_owned();
    let first = launched(&ec2);
    ec2.done("StopInstances", &[("InstanceId.1", ID)]);
    assert!(!ec2.done("DescribeInstances", &[]).body.contains("<ipAddress>"));
    ec2.done("StartInstances", &[("InstanceId.1", ID)]);
    let after = ec2.item("public-ipv4");
    assert_ne!(before, after);
    assert_eq!(ec2.done("DescribeInstances", &[]).field("ipAddress"), after);
    assert_ne!(first, launched(&ec2));
}

#[test]
fn only_what_is_configured_for_it_hibernates() {
    let hibernate = [("InstanceId.1", ID), ("Hibernate", "true")];
    let ec2 = Operated::start(&[]);
    assert_eq!(ec2.code("StopInstances", &hibernate), "UnsupportedHibernationConfiguration");
    assert_eq!(state(&ec2), RUNNING);
    let ec2 = Operated::of("hibernates", "hibernation-options = { configured = true }");
    ec2.done("StopInstances", &hibernate);
    assert_eq!(state(&ec2), STOPPED);
}

#[test]
fn a_dry_run_judges_and_changes_nothing() {
    let ec2 = Operated::start(&[]);
    let dry =
        |action: &str, parameters: &[(&str, &str)]| ec2.call(action, &[parameters, &[("DryRun", "true")]].concat());
    for (action, parameters) in [
        ("StopInstances", &[("InstanceId.1", ID)][..]),
        ("TerminateInstances", &[("InstanceId.1", ID)]),
        ("CreateTags", &[("ResourceId.1", ID), ("Tag.1.Key", "Name")]),
        ("ModifyInstanceMetadataOptions", &[("InstanceId", ID), ("HttpTokens", "required")]),
        ("AllocateAddress", &[]),
        ("DescribeInstances", &[]),
    ] {
        let told = dry(action, parameters);
        assert_eq!((told.status, told.field("Code")), (412, "DryRunOperation"), "{action}");
        assert_eq!(told.field("Message"), "Request would have succeeded, but DryRun flag is set.");
    }
    assert_eq!(
        dry("StopInstances", &[("InstanceId.1", "i-0123456789abcdef1")]).field("Code"),
        "InvalidInstanceID.NotFound"
    );
    assert_eq!(state(&ec2), RUNNING);
    assert_eq!(ec2.seen("meta-data/").0, 200);
    assert_eq!(ec2.done("DescribeTags", &[]).fields("key"), [""; 0]);
    assert_eq!(ec2.done("DescribeAddresses", &[]).fields("publicIp"), [""; 0]);
}

#[test]
fn a_volume_is_seen_inside_from_the_next_start() {
    let ec2 = Operated::start(&[]);
    let volume = "vol-0123456789abcdef0";
    let mapping = |ec2: &Operated| ec2.item("block-device-mapping/").lines().map(str::to_owned).collect::<Vec<_>>();
    let attach = [("InstanceId", ID), ("VolumeId", volume), ("Device", "/dev/sdf")];
    assert_eq!(ec2.done("AttachVolume", &attach).field("status"), "attaching");
    assert_eq!(ec2.done("DescribeInstances", &[]).fields("deviceName"), ["/dev/xvda", "/dev/sdf"]);
    assert_eq!(mapping(&ec2), ["ami", "root"]);
    assert_eq!(ec2.code("AttachVolume", &attach), "InvalidParameterValue");
    assert_eq!(ec2.code("AttachVolume", &[attach[0], attach[1], ("Device", "/dev/sdg")]), "VolumeInUse");
    let restart = || {
        ec2.done("StopInstances", &[("InstanceId.1", ID)]);
        ec2.done("StartInstances", &[("InstanceId.1", ID)]);
    };
    restart();
    assert_eq!(mapping(&ec2), ["ami", "ebs1", "root"]);
    assert_eq!(ec2.item("block-device-mapping/ebs1"), "sdf");
    assert_eq!(ec2.done("DescribeInstances", &[]).fields("volumeId")[1], volume);
    assert_eq!(ec2.done("DetachVolume", &[("VolumeId", volume)]).field("status"), "detaching");
    assert_eq!(mapping(&ec2), ["ami", "ebs1", "root"]);
    restart();
    assert_eq!(mapping(&ec2), ["ami", "root"]);
    assert_eq!(ec2.code("DetachVolume", &[("VolumeId", volume)]), "IncorrectState");
    let root = ec2.done("DescribeInstances", &[]).field("volumeId").to_owned();
    assert_eq!(ec2.code("DetachVolume", &[("VolumeId", &root)]), "OperationNotPermitted");
    assert_eq!(ec2.code("AttachVolume", &[attach[0], ("VolumeId", "disk"), attach[2]]), "InvalidParameterValue");
}

#[test]
fn a_volume_settles_with_a_start_that_no_call_made() {
    let (ec2, control) = Operated::with_control(&[]);
    let attach = [("InstanceId", ID), ("VolumeId", "vol-0123456789abcdef0"), ("Device", "/dev/sdf")];
    ec2.done("AttachVolume", &attach);
    let ctl = |arguments: &[&str]| {
        let output = imds(&[&["ctl", "--control", &*control], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    ctl(&["stop"]);
    ctl(&["start"]);
    assert_eq!(ec2.item("block-device-mapping/ebs1"), "sdf");
    // One that goes is seen until the next start, and one in its place goes on to be.
    ec2.done("DetachVolume", &[("VolumeId", "vol-0123456789abcdef0")]);
    assert_eq!(ec2.item("block-device-mapping/ebs1"), "sdf");
    ec2.done("AttachVolume", &[attach[0], ("VolumeId", "vol-0123456789abcdef1"), attach[2]]);
    ctl(&["edit", "timeline = [{ at = '+10s', state = 'stopped' }, { at = '+20s', state = 'running' }]"]);
    ctl(&["clock", "+30s"]);
    assert_eq!(ec2.item("block-device-mapping/ebs1"), "sdf");
    ec2.done("DetachVolume", &[("VolumeId", "vol-0123456789abcdef1")]);
    ctl(&["edit", "timeline = [{ at = '+10s', state = 'stopped' }, { at = '+20s', state = 'running' }]"]);
    ctl(&["clock", "+30s"]);
    assert!(!ec2.has("block-device-mapping/ebs1"));
    // What an operator takes away is attached nowhere.
    ec2.done("AttachVolume", &attach);
    ctl(&["edit", "block-device-mappings = []"]);
    assert_eq!(ec2.done("DescribeInstances", &[]).fields("deviceName"), ["/dev/xvda"]);
    ec2.done("AttachVolume", &attach);
}
