//! Malformed and oversized requests: the service refuses each or closes the connection, and
//! answers the next request.

use super::super::subject::ITEM;
use super::super::{Area, Asked, Check, Evidence, Failure, Rule, Stop, Subject};
use crate::engine::Request;

const fn inferred(says: &'static str) -> Rule {
    const SOURCE: &str = "follows from RFC 9112, sections 2.2, 3.2, 6.3 and 9.6; what EC2 answers is not recorded";
    Rule { says, source: SOURCE, evidence: Evidence::Inferred }
}

pub const CHECKS: &[Check] = &[
    Check::with_rule(
        "hostile-what-is-no-request-is-refused",
        Area::Hostile,
        inferred(
            "The service refuses bytes that are not a request, or closes the connection, and answers the next request.",
        ),
        no_request,
    ),
    Check::with_rule(
        "hostile-malformed-heads-are-refused",
        Area::Hostile,
        inferred("The service refuses a malformed head, or closes the connection, and answers the next request."),
        malformed_heads,
    ),
    Check::with_rule(
        "hostile-oversized-heads-are-refused",
        Area::Hostile,
        inferred(
            "The service refuses a head of a quarter of a megabyte, or closes the connection, and answers the next \
             request.",
        ),
        oversized_heads,
    ),
    Check::with_rule(
        "hostile-unclear-lengths-are-refused",
        Area::Hostile,
        inferred(
            "If the end of a request is ambiguous, the service does not answer the bytes after it as a second request.",
        ),
        unclear_lengths,
    ),
    Check::with_rule(
        "hostile-bad-hosts-do-no-harm",
        Area::Hostile,
        inferred(
            "Whatever the field `Host` says, the service answers or closes the connection, and answers the next \
             request.",
        ),
        bad_hosts,
    ),
    Check::with_rule(
        "hostile-half-open-connections-keep-nobody-out",
        Area::Hostile,
        inferred("The service answers other requests while connections have sent half a request, or nothing."),
        half_open_connections,
    ),
];

/// How a report names the bytes.
fn broken(what: &str, expected: &str, got: impl Into<String>) -> Stop {
    Stop::Broken(Failure { request: what.to_owned(), expected: expected.to_owned(), got: got.into() })
}

const REFUSAL: &str = "a refusal, or a closed connection";

/// Sends bytes, and returns the status of the answer, or `None` if the connection was
/// closed.
fn send(subject: &Subject<'_>, what: &str, bytes: &[u8]) -> Result<Option<u16>, Stop> {
    subject.spend()?;
    match subject.client().exchange_bytes(bytes, false) {
        Ok(reply) => Ok(Some(reply.status)),
        Err(none) if none.is_late() => Err(broken(what, REFUSAL, "neither in time")),
        Err(_) => Ok(None),
    }
}

/// Continues if the service still answers.
fn is_well(subject: &Subject<'_>, what: &str) -> Result<(), Stop> {
    subject.spend()?;
    match subject.client().exchange(&Request::get("/")) {
        Ok(reply) if reply.status < 500 => Ok(()),
        Ok(reply) => Err(broken(what, "an answer to the next request", reply.status_line())),
        Err(none) if none.is_late() => Err(broken(what, "an answer to the next request", "none in time")),
        Err(_) => Err(broken(what, "an answer to the next request", "none")),
    }
}

/// Whether a status refuses a request that cannot be read.
fn is_refusal(status: u16) -> bool {
    matches!(status, 400..=499 | 501 | 505)
}

fn are_refused(subject: &Subject<'_>, all: &[(&str, Vec<u8>)]) -> Result<(), Stop> {
    for (what, bytes) in all {
        match send(subject, what, bytes)? {
            Some(status) if !is_refusal(status) => return Err(broken(what, REFUSAL, format!("status {status}"))),
            _ => is_well(subject, what)?,
        }
    }
    Ok(())
}

fn no_request(subject: &Subject<'_>) -> Result<(), Stop> {
    let noise: Vec<u8> = (0..2048_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80).collect();
    are_refused(
        subject,
        &[
            ("the beginning of a TLS session", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec()),
            ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
            ("2048 bytes above ASCII", [&noise[..], b"\r\n\r\n"].concat()),
            ("64 zero bytes", [&[0; 64][..], b"\r\n\r\n"].concat()),
        ],
    )
}

fn malformed_heads(subject: &Subject<'_>) -> Result<(), Stop> {
    let head = |line: &str, fields: &str| format!("{line}\r\nHost: 169.254.169.254\r\n{fields}\r\n").into_bytes();
    are_refused(
        subject,
        &[
            ("a request line without a version", head("GET / x", "")),
            ("a request line of one word", head("GET", "")),
            ("HTTP/9.9", head("GET / HTTP/9.9", "")),
            ("a field without a colon", head("GET / HTTP/1.1", "Token\r\n")),
            ("a field without a name", head("GET / HTTP/1.1", ": x\r\n")),
            ("a zero byte in a value", head("GET / HTTP/1.1", "A: b\0c\r\n")),
            ("a space before a colon", head("GET / HTTP/1.1", "A : b\r\n")),
        ],
    )
}

const OVERSIZED: usize = 256 << 10;

fn oversized_heads(subject: &Subject<'_>) -> Result<(), Stop> {
    let long = "x".repeat(OVERSIZED);
    let many = "X-Field: some value\r\n".repeat(OVERSIZED / 21);
    are_refused(
        subject,
        &[
            ("a target of 256 KiB", format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()),
            ("a field of 256 KiB", format!("GET / HTTP/1.1\r\nHost: x\r\nX-Field: {long}\r\n\r\n").into_bytes()),
            ("12483 fields", format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n").into_bytes()),
        ],
    )
}

/// Each contains two requests, of which a parser can see one or both.
fn unclear_lengths(subject: &Subject<'_>) -> Result<(), Stop> {
    const HIDDEN: &str = "GET /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n";
    for (what, fields) in [
        ("two lengths", "Content-Length: 5\r\nContent-Length: 0".to_owned()),
        ("a length with a sign", "Content-Length: +0".to_owned()),
        ("a coding and a length", format!("Transfer-Encoding: chunked\r\nContent-Length: {}", HIDDEN.len() + 5)),
        ("a coding that nobody knows", "Transfer-Encoding: xchunked".to_owned()),
    ] {
        let bytes = format!("GET / HTTP/1.1\r\nHost: 169.254.169.254\r\n{fields}\r\n\r\n0\r\n\r\n{HIDDEN}");
        subject.spend()?;
        let (statuses, is_late) = subject.client().statuses(bytes.as_bytes());
        if is_late && statuses.is_empty() {
            return Err(broken(what, REFUSAL, "neither in time"));
        }
        if statuses.len() > 1 {
            let got = format!("the answers {statuses:?}: the bytes after the request were served too");
            return Err(broken(what, "one answer at most", got));
        }
        is_well(subject, what)?;
    }
    Ok(())
}

fn bad_hosts(subject: &Subject<'_>) -> Result<(), Stop> {
    let long = "x".repeat(2000);
    for (what, fields) in [
        ("no Host", String::new()),
        ("two different Hosts", "Host: a\r\nHost: b\r\n".to_owned()),
        ("a Host with an open bracket", "Host: [::1\r\n".to_owned()),
        ("a Host with bytes above ASCII", "Host: \u{e9}\u{2028}\r\n".to_owned()),
        ("a Host of 2000 characters", format!("Host: {long}\r\n")),
    ] {
        match send(subject, what, format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes())? {
            Some(500) => return Err(broken(what, "an answer, or a closed connection", "status 500")),
            _ => is_well(subject, what)?,
        }
    }
    Ok(())
}

/// Few enough for EC2.
const HALF_OPEN: usize = 24;

fn half_open_connections(subject: &Subject<'_>) -> Result<(), Stop> {
    let beginnings: [&[u8]; 3] = [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 169.254.169.254\r\nX-Field: "];
    let mut held = Vec::new();
    for beginning in beginnings.iter().cycle().take(HALF_OPEN) {
        subject.spend()?;
        // A refused connection is closed already.
        held.extend(subject.client().hold(beginning).ok());
    }
    let what = format!("a request beside {HALF_OPEN} connections that send half a request or nothing");
    is_well(subject, &what)?;
    drop(held);
    let asked: Asked = subject.get(ITEM)?;
    if asked.reply.status >= 500 {
        return Err(asked.broken("an answer when they are closed", asked.reply.status_line()));
    }
    Ok(())
}
