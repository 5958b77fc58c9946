//! Every call of `docs/ec2-api.md` by the AWS SDK for Rust, with its waiters, against
//! `imds serve --instances guests/ --caller header:x-guest --ec2-api`, whose argument is
//! the URL. A description in `guests/` has an event of the code `instance-reboot`.

use aws_sdk_ec2::client::Waiters;
use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::*;
use std::time::Duration;
/// Far above what a waiter takes.
const WAIT: Duration = Duration::from_secs(60);
#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(url)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new("any", "any", None, None, "test"))
        .build();
    let ec2 = aws_sdk_ec2::Client::from_conf(config);
    let r = ec2
        .run_instances()
        .image_id("ami-0123456789abcdef0")
        .min_count(1)
        .max_count(1)
        .instance_type(InstanceType::T3Small)
        .tag_specifications(
            TagSpecification::builder()
                .resource_type(ResourceType::Instance)
                .tags(Tag::builder().key("Name").value("web").build())
                .build(),
        )
        .send()
        .await
        .unwrap();
    let id = r.instances()[0].instance_id().unwrap().to_owned();
    assert_eq!(r.instances()[0].state().unwrap().name(), Some(&InstanceStateName::Pending));
    ec2.wait_until_instance_running().instance_ids(&id).wait(WAIT).await.unwrap();
    ec2.create_tags().resources(&id).tags(Tag::builder().key("Env").value("t").build()).send().await.unwrap();
    assert_eq!(ec2.describe_tags().send().await.unwrap().tags().len(), 2);
    ec2.delete_tags().resources(&id).tags(Tag::builder().key("Env").build()).send().await.unwrap();
    let options = ec2
        .modify_instance_metadata_options()
        .instance_id(&id)
        .http_tokens(HttpTokensState::Required)
        .send()
        .await
        .unwrap();
    assert_eq!(options.instance_metadata_options().unwrap().state(), Some(&InstanceMetadataOptionsState::Pending));
    ec2.get_instance_metadata_defaults().send().await.unwrap();
    let d = ec2.describe_instances().instance_ids(&id).send().await.unwrap();
    let eni = d.reservations()[0].instances()[0].network_interfaces()[0].network_interface_id().unwrap().to_owned();
    assert_eq!(d.reservations()[0].instances()[0].instance_id(), Some(&*id));
    ec2.monitor_instances().instance_ids(&id).send().await.unwrap();
    ec2.unmonitor_instances().instance_ids(&id).send().await.unwrap();
    ec2.reboot_instances().instance_ids(&id).send().await.unwrap();
    ec2.describe_spot_instance_requests().send().await.unwrap();
    let a = ec2
        .associate_iam_instance_profile()
        .instance_id(&id)
        .iam_instance_profile(IamInstanceProfileSpecification::builder().name("web").build())
        .send()
        .await
        .unwrap();
    let a = a.iam_instance_profile_association().unwrap().association_id().unwrap().to_owned();
    ec2.describe_iam_instance_profile_associations().send().await.unwrap();
    let b = ec2
        .replace_iam_instance_profile_association()
        .association_id(a)
        .iam_instance_profile(IamInstanceProfileSpecification::builder().name("db").build())
        .send()
        .await
        .unwrap();
    ec2.disassociate_iam_instance_profile()
        .association_id(b.iam_instance_profile_association().unwrap().association_id().unwrap())
        .send()
        .await
        .unwrap();
    let al = ec2.allocate_address().send().await.unwrap();
    let al = al.allocation_id().unwrap();
    let s = ec2.associate_address().allocation_id(al).instance_id(&id).send().await.unwrap();
    assert_eq!(ec2.describe_addresses().send().await.unwrap().addresses()[0].instance_id(), Some(&*id));
    ec2.disassociate_address().association_id(s.association_id().unwrap()).send().await.unwrap();
    ec2.release_address().allocation_id(al).send().await.unwrap();
    let p = ec2
        .assign_private_ip_addresses()
        .network_interface_id(&eni)
        .secondary_private_ip_address_count(1)
        .send()
        .await
        .unwrap();
    let p = p.assigned_private_ip_addresses()[0].private_ip_address().unwrap().to_owned();
    ec2.unassign_private_ip_addresses().network_interface_id(&eni).private_ip_addresses(p).send().await.unwrap();
    let ipv6 =
        ec2.assign_ipv6_addresses().network_interface_id(&eni).ipv6_addresses("2001:db8::7").send().await.unwrap();
    assert_eq!(ipv6.assigned_ipv6_addresses(), ["2001:db8::7"]);
    ec2.unassign_ipv6_addresses().network_interface_id(&eni).ipv6_addresses("2001:db8::7").send().await.unwrap();
    ec2.attach_volume().instance_id(&id).volume_id("vol-0123456789abcdef0").device("/dev/sdf").send().await.unwrap();
    ec2.stop_instances().instance_ids(&id).send().await.unwrap();
    ec2.wait_until_instance_stopped().instance_ids(&id).wait(WAIT).await.unwrap();
    ec2.modify_instance_attribute()
        .instance_id(&id)
        .user_data(SecureBlobAttributeValue::builder().value(Blob::new("#!/bin/sh\n")).build())
        .send()
        .await
        .unwrap();
    let attribute = ec2
        .describe_instance_attribute()
        .instance_id(&id)
        .attribute(InstanceAttributeName::UserData)
        .send()
        .await
        .unwrap();
    assert_eq!(attribute.user_data().unwrap().value(), Some("IyEvYmluL3NoCg=="));
    ec2.start_instances().instance_ids(&id).send().await.unwrap();
    ec2.detach_volume().volume_id("vol-0123456789abcdef0").send().await.unwrap();
    let st = ec2
        .describe_instance_status()
        .filters(Filter::builder().name("event.code").values("instance-reboot").build())
        .send()
        .await
        .unwrap();
    let st = &st.instance_statuses()[0];
    ec2.modify_instance_event_start_time()
        .instance_id(st.instance_id().unwrap())
        .instance_event_id(st.events()[0].instance_event_id().unwrap())
        .not_before(aws_sdk_ec2::primitives::DateTime::from_secs(4_100_000_000))
        .send()
        .await
        .unwrap();
    let e = ec2.stop_instances().instance_ids("i-1").send().await.unwrap_err();
    assert_eq!(e.into_service_error().meta().code(), Some("InvalidInstanceID.NotFound"));
    ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
    ec2.wait_until_instance_terminated().instance_ids(&id).wait(WAIT).await.unwrap();
    println!("all calls were made");
}
