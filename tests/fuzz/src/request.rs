use std::sync::LazyLock;

use imds_core::http::FIELDS_READ;
use imds_core::{Answer, Instance, Moment, Outcome, RequestBody};

use super::head::{self, Head};

/// The instances asked, by what decides an answer before its path does.
static INSTANCES: LazyLock<Vec<Instance>> = LazyLock::new(|| {
    let descriptions = [
        r#"{}"#,
        r#"{"metadata-options": {"http-tokens": "required", "http-put-response-hop-limit": 64}}"#,
        r#"{"metadata-options": {"http-endpoint": "disabled"}}"#,
        r#"{"metadata-options": {"instance-metadata-tags": "enabled"}, "tags": {"Name": "é", "a": ""}}"#,
        r#"{"user-data": "\u0000\r\n\r\n", "request-throttle": {"burst": 1, "per-second": 1}}"#,
        r#"{"instance-lifecycle": "spot", "spot-interruption": {"time": "2026-09-30T20:27:40Z"}}"#,
        WITH_CONTAINERS,
    ];
    descriptions.map(super::open).into()
});

/// A task, another one with a token, and a pod.
const WITH_CONTAINERS: &str = r#"{"container-credentials": [{"credentials-id": "a"}, {"credentials-id": "b", "authorization-token": "c"}, {"authorization-token": "d"}]}"#;

/// Any bytes have one of the documented answers, complete and the same each time,
/// in which no byte of the request stands that could be read as more than a value.
/// What decides it are the method, the path and five fields; what becomes of the
/// connection is decided by what a model of HTTP reads too.
///
/// The bytes: one that picks the instance, one for the time, then a head.
///
/// ```
/// imds_fuzz::request(b"\x01\x00GET /latest/ HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
/// imds_fuzz::request(b"\x00\x00\x16\x03\x01 no HTTP at all");
/// ```
pub fn request(bytes: &[u8]) {
    let [which, time, bytes @ ..] = bytes else { return };
    let index = usize::from(*which) % INSTANCES.len();
    let instance = &INSTANCES[index];
    let moment = Moment {
        now_ms: now_ms(*time),
        entropy: 1,
        throttle_state: u64::from(which / 16) << 58,
        request_number: 0,
        over_ipv6: which & 8 != 0,
        keep_alive: false,
    };
    let answer = instance.answer(bytes, moment, None);
    let head = Head::read(bytes);
    is_documented(head.as_ref(), &answer);
    assert_eq!(answer, instance.answer(bytes, moment, None), "the same request at the same time");
    assert!(!answer.keep_alive, "the shell would not keep it");
    assert!(!is_of_an_agent(&answer) || index + 1 == INSTANCES.len(), "no containers, and an agent's answer");

    let kept = instance.answer(bytes, Moment { keep_alive: true, ..moment }, None);
    let nobodys = imds_core::refuse_caller(bytes, moment);
    is_documented(head.as_ref(), &nobodys);
    let Some(head) = head.filter(|head| !head.is_in_doubt()) else {
        let outcomes = [Outcome::HeadUnreadable, Outcome::HeadTooLarge];
        assert!(outcomes.contains(&answer.outcome), "no head, and {:?}", answer.outcome);
        assert_eq!((&kept, &nobodys), (&answer, &answer), "what is no head is kept by nobody");
        assert_eq!(answer.request_body, RequestBody::Unknown);
        if answer.outcome == Outcome::HeadTooLarge {
            let begun = head::without_empty_lines(bytes);
            let ends = [&b"\n\n"[..], b"\n\r\n"].iter().any(|end| begun.windows(end.len()).any(|part| part == *end));
            assert!(!ends, "a head that ends");
        }
        return;
    };
    assert_eq!(nobodys.outcome, Outcome::NoInstance);
    head.frames(&kept);
    let with = |answer: &Answer<'_>, end: &str| String::from_utf8_lossy(&answer.head).replacen(end, "", 1);
    assert_eq!(
        with(&kept, "Connection: keep-alive\r\n"),
        match kept.keep_alive {
            true => with(&answer, "Connection: close\r\n"),
            false => with(&answer, ""),
        }
    );

    let mut read = head.fields.clone();
    read.retain(|(name, _)| FIELDS_READ.iter().any(|other| other.eq_ignore_ascii_case(name)));
    let ask = |method| instance.answer(&super::head(method, head.target.as_bytes(), &read), moment, None);
    let written = Answer { request_body: answer.request_body, ..ask(head.method) };
    assert_eq!(answer, written, "without the fields that nobody reads");

    if head.method == "GET" {
        let of_head = ask("HEAD");
        assert!(of_head.body.is_empty());
        assert_eq!((of_head.status, of_head.outcome), (answer.status, answer.outcome));
        if answer.outcome == Outcome::NotFound {
            let length = of_head.fields().find(|(name, _)| *name == "Content-Length");
            assert_eq!(length, Some(("Content-Length", "0")), "HEAD of what is missing has an empty refusal's head");
        } else {
            assert_eq!(of_head.head, answer.head, "HEAD has the head of GET");
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

/// Holds an answer on a connection that closes to what is promised of all.
fn is_documented(request: Option<&Head<'_>>, answer: &Answer<'_>) {
    let status = match answer.outcome {
        Outcome::Found | Outcome::TokenIssued | Outcome::MethodsListed => 200,
        Outcome::TtlRefused
        | Outcome::HeadUnreadable
        | Outcome::CredentialsIdMissing
        | Outcome::CredentialsIdUnknown
        | Outcome::AuthorizationMissing
        | Outcome::AuthorizationInvalid => 400,
        Outcome::TokenMissing | Outcome::TokenInvalid | Outcome::TokenExpired => 401,
        Outcome::HostRefused
        | Outcome::EndpointDisabled
        | Outcome::Ipv6Disabled
        | Outcome::Forwarded
        | Outcome::MethodRefused
        | Outcome::NoInstance => 403,
        Outcome::NotFound => 404,
        Outcome::TokenMethodRefused => 405,
        Outcome::HeadTooLarge => 431,
        Outcome::Throttled => 503,
        Outcome::NotRunning | Outcome::FaultRefused => panic!("it runs, and without faults"),
        Outcome::CredentialsNotDelivered => panic!("the role can be assumed"),
        Outcome::SignaturesWanted => panic!("nobody signs here"),
    };
    assert_eq!(answer.status, status);
    let is_of_an_agent = is_of_an_agent(answer);
    let refusal_with_body = answer.outcome == Outcome::NotFound || is_of_an_agent;
    assert!(answer.body.is_empty() || status == 200 || refusal_with_body, "{status} has a body");
    let method = request.map_or("", |head| head.method);
    assert!(answer.hop_limit.is_none_or(|limit| (1..=64).contains(&limit) && method == "PUT"));
    assert!(answer.delivery.is_none() && answer.to_sign.is_none());
    let head = str::from_utf8(&answer.head).expect("a head is ASCII");
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")) && head.ends_with("\r\n\r\n"));
    for (name, value) in answer.fields() {
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value:?}");
    }
    assert_eq!(answer.fields().count(), head.matches("\r\n").count() - 2, "each line is a field");
    let names = ["Content-Length", "Date", "Connection"];
    for name in names {
        assert_eq!(answer.fields().filter(|(other, _)| *other == name).count(), 1, "{name}");
    }
    let servers = answer.fields().filter(|(name, _)| *name == "Server").count();
    assert_eq!(servers, usize::from(!is_of_an_agent), "EC2's server, and no other, says its name");
    assert!(!is_of_an_agent || answer.session_version.is_none(), "an agent knows no session tokens");
    if method != "HEAD" {
        let length = answer.body.len().to_string();
        assert!(answer.fields().any(|(name, value)| name == "Content-Length" && value == length));
    }
}

/// Whether it is what the agent of a container answers.
fn is_of_an_agent(answer: &Answer<'_>) -> bool {
    answer.fields().any(|(name, value)| name == "X-Content-Type-Options" || value == "application/json")
}
