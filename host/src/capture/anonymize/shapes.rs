//! Replaces what identifies an instance by its form, wherever it occurs in a text.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::addresses::address;
use crate::capture::disguise::Disguise;

/// The length of the longest IPv4 address. A fifth number after one shows in two more bytes.
const IPV4_LENGTH_MAX: usize = 15;

/// Rewrites texts.
pub struct Writer<'d> {
    pub disguise: &'d Disguise,
    /// Names and their replacements.
    pub names: BTreeMap<String, String>,
    /// All originals and their replacements.
    pub originals: BTreeMap<String, String>,
    /// Texts that were rewritten before: most occur in every version.
    written: HashMap<String, String>,
}

impl<'d> Writer<'d> {
    pub fn new(disguise: &'d Disguise, names: BTreeMap<String, String>) -> Self {
        Self { disguise, names, originals: BTreeMap::new(), written: HashMap::new() }
    }

    /// A text in which ids, addresses and names are replaced.
    pub fn text(&mut self, text: &str) -> String {
        if let Some(written) = self.written.get(text) {
            return written.clone();
        }
        let written = self.write(text);
        self.written.insert(text.to_owned(), written.clone());
        written
    }

    fn write(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            let before = text[..at].chars().next_back();
            let is_begin = before.is_none_or(|c| !c.is_ascii_alphanumeric());
            let found = if is_begin { self.found(&text[at..], before) } else { None };
            match found {
                Some((length, made)) => {
                    if made != text[at..at + length] {
                        self.originals.insert(text[at..at + length].to_owned(), made.clone());
                    }
                    out += &made;
                    at += length;
                }
                None => {
                    let Some(c) = text[at..].chars().next() else { break };
                    out.push(c);
                    at += c.len_utf8();
                }
            }
        }
        out
    }

    /// The original that a text begins with: its length and its replacement.
    fn found(&self, text: &str, before: Option<char>) -> Option<(usize, String)> {
        self.name(text)
            .or_else(|| self.mac(text))
            .or_else(|| self.ipv6(text, before))
            .or_else(|| self.ipv4(text, before))
            .or_else(|| self.id(text))
            .or_else(|| self.account(text))
            .or_else(|| self.unique_id(text))
    }

    fn name(&self, text: &str) -> Option<(usize, String)> {
        let first = text.chars().next()?.to_string();
        let candidates = self.names.range(first.clone()..).take_while(|(name, _)| name.starts_with(&first));
        let found = candidates
            .filter(|(name, _)| text.starts_with(name.as_str()) && ends(text, name.len()))
            .max_by_key(|(name, _)| name.len())?;
        Some((found.0.len(), found.1.clone()))
    }

    fn mac(&self, text: &str) -> Option<(usize, String)> {
        let candidate = text.get(..17).filter(|_| ends(text, 17) && !text[17..].starts_with(':'))?;
        let parts: Vec<&str> = candidate.split(':').collect();
        let is_part = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if parts.len() != 6 || !parts.iter().all(is_part) {
            return None;
        }
        // The first octet says who assigned the address.
        let digits = self.disguise.hexadecimal(&candidate.to_ascii_lowercase().replace(':', ""));
        let made = (1..6).map(|octet| &digits[2 * octet..2 * octet + 2]);
        Some((17, std::iter::once(parts[0]).chain(made).collect::<Vec<_>>().join(":")))
    }

    fn ipv6(&self, text: &str, before: Option<char>) -> Option<(usize, String)> {
        if before == Some(':') {
            return None;
        }
        let fits = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
        let length = text.bytes().take_while(|byte| fits(*byte)).count();
        let candidate = &text[..length];
        if candidate.matches(':').count() < 2 || !ends(text, length) {
            return None;
        }
        let found: Ipv6Addr = candidate.parse().ok()?;
        let prefix = prefix(&text[length..], 128);
        let IpAddr::V6(made) = address(self.disguise, found.into(), prefix) else { return None };
        let made = match candidate.contains("::") {
            true => made.to_string(),
            false => made.segments().map(|group| format!("{group:x}")).join(":"),
        };
        Some((length, made))
    }

    /// An address with dots, or with hyphens as in host names.
    fn ipv4(&self, text: &str, before: Option<char>) -> Option<(usize, String)> {
        if before == Some('.') {
            return None;
        }
        ['.', '-'].into_iter().find_map(|separator| {
            let fits = |byte: u8| byte.is_ascii_digit() || char::from(byte) == separator;
            let run = text.bytes().take(IPV4_LENGTH_MAX + 2).take_while(|byte| fits(*byte)).count();
            let candidate = text[..run].trim_end_matches(separator);
            let length = candidate.len();
            if candidate.matches(separator).count() != 3 || !ends(text, length) {
                return None;
            }
            let found: Ipv4Addr = candidate.replace(separator, ".").parse().ok()?;
            let prefix = prefix(&text[length..], 32).filter(|_| separator == '.');
            let made = address(self.disguise, found.into(), prefix).to_string();
            Some((length, made.replace('.', &separator.to_string())))
        })
    }

    /// `eni-0123456789abcdef0` and the like: a prefix, and 8, 17 or 32 hexadecimal digits.
    fn id(&self, text: &str) -> Option<(usize, String)> {
        let is_prefix = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        let length = text.bytes().take(24).take_while(|byte| is_prefix(*byte)).count();
        // The hexadecimal digits may begin with letters.
        let hyphens = text[..length].match_indices('-').map(|(place, _)| place + 1);
        hyphens.filter(|start| *start > 1).find_map(|start| {
            let digits = text[start..].bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
            let end = start + digits;
            ([8, 17, 32].contains(&digits) && ends(text, end) && text[start..end].bytes().any(|b| b.is_ascii_digit()))
                .then(|| (end, format!("{}{}", &text[..start], self.disguise.hexadecimal(&text[start..end]))))
        })
    }

    fn account(&self, text: &str) -> Option<(usize, String)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        (digits == 12 && ends(text, 12)).then(|| (12, self.disguise.digits(&text[..12])))
    }

    /// `AIPA…`, `AROA…`: unique ids of IAM.
    fn unique_id(&self, text: &str) -> Option<(usize, String)> {
        let length = text.bytes().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).count();
        let is_id = ["AIPA", "AROA", "AIDA", "AGPA", "ANPA"].iter().any(|kind| text.starts_with(kind));
        ((16..=32).contains(&length) && is_id && ends(text, length))
            .then(|| (length, self.disguise.secret(&text[..length], 4)))
    }
}

/// Whether a match of this length ends at a boundary.
fn ends(text: &str, length: usize) -> bool {
    text.get(length..).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// The prefix length after the address of a block.
fn prefix(rest: &str, most: u8) -> Option<u8> {
    let digits = rest.strip_prefix('/')?;
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    digits[..length].parse().ok().filter(|prefix| *prefix <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let names = BTreeMap::from([("web-role".to_owned(), "abc-defg".to_owned())]);
        Writer::new(&Disguise::of(9), names).text(text)
    }

    #[test]
    fn shapes_are_found_and_nothing_else() {
        for text in [
            "i-0123456789abcdef0.ec2.internal",
            "arn:aws:iam::123456789012:instance-profile/x",
            "0e:49:61:0f:c3:11",
            "2001:db9:0:0:0:0:0:10",
            "fd01::7",
            "ip-10-7-0-10.ec2.internal",
            "(10.7.0.10)",
            "AIPAABCDEFGHIJKLMNOPQ",
            "role/web-role.",
            "vol-0abcdef1",
            "instance-event-0d59937288b749b32",
        ] {
            assert_ne!(written(text), text);
            assert_eq!(written(text), written(text));
        }
        for text in [
            "2026-10-01T00:00:00Z",
            "21 Jan 2019 09:00:43 GMT",
            "2017-09-30",
            "ami-id\nami-launch-index\nami-manifest-path",
            "block-device-mapping/",
            "us-east-1a",
            "169.254.169.254",
            "1.2.3",
            "my-web-roles",
            "1.10",
            "100.100.100.100.5",
        ] {
            assert_eq!(written(text), text);
        }
        let block = written("10.7.0.0/16");
        assert!(block.starts_with("10.") && block.ends_with(".0.0/16"), "{block}");
        assert!(written("2600:1f18:1:2:0:0:0:0/64").ends_with(":0:0:0:0/64"));
    }
    #[test]
    fn a_long_text_of_what_may_begin_an_address_is_read_once() {
        let begun = std::time::Instant::now();
        for part in ["1-", "1.", "a:", "a-", "1", "AROA"] {
            // The letter: what it ends with is no address either.
            let text = part.repeat(200_000) + "1x";
            assert!(written(&text) == text, "{part}");
        }
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }
}
