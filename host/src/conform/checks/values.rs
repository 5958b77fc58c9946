//! The values of header fields.

use std::time::{Duration, Instant};

use super::super::asked::{TTL, request};
use super::super::subject::ITEM;
use super::super::{Area, Asked, Check, Evidence, Rule, Stop, Subject, not_applicable};
use crate::engine::Request;

const TRANSCRIPTS: &str = "`curl -v` transcripts of 2019 to 2026; capture of 2026-09, t3.nano";

const fn recorded(says: &'static str) -> Rule {
    Rule { says, source: TRANSCRIPTS, evidence: Evidence::Recorded }
}

const fn inferred(says: &'static str) -> Rule {
    Rule {
        says,
        source: "follows from RFC 9110, sections 6.6.1 and 8.8.2, and from transcripts",
        evidence: Evidence::Inferred,
    }
}

pub const CHECKS: &[Check] = &[
    Check::with_rule(
        "server-is-ec2ws",
        Area::Heads,
        recorded("Every answer has `Server: EC2ws`, by which SDKs and proxies recognize the service."),
        server_is_ec2ws,
    ),
    Check::with_rule(
        "answers-are-of-http-1-1",
        Area::Heads,
        recorded("Every answer has the version HTTP/1.1."),
        answers_are_of_http_1_1,
    ),
    Check::with_rule(
        "field-names-are-spelled-in-capitals",
        Area::Heads,
        recorded(
            "Each word in the name of a field begins with a capital, as in `X-Aws-Ec2-Metadata-Token-Ttl-Seconds`.",
        ),
        field_names_are_capitalised,
    ),
    Check::with_rule(
        "times-in-heads-have-the-form-of-http",
        Area::Heads,
        recorded("`Date` and `Last-Modified` have the form of `Thu, 01 Oct 2026 00:00:00 GMT`."),
        times_have_the_form_of_http,
    ),
    Check::with_rule(
        "date-is-the-time-of-the-answer",
        Area::Heads,
        inferred("`Date` advances with the time."),
        date_is_the_time_of_the_answer,
    ),
    Check::with_rule(
        "last-modified-is-not-the-time-of-the-answer",
        Area::Heads,
        inferred("`Last-Modified` is the time when an item was published, not the time of the request."),
        last_modified_is_not_the_time_of_the_answer,
    ),
    Check::of_case("last-modified-is-never-after-date", Area::Heads, last_modified_is_never_after_date),
    Check::of_case("content-type-is-text-plain-for-json-too", Area::Heads, content_type_is_text_plain),
    Check::of_case("connection-is-closed-though-the-client-would-keep-it", Area::Heads, connection_is_closed),
    Check::of_case("range-requests-get-the-whole-item", Area::Heads, range_is_ignored),
    Check::of_case("conditional-requests-get-the-whole-item", Area::Heads, conditions_are_ignored),
    Check::of_case("answers-are-never-compressed", Area::Heads, nothing_is_compressed),
    Check::of_case("user-agent-is-not-looked-at", Area::Heads, user_agent_is_not_looked_at),
    Check::of_case("host-that-is-local-is-served", Area::Heads, host_that_is_local_is_served),
];

const NOTHING: &str = "/latest/meta-data/nothing-here";
const DOCUMENT: &str = "/latest/dynamic/instance-identity/document";

/// An answer of each kind that the endpoint's mode allows.
fn of_each_kind<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = Result<Asked, Stop>> + 's {
    let requests = [Request::get(ITEM), Request::get("/latest/"), Request::get(NOTHING), request("OPTIONS", ITEM)];
    let with_token = requests.into_iter().map(|request| subject.ask(subject.with_token(request)?));
    let others = [
        Subject::token_request("60"),
        Subject::token_request("21601"),
        Request::get("/latest/api/token"),
        Request::get(ITEM),
    ];
    with_token.chain(others.into_iter().map(|request| subject.ask(request)))
}

fn server_is_ec2ws(subject: &Subject<'_>) -> Result<(), Stop> {
    for asked in of_each_kind(subject) {
        asked?.has_field("Server", "EC2ws")?;
    }
    Ok(())
}

fn answers_are_of_http_1_1(subject: &Subject<'_>) -> Result<(), Stop> {
    for asked in of_each_kind(subject) {
        let asked = asked?;
        if asked.reply.http_minor != 1 {
            return Err(asked.broken("HTTP/1.1", format!("HTTP/1.{}", asked.reply.http_minor)));
        }
    }
    Ok(())
}

fn field_names_are_capitalised(subject: &Subject<'_>) -> Result<(), Stop> {
    let is_capital = |word: &str| {
        let mut letters = word.bytes();
        letters.next().is_some_and(|first| first.is_ascii_uppercase())
            && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    for asked in of_each_kind(subject) {
        let asked = asked?;
        // The names that the real service has; another rule checks for other names.
        let known = |name: &&(String, Vec<u8>)| KNOWN.iter().any(|known| known.eq_ignore_ascii_case(&name.0));
        if let Some((name, _)) =
            asked.reply.fields.iter().filter(known).find(|(name, _)| !name.split('-').all(is_capital))
        {
            let expected = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name));
            return Err(asked.broken(*expected.unwrap_or(&""), name.clone()));
        }
    }
    Ok(())
}

const KNOWN: [&str; 9] =
    [TTL, "Content-Type", "Accept-Ranges", "Last-Modified", "Content-Length", "Date", "Server", "Connection", "Allow"];

fn times_have_the_form_of_http(subject: &Subject<'_>) -> Result<(), Stop> {
    for asked in of_each_kind(subject) {
        asked?.time("Date")?;
    }
    let asked = subject.get(ITEM)?;
    if asked.has("Last-Modified") { asked.time("Last-Modified").map(drop) } else { Ok(()) }
}

/// The reason of the checks of `Last-Modified` if items lack the field.
const NEVER_MODIFIED: &str = "items have no field Last-Modified";

/// Longer than the second that times are rounded to.
const WHILE: Duration = Duration::from_millis(1_500);

fn date_is_the_time_of_the_answer(subject: &Subject<'_>) -> Result<(), Stop> {
    let began = Instant::now();
    let first = subject.get(ITEM)?.time("Date")?;
    subject.wait(WHILE);
    let asked = subject.get(ITEM)?;
    let second = asked.time("Date")?;
    // How long the wait took by the endpoint's clock, and by ours.
    let most = began.elapsed() + WHILE + Duration::from_secs(1);
    match second.duration_since(first) {
        Ok(passed) if passed >= Duration::from_secs(1) && passed <= most => Ok(()),
        _ => {
            let expected = format!("{} later: Date moved on as much", humantime::format_duration(WHILE));
            let got = match second.duration_since(first) {
                Ok(passed) => format!("it moved on by {}", humantime::format_duration(passed)),
                Err(_) => "it went back".to_owned(),
            };
            Err(asked.broken(expected, got))
        }
    }
}

fn last_modified_is_not_the_time_of_the_answer(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.get(ITEM)?;
    if !asked.has("Last-Modified") {
        return not_applicable(NEVER_MODIFIED);
    }
    let first = asked.time("Last-Modified")?;
    subject.wait(WHILE);
    let asked = subject.get(ITEM)?;
    // A refresh can fall between two requests, but not twice among three.
    if asked.time("Last-Modified")? == first {
        return Ok(());
    }
    let second = asked.time("Last-Modified")?;
    subject.wait(WHILE);
    let asked = subject.get(ITEM)?;
    if asked.time("Last-Modified")? == second {
        return Ok(());
    }
    Err(asked.broken("the same Last-Modified as a moment before", "another one each time"))
}

fn last_modified_is_never_after_date(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut number = 0;
    for path in [ITEM, "/", "/latest/meta-data/", DOCUMENT] {
        let asked = subject.get(path)?;
        if asked.reply.status != 200 || !asked.has("Last-Modified") {
            continue;
        }
        number += 1;
        let (modified, date) = (asked.time("Last-Modified")?, asked.time("Date")?);
        if modified > date {
            let [modified, date] = [modified, date].map(httpdate::fmt_http_date);
            return Err(asked.broken(format!("Last-Modified up to Date, {date}"), modified));
        }
    }
    if number == 0 { not_applicable(NEVER_MODIFIED) } else { Ok(()) }
}

fn content_type_is_text_plain(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut number = 0;
    for path in [
        "/",
        "/latest/meta-data/",
        ITEM,
        DOCUMENT,
        "/latest/meta-data/identity-credentials/ec2/info",
        "/latest/meta-data/tag-sets/instance",
    ] {
        let asked = subject.get(path)?;
        if asked.reply.status == 200 {
            asked.has_field("Content-Type", "text/plain")?;
            number += 1;
        }
    }
    if number == 0 { not_applicable("neither listings nor items are there") } else { Ok(()) }
}

fn connection_is_closed(subject: &Subject<'_>) -> Result<(), Stop> {
    let request = subject.with_token(Request::get(ITEM).with("Connection", "keep-alive"))?;
    subject.ask(request)?.has_status(200)?.has_field("Connection", "close").map(drop)
}

/// Continues if the answer equals that of the request without the field.
fn changes_nothing(subject: &Subject<'_>, path: &str, name: &str, value: &str) -> Result<Asked, Stop> {
    let plain = subject.get(path)?.has_status(200)?;
    let request = subject.with_token(Request::get(path).with(name, value))?;
    subject.ask(request)?.has_status(200)?.has_body_of(&plain.reply)
}

fn range_is_ignored(subject: &Subject<'_>) -> Result<(), Stop> {
    changes_nothing(subject, ITEM, "Range", "bytes=0-1")?.lacks_fields(&["Content-Range"]).map(drop)
}

fn conditions_are_ignored(subject: &Subject<'_>) -> Result<(), Stop> {
    changes_nothing(subject, ITEM, "If-None-Match", "*")?;
    changes_nothing(subject, ITEM, "If-Modified-Since", "Fri, 31 Dec 9999 23:59:59 GMT").map(drop)
}

fn nothing_is_compressed(subject: &Subject<'_>) -> Result<(), Stop> {
    // Long enough for a server to compress it.
    let path = "/latest/meta-data/";
    changes_nothing(subject, path, "Accept-Encoding", "gzip, deflate, br")?
        .lacks_fields(&["Content-Encoding"])
        .map(drop)
}

fn user_agent_is_not_looked_at(subject: &Subject<'_>) -> Result<(), Stop> {
    changes_nothing(subject, ITEM, "User-Agent", "Mozilla/5.0").map(drop)
}

fn host_that_is_local_is_served(subject: &Subject<'_>) -> Result<(), Stop> {
    if subject.client().has_own_host() {
        return not_applicable("the endpoint identifies its clients by the field Host");
    }
    for host in ["169.254.169.254", "[fd00:ec2::254]", "instance-data"] {
        changes_nothing(subject, ITEM, "Host", host)?;
    }
    Ok(())
}
