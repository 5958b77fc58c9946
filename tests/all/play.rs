//! Plays a case on a way in.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::case::{Case, Exchange, Expected, Keep, Step, milliseconds, unescape};
use crate::ways::{Received, Sent, Way};

/// Plays a case and counts the exchanges that the way carries. Where the rule does
/// not hold, it is told with every exchange that went wrong.
pub fn play(case: &Case, way: &mut dyn Way) -> Result<u32, String> {
    let mut now_ms = milliseconds("2026-10-01T00:00:00Z").expect("a time");
    let mut kept = BTreeMap::new();
    let mut carried = 0;
    let mut wrong = String::new();
    for step in &case.steps {
        match step {
            Step::Advance(ms) => now_ms += ms,
            Step::At(ms) => now_ms = *ms,
            Step::Describe(toml) => way.describe(toml),
            Step::Exchange(exchange) => {
                for _ in 0..exchange.times {
                    let sent = sent(exchange, &kept);
                    if way.carries(&sent).is_err() {
                        continue;
                    }
                    carried += 1;
                    let differences = ask(exchange, &sent, now_ms, way, &mut kept);
                    if !differences.is_empty() {
                        let (place, method, target) = (case.place(exchange), &exchange.method, &exchange.target);
                        wrong += &format!("\n{place}: {method} {target}\n    {}\n", differences.join("\n    "));
                    }
                }
            }
        }
    }
    if wrong.is_empty() {
        return Ok(carried);
    }
    let Case { rule, source, state, .. } = case;
    Err(format!("the rule does not hold: {rule}\nSource: {source}\nState: {state}\n{wrong}"))
}

/// Sends a request, keeps what is to be kept of the answer, and tells what of it is
/// not as expected.
fn ask(
    exchange: &Exchange,
    sent: &Sent,
    now_ms: u64,
    way: &mut dyn Way,
    kept: &mut BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let received = way.answer(sent, now_ms);
    let expected = way.delivered(&exchange.expected);
    let mut differences = match (expected.closed, received.is_nothing()) {
        (true, true) => Vec::new(),
        (true, false) if way.closes() => vec!["expected no answer, received one".to_owned()],
        _ => differences(&expected, &received, kept),
    };
    for keep in &exchange.keeps {
        match part(&received.body, keep) {
            Some(part) => drop(kept.insert(keep.name.clone(), part.to_vec())),
            None => differences.push(format!("body: nothing in it to keep as {}", keep.name)),
        }
    }
    if received.status == 200 && exchange.method == "PUT" {
        kept.insert("token".to_owned(), received.body);
    }
    differences
}

/// A request of a case with what was kept of the answers before it.
pub fn sent(exchange: &Exchange, kept: &BTreeMap<String, Vec<u8>>) -> Sent {
    let fill = |text: &str| {
        let bytes = unescape(text).unwrap_or_else(|| panic!("{text}: a broken escape"));
        fill(&bytes, kept)
    };
    let mut fields: Vec<(String, Vec<u8>)> =
        exchange.fields.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        fields.insert(0, ("Host".to_owned(), b"169.254.169.254".to_vec()));
    }
    Sent { method: exchange.method.clone(), target: fill(&exchange.target), fields }
}

/// The part of a body that is to be kept.
fn part<'b>(body: &'b [u8], keep: &Keep) -> Option<&'b [u8]> {
    let Some(around) = &keep.around else {
        return Some(body);
    };
    let (before, after) = around.split_once('*')?;
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once(before)?;
    Some(rest.split_once(after)?.0.as_bytes())
}

/// The bytes with every `{name}` replaced by the body kept under that name.
fn fill(text: &[u8], kept: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for (name, value) in kept {
        let name = format!("{{{name}}}").into_bytes();
        while let Some(at) = bytes.windows(name.len()).position(|window| window == name) {
            bytes.splice(at..at + name.len(), value.iter().copied());
        }
    }
    bytes
}

/// What of the answer is not as expected.
fn differences(expected: &Expected, received: &Received, kept: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, expected: String, received: String| {
        differences.push(format!("{what}: expected {expected}, received {received}"));
    };
    if expected.status != received.status {
        differ("status", expected.status.to_string(), received.status.to_string());
    }
    if let Some(reason) = expected.reason.as_ref().filter(|reason| **reason != received.reason) {
        differ("reason", reason.clone(), received.reason.clone());
    }
    let names = |fields: &[(String, String)]| {
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    };
    if expected.whole_head && names(&expected.fields) != names(&received.fields) {
        differ("header fields", names(&expected.fields), names(&received.fields));
    }
    for (name, value) in &expected.fields {
        match received.fields.iter().find(|(other, _)| other == name) {
            None => differ(name, value.clone(), "none".to_owned()),
            Some((_, other)) if matches(value, other) => {}
            Some((_, other)) => differ(name, value.clone(), other.clone()),
        }
    }
    for name in &expected.absent {
        if let Some((_, value)) = received.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
            differ(name, "none".to_owned(), value.clone());
        }
    }
    let shown = |bytes: &[u8]| format!("\"{}\"", String::from_utf8_lossy(bytes).escape_debug());
    let body = expected.body.as_ref().map(|body| fill(body, kept));
    if let Some(body) = body.filter(|body| *body != received.body) {
        differ("body", shown(&body), shown(&received.body));
    }
    if let Some(pattern) = &expected.pattern
        && !std::str::from_utf8(&received.body).is_ok_and(|body| matches(pattern, body))
    {
        differ("body", format!("one like {pattern}"), shown(&received.body));
    }
    for text in &expected.contains {
        if !received.body.windows(text.len()).any(|window| window == text) {
            differ("body", format!("one that contains {}", shown(text)), shown(&received.body));
        }
    }
    for text in expected.lacks.iter().map(|text| fill(text.as_bytes(), kept)) {
        if received.body.windows(text.len()).any(|window| window == text) {
            differ("body", format!("one that does not contain {}", shown(&text)), shown(&received.body));
        }
    }
    if expected.length.is_some_and(|length| length != received.body.len()) {
        let body = format!("{} bytes {}", received.body.len(), shown(&received.body));
        differ("body", format!("{} bytes", expected.length.unwrap_or_default()), body);
    }
    if let Some(digest) = &expected.digest {
        let hash: String = Sha256::digest(&received.body).iter().map(|byte| format!("{byte:02x}")).collect();
        if *digest != hash {
            differ("SHA-256 of the body", digest.clone(), hash);
        }
    }
    differences
}

/// Whether a value fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, value: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = value.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    last.map_or(rest.is_empty(), |last| value.ends_with(last))
}
