//! Which fields a head has, in which order.

use super::super::asked::{TTL, request};
use super::super::subject::{ITEM, NOTHING, TOKEN};
use super::super::{Area, Asked, Check, Stop, Subject};
use crate::engine::Request;

pub const CHECKS: &[Check] = &[
    Check::of_case("head-of-an-item-begins-with-the-ttl", Area::Heads, of_an_item),
    Check::of_case("head-of-an-item-without-a-token-lacks-the-ttl", Area::Heads, of_an_item_without_a_token),
    Check::of_case("head-of-a-token-ends-with-the-content-type", Area::Heads, of_a_token),
    Check::of_case("head-of-400-is-like-that-of-401", Area::Heads, of_400),
    Check::of_case("head-of-401-ends-with-the-content-type", Area::Heads, of_401),
    Check::of_case("head-of-403-is-like-that-of-401", Area::Heads, of_403),
    Check::of_case("head-of-404-begins-with-the-content-type", Area::Heads, of_404),
    Check::of_case("head-of-405-begins-with-allow", Area::Heads, of_405),
    Check::of_case("head-of-options-is-like-that-of-405", Area::Heads, of_options),
    Check::of_case("head-request-gets-the-head-of-get", Area::Heads, head_request),
    Check::of_case("head-request-of-nothing-has-the-head-of-an-empty-refusal", Area::Heads, head_request_of_nothing),
    Check::of_case("head-request-of-nothing-tells-the-ttl-of-a-token", Area::Heads, head_request_with_a_token),
    Check::of_case("head-never-has-caching-fields", Area::Heads, no_caching_fields),
];

const ITEM_FIELDS: [&str; 8] =
    [TTL, "Content-Type", "Accept-Ranges", "Last-Modified", "Content-Length", "Date", "Server", "Connection"];
const PAGE_FIELDS: [&str; 6] = [TTL, "Content-Type", "Content-Length", "Date", "Server", "Connection"];
const REFUSAL_FIELDS: [&str; 6] = [TTL, "Content-Length", "Date", "Server", "Connection", "Content-Type"];
const METHODS_FIELDS: [&str; 7] = [TTL, "Allow", "Content-Length", "Date", "Server", "Connection", "Content-Type"];

fn of_an_item(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("60")?;
    for path in [ITEM, "/latest/"] {
        subject.ask(Request::get(path).with(TOKEN, token.clone()))?.has_status(200)?.has_names(&ITEM_FIELDS)?;
    }
    Ok(())
}

fn of_an_item_without_a_token(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_optional()?;
    for path in [ITEM, "/"] {
        subject.ask(Request::get(path))?.has_status(200)?.has_names(&ITEM_FIELDS[1..])?;
    }
    Ok(())
}

fn of_a_token(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Subject::token_request("60"))?.has_status(200)?.has_names(&REFUSAL_FIELDS).map(drop)
}

fn of_400(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(Subject::token_request("21601"))?;
    asked.needs_status(400, "token-ttl-out-of-range-is-refused")?.has_names(&REFUSAL_FIELDS[1..]).map(drop)
}

fn of_401(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_required()?;
    subject.ask(Request::get(ITEM))?.has_status(401)?.has_names(&REFUSAL_FIELDS[1..]).map(drop)
}

fn of_403(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("60")?;
    let post = request("POST", "/latest/meta-data/");
    let asked = subject.ask(post.with(TOKEN, token))?.needs_status(403, "methods-post-and-delete-are-403")?;
    asked.has_names(&REFUSAL_FIELDS).map(drop)
}

fn of_404(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("60")?;
    let asked = subject.ask(Request::get(NOTHING).with(TOKEN, token))?;
    asked.needs_status(404, "path-unknown-is-not-found")?.has_names(&PAGE_FIELDS).map(drop)
}

fn of_405(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(Request::get("/latest/api/token"))?;
    let asked = asked.needs_status(405, "token-path-get-is-405-not-allowed")?;
    asked.has_names(&METHODS_FIELDS[1..]).map(drop)
}

fn of_options(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("60")?;
    let asked = subject.ask(request("OPTIONS", ITEM).with(TOKEN, token))?;
    asked.needs_status(200, "options-lists-the-methods-of-an-item")?.has_names(&METHODS_FIELDS)?;
    let asked = subject.ask(request("OPTIONS", "/latest/api/token"))?;
    let asked = asked.needs_status(200, "token-path-options-lists-its-methods")?;
    asked.has_names(&METHODS_FIELDS[1..]).map(drop)
}

fn head_request(subject: &Subject<'_>) -> Result<(), Stop> {
    let got = subject.get(ITEM)?.has_status(200)?;
    let asked = subject.ask(subject.with_token(request("HEAD", ITEM))?)?.has_status(200)?;
    let names: Vec<&str> = got.reply.fields.iter().map(|(name, _)| &**name).collect();
    let asked = asked.has_names(&names)?;
    let asked = asked.has_field("Content-Length", &got.reply.body.len().to_string())?;
    match got.reply.field("Content-Type") {
        Some(kind) => asked.has_field("Content-Type", kind).map(drop),
        None => Ok(()),
    }
}

fn is_empty_refusal(subject: &Subject<'_>, asked: Asked, names: &[&str]) -> Result<(), Stop> {
    subject.is_not_found(asked)?.has_names(names)?.has_field("Content-Length", "0").map(drop)
}

fn head_request_of_nothing(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.tokens_are_optional()?;
    is_empty_refusal(subject, subject.ask(request("HEAD", NOTHING))?, &REFUSAL_FIELDS[1..])
}

fn head_request_with_a_token(subject: &Subject<'_>) -> Result<(), Stop> {
    let token = subject.new_token("60")?;
    is_empty_refusal(subject, subject.ask(request("HEAD", NOTHING).with(TOKEN, token))?, &REFUSAL_FIELDS)
}

fn no_caching_fields(subject: &Subject<'_>) -> Result<(), Stop> {
    const NEVER: [&str; 4] = ["ETag", "Cache-Control", "Vary", "Content-Encoding"];
    const OF_ITEMS: [&str; 2] = ["Last-Modified", "Accept-Ranges"];
    subject.get(ITEM)?.lacks_fields(&NEVER)?;
    subject.get(NOTHING)?.lacks_fields(&NEVER)?.lacks_fields(&OF_ITEMS)?;
    subject.ask(Subject::token_request("60"))?.lacks_fields(&NEVER)?.lacks_fields(&OF_ITEMS).map(drop)
}
