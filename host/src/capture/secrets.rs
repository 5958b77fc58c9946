//! Replaces secrets by made-up ones of the same form, so that no capture contains any.

use std::borrow::Cow;
use std::collections::BTreeMap;

use memchr::memmem;

use super::disguise::Disguise;
use super::paths::{Secret, secret, split};
use super::remains;
use super::transcript::{Exchange, Replaced, Transcript};

/// What the error calls a value that would remain.
const REMAINS: &str = "a secret";
/// A shorter secret, as in mocks, may be part of other text. It is replaced where it was
/// found, and not searched for elsewhere. AWS has no secrets this short.
const LENGTH_MIN: usize = 16;

/// Replaces all secrets, or returns the kind of one that would remain.
pub fn replace(transcript: &mut Transcript, disguise: &Disguise, keeps_user_data: bool) -> Result<(), &'static str> {
    let mut made = Made { by_secret: BTreeMap::new(), disguise };
    let mut replaced = Vec::new();
    let pages = remains::error_pages(&transcript.exchanges);
    for exchange in &mut transcript.exchanges {
        if pages.contains(&(exchange.response.status, exchange.response.body())) {
            continue;
        }
        if let Some((kind, body)) = made.body(exchange, keeps_user_data) {
            exchange.response.set_body(body);
            replaced.push(kind);
        }
    }
    // A secret that was found where it is expected may also occur elsewhere.
    let secrets: Vec<_> = made.by_secret.into_iter().filter(|(secret, _)| secret.len() >= LENGTH_MIN).collect();
    for exchange in &mut transcript.exchanges {
        each_text(exchange, &mut |bytes| {
            let mut bytes = Cow::Borrowed(bytes);
            for (secret, made) in &secrets {
                if memmem::find(&bytes, secret).is_some() {
                    bytes = Cow::Owned(replaced_in(&bytes, secret, made));
                }
            }
            bytes.into_owned()
        });
    }
    let written = |text: &mut String| {
        for (secret, made) in &secrets {
            *text = String::from_utf8_lossy(&replaced_in(text.as_bytes(), secret, made)).into_owned();
        }
    };
    transcript.header.missing.iter_mut().for_each(|missing| written(&mut missing.request));
    replaced.sort();
    replaced.dedup();
    transcript.header.replaced = replaced;
    // Text without a letter or a digit cannot be replaced by another of its form.
    let originals: Vec<&[u8]> = secrets.iter().map(|(secret, _)| secret.as_slice()).collect();
    remains::drop_bodies(transcript, &originals);
    // Only a defect could leave a secret here.
    if remains(transcript, &originals) { Err(REMAINS) } else { Ok(()) }
}

/// Rewrites every text that an exchange has from the service.
pub fn each_text(exchange: &mut Exchange, write: &mut dyn FnMut(&[u8]) -> Vec<u8>) {
    let text = |write: &mut dyn FnMut(&[u8]) -> Vec<u8>, text: &mut String| {
        let written = write(text.as_bytes());
        if written != text.as_bytes() {
            *text = String::from_utf8_lossy(&written).into_owned();
        }
    };
    text(write, &mut exchange.request.target);
    text(write, &mut exchange.response.reason);
    for (name, value) in exchange.request.fields.iter_mut().chain(&mut exchange.response.fields) {
        text(write, name);
        text(write, value);
    }
    let body = exchange.response.body();
    let written = write(&body);
    if written != body {
        exchange.response.set_body(written);
    }
}

/// Whether the transcript still contains one of the originals.
pub fn remains(transcript: &Transcript, originals: &[&[u8]]) -> bool {
    let finders: Vec<_> = originals.iter().map(memmem::Finder::new).collect();
    let has = |bytes: &[u8]| finders.iter().any(|finder| finder.find(bytes).is_some());
    let header = &transcript.header;
    header.missing.iter().any(|missing| has(missing.request.as_bytes()) || has(missing.why.as_bytes()))
        || has(header.endpoint.as_bytes())
        || transcript.exchanges.iter().any(|Exchange { request, response, .. }| {
            let mut fields = request.fields.iter().chain(&response.fields);
            has(request.target.as_bytes())
                || has(response.reason.as_bytes())
                || fields.any(|(name, value)| has(name.as_bytes()) || has(value.as_bytes()))
                || has(&response.body())
        })
}

pub fn replaced_in(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut end = 0;
    for start in memmem::find_iter(bytes, from) {
        out.extend_from_slice(&bytes[end..start]);
        out.extend_from_slice(to);
        end = start + from.len();
    }
    out.extend_from_slice(&bytes[end..]);
    out
}

/// The made-up values so far.
struct Made<'d> {
    by_secret: BTreeMap<Vec<u8>, Vec<u8>>,
    disguise: &'d Disguise,
}

impl Made<'_> {
    /// The body that replaces a secret one.
    fn body(&mut self, exchange: &Exchange, keeps_user_data: bool) -> Option<(Replaced, Vec<u8>)> {
        let body = exchange.response.body();
        if body.is_empty() {
            return None;
        }
        let (_, path) = split(&exchange.request.target).unwrap_or_default();
        let place = secret(&exchange.request.target);
        if exchange.request.method == "PUT" || place == Some(Secret::Token) {
            // What all tokens of EC2 begin with.
            let kept = if body.starts_with(b"AQAE") { 5 } else { 0 };
            return Some((Replaced::Tokens, self.secret(&String::from_utf8_lossy(&body), kept).into_bytes()));
        }
        if place == Some(Secret::UserData) {
            return (!keeps_user_data).then(|| (Replaced::UserData, self.user_data(&body)));
        }
        let text = str::from_utf8(&body).ok().filter(|text| text.contains('"'));
        let is_listing = exchange.request.target.ends_with('/');
        if path.starts_with("meta-data/managed-ssh-keys/") && !is_listing {
            let text = String::from_utf8_lossy(&body);
            let made: String = text.split_inclusive('\n').map(|line| self.keys(line)).collect();
            return Some((Replaced::ManagedSshKeys, made.into_bytes()));
        }
        let is_credentials = place == Some(Secret::Credentials);
        match text.filter(|text| serde_json::from_str::<serde_json::Value>(text).is_ok_and(|it| !it.is_string())) {
            Some(text) => {
                let written = self.json(text, is_credentials);
                (written != text).then(|| (Replaced::Credentials, written.into_bytes()))
            }
            // If credentials have an unexpected form, any part of the body can be a secret.
            None if is_credentials => {
                let made = self.secret(&String::from_utf8_lossy(&body), 0);
                Some((Replaced::Credentials, made.into_bytes()))
            }
            None => None,
        }
    }

    /// A line of keys. The kind of a key and the frame lines of PEM are not secret.
    fn keys(&mut self, line: &str) -> String {
        if line.starts_with("-----") {
            return line.to_owned();
        }
        let is_kind = |word: &str| word.len() < 40 && (word.starts_with("ssh-") || word.starts_with("ecdsa-"));
        let words = line.split_inclusive(' ').map(|word| match is_kind(word) {
            true => word.to_owned(),
            false => self.secret(word, 0),
        });
        words.collect()
    }

    fn secret(&mut self, secret: &str, kept: usize) -> String {
        let made = self.disguise.secret(secret, kept);
        self.by_secret.insert(secret.trim().as_bytes().to_vec(), made.trim().as_bytes().to_vec());
        made
    }

    fn user_data(&mut self, bytes: &[u8]) -> Vec<u8> {
        let made = self.disguise.user_data(bytes);
        self.by_secret.insert(bytes.to_vec(), made.clone());
        made
    }

    /// JSON text in which other texts replace the secrets, and otherwise unchanged. In
    /// credentials, every text is one but those that all credentials have.
    fn json(&mut self, text: &str, is_credentials: bool) -> String {
        let mut out = String::with_capacity(text.len());
        let mut name = None::<String>;
        let mut rest = text;
        while let Some(start) = rest.find('"') {
            let Some(length) = string_end(&rest[start..]) else { break };
            let literal = &rest[start..start + length];
            let after = rest[start + length..].trim_start();
            out.push_str(&rest[..start]);
            let decoded: String = serde_json::from_str(literal).unwrap_or_default();
            match &name {
                _ if after.starts_with(':') => {
                    name = Some(decoded);
                    out.push_str(literal);
                }
                key if !decoded.is_empty()
                    && match is_credentials {
                        true => !is_common(out.trim_end().ends_with(':'), key.as_deref(), &decoded),
                        false => key.as_deref().is_some_and(is_secret),
                    } =>
                {
                    let key = key.as_deref().unwrap_or_default();
                    let made = self.secret(&decoded, if ["AccessKeyId", "Token"].contains(&key) { 4 } else { 0 });
                    // The JSON literal can differ from the decoded text.
                    self.by_secret.insert(literal.trim_matches('"').as_bytes().to_vec(), made.as_bytes().to_vec());
                    out.push_str(&serde_json::to_string(&made).unwrap_or_default());
                }
                _ => out.push_str(literal),
            }
            rest = &rest[start + length..];
        }
        out + rest
    }
}

/// Whether a text of credentials is none of the secret ones: a code, a type or a time.
pub fn is_common(is_field: bool, name: Option<&str>, text: &str) -> bool {
    (is_field && matches!(name, Some("Code" | "Type"))) || humantime::parse_rfc3339(text).is_ok()
}

/// The end of the JSON string that a text begins with.
pub fn string_end(text: &str) -> Option<usize> {
    let mut is_escaped = true;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => return Some(place + 1),
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

/// Whether the name of a JSON field suggests that its value is a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    ["accesskey", "secret", "token", "password", "passwd", "privatekey", "credential"]
        .iter()
        .any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_of_json_are_replaced_and_all_of_them_however_they_are_written() {
        let disguise = Disguise::of(3);
        let mut made = Made { by_secret: BTreeMap::new(), disguise: &disguise };
        let text = r#"{ "Code" : "Success", "AccessKeyId":"ASIAIOSFODNN7EXAMPLE",
            "SecretAccessKey" : "wJalr\/XUtn\u002fFEMI", "Token": "IQoJb3JpZ2luX2Vj\"A==" }"#;
        let written = made.json(text, false);
        assert!(written.starts_with(r#"{ "Code" : "Success", "AccessKeyId":"ASIA"#), "{written}");
        for secret in ["IOSFODNN7EXAMPLE", "wJalr", "b3JpZ2luX2Vj", "FEMI"] {
            assert!(!written.contains(secret), "{written}");
        }
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["SecretAccessKey"].as_str().map(str::len), Some("wJalr/XUtn/FEMI".len()));
        let odd = r#"{"Code":"Success","Expiration":"2026-10-01T06:00:00Z","kid":["ASIAODD"],"Type":["ODDSECRET"],"x":{"sak":"ODDKEY"}}"#;
        let written = made.json(odd, true);
        assert!(written.starts_with(r#"{"Code":"Success","Expiration":"2026-10-01T06:00:00Z","kid":[""#), "{written}");
        assert!(!written.contains("ODD") && serde_json::from_str::<serde_json::Value>(&written).is_ok(), "{written}");
    }
}
