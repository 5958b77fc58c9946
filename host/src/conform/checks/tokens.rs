//! How the service issues session tokens, and their form.

use std::time::Duration;

use super::super::asked::{TTL, request};
use super::super::subject::{ITEM, TOKEN};
use super::super::{Area, Asked, Check, Stop, Subject, depends_on};
use crate::engine::Request;

pub const CHECKS: &[Check] = &[
    Check::of_case("token-has-the-nitro-shape", Area::Tokens, has_the_nitro_shape),
    Check::of_case("token-ttl-from-1-to-21600-is-granted", Area::Tokens, ttl_from_1_to_21600_is_granted),
    Check::of_case("token-ttl-zero-gives-an-expired-token", Area::Tokens, ttl_zero_gives_an_expired_token),
    Check::of_case("token-ttl-out-of-range-is-refused", Area::Tokens, ttl_out_of_range_is_refused),
    Check::of_case("token-ttl-that-is-no-number-is-refused", Area::Tokens, ttl_that_is_no_number_is_refused),
    Check::of_case("token-ttl-missing-is-refused", Area::Tokens, ttl_missing_is_refused),
    Check::of_case("token-ttl-of-any-length-is-compared-as-a-number", Area::Tokens, ttl_of_any_length),
    Check::of_case("token-ttl-is-digits-only", Area::Tokens, ttl_is_digits_only),
    Check::of_case("token-lives-for-its-ttl", Area::Tokens, lives_for_its_ttl),
    Check::of_case("token-request-with-a-token-gives-a-new-one", Area::Tokens, request_with_a_token),
    Check::of_case("token-request-with-forwarded-for-is-refused", Area::Tokens, request_with_forwarded_for),
    Check::of_case("token-path-with-final-slash-issues", Area::Tokens, path_with_final_slash),
    Check::of_case("token-path-get-is-405-not-allowed", Area::Tokens, path_get),
    Check::of_case("token-path-options-lists-its-methods", Area::Tokens, path_options),
    Check::of_case("token-path-options-tells-the-ttl-of-a-valid-token", Area::Tokens, path_options_with_a_token),
    Check::of_case("token-path-under-a-dated-version-with-token-is-403", Area::Tokens, dated_path_with_token),
    Check::of_case("token-path-under-a-dated-version-without-token-is-401", Area::Tokens, dated_path_without),
    Check::of_case(
        "token-path-under-a-dated-version-is-403-where-tokens-are-optional",
        Area::Tokens,
        dated_path_where_tokens_are_optional,
    ),
    Check::of_case("expect-100-continue-is-no-obstacle", Area::Tokens, expect_100_continue),
];

const TOKEN_PATH: &str = "/latest/api/token";
const DATED_PATH: &str = "/2021-03-23/api/token";

/// A request for a token under another path.
fn put(path: &str, ttl_seconds: &str) -> Request {
    Request { target: path.to_owned(), ..Subject::token_request(ttl_seconds) }
}

fn has_the_nitro_shape(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(Subject::token_request("60"))?.has_status(200)?;
    let body = &asked.reply.body;
    let is_of_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let (is_long, is_padded) = (body.len() == 56, body.ends_with(b"=="));
    if is_long && is_padded && body.starts_with(b"AQAEA") && body[..54].iter().all(is_of_base64) {
        return Ok(());
    }
    // The report shows nothing of the token itself.
    let got = match (is_long, is_padded) {
        (false, _) => format!("{} bytes", body.len()),
        (true, false) => "56 characters with another end".to_owned(),
        (true, true) => "56 characters with another beginning or of another alphabet".to_owned(),
    };
    Err(asked.broken("56 characters of URL-safe base64 that begin AQAEA and end ==", got))
}

fn ttl_from_1_to_21600_is_granted(subject: &Subject<'_>) -> Result<(), Stop> {
    for seconds in ["1", "300", "21600"] {
        subject.ask(Subject::token_request(seconds))?.has_status(200)?.has_field(TTL, seconds)?;
    }
    Ok(())
}

fn ttl_zero_gives_an_expired_token(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(Subject::token_request("0"))?.has_status(200)?.tells_lifetime("0")?;
    is_expired(subject, asked.reply.body)
}

/// Continues if a token is invalid. If tokens are required, it must get 401.
fn is_expired(subject: &Subject<'_>, token: Vec<u8>) -> Result<(), Stop> {
    let asked = subject.ask(Request::get(ITEM).with(TOKEN, token))?;
    if subject.needs_token()? {
        asked.has_status(401)?.lacks_fields(&[TTL])?;
    } else {
        // Without this field the endpoint shows by the status alone that it knows the token.
        if asked.reply.status != 401 && !subject.get(ITEM)?.has(TTL) {
            return depends_on("token-used-where-optional-is-version-2");
        }
        asked.lacks_fields(&[TTL])?;
    }
    Ok(())
}

fn is_refused(subject: &Subject<'_>, seconds: &str) -> Result<Asked, Stop> {
    subject.ask(Subject::token_request(seconds))?.has_refusal(400)?.lacks_fields(&[TTL])
}

fn ttl_out_of_range_is_refused(subject: &Subject<'_>) -> Result<(), Stop> {
    for seconds in ["-1", "21601"] {
        is_refused(subject, seconds)?;
    }
    Ok(())
}

fn ttl_that_is_no_number_is_refused(subject: &Subject<'_>) -> Result<(), Stop> {
    is_refused(subject, "invalid").map(drop)
}

fn ttl_missing_is_refused(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Subject::bare_token_request())?.has_status(400).map(drop)
}

fn ttl_of_any_length(subject: &Subject<'_>) -> Result<(), Stop> {
    for seconds in ["4294967297", "18446744073709551617", &"9".repeat(100)] {
        is_refused(subject, seconds)?;
    }
    Ok(())
}

fn ttl_is_digits_only(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Subject::token_request("00060"))?.has_status(200)?.tells_lifetime("60")?;
    for seconds in ["", "1.5", "+5", "60s", "0x3c"] {
        subject.ask(Subject::token_request(seconds))?.has_status(400)?;
    }
    Ok(())
}

fn lives_for_its_ttl(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("4")?;
    let ask = || subject.ask(Request::get(ITEM).with(TOKEN, token.clone()));
    let asked = ask()?;
    let first = asked.ttl()?;
    if !(1..=4).contains(&first) {
        return Err(asked.broken("4 seconds left, or fewer", format!("{first} seconds")));
    }
    subject.wait(Duration::from_millis(1_500));
    let asked = ask()?;
    let second = asked.ttl()?;
    if second >= first {
        return Err(asked.broken(format!("fewer than {first} seconds left, 1.5 s later"), format!("{second} seconds")));
    }
    subject.wait(Duration::from_millis(2_600));
    is_expired(subject, token)
}

fn request_with_a_token(subject: &Subject<'_>) -> Result<(), Stop> {
    let first = subject.new_token("300")?;
    let asked = subject.ask(Subject::token_request("60").with(TOKEN, first.clone()))?.has_status(200)?;
    let asked = asked.tells_lifetime("60")?;
    if asked.reply.body == first { Err(asked.broken("a new token", "the token that was sent")) } else { Ok(()) }
}

fn request_with_forwarded_for(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(Subject::token_request("60").with("X-Forwarded-For", "192.0.2.1"))?;
    asked.has_status(403)?.lacks_fields(&[TTL, "Allow"]).map(drop)
}

fn path_with_final_slash(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(put("/latest/api/token/", "300"))?.has_status(200)?.tells_lifetime("300").map(drop)
}

fn path_get(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(Request::get(TOKEN_PATH))?.has_status_line("405 Not Allowed")?;
    asked.has_field("Allow", "OPTIONS, PUT")?.lacks_fields(&[TTL]).map(drop)
}

fn path_options(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(request("OPTIONS", TOKEN_PATH))?.has_status(200)?;
    asked.has_field("Allow", "OPTIONS, PUT")?.has_no_body().map(drop)
}

fn path_options_with_a_token(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("300")?;
    subject.ask(request("OPTIONS", TOKEN_PATH).with(TOKEN, token))?.has_status(200)?.ttl().map(drop)
}

fn dated_path_with_token(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("300")?;
    let asked = subject.ask(put(DATED_PATH, "60").with(TOKEN, token))?.has_status(403)?;
    if subject.get(ITEM)?.has(TTL) { asked.ttl().map(drop) } else { Ok(()) }
}

fn dated_path_without(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_required()?;
    subject.ask(put(DATED_PATH, "60"))?.has_status(401)?.lacks_fields(&[TTL]).map(drop)
}

fn dated_path_where_tokens_are_optional(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_optional()?;
    subject.ask(put(DATED_PATH, "60"))?.has_status(403)?.lacks_fields(&[TTL]).map(drop)
}

fn expect_100_continue(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Subject::token_request("60").with("Expect", "100-continue"))?.has_status(200).map(drop)
}
