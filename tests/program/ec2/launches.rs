//! What launches ask for that metadata does not show: attributes, spot requests, and
//! the parameters that clients send without being asked.

use super::guests::{IMAGE, fleet};
use super::*;

const ONE: [(&str, &str); 3] = [IMAGE, ("MinCount", "1"), ("MaxCount", "1")];

fn launch(ec2: &Operated, parameters: &[(&str, &str)]) -> String {
    ec2.done("RunInstances", &[&ONE, parameters].concat()).field("instanceId").to_owned()
}

fn attribute(ec2: &Operated, id: &str, name: &str) -> String {
    ec2.done("DescribeInstanceAttribute", &[("InstanceId", id), ("Attribute", name)]).field("value").to_owned()
}

/// What Terraform's `aws_instance` and the examples of boto3 send for an instance of
/// which nothing special is said.
#[test]
fn what_clients_send_by_default_is_taken() {
    let ec2 = fleet("defaults", "header:x-guest", &[]);
    let id = launch(
        &ec2,
        &[
            ("InstanceType", "t3.micro"),
            ("DisableApiTermination", "false"),
            ("DisableApiStop", "false"),
            ("EbsOptimized", "false"),
            ("Monitoring.Enabled", "false"),
            ("InstanceInitiatedShutdownBehavior", "stop"),
            ("CreditSpecification.CpuCredits", "unlimited"),
            ("MaintenanceOptions.AutoRecovery", "default"),
            ("EnclaveOptions.Enabled", "false"),
            ("CapacityReservationSpecification.CapacityReservationPreference", "open"),
            ("PrivateDnsNameOptions.EnableResourceNameDnsARecord", "false"),
            ("HibernationOptions.Configured", "false"),
            ("Placement.Tenancy", "default"),
            ("NetworkInterface.1.DeviceIndex", "0"),
            ("NetworkInterface.1.NetworkCardIndex", "0"),
            ("NetworkInterface.1.InterfaceType", "interface"),
            ("NetworkInterface.1.AssociatePublicIpAddress", "true"),
            ("NetworkInterface.1.DeleteOnTermination", "true"),
        ],
    );
    ec2.done("TerminateInstances", &[("InstanceId.1", &id)]);
    for (parameter, code) in [
        (("EnclaveOptions.Enabled", "true"), "UnsupportedOperation"),
        (
            ("CapacityReservationSpecification.CapacityReservationPreference", "capacity-reservations-only"),
            "UnsupportedOperation",
        ),
        (("NetworkInterface.1.InterfaceType", "efa"), "UnsupportedOperation"),
        (("InstanceInitiatedShutdownBehavior", "sleep"), "InvalidParameterValue"),
        (("DisableApiStop", "perhaps"), "InvalidParameterValue"),
    ] {
        assert_eq!(ec2.code("RunInstances", &[&ONE[..], &[parameter]].concat()), code, "{parameter:?}");
    }
}

#[test]
fn an_instance_that_is_protected_is_neither_stopped_nor_terminated() {
    let ec2 = fleet("protected", "header:x-guest", &[]);
    let id = launch(&ec2, &[("DisableApiTermination", "true"), ("EbsOptimized", "true")]);
    let (named, of) = ([("InstanceId.1", &*id)], ("InstanceId", &*id));
    assert_eq!(attribute(&ec2, &id, "disableApiTermination"), "true");
    let (code, message) = ec2.refused("TerminateInstances", &named);
    assert_eq!(code, "OperationNotPermitted");
    let expected = format!(
        "The instance &apos;{id}&apos; may not be terminated. Modify its &apos;disableApiTermination&apos; instance \
         attribute and try again."
    );
    assert_eq!(message, expected);
    ec2.done("ModifyInstanceAttribute", &[of, ("DisableApiTermination.Value", "false")]);
    // Who protects it from being stopped protects it from both.
    ec2.done("ModifyInstanceAttribute", &[of, ("Attribute", "disableApiStop"), ("Value", "true")]);
    assert_eq!(ec2.code("StopInstances", &named), "OperationNotPermitted");
    assert_eq!(ec2.code("TerminateInstances", &named), "OperationNotPermitted");
    assert_eq!(ec2.seen_as(&id, "meta-data/").0, 200);
    ec2.done("ModifyInstanceAttribute", &[of, ("DisableApiStop.Value", "false")]);

    let described = ec2.done("DescribeInstances", &named);
    assert_eq!((described.field("ebsOptimized"), described.fields("sourceDestCheck")), ("true", vec!["true"; 2]));
    ec2.done("ModifyInstanceAttribute", &[of, ("SourceDestCheck.Value", "false")]);
    assert_eq!(ec2.done("DescribeInstances", &named).fields("sourceDestCheck"), ["false"; 2]);
    assert_eq!(ec2.code("ModifyInstanceAttribute", &[of, ("EbsOptimized.Value", "false")]), "IncorrectInstanceState");
    ec2.done("ModifyInstanceAttribute", &[of, ("InstanceInitiatedShutdownBehavior.Value", "terminate")]);
    assert_eq!(attribute(&ec2, &id, "instanceInitiatedShutdownBehavior"), "terminate");
    let colour = [of, ("Attribute", "enaSupport"), ("Value", "false")];
    assert_eq!(ec2.code("ModifyInstanceAttribute", &colour), "UnsupportedOperation");
    ec2.done("TerminateInstances", &named);
}

#[test]
fn a_protected_instance_protects_those_of_its_zone() {
    let ec2 = fleet("protected-zone", "header:x-guest", &[]);
    let zone = |name| ("Placement.AvailabilityZone", name);
    let protected = launch(&ec2, &[zone("us-east-1a"), ("DisableApiTermination", "true")]);
    let beside = launch(&ec2, &[zone("us-east-1a")]);
    let elsewhere = launch(&ec2, &[zone("us-east-1b")]);
    let named = [("InstanceId.1", &*beside), ("InstanceId.2", &*elsewhere), ("InstanceId.3", &*protected)];
    let state = |id: &str| ec2.done("DescribeInstances", &[("InstanceId.1", id)]).fields("name")[0].to_owned();
    assert_eq!(ec2.code("TerminateInstances", &[&named[..], &[("DryRun", "true")]].concat()), "OperationNotPermitted");
    assert_eq!(state(&elsewhere), "running");
    assert_eq!(ec2.code("TerminateInstances", &named), "OperationNotPermitted");
    assert_eq!([state(&protected), state(&beside), state(&elsewhere)], ["running", "running", "terminated"]);
}

const SPOT: (&str, &str) = ("InstanceMarketOptions.MarketType", "spot");
const KIND: &str = "InstanceMarketOptions.SpotOptions.SpotInstanceType";
const BEHAVIOR: &str = "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior";

#[test]
fn a_spot_instance_stops_if_its_request_is_persistent() {
    let ec2 = fleet("spot-stop", "header:x-guest", &[]);
    let once = launch(&ec2, &[SPOT]);
    let kept = launch(&ec2, &[SPOT, (KIND, "persistent"), (BEHAVIOR, "stop")]);
    let request = |id: &str, field: &str| {
        let of_it = [("Filter.1.Name", "instance-id"), ("Filter.1.Value.1", id)];
        ec2.done("DescribeSpotInstanceRequests", &of_it).field(field).to_owned()
    };
    assert_eq!((request(&once, "type"), request(&kept, "type")), ("one-time".to_owned(), "persistent".to_owned()));
    assert_eq!(request(&kept, "instanceInterruptionBehavior"), "stop");
    let (code, message) = ec2.refused("StopInstances", &[("InstanceId.1", &kept), ("InstanceId.2", &once)]);
    assert_eq!(code, "UnsupportedOperation");
    let expected = format!(
        "You can&apos;t stop the Spot Instance &apos;{once}&apos; because it is associated with a one-time Spot \
         Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests."
    );
    assert_eq!(message, expected);
    let named = [("InstanceId.1", &*kept)];
    ec2.done("StopInstances", &named);
    assert_eq!(request(&kept, "state"), "disabled");
    ec2.done("StartInstances", &named);
    assert_eq!((request(&kept, "state"), request(&kept, "type")), ("active".to_owned(), "persistent".to_owned()));
    ec2.done("TerminateInstances", &named);
    assert_eq!((request(&kept, "state"), request(&kept, "type")), ("closed".to_owned(), "persistent".to_owned()));

    for (options, code) in [
        (&[SPOT, (KIND, "one-time"), (BEHAVIOR, "stop")][..], "InvalidParameterCombination"),
        (&[SPOT, (KIND, "persistent")], "InvalidParameterCombination"),
        (&[(KIND, "one-time")], "InvalidParameterCombination"),
        (&[SPOT, (KIND, "eternal")], "InvalidParameterValue"),
        (&[SPOT, ("DisableApiTermination", "true")], "UnsupportedOperation"),
    ] {
        assert_eq!(ec2.code("RunInstances", &[&ONE[..], options].concat()), code, "{options:?}");
    }
}

#[test]
fn an_instance_that_was_interrupted_is_not_started_by_its_user() {
    let toml = "instance-lifecycle = 'spot'\nstate = 'stopped'\nspot-interruption = { action = 'stop', time = '-10s' }";
    let ec2 = Operated::of("interrupted", toml);
    let (code, message) = ec2.refused("StartInstances", &[("InstanceId.1", ID)]);
    assert_eq!(code, "IncorrectSpotRequestState");
    assert!(message.ends_with("is not in an appropriate state to support start."), "{message}");
    // One that nobody interrupted starts.
    let ec2 = Operated::of("not-interrupted", "instance-lifecycle = 'spot'\nstate = 'stopped'");
    ec2.done("StartInstances", &[("InstanceId.1", ID)]);
}

#[test]
fn an_image_runs_on_a_type_of_its_architecture() {
    let ec2 =
        fleet("architecture", "header:x-guest", &["--set", "architecture=arm64", "--set", "instance-type=m7g.large"]);
    let id = launch(&ec2, &[("InstanceType", "c7g.xlarge")]);
    assert_eq!(ec2.done("DescribeInstances", &[("InstanceId.1", &id)]).field("architecture"), "arm64");
    let (code, message) = ec2.refused("RunInstances", &[&ONE[..], &[("InstanceType", "t3.micro")]].concat());
    assert_eq!(code, "InvalidParameterValue");
    assert!(
        message.starts_with(
            "The architecture &apos;x86_64&apos; of the specified instance type does not match the architecture \
             &apos;arm64&apos; of the specified AMI."
        ),
        "{message}"
    );
    // Of an image that nobody describes, any type is right; of one that an instance
    // describes, it is not.
    let file = File::new(
        "ec2-architecture.jsonl",
        "{\"caller\": \"a\", \"instance\": {\"image-id\": \"ami-0123456789abcdef0\", \"architecture\": \"x86_64\"}}\n",
    );
    let ec2 = Operated::start(&["--instances", file.path.to_str().unwrap(), "--caller", "header:x-guest"]);
    let arm = [("MinCount", "1"), ("MaxCount", "1"), ("InstanceType", "m7g.large")];
    ec2.done("RunInstances", &[&arm[..], &[("ImageId", "ami-0123456789abcdef1")]].concat());
    assert_eq!(ec2.code("RunInstances", &[&arm[..], &[IMAGE]].concat()), "InvalidParameterValue");
    launch(&ec2, &[("InstanceType", "m7i.large")]);
}
