//! Replaces account, ids, addresses and names, each by the same value everywhere.

mod addresses;
mod names;
mod shapes;

use std::collections::BTreeMap;
use std::net::IpAddr;

use self::names::Names;
use self::shapes::Writer;
use super::disguise::Disguise;
use super::paths::{escaped, split, unescaped};
use super::replacements::Replacements;
use super::secrets::{each_text, remains};
use super::transcript::{Exchange, Replaced, Transcript};

/// What the error calls a value that would remain.
const REMAINS: &str = "an account, an address or a name";
/// A made-up value can by chance contain an original; then another key is tried.
const ATTEMPTS: u32 = 20;
/// Shorter originals occur by chance in other texts.
const LENGTH_MIN: usize = 7;

/// Replaces what identifies instance, account and network, or returns the kind of value
/// that would remain.
pub fn replace(transcript: &mut Transcript, disguise: &Disguise) -> Result<(), &'static str> {
    let mut disguise = disguise.clone();
    for _ in 0..ATTEMPTS {
        let mut written = transcript.clone();
        let originals = write(&mut written, &disguise);
        if !remains(&written, &originals) {
            *transcript = written;
            return Ok(());
        }
        disguise = disguise.next();
    }
    Err(REMAINS)
}

/// Rewrites the transcript and returns the originals.
fn write(transcript: &mut Transcript, disguise: &Disguise) -> Replacements {
    let names = Names::of(transcript, disguise);
    let mut writer = Writer::new(disguise, names.everywhere.clone());
    let mut lengths = BTreeMap::new();
    let bodies = |it: &Exchange| (it.request.target.clone(), it.response.body().len());
    let before: Vec<_> = transcript.exchanges.iter().map(bodies).collect();
    // Only user data is binary. Since its content is unknown, it is replaced as a whole.
    if transcript.exchanges.iter().any(|exchange| exchange.response.text().is_none()) {
        transcript.header.replaced.push(Replaced::UserData);
    }
    for exchange in &mut transcript.exchanges {
        let (_, path) = split(&exchange.request.target).unwrap_or_default();
        let body = written_body(exchange, &path, &names, &mut writer);
        exchange.response.set_body(body);
        exchange.request.target = written_target(&exchange.request.target, &names, &mut writer);
        for (_, value) in exchange.request.fields.iter_mut().chain(&mut exchange.response.fields) {
            *value = writer.text(value);
        }
    }
    let header = &mut transcript.header;
    if let Some(host) = own_host(&header.endpoint) {
        let written = |text: &mut String| *text = text.replace(&host, "imds.example");
        written(&mut header.endpoint);
        header.missing.iter_mut().for_each(|missing| written(&mut missing.why));
    }
    header.endpoint = writer.text(&header.endpoint);
    for missing in &mut header.missing {
        let (method, target) = missing.request.split_once(' ').unwrap_or(("", &missing.request));
        missing.request = format!("{method} {}", written_target(target, &names, &mut writer));
        missing.why = writer.text(&missing.why);
    }
    header.replaced.extend([Replaced::Identifiers, Replaced::IdentitySignatures]);
    header.replaced.sort();
    header.replaced.dedup();
    // An original that was a word may also be part of another word.
    let found = writer.originals.into_iter().map(|(original, made)| (original.into_bytes(), made.into_bytes()));
    let found = Replacements::new(found, LENGTH_MIN);
    for (exchange, (target, old)) in transcript.exchanges.iter_mut().zip(before) {
        each_text(exchange, &mut |bytes| found.written(bytes));
        let new = exchange.response.body().len();
        if new != old {
            lengths.insert(target.clone(), (old.to_string(), new.to_string()));
        }
        // Also in later answers to `HEAD`.
        if let Some((old, new)) = lengths.get(&target) {
            let mut fields = exchange.response.fields.iter_mut();
            let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            if let Some((_, value)) = length.filter(|(_, value)| value == old) {
                value.clone_from(new);
            }
        }
    }
    found
}

/// The host of an endpoint as it is written there, unless it is EC2's or loopback.
fn own_host(endpoint: &str) -> Option<String> {
    let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let host = match authority.find(']') {
        Some(end) => &authority[..=end],
        None => authority.split(['/', ':']).next().unwrap_or_default(),
    };
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_anybodys = match &address {
        Ok(address) => address.is_loopback() || ["169.254.169.254", "fd00:ec2::254"].contains(&&*address.to_string()),
        Err(_) => ["", "localhost"].contains(&host),
    };
    (!is_anybodys).then(|| host.to_owned())
}

/// A target in which other names replace those of its path.
fn written_target(target: &str, names: &Names, writer: &mut Writer<'_>) -> String {
    let (path, rest) = match target.find(['?', ' ']) {
        Some(place) => target.split_at(place),
        None => (target, ""),
    };
    let mut before = String::new();
    let segments = path.split('/').map(|segment| {
        let name = unescaped(segment);
        let made = names.of_segment(&before, &name).unwrap_or_else(|| writer.text(&name));
        before = format!("{before}/{name}");
        // Unchanged segments keep their spelling.
        if made == name { segment.to_owned() } else { escaped(&made).unwrap_or_else(|| "x".to_owned()) }
    });
    let path = segments.collect::<Vec<_>>().join("/");
    format!("{path}{}", writer.text(rest))
}

fn written_body(exchange: &Exchange, path: &str, names: &Names, writer: &mut Writer<'_>) -> Vec<u8> {
    let body = exchange.response.body();
    let Ok(text) = str::from_utf8(&body) else {
        // The content is unknown, so all of it is replaced.
        return writer.disguise.user_data(&body);
    };
    if exchange.response.status != 200 || exchange.request.method == "PUT" {
        return writer.text(text).into_bytes();
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.starts_with("dynamic/instance-identity/") && ["signature", "pkcs7", "rsa2048", "dsa2048"].contains(&last) {
        let lines = text.split_inclusive('\n').map(|line| writer.disguise.secret(line, 0));
        return lines.collect::<String>().into_bytes();
    }
    if let Some(body) = names.body(path, text, exchange.request.target.ends_with('/'), writer) {
        return body.into_bytes();
    }
    let written = writer.text(text);
    let is_listing = exchange.request.target.ends_with('/');
    let sorted = text.split('\n').is_sorted();
    if is_listing && sorted {
        let mut lines: Vec<&str> = written.split('\n').collect();
        lines.sort_unstable();
        return lines.join("\n").into_bytes();
    }
    written.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_endpoints_are_their_owners() {
        for (endpoint, host) in [
            ("http://10.0.0.7:80", Some("10.0.0.7")),
            ("http://[2001:db9::1]:1338", Some("[2001:db9::1]")),
            ("http://build-7", Some("build-7")),
            ("http://169.254.169.254", None),
            ("http://[fd00:ec2::254]", None),
            ("http://[::1]:1338", None),
            ("http://127.0.0.1:1338", None),
            ("http://localhost:1338", None),
        ] {
            assert_eq!(own_host(endpoint).as_deref(), host, "{endpoint}");
        }
    }
}
