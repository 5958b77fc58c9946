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

/// Paths below `/latest` that an instance can have although no listing shows them, or that
/// come and go. `{mac}` stands for the MAC address of an interface.
pub const KNOWN: &[&str] = &[
    "user-data",
    "dynamic/fws/",
    "dynamic/fws/instance-monitoring",
    "dynamic/instance-identity/document",
    "dynamic/instance-identity/dsa2048",
    "dynamic/instance-identity/pkcs7",
    "dynamic/instance-identity/rsa2048",
    "dynamic/instance-identity/signature",
    "meta-data/ancestor-ami-ids",
    "meta-data/autoscaling/target-lifecycle-state",
    "meta-data/block-device-mapping/ebs1",
    "meta-data/block-device-mapping/ephemeral0",
    "meta-data/block-device-mapping/swap",
    "meta-data/elastic-gpus/associations/",
    "meta-data/elastic-inference/associations/",
    "meta-data/events/maintenance/history",
    "meta-data/events/maintenance/scheduled",
    "meta-data/events/recommendations/rebalance",
    "meta-data/hibernation/configured",
    "meta-data/iam/",
    "meta-data/iam/info",
    "meta-data/iam/security-credentials/",
    "meta-data/identity-credentials/ec2/info",
    "meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
    "meta-data/instance-life-cycle",
    "meta-data/ipv6",
    "meta-data/kernel-id",
    "meta-data/local-ipv4",
    "meta-data/managed-ssh-keys/",
    "meta-data/managed-ssh-keys/active-keys/ec2-user",
    "meta-data/managed-ssh-keys/signer-cert",
    "meta-data/metrics/vhostmd",
    "meta-data/network/interfaces/macs/{mac}/ipv4-associations/",
    "meta-data/network/interfaces/macs/{mac}/ipv4-prefix",
    "meta-data/network/interfaces/macs/{mac}/ipv6-prefix",
    "meta-data/network/interfaces/macs/{mac}/ipv6s",
    "meta-data/network/interfaces/macs/{mac}/network-card",
    "meta-data/network/interfaces/macs/{mac}/public-hostname",
    "meta-data/network/interfaces/macs/{mac}/public-ipv4s",
    "meta-data/network/interfaces/macs/{mac}/subnet-ipv6-cidr-blocks",
    "meta-data/network/interfaces/macs/{mac}/vpc-ipv6-cidr-blocks",
    "meta-data/placement/group-name",
    "meta-data/placement/host-id",
    "meta-data/placement/partition-number",
    "meta-data/product-codes",
    "meta-data/profile",
    "meta-data/public-hostname",
    "meta-data/public-ipv4",
    "meta-data/public-keys/",
    "meta-data/public-keys/0/openssh-key",
    "meta-data/ramdisk-id",
    "meta-data/services/domain",
    "meta-data/services/partition",
    "meta-data/spot/",
    "meta-data/spot/instance-action",
    "meta-data/spot/termination-time",
    "meta-data/system",
    "meta-data/tag-sets/instance",
    "meta-data/tags/instance/",
];

#[cfg(test)]
mod tests {
    use super::*;

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
