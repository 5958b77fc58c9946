use std::sync::LazyLock;

use imds_core::http::{FIELDS_READ, Field, Request};
use imds_core::{Answer, Instance, Moment, Outcome};

/// The instances asked, by what decides an answer before its path does.
static INSTANCES: LazyLock<Vec<Instance>> = LazyLock::new(|| {
    let descriptions = [
        r#"{}"#,
        r#"{"metadata-options": {"http-tokens": "required", "http-put-response-hop-limit": 64}}"#,
        r#"{"metadata-options": {"http-endpoint": "disabled"}}"#,
        r#"{"metadata-options": {"instance-metadata-tags": "enabled"}, "tags": {"Name": "é", "a": ""}}"#,
        r#"{"user-data": "\u0000\r\n\r\n", "request-throttle": {"burst": 1, "per-second": 1}}"#,
        r#"{"instance-lifecycle": "spot", "spot-interruption": {"time": "2026-09-30T20:27:40Z"}}"#,
    ];
    descriptions.map(super::open).into()
});

/// Any request has one of the documented answers, complete and the same each
/// time, in which no byte of the request stands that could be read as more than
/// a value.
///
/// The bytes: one that picks the instance, one for the time, then a request
/// head in lines that end with LF: `METHOD TARGET`, `NAME: VALUE`.
///
/// ```
/// imds_fuzz::request(b"\x01\x00GET /latest/\nX-Forwarded-For: 1.2.3.4");
/// ```
pub fn request(bytes: &[u8]) {
    let [which, time, head @ ..] = bytes else { return };
    let instance = &INSTANCES[usize::from(*which) % INSTANCES.len()];
    let moment =
        Moment { now_ms: now_ms(*time), entropy: 1, throttle_state: u64::from(which / 16) << 58, request_number: 0 };
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split('\n');
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("GET", &text));
    let fields: Vec<Field<'_>> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| Field { name, value: value.as_bytes() })
        .collect();
    let request = Request { method, target, fields: &fields, over_ipv6: which & 8 != 0 };

    let answer = instance.answer(&request, moment);
    is_documented(&request, &answer);
    assert_eq!(answer, instance.answer(&request, moment), "the same request at the same time");

    let mut read = fields.clone();
    read.retain(|field| FIELDS_READ.iter().any(|name| name.eq_ignore_ascii_case(field.name)));
    let only_read = Request { fields: &read, ..request };
    assert_eq!(answer, instance.answer(&only_read, moment), "without the fields that nobody reads");

    if method == "GET" {
        let head = instance.answer(&Request { method: "HEAD", ..request }, moment);
        assert!(head.body.is_empty());
        assert_eq!((head.status, head.outcome), (answer.status, answer.outcome));
        if answer.outcome == Outcome::NotFound {
            let length = head.fields().find(|(name, _)| *name == "Content-Length");
            assert_eq!(length, Some(("Content-Length", "0")), "HEAD of what is missing has an empty refusal's head");
        } else {
            assert_eq!(head.head, answer.head, "HEAD has the head of GET");
        }
    }
}

/// Times at which something changes, and the ends of time.
fn now_ms(time: u8) -> u64 {
    match time % 6 {
        0 => super::NOW_MS,
        1 => 0,
        2 => u64::MAX,
        3 => super::NOW_MS - 60_000,
        4 => super::NOW_MS + 21_600_000,
        _ => u64::from(time) << 48,
    }
}

fn is_documented(request: &Request<'_>, answer: &Answer) {
    let status = match answer.outcome {
        Outcome::Found | Outcome::TokenIssued | Outcome::MethodsListed => 200,
        Outcome::TtlRefused => 400,
        Outcome::TokenMissing | Outcome::TokenInvalid | Outcome::TokenExpired => 401,
        Outcome::HostRefused
        | Outcome::EndpointDisabled
        | Outcome::Ipv6Disabled
        | Outcome::Forwarded
        | Outcome::MethodRefused => 403,
        Outcome::NotFound => 404,
        Outcome::TokenMethodRefused => 405,
        Outcome::Throttled => 503,
        Outcome::NotRunning | Outcome::FaultRefused => panic!("it runs, and without faults"),
        Outcome::SignaturesWanted => panic!("nobody signs here"),
    };
    assert_eq!(answer.status, status);
    let refusal_with_body = answer.outcome == Outcome::NotFound;
    assert!(answer.body.is_empty() || status == 200 || refusal_with_body, "{status} has a body");
    assert!(answer.hop_limit.is_none_or(|limit| (1..=64).contains(&limit) && request.method == "PUT"));
    assert!(answer.head.starts_with(&format!("HTTP/1.1 {status} ")) && answer.head.ends_with("\r\n\r\n"));
    for (name, value) in answer.fields() {
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value:?}");
    }
    assert_eq!(answer.fields().count(), answer.head.matches("\r\n").count() - 2, "each line is a field");
    let names = ["Content-Length", "Date", "Server", "Connection"];
    for name in names {
        assert_eq!(answer.fields().filter(|(other, _)| *other == name).count(), 1, "{name}");
    }
    if request.method != "HEAD" {
        let length = answer.body.len().to_string();
        assert!(answer.fields().any(|(name, value)| name == "Content-Length" && value == length));
    }
}
