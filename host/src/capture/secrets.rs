//! Replaces secrets by made-up ones of the same form, so that no capture contains any.

use std::collections::BTreeMap;

use super::disguise::Disguise;
use super::json::rewritten;
use super::paths::{Secret, is_known, secret, split};
use super::remains;
use super::replacements::Replacements;
use super::session::TTL;
use super::transcript::{Exchange, Replaced, Transcript};
use crate::description::tag_names_secret;
use crate::redact;

/// What the error calls a value that would remain.
const REMAINS: &str = "a secret";
/// A shorter secret, as in mocks, may be part of other text. It is replaced where it was
/// found, and not searched for elsewhere. AWS has no secrets this short.
const LENGTH_MIN: usize = 16;

/// Replaces all secrets, or returns the kind of one that would remain.
pub fn replace(transcript: &mut Transcript, disguise: &Disguise, keeps_user_data: bool) -> Result<(), &'static str> {
    let mut made = Made { by_secret: BTreeMap::new(), of_item: Vec::new(), disguise: Some(disguise) };
    let mut replaced = Vec::new();
    let pages = remains::error_pages(&transcript.exchanges);
    for exchange in &mut transcript.exchanges {
        for (_, value) in exchange.response.fields.iter_mut().filter(|(name, _)| is_secret_field(name)) {
            *value = made.secret(value, 0);
            replaced.push(Replaced::Credentials);
        }
        if pages.contains(&(exchange.response.status, exchange.response.body())) {
            continue;
        }
        if let Some((kind, body)) = made.body(exchange, keeps_user_data) {
            exchange.response.set_body(body);
            replaced.push(kind);
        }
    }
    // A secret that was found where it is expected may also occur elsewhere.
    let secrets = Replacements::new(made.by_secret, LENGTH_MIN);
    for exchange in &mut transcript.exchanges {
        each_text(exchange, &mut |bytes| secrets.written(bytes));
    }
    for missing in &mut transcript.header.missing {
        if let Some(written) = secrets.written(missing.request.as_bytes()) {
            missing.request = String::from_utf8_lossy(&written).into_owned();
        }
    }
    replaced.sort();
    replaced.dedup();
    transcript.header.replaced = replaced;
    // Text without a letter or a digit cannot be replaced by another of its form.
    remains::drop_bodies(transcript, &secrets);
    // Only a defect could leave a secret here.
    if remains(transcript, &secrets) { Err(REMAINS) } else { Ok(()) }
}

/// Rewrites every text that an exchange has from the service, if `write` returns another.
pub fn each_text(exchange: &mut Exchange, write: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) {
    let text = |write: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>, text: &mut String| {
        if let Some(written) = write(text.as_bytes()) {
            *text = String::from_utf8_lossy(&written).into_owned();
        }
    };
    text(write, &mut exchange.request.target);
    text(write, &mut exchange.response.reason);
    for (name, value) in exchange.request.fields.iter_mut().chain(&mut exchange.response.fields) {
        text(write, name);
        text(write, value);
    }
    if let Some(written) = write(&exchange.response.body()) {
        exchange.response.set_body(written);
    }
}

/// Whether the transcript still contains one of the originals.
pub fn remains(transcript: &Transcript, originals: &Replacements) -> bool {
    let has = |bytes: &[u8]| originals.is_in(bytes);
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

/// Where an instance has its tags.
const TAGS: &str = "meta-data/tags/instance/";

/// Whether the name of an item, or of a folder that EC2 does not have, says that the text
/// is a secret.
fn names_secret(path: &str) -> bool {
    let own = path.strip_prefix(TAGS).or_else(|| path.split_once('/').map(|(_, path)| path)).unwrap_or_default();
    own.split('/').any(tag_names_secret)
}

/// Whether the value of a header field is a secret. EC2 sends none but the lifetime of a
/// token.
pub fn is_secret_field(name: &str) -> bool {
    !name.eq_ignore_ascii_case(TTL) && (name.eq_ignore_ascii_case("set-cookie") || tag_names_secret(name))
}

fn is_json(text: &str) -> bool {
    text.contains('"') && serde_json::from_str::<serde_json::Value>(text).is_ok_and(|it| !it.is_string())
}

/// The text of an item in which forms replace what a capture replaces.
pub fn masked(target: &str, text: &str) -> String {
    let (_, path) = split(target).unwrap_or_default();
    let mut made = Made { by_secret: BTreeMap::new(), of_item: Vec::new(), disguise: None };
    made.item(&path, text, target.ends_with('/'))
}

/// The made-up values so far.
struct Made<'d> {
    by_secret: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Those of the item that is being written.
    of_item: Vec<Vec<u8>>,
    /// Without one, only the length of a secret stays.
    disguise: Option<&'d Disguise>,
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
        let is_listing = exchange.request.target.ends_with('/');
        if path.starts_with("meta-data/managed-ssh-keys/") && !is_listing {
            let text = String::from_utf8_lossy(&body);
            let made: String = text.split_inclusive('\n').map(|line| self.keys(line)).collect();
            return Some((Replaced::ManagedSshKeys, made.into_bytes()));
        }
        let text = str::from_utf8(&body).ok();
        // If credentials have an unexpected form, any part of the body can be a secret.
        let written = match (text, place == Some(Secret::Credentials)) {
            (Some(text), true) if is_json(text) => self.json(text, true),
            (_, true) => self.secret(&String::from_utf8_lossy(&body), 0),
            (Some(text), false) => self.item(&path, text, is_listing),
            (None, false) => return None,
        };
        (written.as_bytes() != body).then(|| (Replaced::Credentials, written.into_bytes()))
    }

    /// The text of an item without its secrets.
    fn item(&mut self, path: &str, text: &str, is_listing: bool) -> String {
        self.of_item.clear();
        let is_others = !is_listing && !is_known(path) && path.contains('/');
        match path.strip_prefix(TAGS) {
            _ if is_others && names_secret(path) => self.secret(text, 0),
            _ if is_json(text) => {
                let written = self.json(text, false);
                let looked = if is_others { self.by_looks(&written) } else { String::new() };
                if is_json(&looked) { looked } else { written }
            }
            None if is_others => self.plain(text),
            _ => text.to_owned(),
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
        let Some(disguise) = self.disguise else { return "*".repeat(secret.len()) };
        // The same value wherever it is found.
        if let Some(made) = self.by_secret.get(secret.trim().as_bytes()).filter(|made| !made.is_empty()) {
            self.of_item.push(made.clone());
            return secret.replacen(secret.trim(), &String::from_utf8_lossy(made), 1);
        }
        let made = disguise.secret(secret, kept);
        self.by_secret.insert(secret.trim().as_bytes().to_vec(), made.trim().as_bytes().to_vec());
        self.of_item.push(made.trim().as_bytes().to_vec());
        made
    }

    fn user_data(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(disguise) = self.disguise else { return Vec::new() };
        let made = disguise.user_data(bytes);
        self.by_secret.insert(bytes.to_vec(), made.clone());
        made
    }

    /// JSON text in which other values replace the secrets, and otherwise unchanged. In
    /// credentials, every text is one but those that all credentials have.
    fn json(&mut self, text: &str, is_credentials: bool) -> String {
        let (is_secret, outer): (fn(&str) -> bool, _) =
            if is_credentials { (|_| true, Some("")) } else { (tag_names_secret, None) };
        rewritten(text, is_secret, outer, &mut |name, literal, is_own| {
            let Ok(decoded) = serde_json::from_str::<String>(literal) else {
                return if tag_names_secret(name) { self.number(literal) } else { literal.to_owned() };
            };
            if is_credentials && is_common(is_own, Some(name), &decoded) {
                return literal.to_owned();
            }
            let made = self.secret(&decoded, if ["AccessKeyId", "Token"].contains(&name) { 4 } else { 0 });
            // The JSON literal can differ from the decoded text.
            self.by_secret.insert(literal.trim_matches('"').as_bytes().to_vec(), made.as_bytes().to_vec());
            serde_json::to_string(&made).unwrap_or_default()
        })
    }

    /// A number of as many digits.
    fn number(&mut self, literal: &str) -> String {
        let digits: String = literal.chars().filter(char::is_ascii_digit).collect();
        let Some(disguise) = self.disguise else { return "0".repeat(digits.len()) };
        let made = disguise.digits(&digits);
        self.by_secret.insert(literal.as_bytes().to_vec(), made.clone().into_bytes());
        made
    }

    /// Text of an item that EC2 does not have: secrets by their names, as in
    /// `password=hunter2`, and by their looks.
    fn plain(&mut self, text: &str) -> String {
        let lines = text.split_inclusive('\n').map(|line| self.assigned(line));
        let text: String = lines.collect();
        self.by_looks(&text)
    }

    /// Text in which made-up values replace what looks like a key or a token, and is not
    /// made up itself.
    fn by_looks(&mut self, text: &str) -> String {
        let secrets = redact::secrets(text);
        if secrets.is_empty() {
            return text.to_owned();
        }
        // A search for each would take hours in a body that is full of them.
        let made = self.of_item.drain(..).map(|made| (made, Vec::new()));
        let mut made = Replacements::new(made, LENGTH_MIN / 2).places(text.as_bytes()).into_iter().peekable();
        let (mut out, mut end) = (String::with_capacity(text.len()), 0);
        for secret in secrets {
            while made.next_if(|made| made.end <= secret.start).is_some() {}
            if made.peek().is_some_and(|made| made.start < secret.end) {
                continue;
            }
            out.push_str(&text[end..secret.start]);
            out.push_str(&self.secret(&text[secret.clone()], 4));
            end = secret.end;
        }
        out + &text[end..]
    }

    /// A line in which made-up values follow the names of secrets.
    fn assigned(&mut self, line: &str) -> String {
        let (mut out, mut rest) = (String::with_capacity(line.len()), line);
        while let Some(place) = rest.find(['=', ':']) {
            let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            let before = rest[..place].trim_end_matches([' ', '\t', '"', '\'']);
            let name = &before[before
                .rfind(|c| !is_name(c))
                .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
            let behind = &rest[place + 1..];
            let value = behind.trim_start_matches([' ', '\t', '"', '\'']);
            // `Authorization: Basic …` goes on to the end of the line.
            let ends: &[char] = if rest[place..].starts_with('=') {
                &[' ', '\t', '\r', '\n', '"', '\'', ';', '&', ',']
            } else {
                &['\r', '\n']
            };
            let length = value.find(ends).unwrap_or(value.len());
            out.push_str(&rest[..place + 1]);
            rest = behind;
            if length > 0 && !value.starts_with("//") && tag_names_secret(name) {
                out.push_str(&behind[..behind.len() - value.len()]);
                out.push_str(&self.secret(&value[..length], 0));
                rest = &value[length..];
            }
        }
        out + rest
    }
}

/// Whether a text of credentials is none of the secret ones: a code, a type or a time.
pub fn is_common(is_field: bool, name: Option<&str>, text: &str) -> bool {
    (is_field && matches!(name, Some("Code" | "Type"))) || humantime::parse_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_of_json_are_replaced_and_all_of_them_however_they_are_written() {
        let disguise = Disguise::of(3);
        let mut made = Made { by_secret: BTreeMap::new(), of_item: Vec::new(), disguise: Some(&disguise) };
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

    #[test]
    fn secrets_of_unknown_items_are_found_by_their_names() {
        let disguise = Disguise::of(3);
        let mut made = Made { by_secret: BTreeMap::new(), of_item: Vec::new(), disguise: Some(&disguise) };
        for name in ["apiKey", "api_key", "pass", "db_pass", "bearer", "Authorization", "jwt", "clientSecret"] {
            for value in [r#""hunter7x""#, r#"["hunter7x"]"#, r#"{"of": "hunter7x"}"#, "7654321"] {
                let text = format!(r#"{{"{name}": {value}, "rack": "r17", "slot": 12}}"#);
                let written = made.json(&text, false);
                assert!(!written.contains("hunter7x") && !written.contains("7654321"), "{written}");
                assert!(written.ends_with(r#", "rack": "r17", "slot": 12}"#), "{written}");
                assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok(), "{written}");
            }
            for text in [format!("rack=r17 {name}=hunter7x;slot=12\n"), format!("rack: r17\n{name}: \"hunter7x\"\n")] {
                let written = made.plain(&text);
                assert!(
                    !written.contains("hunter7x") && written.contains("r17") && written.len() == text.len(),
                    "{written}"
                );
            }
        }
        let text = "see https://a.example/b?c=d at 10:30, key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert!(made.plain(text).starts_with("see https://a.example/b?c=d at 10:30, key wJal"), "{}", made.plain(text));
        assert!(!made.plain(text).contains("bPxRfi"), "{}", made.plain(text));
        assert!(names_secret("meta-data/fabric/api-key") && names_secret("meta-data/tags/instance/db_pass"));
        assert!(!names_secret("meta-data/fabric/rack") && !names_secret("meta-data/tags/instance/Name"));
    }
}
