//! The replay log: every case as JSON Lines, for the tests of hosts in other languages.
//! `docs/core-abi.md` has its form.

use std::fmt::{Debug, Write as _};

use imds_core::{Answer, Delivery, Instance, Moment, RequestBody, Signatures};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::case;
use crate::core_abi::hold_section;
use crate::play::play;
use crate::shell::workspace;
use crate::ways::{Received, Sent, Way, core_settings, open_in_core, read_toml, signatures, take_apart};

/// The core, called as a function, which writes down what it was asked and answered.
struct Log {
    instance: Instance,
    entropy: u64,
    throttle_state: u64,
    requests: u64,
    /// The case that is played.
    case: String,
    lines: String,
}

impl Log {
    fn open(&mut self, toml: &str) {
        let description = read_toml(toml);
        self.instance = open_in_core(&description);
        (self.throttle_state, self.requests) = (0, 0);
        let settings = core_settings();
        self.write(&json!({
            "open": {
                "description": description.to_json(),
                "settings": {
                    "token-secret": bytes(&settings.token_secret),
                    "allowed-hosts": settings.allowed_hosts,
                    "signs-identity": settings.signs_identity,
                    "scope": settings.scope,
                },
            },
        }));
    }

    fn write(&mut self, line: &Value) {
        let _ = writeln!(self.lines, "{line}");
    }
}

impl Way for Log {
    fn answer(&mut self, sent: &Sent, now_ms: u64) -> Received {
        let head = sent.head();
        self.entropy += 1;
        let Log { entropy, throttle_state, requests, .. } = *self;
        let moment = Moment { now_ms, entropy, throttle_state, request_number: requests, ..Moment::default() };
        let mut signed = None;
        loop {
            let answer = self.instance.answer(&head, moment, signed.as_ref());
            let line = json!({
                "case": self.case,
                "ask": bytes(&head),
                "moment": {
                    "now-ms": moment.now_ms.to_string(),
                    "entropy": moment.entropy.to_string(),
                    "throttle-state": moment.throttle_state.to_string(),
                    "request-number": moment.request_number.to_string(),
                    "over-ipv6": moment.over_ipv6,
                    "keep-alive": moment.keep_alive,
                },
                "signatures": signed.as_ref().map(|Signatures { signature, pkcs7, rsa2048 }| {
                    json!({ "signature": signature, "pkcs7": pkcs7, "rsa2048": rsa2048 })
                }),
                "answer": written(&answer),
            });
            let wanted = answer.to_sign.as_ref().map(|document| signatures(document.signing_time_ms));
            let received = match answer.delivery {
                Some(Delivery::Closed) => Received::nothing(),
                _ => take_apart(&answer.head, answer.body.to_vec()),
            };
            self.throttle_state = answer.throttle_state;
            self.write(&line);
            match wanted {
                Some(signatures) => signed = Some(signatures),
                None => {
                    self.requests += 1;
                    return received;
                }
            }
        }
    }

    fn closes(&self) -> bool {
        true
    }

    fn describe(&mut self, toml: &str) {
        self.open(toml);
    }
}

/// An answer in the words of the contract.
fn written(answer: &Answer<'_>) -> Value {
    json!({
        "head": bytes(&answer.head),
        "body": bytes(&answer.body),
        "status": answer.status,
        "outcome": kebab(answer.outcome),
        "session-version": answer.session_version.map(kebab),
        "hop-limit": answer.hop_limit,
        "delivery": answer.delivery.map(|delivery| match delivery {
            Delivery::Delayed(ms) => json!({ "delayed": ms }),
            other => json!(kebab(other)),
        }),
        "request-body": match answer.request_body {
            RequestBody::Length(length) => json!({ "length": length.to_string() }),
            other => json!(kebab(other)),
        },
        "keep-alive": answer.keep_alive,
        "throttle-state": answer.throttle_state.to_string(),
        "to-sign": answer.to_sign.as_ref().map(|document| {
            json!({ "text": document.text, "signing-time-ms": document.signing_time_ms.to_string() })
        }),
    })
}

/// Bytes as a text in which each character is one (ISO 8859-1).
fn bytes(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The name of a value in the contract: `HeadTooLarge` is `head-too-large`.
fn kebab(value: impl Debug) -> String {
    let mut name = String::new();
    for character in format!("{value:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

/// The log, and how many instances are opened and requests asked in it.
fn log() -> (String, usize, usize) {
    let mut log = Log {
        instance: open_in_core(&read_toml("")),
        entropy: 0,
        throttle_state: 0,
        requests: 0,
        case: String::new(),
        lines: String::new(),
    };
    for case in case::all() {
        (log.entropy, log.case) = (0, case.name.clone());
        log.open(&case.description);
        play(&case, &mut log).unwrap_or_else(|why| panic!("{why}"));
    }
    let opened = log.lines.lines().filter(|line| line.starts_with("{\"open\"")).count();
    let asked = log.lines.lines().count() - opened;
    (log.lines, opened, asked)
}

/// Writes the log, and its digest where `BLESS=1` is set.
#[test]
fn the_log_has_every_case() {
    let (log, opened, asked) = log();
    let directory = workspace().join("target/imds-component");
    std::fs::create_dir_all(&directory).expect("the directory can be made");
    std::fs::write(directory.join("replay.jsonl"), &log).expect("the log can be written");
    let section = format!(
        "`target/imds-component/replay.jsonl` has {} cases, {opened} instances and {asked} requests, {} bytes.\nSHA-256: `{}`",
        case::all().len(),
        log.len(),
        sha256(log.as_bytes()),
    );
    hold_section("docs/core-abi.md", "<!-- the replay log -->", "<!-- end of the replay log -->", &section);
}

/// The component that this is built with has the size and the digest that the changelog
/// gives: the same sources and toolchain make the same bytes.
#[test]
fn the_changelog_has_the_digest_of_the_component() {
    let component = imds_host::COMPONENT;
    let section = format!("`imds.wasm`: {} bytes, SHA-256 `{}`", component.len(), sha256(component));
    hold_section("CHANGELOG.md", "<!-- the component -->", "<!-- end of the component -->", &section);
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
