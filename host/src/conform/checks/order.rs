//! Which refusal comes first if a request has more than one fault.

use super::super::asked::request;
use super::super::subject::{ITEM, NOTHING, TOKEN};
use super::super::{Area, Check, Stop, Subject};
use crate::engine::Request;

pub const CHECKS: &[Check] = &[
    Check::of_case("order-token-before-path", Area::Order, token_before_path),
    Check::of_case("order-token-path-before-authorisation", Area::Order, token_path_before_authorisation),
    Check::of_case("order-token-path-before-the-token-sent", Area::Order, token_path_before_the_token_sent),
    Check::of_case("order-token-before-method", Area::Order, token_before_method),
    Check::of_case("order-method-before-path", Area::Order, method_before_path),
    Check::of_case("order-method-before-forwarded-on-the-token-path", Area::Order, method_before_forwarded),
    Check::of_case("order-path-normalised-before-the-token-path-is-known", Area::Order, path_normalised_first),
    Check::of_case("order-forwarded-before-ttl", Area::Order, forwarded_before_ttl),
    Check::of_case("order-forwarded-before-token", Area::Order, forwarded_before_token),
    Check::of_case("order-disabled-before-everything", Area::Order, disabled_before_everything).where_disabled(),
];

const TOKEN_PATH: &str = "/latest/api/token";
const NO_VERSION: &str = "/0000-00-00/";

fn forwarded(request: Request) -> Request {
    request.with("X-Forwarded-For", "192.0.2.1")
}

fn token_before_path(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_required()?;
    subject.ask(Request::get(NO_VERSION))?.has_status(401)?;
    let token = subject.new_token("60")?;
    subject.is_not_found(subject.ask(Request::get(NO_VERSION).with(TOKEN, token))?).map(drop)
}

fn token_path_before_authorisation(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_required()?;
    subject.ask(Subject::token_request("60"))?.has_status(200)?;
    subject.ask(Subject::token_request("21601"))?.has_status(400).map(drop)
}

fn token_path_before_the_token_sent(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Subject::token_request("60").with(TOKEN, "invalid"))?.has_status(200)?;
    if subject.ask(Request::get(TOKEN_PATH))?.reply.status == 405 {
        subject.ask(Request::get(TOKEN_PATH).with(TOKEN, "invalid"))?.has_status(405)?;
    }
    Ok(())
}

/// EC2 is recorded to refuse `POST` and `DELETE` with a token too.
fn token_before_method(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_required()?;
    subject.ask(request("POST", ITEM))?.has_status(401)?;
    subject.ask(request("DELETE", ITEM).with(TOKEN, "invalid"))?.has_status(401)?;
    subject.ask(request("OPTIONS", ITEM))?.has_status(401)?.lacks_fields(&["Allow"]).map(drop)
}

/// EC2 is recorded to refuse `POST` for existing items too.
fn method_before_path(subject: &Subject<'_>) -> Result<(), Stop> {
    for (method, status, check) in
        [("POST", 403, "methods-post-and-delete-are-403"), ("OPTIONS", 200, "options-lists-the-methods-of-an-item")]
    {
        let asked = subject.ask(subject.with_token(request(method, NOTHING))?)?;
        if asked.reply.status != status {
            let there = subject.ask(subject.with_token(request(method, "/latest/meta-data/"))?)?;
            there.needs_status(status, check)?;
        }
        asked.has_status(status)?;
    }
    Ok(())
}

fn method_before_forwarded(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Request::get(TOKEN_PATH))?.needs_status(405, "token-path-get-is-405-not-allowed")?;
    subject.ask(forwarded(Request::get(TOKEN_PATH)))?.has_status(405)?;
    subject.ask(forwarded(request("OPTIONS", TOKEN_PATH)))?.has_status(200).map(drop)
}

/// The rules of paths, each with a spelling of an item.
const SPELLINGS: [(&str, &str); 5] = [
    ("//latest/meta-data/instance-id", "path-slashes-in-a-row-are-one"),
    ("/latest//meta-data/instance-id", "path-doubled-slashes-are-one"),
    ("/latest/./meta-data/instance-id", "path-dot-segments-are-dropped"),
    ("/latest/meta-data/instance-id?x=1", "path-query-is-ignored"),
    ("/latest/meta-data/%69nstance-id", "path-percent-encoding-is-decoded"),
];

fn path_normalised_first(subject: &Subject<'_>) -> Result<(), Stop> {
    for path in ["//latest//api/./token?x=1", "/latest/api/%74oken"] {
        let request = Request { target: path.to_owned(), ..Subject::token_request("60") };
        let asked = subject.ask(request)?;
        if asked.reply.status != 200 {
            for (item, check) in SPELLINGS {
                subject.get(item)?.needs_status(200, check)?;
            }
        }
        asked.has_status(200)?;
    }
    if subject.ask(Request::get(TOKEN_PATH))?.reply.status == 405 {
        subject.ask(Request::get("/latest/api/token/"))?.has_status(405)?;
    }
    Ok(())
}

fn forwarded_before_ttl(subject: &Subject<'_>) -> Result<(), Stop> {
    let check = "token-request-with-forwarded-for-is-refused";
    subject.ask(forwarded(Subject::token_request("60")))?.needs_status(403, check)?;
    subject.ask(forwarded(Subject::token_request("21601")))?.has_status(403).map(drop)
}

fn forwarded_before_token(subject: &Subject<'_>) -> Result<(), Stop> {
    let check = "forwarded-request-with-a-token-is-refused";
    let token = subject.new_token("60")?;
    subject.ask(forwarded(Request::get(ITEM).with(TOKEN, token)))?.needs_status(403, check)?;
    subject.bad_tokens_are_refused()?;
    subject.ask(forwarded(Request::get(ITEM).with(TOKEN, "invalid")))?.has_status(403).map(drop)
}

fn disabled_before_everything(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Request::get(TOKEN_PATH))?.has_status(403)?.lacks_fields(&["Allow"])?;
    subject.ask(Subject::token_request("21601"))?.has_status(403)?;
    subject.ask(Request::get(ITEM).with(TOKEN, "invalid"))?.has_status(403)?;
    subject.ask(Request::get(NO_VERSION))?.has_status(403)?.has_no_body().map(drop)
}
