//! Suggestions for a misspelt name.

use strsim::osa_distance;

/// Other names under which people know a field: the paths of the service, the
/// identity document, EC2's API, cloud-init, Terraform and other clouds.
const ALSO_KNOWN_AS: [(&str, &str); 104] = [
    ("account", "owner-id"),
    ("account-id", "owner-id"),
    ("account-number", "owner-id"),
    ("address", "private-ip-address"),
    ("ami", "image-id"),
    ("ami-id", "image-id"),
    ("arch", "architecture"),
    ("asg", "auto-scaling"),
    ("availability-zone", "placement.availability-zone"),
    ("availability-zone-id", "placement.availability-zone-id"),
    ("az", "placement.availability-zone"),
    ("az-id", "placement.availability-zone-id"),
    ("block-device-mapping", "block-device-mappings"),
    ("cloud-config", "user-data"),
    ("credentials", "iam-instance-profile.credentials"),
    ("disks", "block-device-mappings"),
    ("domain-name", "vpc.dhcp-options.domain-name"),
    ("ebs-block-device", "block-device-mappings"),
    ("eip", "public-ip-address"),
    ("elastic-ip", "public-ip-address"),
    ("enable-dns-host-names", "vpc.enable-dns-hostnames"),
    ("enable-dns-hostnames", "vpc.enable-dns-hostnames"),
    ("flavor", "instance-type"),
    ("fqdn", "private-dns-name"),
    ("groups", "security-groups"),
    ("hop-limit", "metadata-options.http-put-response-hop-limit"),
    ("host-id", "placement.host-id"),
    ("hostname", "private-dns-name"),
    ("http-endpoint", "metadata-options.http-endpoint"),
    ("http-protocol-ipv6", "metadata-options.http-protocol-ipv6"),
    ("http-put-response-hop-limit", "metadata-options.http-put-response-hop-limit"),
    ("http-tokens", "metadata-options.http-tokens"),
    ("iam", "iam-instance-profile"),
    ("iam-profile", "iam-instance-profile"),
    ("iam-role", "iam-instance-profile.role-name"),
    ("id", "instance-id"),
    ("image", "image-id"),
    ("imdsv2", "metadata-options.http-tokens"),
    ("instance-life-cycle", "instance-lifecycle"),
    ("instance-market-options", "instance-lifecycle"),
    ("instance-metadata-tags", "metadata-options.instance-metadata-tags"),
    ("instance-name", "tags.Name"),
    ("instance-profile", "iam-instance-profile"),
    ("instance-state", "state"),
    ("interfaces", "network-interfaces"),
    ("ip", "private-ip-address"),
    ("ip-address", "private-ip-address"),
    ("ipv4", "private-ip-address"),
    ("ipv6", "network-interfaces[].ipv6-addresses"),
    ("ipv6-addresses", "network-interfaces[].ipv6-addresses"),
    ("kernel", "kernel-id"),
    ("key", "key-pair.key-name"),
    ("key-name", "key-pair.key-name"),
    ("lifecycle", "instance-lifecycle"),
    ("local-hostname", "private-dns-name"),
    ("local-ipv4", "private-ip-address"),
    ("mac", "network-interfaces[].mac-address"),
    ("mac-address", "network-interfaces[].mac-address"),
    ("machine-type", "instance-type"),
    ("maintenance", "events"),
    ("market-type", "instance-lifecycle"),
    ("metadata", "metadata-options"),
    ("name", "tags.Name"),
    ("network", "network-interfaces"),
    ("nics", "network-interfaces"),
    ("os-hostname", "private-dns-name"),
    ("pending-time", "launch-time"),
    ("placement-group", "placement.group-name"),
    ("private-ip", "private-ip-address"),
    ("private-ips", "network-interfaces[].private-ip-addresses"),
    ("profile", "iam-instance-profile"),
    ("public-hostname", "public-dns-name"),
    ("public-ip", "public-ip-address"),
    ("public-ipv4", "public-ip-address"),
    ("public-key", "key-pair.public-key"),
    ("public-keys", "key-pair"),
    ("rate-limit", "request-throttle"),
    ("rebalance", "rebalance-recommendation"),
    ("region", "placement.region"),
    ("role", "iam-instance-profile.role-name"),
    ("role-arn", "iam-instance-profile.arn"),
    ("role-name", "iam-instance-profile.role-name"),
    ("root-block-device", "block-device-mappings"),
    ("script", "user-data"),
    ("security-group", "security-groups"),
    ("security-groups", "groups"),
    ("sg", "security-groups"),
    ("size", "instance-type"),
    ("source-image", "image-id"),
    ("spot", "instance-lifecycle"),
    ("ssh-authorized-keys", "key-pair.public-key"),
    ("ssh-key", "key-pair"),
    ("startup-script", "user-data"),
    ("status", "state"),
    ("subnet-cidr", "network-interfaces[].subnet-ipv4-cidr-block"),
    ("tenancy", "placement.host-id"),
    ("throttle", "request-throttle"),
    ("type", "instance-type"),
    ("vm-size", "instance-type"),
    ("volumes", "block-device-mappings"),
    ("vpc-cidr", "network-interfaces[].vpc-ipv4-cidr-blocks"),
    ("vpc-security-group-ids", "security-groups"),
    ("zone", "placement.availability-zone"),
    ("zone-id", "placement.availability-zone-id"),
];

/// So many names can be read in a message.
const LISTED_MAX: usize = 12;

/// Help for an unknown field among the `known` ones.
pub fn field_help(name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "no field is expected here".to_owned();
    }
    if let Some(near) = nearest(name, known) {
        return format!("did you mean `{near}`?");
    }
    // In a table of few fields, `name` is its `group-name`.
    if let (true, Some(near)) = (known.len() <= LISTED_MAX, ending(name, known)) {
        return format!("did you mean `{near}`?");
    }
    let folded = fold(name);
    let also_known = ALSO_KNOWN_AS.iter().filter(|(other, _)| fold(other) == folded);
    // A table knows the last part of a field's full name.
    let last = |field: &'static str| field.rsplit(['.', ']']).next().unwrap_or(field);
    for (_, field) in also_known.clone() {
        if known.contains(&last(field)) {
            return format!("did you mean `{}`?", last(field));
        }
    }
    match also_known.map(|(_, field)| field).next() {
        Some(field) => format!("this is `{field}` in a description, after EC2's API"),
        None if known.len() > LISTED_MAX => {
            "all fields are in what `imds new` prints, and in the schema, which `imds schema` prints".to_owned()
        }
        None => format!("known here: {}", list(known)),
    }
}

/// Help for an unknown value among the `known` ones.
pub fn value_help(value: &str, known: &[&str]) -> String {
    match nearest(value, known) {
        Some(near) => format!("did you mean \"{near}\"? Known: {}", list(known)),
        None => format!("known: {}", list(known)),
    }
}

/// All of them, for a message.
pub fn list(known: &[&str]) -> String {
    let mut list = String::new();
    for (index, name) in known.iter().enumerate() {
        if index > 0 {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    list
}

/// The known name that was probably meant: the same but for case and
/// separators, or no more than a third of its letters to insert, delete, replace or
/// swap away.
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let folded = fold(name);
    if folded.len() > 60 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (osa_distance(&folded, &fold(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The only known name that ends with this one.
fn ending<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let mut ending =
        known.iter().filter(|known| known.rsplit_once('-').is_some_and(|(_, end)| fold(end) == fold(name)));
    ending.next().copied().filter(|_| ending.next().is_none())
}

/// The letters and digits of a name: `InstanceId` and `instance_id` are one.
fn fold(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_the_near_one() {
        let known = ["instance-id", "instance-type", "image-id"];
        for (name, near) in [
            ("instnace-type", "instance-type"),
            ("InstanceType", "instance-type"),
            ("instance_id", "instance-id"),
            ("imageid", "image-id"),
        ] {
            assert_eq!(nearest(name, &known), Some(near), "{name}");
        }
        assert_eq!(nearest("user-data", &known), None);
    }

    #[test]
    fn a_name_from_elsewhere_leads_to_the_field() {
        assert_eq!(
            field_help("local_ipv4", &["owner-id"]),
            "this is `private-ip-address` in a description, after EC2's API"
        );
        assert_eq!(field_help("name", &["group-id", "group-name"]), "did you mean `group-name`?");
    }

    #[test]
    fn many_names_are_not_listed() {
        let known = ["owner-id"; 50];
        assert!(field_help("colour", &known).contains("`imds new`"));
        assert_eq!(field_help("colour", &known[..2]), "known here: owner-id, owner-id");
    }

    #[test]
    fn other_names_are_in_order_and_fields_are_none() {
        assert!(ALSO_KNOWN_AS.is_sorted_by(|(a, _), (b, _)| a < b));
    }
}
