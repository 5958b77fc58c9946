//! Suggestions for a misspelt name.

/// Other names under which people know a field: the paths of the service, the
/// identity document, tools.
const ALSO_KNOWN_AS: [(&str, &str); 38] = [
    ("account", "owner-id"),
    ("account-id", "owner-id"),
    ("ami", "image-id"),
    ("ami-id", "image-id"),
    ("availability-zone", "placement.availability-zone"),
    ("az", "placement.availability-zone"),
    ("block-device-mapping", "block-device-mappings"),
    ("groups", "security-groups"),
    ("hostname", "private-dns-name"),
    ("http-endpoint", "metadata-options.http-endpoint"),
    ("http-tokens", "metadata-options.http-tokens"),
    ("iam", "iam-instance-profile"),
    ("iam-role", "iam-instance-profile.role-name"),
    ("id", "instance-id"),
    ("instance-life-cycle", "instance-lifecycle"),
    ("interfaces", "network-interfaces"),
    ("ipv6", "network-interfaces[].ipv6-addresses"),
    ("ipv6-addresses", "network-interfaces[].ipv6-addresses"),
    ("key-name", "key-pair.key-name"),
    ("lifecycle", "instance-lifecycle"),
    ("local-hostname", "private-dns-name"),
    ("local-ipv4", "private-ip-address"),
    ("mac", "network-interfaces[].mac-address"),
    ("pending-time", "launch-time"),
    ("private-ip", "private-ip-address"),
    ("public-hostname", "public-dns-name"),
    ("public-ip", "public-ip-address"),
    ("public-ipv4", "public-ip-address"),
    ("public-keys", "key-pair"),
    ("region", "placement.region"),
    ("role", "iam-instance-profile.role-name"),
    ("role-name", "iam-instance-profile.role-name"),
    ("security-groups", "groups"),
    ("ssh-key", "key-pair"),
    ("tenancy", "placement.host-id"),
    ("type", "instance-type"),
    ("volumes", "block-device-mappings"),
    ("zone", "placement.availability-zone"),
];

/// Help for an unknown field among the `known` ones.
pub fn field_help(name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "no field is expected here".to_owned();
    }
    if let Some(near) = nearest(name, known) {
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
/// separators, or no more than a third of its letters away.
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let folded = fold(name);
    if folded.len() > 60 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (distance(&folded, &fold(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The letters and digits of a name: `InstanceId` and `instance_id` are one.
fn fold(name: &str) -> Vec<u8> {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
}

/// The number of letters to insert, delete, replace or swap (Damerau's distance
/// between neighbours).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = core::mem::replace(&mut above, row);
    }
    above[b.len()]
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
    }
}
