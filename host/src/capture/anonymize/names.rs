//! Names that users chose. They have no fixed form, so they are found by their place.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::shapes::Writer;
use crate::capture::disguise::Disguise;
use crate::capture::json::string_end;
use crate::capture::paths::{KNOWN, split};
use crate::capture::transcript::Transcript;

/// The names of a capture.
pub struct Names {
    /// Names that are replaced wherever they occur as words: those that are not words of
    /// the service, and are long enough not to occur by chance.
    pub everywhere: BTreeMap<String, String>,
    disguise: Disguise,
}

/// A shorter name is replaced only in places of names.
const LENGTH_MIN: usize = 4;

const ROLES: &str = "meta-data/iam/security-credentials";
const TAGS: &str = "meta-data/tags/instance";
/// The bucket of an image and the names below it.
const MANIFEST: &str = "meta-data/ami-manifest-path";
/// What it is for images in EBS.
const UNKNOWN: &str = "(unknown)";
const USERS: &str = "meta-data/managed-ssh-keys/active-keys";
/// Items whose text is a word of EC2 and not a name, even if a name is equal to it.
const WORDS: &[&str] = &[
    "instance-type",
    "instance-life-cycle",
    "instance-action",
    "placement/availability-zone",
    "placement/availability-zone-id",
    "placement/region",
    "services/domain",
    "services/partition",
    "profile",
    "system",
    "autoscaling/target-lifecycle-state",
];
const MORE_WORDS: &[&str] = &[
    "default",
    "none",
    "enabled",
    "disabled",
    "true",
    "false",
    "Success",
    "x86_64",
    "arm64",
    "i386",
    "latest",
    "internal",
    "compute",
    "amazonaws",
    "text",
    "plain",
    "EC2ws",
    "close",
    "instance-profile",
];

impl Names {
    pub fn of(transcript: &Transcript, disguise: &Disguise) -> Self {
        let mut names = Self { everywhere: BTreeMap::new(), disguise: disguise.clone() };
        let mut words: BTreeSet<String> = MORE_WORDS.iter().map(|word| (*word).to_owned()).collect();
        words.extend(KNOWN.iter().flat_map(|path| path.split('/')).map(str::to_owned));
        let mut found = BTreeSet::new();
        for exchange in transcript.exchanges.iter().filter(|it| it.response.status == 200 && it.request.method == "GET")
        {
            let (Some((version, path)), Some(text)) = (split(&exchange.request.target), exchange.response.text())
            else {
                continue;
            };
            words.insert(version);
            let is_listing = exchange.request.target.ends_with('/');
            let item = path.strip_prefix("meta-data/").unwrap_or_default();
            if WORDS.contains(&item) {
                words.insert(text.to_owned());
            } else if path.ends_with("/security-groups") || path == ROLES || (path == USERS && is_listing) {
                found.extend(text.lines().map(str::to_owned));
            } else if path == "meta-data/public-keys" {
                found.extend(text.lines().filter_map(|line| line.split_once('=')).map(|(_, name)| name.to_owned()));
            } else if path.strip_prefix(TAGS).is_some_and(|key| key.starts_with('/')) || item == "placement/group-name"
            {
                found.insert(text.to_owned());
            } else if path == "meta-data/iam/info" {
                let arn = text.split("instance-profile/").nth(1).and_then(|rest| rest.split('"').next());
                found.extend(arn.into_iter().flat_map(|arn| arn.split('/')).map(str::to_owned));
            } else if path == MANIFEST && text != UNKNOWN {
                found.extend(text.split('/').next().map(str::to_owned));
            } else if path.ends_with("hostname") {
                found.extend(own_parts(text));
            } else if is_listing {
                words.extend(text.lines().map(|line| line.trim_end_matches('/').to_owned()));
            }
        }
        let is_name = |name: &String| name.chars().count() >= LENGTH_MIN && !words.contains(name);
        for name in found.into_iter().filter(is_name) {
            let made = names.made(&name);
            names.everywhere.insert(name, made);
        }
        names
    }

    fn made(&self, name: &str) -> String {
        if name == "default" { name.to_owned() } else { self.disguise.name(name) }
    }

    /// Each line is a name.
    fn lines(&self, text: &str) -> String {
        text.split('\n').map(|name| self.made(name)).collect::<Vec<_>>().join("\n")
    }

    /// The replacement of a segment, if the path before it says that it is a name.
    pub fn of_segment(&self, before: &str, name: &str) -> Option<String> {
        let is_name = before.ends_with(ROLES) || before.ends_with(USERS);
        (is_name && !name.is_empty()).then(|| self.made(name))
    }

    /// The body of an item of names.
    pub fn body(&self, path: &str, text: &str, is_listing: bool, writer: &mut Writer<'_>) -> Option<String> {
        let sorted = |text: String| {
            let mut lines: Vec<&str> = text.split('\n').collect();
            lines.sort_unstable();
            lines.join("\n")
        };
        if path == ROLES || (path == USERS && is_listing) {
            return Some(sorted(self.lines(text)));
        }
        if path.ends_with("/security-groups") || path == "meta-data/placement/group-name" {
            return Some(self.lines(text));
        }
        if path == "meta-data/public-keys" {
            let line = |line: &str| match line.split_once('=') {
                Some((number, name)) => format!("{number}={}", self.made(name)),
                None => writer.text(line),
            };
            return Some(text.split('\n').map(line).collect::<Vec<_>>().join("\n"));
        }
        if path.starts_with("meta-data/public-keys/") && path.ends_with("/openssh-key") {
            return Some(text.split_inclusive('\n').map(|line| self.key(line)).collect());
        }
        if path.strip_prefix(TAGS).is_some_and(|key| key.starts_with('/')) {
            return Some(self.made(text));
        }
        if path == MANIFEST && text != UNKNOWN {
            return Some(text.split('/').map(|name| self.made(name)).collect::<Vec<_>>().join("/"));
        }
        if path == "meta-data/tag-sets/instance" {
            return Some(self.values(text));
        }
        if path == "meta-data/iam/info"
            && let Some((begin, rest)) = text.split_once("instance-profile/")
            && let Some((name, end)) = rest.split_once('"')
        {
            let names: Vec<_> = name.split('/').map(|name| self.made(name)).collect();
            let (begin, end) = (writer.text(begin), writer.text(end));
            return Some(format!("{begin}instance-profile/{}\"{end}", names.join("/")));
        }
        None
    }

    /// A public key in OpenSSH format, with the name of its key pair.
    fn key(&self, line: &str) -> String {
        let mut parts = line.trim_end_matches('\n').splitn(3, ' ');
        let (kind, key, name) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let key = key.map(|key| format!(" {}", self.key_of(key))).unwrap_or_default();
        let name = name.map(|name| format!(" {}", self.made(name))).unwrap_or_default();
        let end = if line.ends_with('\n') { "\n" } else { "" };
        format!("{kind}{key}{name}{end}")
    }

    /// A key of the same kind, lengths and exponent, so that it can still be parsed.
    fn key_of(&self, base64: &str) -> String {
        let Ok(bytes) = STANDARD.decode(base64) else { return self.disguise.secret(base64, 0) };
        let mut made: Vec<u8> = self.disguise.bytes("key", &bytes).take(bytes.len()).collect();
        let (mut at, mut number) = (0, 0);
        while let Some(length) = bytes.get(at..at + 4).and_then(|length| <[u8; 4]>::try_from(length).ok()) {
            let Ok(length_of_field) = usize::try_from(u32::from_be_bytes(length)) else { break };
            let Some(end) = (at + 4).checked_add(length_of_field).filter(|end| *end <= bytes.len()) else { break };
            made[at..at + 4].copy_from_slice(&length);
            // The kind, the name of a curve, the exponent.
            let field = &bytes[at + 4..end];
            if number == 0 || field.starts_with(b"nistp") || field.len() <= 4 {
                made[at + 4..end].copy_from_slice(field);
            } else if let Some(first) = made.get_mut(at + 4) {
                // Not negative, and a point of a curve.
                *first = field[0];
            }
            (at, number) = (end, number + 1);
        }
        STANDARD.encode(made)
    }

    /// JSON in which other texts replace the values.
    fn values(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(start) = rest.find('"') {
            let Some(length) = string_end(&rest[start..]) else { break };
            let literal = &rest[start..start + length];
            let is_name = rest[start + length..].trim_start().starts_with(':');
            out.push_str(&rest[..start]);
            match serde_json::from_str::<String>(literal) {
                Ok(value) if !is_name => out += &serde_json::to_string(&self.made(&value)).unwrap_or_default(),
                _ => out.push_str(literal),
            }
            rest = &rest[start + length..];
        }
        out + rest
    }
}

/// The part of a host name that follows neither from an address nor from a region.
fn own_parts(name: &str) -> Vec<String> {
    let (label, domain) = name.split_once('.').unwrap_or((name, ""));
    let is_of_ec2 = ["internal", "amazonaws.com", "amazonaws.com.cn", "local"]
        .iter()
        .any(|end| domain == *end || domain.ends_with(&format!(".{end}")));
    let is_made = ["ip-", "ec2-", "i-"].iter().any(|begin| label.starts_with(begin));
    let mut parts = Vec::new();
    if !is_made {
        parts.push(label.to_owned());
    }
    if !is_of_ec2 {
        // Several domains may be separated by spaces.
        parts.extend(domain.split(' ').map(str::to_owned));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_still_one_of_its_kind() {
        let names = Names { everywhere: BTreeMap::new(), disguise: Disguise::of(2) };
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJEOavo3KfbMZvlK0qdO6zx6lhBD+OODBQljYvjzGvrp my-key\n";
        let made = names.key(key);
        assert!(made.starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI") && made.ends_with('\n'), "{made}");
        assert!(made.len() == key.len() && !made.contains("avo3Kfb") && !made.contains("my-key"), "{made}");
    }

    #[test]
    fn host_names_of_regions_are_nobodys() {
        assert!(own_parts("ip-10-0-0-10.eu-west-1.compute.internal").is_empty());
        assert_eq!(own_parts("ip-10-0-0-10.corp.example"), ["corp.example"]);
        assert_eq!(own_parts("db.corp.example"), ["db", "corp.example"]);
    }
}
