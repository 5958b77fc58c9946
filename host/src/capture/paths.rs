//! Paths of the service: in targets, in listings, below versions.

/// A name of a listing as a client writes it in a target; `None` if it cannot be requested.
pub fn escaped(name: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"%?#/\"<>\\^`{|}".contains(&byte);
    if name.is_empty() || name == "." || name == ".." || name.contains('/') || name.chars().any(char::is_control) {
        return None;
    }
    let mut text = String::new();
    for byte in name.bytes() {
        match is_plain(byte) {
            true => text.push(char::from(byte)),
            false => text += &format!("%{byte:02X}"),
        }
    }
    Some(text)
}

/// A target as unescaped text. An invalid target is returned unchanged.
pub fn unescaped(target: &str) -> String {
    let bytes = target.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| str::from_utf8(digits).ok());
        match digits.filter(|_| bytes[at] == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| target.to_owned())
}

/// The version of a target and the path below it, without a slash at the end: `("latest",
/// "meta-data/mac")`.
pub fn split(target: &str) -> Option<(String, String)> {
    let target = unescaped(target);
    let (version, path) = target.strip_prefix('/')?.split_once('/')?;
    Some((version.to_owned(), path.trim_end_matches('/').to_owned()))
}

/// What every answer at a path can be, if it is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    UserData,
    Token,
    Credentials,
}

/// The secret at a target or above it, whatever the version.
pub fn secret(target: &str) -> Option<Secret> {
    let path = unescaped(target.split('?').next().unwrap_or_default());
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).skip(1).collect();
    let role = names.iter().position(|name| *name == "security-credentials").map(|place| place + 1);
    match names[..] {
        ["user-data", ..] => Some(Secret::UserData),
        ["api", "token", ..] => Some(Secret::Token),
        _ => role.filter(|role| *role < names.len()).map(|_| Secret::Credentials),
    }
}

/// Paths below `/latest` that EC2 documents or answers: some come and go, some no listing
/// shows, and some services list little. `{mac}` stands for the MAC address of an interface.
pub const KNOWN: &[&str] = &[
    "dynamic/",
    "dynamic/fws/",
    "dynamic/fws/instance-monitoring",
    "dynamic/instance-identity/",
    "dynamic/instance-identity/document",
    "dynamic/instance-identity/dsa2048",
    "dynamic/instance-identity/pkcs7",
    "dynamic/instance-identity/rsa2048",
    "dynamic/instance-identity/signature",
    "meta-data/",
    "meta-data/ami-id",
    "meta-data/ami-launch-index",
    "meta-data/ami-manifest-path",
    "meta-data/ancestor-ami-ids",
    "meta-data/autoscaling/",
    "meta-data/autoscaling/target-lifecycle-state",
    "meta-data/block-device-mapping/",
    "meta-data/block-device-mapping/ami",
    "meta-data/block-device-mapping/ebs1",
    "meta-data/block-device-mapping/ephemeral0",
    "meta-data/block-device-mapping/root",
    "meta-data/block-device-mapping/swap",
    "meta-data/elastic-gpus/",
    "meta-data/elastic-gpus/associations/",
    "meta-data/elastic-inference/",
    "meta-data/elastic-inference/associations/",
    "meta-data/events/",
    "meta-data/events/maintenance/",
    "meta-data/events/maintenance/history",
    "meta-data/events/maintenance/scheduled",
    "meta-data/events/recommendations/",
    "meta-data/events/recommendations/rebalance",
    "meta-data/hibernation/",
    "meta-data/hibernation/configured",
    "meta-data/hostname",
    "meta-data/iam/",
    "meta-data/iam/info",
    "meta-data/iam/security-credentials/",
    "meta-data/identity-credentials/",
    "meta-data/identity-credentials/ec2/",
    "meta-data/identity-credentials/ec2/info",
    "meta-data/identity-credentials/ec2/security-credentials/",
    "meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
    "meta-data/instance-action",
    "meta-data/instance-id",
    "meta-data/instance-life-cycle",
    "meta-data/instance-type",
    "meta-data/ipv6",
    "meta-data/kernel-id",
    "meta-data/local-hostname",
    "meta-data/local-ipv4",
    "meta-data/mac",
    "meta-data/managed-ssh-keys/",
    "meta-data/managed-ssh-keys/active-keys/ec2-user",
    "meta-data/managed-ssh-keys/signer-cert",
    "meta-data/metrics/",
    "meta-data/metrics/vhostmd",
    "meta-data/network/",
    "meta-data/network/interfaces/",
    "meta-data/network/interfaces/macs/",
    "meta-data/network/interfaces/macs/{mac}/device-number",
    "meta-data/network/interfaces/macs/{mac}/interface-id",
    "meta-data/network/interfaces/macs/{mac}/ipv4-associations/",
    "meta-data/network/interfaces/macs/{mac}/ipv4-prefix",
    "meta-data/network/interfaces/macs/{mac}/ipv6-prefix",
    "meta-data/network/interfaces/macs/{mac}/ipv6s",
    "meta-data/network/interfaces/macs/{mac}/local-hostname",
    "meta-data/network/interfaces/macs/{mac}/local-ipv4s",
    "meta-data/network/interfaces/macs/{mac}/mac",
    "meta-data/network/interfaces/macs/{mac}/network-card",
    "meta-data/network/interfaces/macs/{mac}/owner-id",
    "meta-data/network/interfaces/macs/{mac}/public-hostname",
    "meta-data/network/interfaces/macs/{mac}/public-ipv4s",
    "meta-data/network/interfaces/macs/{mac}/security-group-ids",
    "meta-data/network/interfaces/macs/{mac}/security-groups",
    "meta-data/network/interfaces/macs/{mac}/subnet-id",
    "meta-data/network/interfaces/macs/{mac}/subnet-ipv4-cidr-block",
    "meta-data/network/interfaces/macs/{mac}/subnet-ipv6-cidr-blocks",
    "meta-data/network/interfaces/macs/{mac}/vpc-id",
    "meta-data/network/interfaces/macs/{mac}/vpc-ipv4-cidr-block",
    "meta-data/network/interfaces/macs/{mac}/vpc-ipv4-cidr-blocks",
    "meta-data/network/interfaces/macs/{mac}/vpc-ipv6-cidr-blocks",
    "meta-data/placement/",
    "meta-data/placement/availability-zone",
    "meta-data/placement/availability-zone-id",
    "meta-data/placement/group-name",
    "meta-data/placement/host-id",
    "meta-data/placement/partition-number",
    "meta-data/placement/region",
    "meta-data/product-codes",
    "meta-data/profile",
    "meta-data/public-hostname",
    "meta-data/public-ipv4",
    "meta-data/public-keys/",
    "meta-data/public-keys/0/openssh-key",
    "meta-data/ramdisk-id",
    "meta-data/reservation-id",
    "meta-data/security-groups",
    "meta-data/services/",
    "meta-data/services/domain",
    "meta-data/services/partition",
    "meta-data/spot/",
    "meta-data/spot/instance-action",
    "meta-data/spot/termination-time",
    "meta-data/system",
    "meta-data/tag-sets/",
    "meta-data/tag-sets/instance",
    "meta-data/tags/",
    "meta-data/tags/instance/",
    "user-data",
];

/// Folders whose names the instance makes up.
const OPEN: &[&str] = &[
    "api/",
    "dynamic/fws/",
    "dynamic/instance-identity/",
    "meta-data/block-device-mapping/",
    "meta-data/elastic-gpus/associations/",
    "meta-data/elastic-inference/associations/",
    "meta-data/iam/security-credentials/",
    "meta-data/managed-ssh-keys/",
    "meta-data/public-keys/",
];

/// Whether EC2 has this path below a version, without a slash at the end. Tags are their
/// owner's.
pub fn is_known(path: &str) -> bool {
    let is_interface = || {
        let below = path.strip_prefix("meta-data/network/interfaces/macs/")?;
        let item = below.split_once('/').map_or("", |(_, item)| item);
        let pattern = format!("meta-data/network/interfaces/macs/{{mac}}/{item}");
        Some(item.starts_with("ipv4-associations") || KNOWN.contains(&&*pattern))
    };
    OPEN.iter().any(|folder| path.starts_with(folder))
        || KNOWN.iter().any(|known| known.trim_end_matches('/') == path)
        || is_interface().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ec2_has_is_known() {
        for path in ["meta-data/ami-id", "meta-data/network/interfaces/macs/0e:1/subnet-id", "dynamic/fws", "api/token"]
        {
            assert!(is_known(path), "{path}");
        }
        for path in
            ["meta-data/fabric/rack", "meta-data/tags/instance/Name", "meta-data/network/interfaces/macs/0e:1/x"]
        {
            assert!(!is_known(path), "{path}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_paths() {
        let credentials = "/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance";
        for (target, expected) in [
            ("/latest/user-data", Some(Secret::UserData)),
            ("/1.0//user%2Ddata/x", Some(Secret::UserData)),
            ("/2021-07-15/api/token/", Some(Secret::Token)),
            ("/latest/api/token?x", Some(Secret::Token)),
            ("/latest/meta-data/iam/security-credentials/web/", Some(Secret::Credentials)),
            (credentials, Some(Secret::Credentials)),
            ("/latest/meta-data/iam/security-credentials/", None),
            ("/latest/meta-data/user-data", None),
            ("/latest/", None),
            ("/", None),
        ] {
            assert_eq!(secret(target), expected, "{target}");
        }
    }

    #[test]
    fn names_in_targets_are_names_again() {
        for name in ["a b", "é", "100%", "0=x", "aws:x"] {
            let target = format!("/latest/meta-data/{}", escaped(name).unwrap());
            assert!(target.is_ascii(), "{target}");
            assert_eq!(split(&target), Some(("latest".to_owned(), format!("meta-data/{name}"))));
        }
        for name in ["", "..", "a/b", "a\rb"] {
            assert_eq!(escaped(name), None, "{name:?}");
        }
        assert_eq!(unescaped("%zz%4"), "%zz%4");
    }
}
