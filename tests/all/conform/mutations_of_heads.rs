//! Services that break a rule of heads.

use super::Mutation;
use super::mutations::{ITEM, NOTHING};

/// A time that no test comes to.
const LATER: &str = "Fri, 31 Dec 2049 00:00:00 GMT";

pub const ALL: &[Mutation] = &[
    // Which fields, in which order.
    Mutation::of_answers(
        "the head of a listing ends with the content type",
        |asked, answered| {
            if asked.is("GET", "/latest/") {
                answered.put_last("Content-Type");
            }
        },
        &["head-of-an-item-begins-with-the-ttl"],
    ),
    Mutation::of_answers(
        "the head of a listing without a token ends with the content type",
        |asked, answered| {
            if asked.is("GET", "/") && asked.token().is_none() {
                answered.put_last("Content-Type");
            }
        },
        &["head-of-an-item-without-a-token-lacks-the-ttl"],
    ),
    Mutation::of_answers(
        "the head of a token ends with the server",
        |asked, answered| {
            if asked.is_put() && answered.status == 200 {
                answered.put_last("Server");
            }
        },
        &["head-of-a-token-ends-with-the-content-type"],
    ),
    Mutation::of_answers(
        "the head of 400 ends with the server",
        |_, answered| {
            if answered.status == 400 {
                answered.put_last("Server");
            }
        },
        &["head-of-400-is-like-that-of-401"],
    ),
    Mutation::of_answers(
        "the head of 401 ends with the server",
        |_, answered| {
            if answered.status == 401 {
                answered.put_last("Server");
            }
        },
        &["head-of-401-ends-with-the-content-type"],
    )
    .where_tokens_are_required(),
    Mutation::of_answers(
        "the head of 403 ends with the server",
        |_, answered| {
            if answered.status == 403 {
                answered.put_last("Server");
            }
        },
        &["head-of-403-is-like-that-of-401"],
    ),
    Mutation::of_answers(
        "the head of 404 ends with the content type",
        |asked, answered| {
            if answered.status == 404 && asked.method == "GET" {
                answered.put_last("Content-Type");
            }
        },
        &["head-of-404-begins-with-the-content-type"],
    ),
    Mutation::of_answers(
        "the head of 405 ends with the methods",
        |_, answered| {
            if answered.status == 405 {
                answered.put_last("Allow");
            }
        },
        &["head-of-405-begins-with-allow"],
    ),
    Mutation::of_answers(
        "the head of OPTIONS ends with the methods",
        |asked, answered| {
            if asked.method == "OPTIONS" {
                answered.put_last("Allow");
            }
        },
        &["head-of-options-is-like-that-of-405"],
    ),
    Mutation::of_answers(
        "HEAD has no length",
        |asked, answered| {
            if asked.method == "HEAD" && answered.status == 200 {
                answered.set("Content-Length", "0");
            }
        },
        &["head-request-gets-the-head-of-get"],
    ),
    Mutation::of_answers(
        "HEAD of nothing has the length of the page",
        |asked, answered| {
            if asked.method == "HEAD" && answered.status == 404 && asked.token().is_none() {
                answered.set("Content-Length", "339");
            }
        },
        &["head-request-of-nothing-has-the-head-of-an-empty-refusal"],
    ),
    Mutation::of_answers(
        "HEAD of nothing with a token has the length of the page",
        |asked, answered| {
            if asked.method == "HEAD" && answered.status == 404 && asked.token().is_some() {
                answered.set("Content-Length", "339");
            }
        },
        &["head-request-of-nothing-tells-the-ttl-of-a-token"],
    ),
    Mutation::of_answers(
        "tokens are not to be cached",
        |asked, answered| {
            if asked.is_put() && answered.status == 200 {
                answered.set("Cache-Control", "no-store");
            }
        },
        &["head-never-has-caching-fields", "head-of-a-token-ends-with-the-content-type"],
    ),
    // What is in them.
    Mutation::of_answers(
        "the server has another name",
        |_, answered| answered.set("Server", "Werkzeug/3.0"),
        &["server-is-ec2ws"],
    ),
    Mutation::of_answers(
        "answers are of HTTP/1.0",
        |_, answered| "HTTP/1.0".clone_into(&mut answered.version),
        &["answers-are-of-http-1-1"],
    ),
    Mutation::of_answers(
        "names of fields are in small letters",
        |_, answered| answered.fields.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase()),
        &["field-names-are-spelled-in-capitals"],
    ),
    Mutation::of_answers(
        "the date of OPTIONS is in another form",
        |asked, answered| {
            if asked.method == "OPTIONS" {
                answered.set("Date", "2026-10-01T00:00:00Z");
            }
        },
        &["times-in-heads-have-the-form-of-http"],
    ),
    Mutation::of_answers(
        "the date stands still",
        |asked, answered| {
            if asked.is("GET", ITEM) {
                answered.set("Date", LATER);
            }
        },
        &["date-is-the-time-of-the-answer"],
    ),
    Mutation::of_answers(
        "an item was modified when it was asked for",
        |asked, answered| {
            if let Some(date) = answered.get("Date").filter(|_| asked.is("GET", ITEM)).map(str::to_owned)
                && answered.get("Last-Modified").is_some()
            {
                answered.set("Last-Modified", &date);
            }
        },
        &["last-modified-is-not-the-time-of-the-answer"],
    ),
    Mutation::of_answers(
        "a listing was modified in time to come",
        |asked, answered| {
            if asked.is("GET", "/latest/meta-data/") && answered.status == 200 {
                answered.set("Last-Modified", LATER);
            }
        },
        &["last-modified-is-never-after-date"],
    ),
    Mutation::of_answers(
        "JSON says that it is JSON",
        |asked, answered| {
            if asked.target.ends_with("/identity-credentials/ec2/info") {
                answered.set("Content-Type", "application/json");
            }
        },
        &["content-type-is-text-plain-for-json-too"],
    ),
    Mutation::of_answers(
        "connections are kept for those who ask for it",
        |asked, answered| {
            if asked.value("connection") == Some(b"keep-alive") {
                answered.set("Connection", "keep-alive");
            }
        },
        &["connection-is-closed-though-the-client-would-keep-it"],
    ),
    Mutation::of_answers(
        "connections are kept, and no head says whether",
        |_, answered| answered.remove("Connection"),
        &["connection-is-closed-though-the-client-would-keep-it"],
    ),
    Mutation::of_answers(
        "a range of an item is served",
        |asked, answered| {
            if asked.value("range").is_some() {
                answered.set_status(206, "Partial Content");
                answered.set_body(answered.body[..2].to_vec());
            }
        },
        &["range-requests-get-the-whole-item"],
    ),
    Mutation::of_answers(
        "what was not modified is not sent",
        |asked, answered| {
            if asked.value("if-modified-since").is_some() {
                answered.refuse(304, "Not Modified");
            }
        },
        &["conditional-requests-get-the-whole-item"],
    ),
    Mutation::of_answers(
        "listings are compressed",
        |asked, answered| {
            if asked.value("accept-encoding").is_some() {
                answered.set("Content-Encoding", "gzip");
                answered.set_body(b"\x1f\x8b".to_vec());
            }
        },
        &["answers-are-never-compressed"],
    ),
    Mutation::of_answers(
        "browsers are refused",
        |asked, answered| {
            if asked.value("user-agent").is_some_and(|agent| agent.starts_with(b"Mozilla")) {
                answered.refuse(403, "Forbidden");
            }
        },
        &["user-agent-is-not-looked-at"],
    ),
    Mutation::of_answers(
        "the service has one name",
        |asked, answered| {
            if asked.value("host") == Some(b"instance-data") {
                answered.refuse(404, "Not Found");
            }
        },
        &["host-that-is-local-is-served"],
    ),
    Mutation::of_answers(
        "404 tells when it was modified",
        |asked, answered| {
            if asked.is("GET", NOTHING) {
                answered.set("Last-Modified", "Thu, 01 Oct 2026 00:00:00 GMT");
            }
        },
        &["head-never-has-caching-fields", "head-of-404-begins-with-the-content-type"],
    ),
];
