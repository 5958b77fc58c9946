//! What a request gets with a token, without one, and with an invalid one.

use super::super::asked::{TTL, request};
use super::super::subject::{ITEM, NOTHING, TOKEN};
use super::super::{Area, Check, Stop, Subject, depends_on, not_applicable};
use crate::engine::Request;

pub const CHECKS: &[Check] = &[
    Check::of_case("token-required-on-every-path", Area::Tokens, required_on_every_path),
    Check::of_case("token-not-needed-where-optional", Area::Tokens, not_needed_where_optional),
    Check::of_case("token-used-where-optional-is-version-2", Area::Tokens, used_where_optional),
    Check::of_case("token-invalid-is-401", Area::Tokens, invalid_is_401),
    Check::of_case("token-invalid-is-401-where-tokens-are-optional", Area::Tokens, invalid_where_optional),
    Check::of_case("token-of-another-instance-is-invalid", Area::Tokens, of_another_instance),
    Check::of_case("token-is-compared-as-a-whole", Area::Tokens, is_compared_as_a_whole),
    Check::of_case("token-empty-is-invalid", Area::Tokens, empty_is_invalid),
    Check::of_case("token-is-good-under-every-version", Area::Tokens, is_good_under_every_version),
    Check::of_case("token-ttl-stands-in-every-answer-to-a-valid-token", Area::Tokens, ttl_stands_in_every_answer),
    Check::of_case("tokens-live-side-by-side", Area::Tokens, live_side_by_side),
    Check::of_case("header-field-names-have-no-case", Area::Tokens, field_names_have_no_case),
    Check::of_case("forwarded-request-with-a-token-is-refused", Area::Tokens, forwarded_with_a_token),
    Check::of_case("forwarded-request-without-a-token-passes", Area::Tokens, forwarded_without_a_token),
];

fn required_on_every_path(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_required()?;
    for path in ["/", "/latest", "/latest/meta-data/", ITEM, NOTHING, "/latest/user-data", "/0000-00-00/"] {
        subject.ask(Request::get(path))?.has_status(401)?;
    }
    subject.ask(request("HEAD", ITEM))?.has_status(401).map(drop)
}

fn not_needed_where_optional(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_optional()?;
    subject.ask(Request::get(ITEM))?.has_status(200)?.lacks_fields(&[TTL])?;
    let status = subject.status_of_nothing()?;
    subject.ask(Request::get(NOTHING))?.has_status(status)?.lacks_fields(&[TTL]).map(drop)
}

fn used_where_optional(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_optional()?;
    let token = subject.new_token("60")?;
    subject.ask(Request::get(ITEM).with(TOKEN, token))?.has_status(200)?.ttl().map(drop)
}

fn is_refused(subject: &Subject<'_>, path: &str, token: impl Into<Vec<u8>>) -> Result<(), Stop> {
    subject.ask(Request::get(path).with(TOKEN, token))?.has_status(401)?.lacks_fields(&[TTL]).map(drop)
}

fn invalid_is_401(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_required()?;
    let asked = subject.ask(Request::get(ITEM).with(TOKEN, "invalid"))?;
    asked.has_refusal(401)?.lacks_fields(&[TTL]).map(drop)
}

fn invalid_where_optional(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_optional()?;
    is_refused(subject, ITEM, "invalid")?;
    is_refused(subject, "/", "INVALID")
}

/// Made up: it has the form of a token, but no service issued it.
const ANOTHER: &str = "AQAEAAAAAaD2DFsAAAAAAAAAAAGzr0LwZozbRcljYNsLZM3eNFDZ-Q==";

fn of_another_instance(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_required()?;
    subject.bad_tokens_are_refused()?;
    is_refused(subject, ITEM, ANOTHER)
}

fn is_compared_as_a_whole(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.bad_tokens_are_refused()?;
    let token = subject.new_token("60")?;
    is_refused(subject, ITEM, [&token, &b"A"[..]].concat())?;
    is_refused(subject, ITEM, &token[..token.len() - 1])?;
    is_refused(subject, ITEM, [b"\"", &token[..], b"\""].concat())
}

fn empty_is_invalid(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.bad_tokens_are_refused()?;
    subject.ask(Request::get(ITEM).with(TOKEN, ""))?.has_status(401).map(drop)
}

fn is_good_under_every_version(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("60")?;
    let ask = |path: &str| subject.ask(Request::get(path).with(TOKEN, token.clone()));
    for path in [ITEM, "/1.0/meta-data/instance-id", "/2021-03-23/meta-data/instance-id", ITEM] {
        let asked = ask(path)?;
        // Another rule checks whether the version exists.
        if asked.reply.status == 401 {
            return Err(asked.broken("an answer to a valid token", "status 401"));
        }
    }
    Ok(())
}

fn ttl_stands_in_every_answer(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("3600")?;
    let mut number = 0;
    for (method, path, status) in [
        ("GET", "/latest/", 200),
        ("HEAD", ITEM, 200),
        ("OPTIONS", ITEM, 200),
        // EC2 is recorded to refuse it.
        ("POST", ITEM, 403),
        ("GET", NOTHING, 404),
    ] {
        let asked = subject.ask(request(method, path).with(TOKEN, token.clone()))?;
        // Other rules are about the status.
        if asked.reply.status != status {
            continue;
        }
        number += 1;
        let seconds = asked.ttl()?;
        // No run takes this long.
        if !(2400..=3600).contains(&seconds) {
            return Err(asked.broken("what is left of 3600 seconds", format!("{seconds} seconds")));
        }
    }
    if number == 0 { not_applicable("no request has its usual status") } else { Ok(()) }
}

fn live_side_by_side(subject: &Subject<'_>) -> Result<(), Stop> {
    let (first, second) = (subject.new_token("300")?, subject.new_token("60")?);
    for (token, granted) in [(first, 300), (second, 60)] {
        let asked = subject.ask(Request::get(ITEM).with(TOKEN, token))?.has_status(200)?;
        if !asked.has(TTL) {
            subject.bad_tokens_are_refused()?;
            continue;
        }
        let seconds = asked.ttl()?;
        if !(granted / 2..=granted).contains(&seconds) {
            return Err(asked.broken(format!("what is left of {granted} seconds"), format!("{seconds} seconds")));
        }
    }
    Ok(())
}

fn field_names_have_no_case(subject: &Subject<'_>) -> Result<(), Stop> {
    let put = Subject::bare_token_request();
    let put = |name: &str| put.clone().with(name, "60");
    let asked = subject.ask(put("X-AWS-EC2-METADATA-TOKEN-TTL-SECONDS"))?.has_status(200)?;
    let is_told = subject.ask(Request::get(ITEM).with(TOKEN, asked.reply.body.clone()))?.has(TTL);
    for name in ["x-aws-ec2-metadata-token", "X-AWS-EC2-METADATA-TOKEN"] {
        let asked = subject.ask(Request::get(ITEM).with(name, asked.reply.body.clone()))?.has_status(200)?;
        if is_told {
            asked.ttl()?;
        }
    }
    let forwarded = |name: &str| put("x-aws-ec2-metadata-token-ttl-seconds").with(name, "192.0.2.1");
    if subject.ask(forwarded("X-Forwarded-For"))?.reply.status == 403 {
        subject.ask(forwarded("x-forwarded-for"))?.has_status(403)?;
    }
    // Where requests need no token, only its lifetime shows that the endpoint saw it.
    if is_told || subject.needs_token()? { Ok(()) } else { depends_on("token-used-where-optional-is-version-2") }
}

fn forwarded_with_a_token(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("60")?;
    let get = Request::get(ITEM).with(TOKEN, token);
    subject.ask(get.clone().with("X-Forwarded-For", "192.0.2.1"))?.has_status(403)?;
    subject.ask(get)?.has_status(200).map(drop)
}

fn forwarded_without_a_token(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_optional()?;
    let ask = |path: &str| subject.ask(Request::get(path).with("X-Forwarded-For", "192.0.2.1"));
    ask(ITEM)?.has_status(200)?;
    ask(NOTHING)?.has_status(subject.status_of_nothing()?).map(drop)
}
