//! Plays every case on every way in.

use std::collections::BTreeMap;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::case::{self, Case, Exchange, Expected, Keep, Step, milliseconds, unescape};
use crate::spin::{Spin, up};
use crate::ways::{Component, Native, Received, Sent, Socket, Way};

#[test]
fn cases_native() {
    play_all(Native::open);
}

#[test]
fn cases_component() {
    play_all(Component::open);
}

#[test]
fn cases_socket() {
    play_all(Socket::open);
}

#[test]
fn cases_spin() {
    play_all(Spin::wasi_0_3);
}

#[test]
fn cases_spin_wasi_0_2() {
    play_all(Spin::wasi_0_2);
}

#[test]
fn cases_spin_up() {
    let Some(program) = up::program() else {
        // Not by a macro: of tests that pass, what macros print is not shown.
        let line = b"SKIPPED: no Spin program of version 4 or later is on the path\n";
        io::stderr().write_all(line).unwrap();
        return;
    };
    let cases = chosen();
    let cases: Vec<&Case> = cases.iter().filter(|case| up::is_steady(case)).collect();
    let spin = up::SpinUp::start(&program, &cases);
    play_these(&cases, |toml| spin.way(toml));
}

/// All cases, or those that the variable `CASE` names.
fn chosen() -> Vec<Case> {
    let only = std::env::var("CASE").unwrap_or_default();
    let cases: Vec<Case> = case::all().into_iter().filter(|case| case.name.contains(&only)).collect();
    assert!(!cases.is_empty(), "no case is called {only}");
    cases
}

fn play_all<W: Way>(open: impl Fn(&str) -> W) {
    play_these(&chosen().iter().collect::<Vec<_>>(), open);
}

/// Plays cases and tells every exchange that went wrong.
fn play_these<W: Way>(cases: &[&Case], open: impl Fn(&str) -> W) {
    let mut wrong = Vec::new();
    let mut exchanges = 0;
    let mut left_out = Vec::new();
    for case in cases {
        exchanges += play(case, &mut open(&case.description), &mut wrong, &mut left_out);
    }
    println!("{} cases, {exchanges} exchanges", cases.len());
    println!("{} left out: {}", left_out.len(), left_out.join(", "));
    assert!(left_out.len() * 10 < exchanges.max(100), "a way that cannot carry a tenth of the exchanges is none");
    assert!(wrong.is_empty(), "{} of {exchanges} exchanges went wrong:\n\n{}", wrong.len(), wrong.join("\n"));
}

fn play(case: &Case, way: &mut dyn Way, wrong: &mut Vec<String>, left_out: &mut Vec<String>) -> usize {
    let mut now_ms = milliseconds("2026-10-01T00:00:00Z").expect("a time");
    let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut exchanges = 0;
    for step in &case.steps {
        match step {
            Step::Advance(ms) => now_ms += ms,
            Step::At(ms) => now_ms = *ms,
            Step::Describe(toml) => way.describe(toml),
            Step::Exchange(exchange) => {
                for _ in 0..exchange.times {
                    exchanges += 1;
                    let sent = sent(exchange, &kept);
                    if let Err(why) = way.carries(&sent) {
                        left_out.push(format!("{}:{} ({why})", case.name, exchange.line));
                        continue;
                    }
                    let received = way.answer(&sent, now_ms);
                    let expected = way.delivered(&exchange.expected);
                    let mut differences = match (expected.closed, received.is_nothing()) {
                        (true, true) => Vec::new(),
                        (true, false) if way.closes() => vec!["expected no answer, received one".to_owned()],
                        _ => differences(&expected, &received, &kept),
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
                    if !differences.is_empty() {
                        let (name, line) = (&case.name, exchange.line);
                        let (method, target) = (&exchange.method, &exchange.target);
                        let list = differences.join("\n    ");
                        wrong.push(format!("tests/cases/{name}.http:{line}: {method} {target}\n    {list}\n"));
                    }
                }
            }
        }
    }
    exchanges
}

fn sent(exchange: &Exchange, kept: &BTreeMap<String, Vec<u8>>) -> Sent {
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
