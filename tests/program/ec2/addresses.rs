//! Elastic IP addresses, and further addresses of an interface.

use super::*;

#[test]
fn an_elastic_ip_address_moves_and_stays_over_a_stop() {
    let ec2 = Operated::start(&[]);
    let told = ec2.done("AllocateAddress", &[("Domain", "vpc")]);
    let (ip, allocation) = (told.field("publicIp").to_owned(), told.field("allocationId").to_owned());
    let associate = [("InstanceId", ID), ("AllocationId", &*allocation)];
    let association = ec2.done("AssociateAddress", &associate).field("associationId").to_owned();
    assert_eq!(ec2.item("public-ipv4"), ip);
    assert_eq!(ec2.code("ReleaseAddress", &associate[1..]), "InvalidIPAddress.InUse");
    ec2.done("StopInstances", &[("InstanceId.1", ID)]);
    assert_eq!(ec2.done("DescribeInstances", &[]).field("ipAddress"), ip);
    ec2.done("StartInstances", &[("InstanceId.1", ID)]);
    assert_eq!(ec2.item("public-ipv4"), ip);
    let told = ec2.done("DescribeAddresses", &[("Filter.1.Name", "instance-id"), ("Filter.1.Value.1", ID)]);
    assert_eq!(told.field("associationId"), association);
    ec2.done("DisassociateAddress", &[("AssociationId", &association)]);
    assert_ne!(ec2.item("public-ipv4"), ip);
    ec2.done("ReleaseAddress", &associate[1..]);
    assert_eq!(ec2.code("AssociateAddress", &associate), "InvalidAllocationID.NotFound");
    // One of the account that was allocated elsewhere.
    ec2.done("AssociateAddress", &[("InstanceId", ID), ("PublicIp", "192.0.2.77")]);
    assert_eq!(ec2.item("public-ipv4"), "192.0.2.77");
    ec2.done("TerminateInstances", &[("InstanceId.1", ID)]);
    ec2.done("ReleaseAddress", &[("PublicIp", "192.0.2.77")]);
    assert_eq!(ec2.code("ReleaseAddress", &[("PublicIp", "192.0.2.77")]), "InvalidAddress.NotFound");
}

#[test]
fn an_address_that_the_interface_states_is_replaced() {
    let toml = "[[network-interfaces]]\nprivate-ip-addresses = [{ private-ip-address = '10.0.0.10', public-ip = '203.0.113.9' }]";
    let ec2 = Operated::of("stated-address", toml);
    assert_eq!(ec2.item("public-ipv4"), "203.0.113.9");
    ec2.done("AssociateAddress", &[("InstanceId", ID), ("PublicIp", "192.0.2.77")]);
    assert_eq!(ec2.item("public-ipv4"), "192.0.2.77");
}

#[test]
fn an_interface_gets_further_addresses() {
    let ec2 = Operated::start(&[]);
    let interface = ec2.done("DescribeInstances", &[]).field("networkInterfaceId").to_owned();
    let of = ("NetworkInterfaceId", &*interface);
    let item = format!("network/interfaces/macs/{}", ec2.item("mac"));
    let private = || ec2.item(&format!("{item}/local-ipv4s")).lines().map(str::to_owned).collect::<Vec<_>>();
    let told = ec2.done("AssignPrivateIpAddresses", &[of, ("SecondaryPrivateIpAddressCount", "2")]);
    assert_eq!(told.fields("privateIpAddress"), ["10.0.0.11", "10.0.0.12"]);
    ec2.done("AssignPrivateIpAddresses", &[of, ("PrivateIpAddress.1", "10.0.0.99")]);
    assert_eq!(private(), ["10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.99"]);
    let gone = [of, ("PrivateIpAddress.1", "10.0.0.11")];
    ec2.done("UnassignPrivateIpAddresses", &gone);
    assert_eq!(private(), ["10.0.0.10", "10.0.0.12", "10.0.0.99"]);
    assert_eq!(ec2.code("UnassignPrivateIpAddresses", &gone), "InvalidParameterValue");
    assert_eq!(
        ec2.code("UnassignPrivateIpAddresses", &[of, ("PrivateIpAddress.1", "10.0.0.10")]),
        "InvalidParameterValue"
    );

    let told = ec2.done("AssignIpv6Addresses", &[of, ("Ipv6AddressCount", "1")]);
    let made = told.field("item").to_owned();
    ec2.done("AssignIpv6Addresses", &[of, ("Ipv6Addresses.1", "2001:db8:0:1::7")]);
    assert_eq!(ec2.item(&format!("{item}/ipv6s")), format!("{made}\n2001:db8:0:1:0:0:0:7"));
    assert_eq!(ec2.item("ipv6"), made);
    ec2.done("UnassignIpv6Addresses", &[of, ("Ipv6Addresses.1", &made)]);
    assert_eq!(ec2.item("ipv6"), "2001:db8:0:1:0:0:0:7");
    assert_eq!(
        ec2.code("AssignIpv6Addresses", &[("NetworkInterfaceId", "eni-1"), ("Ipv6AddressCount", "1")]),
        "InvalidNetworkInterfaceID.NotFound"
    );
    assert_eq!(ec2.code("AssignPrivateIpAddresses", &[of, ("PrivateIpAddress.1", "ten")]), "InvalidParameterValue");
    assert_eq!(ec2.code("AssignPrivateIpAddresses", &[of]), "MissingParameter");
}
