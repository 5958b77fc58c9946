//! Statuses and bodies of refusals.

use super::super::asked::request;
use super::super::subject::{ITEM, NOTHING};
use super::super::{Area, Check, Evidence, Rule, Stop, Subject, not_applicable};
use crate::engine::Request;

const REFUSALS: &str = "capture of 2026-09, t3.nano; transcripts of 2019 to 2026";

pub const CHECKS: &[Check] = &[
    Check::of_case("not-found-is-a-page-of-339-bytes", Area::Errors, not_found_is_a_page),
    Check::of_case("methods-post-and-delete-are-403", Area::Errors, post_and_delete_are_403),
    Check::of_case("methods-that-no-item-takes-are-403", Area::Errors, other_methods_are_403),
    Check::of_case("options-lists-the-methods-of-an-item", Area::Errors, options_lists_the_methods),
    Check::with_rule(
        "refusals-have-these-reasons",
        Area::Errors,
        Rule {
            says: "The reason phrases of refusals are `Bad Request`, `Unauthorized`, `Forbidden` and `Not Found`.",
            source: REFUSALS,
            evidence: Evidence::Recorded,
        },
        refusals_have_these_reasons,
    ),
    Check::with_rule(
        "refusals-are-plain-text-without-a-body",
        Area::Errors,
        Rule {
            says: "Every refusal except 404 has the type `text/plain` and no body.",
            source: REFUSALS,
            evidence: Evidence::Recorded,
        },
        refusals_are_plain_text,
    ),
    Check::of_case("endpoint-disabled-is-403", Area::Errors, disabled_is_403).where_disabled(),
    Check::of_case("endpoint-disabled-refuses-every-request", Area::Errors, disabled_refuses_all).where_disabled(),
];

const PAGE: &str = "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>
<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"
\t\t \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">
<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">
 <head>
  <title>404 - Not Found</title>
 </head>
 <body>
  <h1>404 - Not Found</h1>
 </body>
</html>
";

fn not_found_is_a_page(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.get(NOTHING)?.needs_status(404, "path-unknown-is-not-found")?;
    let asked = asked.has_field("Content-Type", "text/html")?;
    if asked.reply.body == PAGE.as_bytes() {
        return Ok(());
    }
    let got = match asked.reply.body.len() {
        339 => "another page of 339 bytes".to_owned(),
        other => format!("{other} bytes"),
    };
    Err(asked.broken("the page of 339 bytes", got))
}

fn post_and_delete_are_403(subject: &Subject<'_>) -> Result<(), Stop> {
    for (method, path) in [("POST", "/latest/meta-data/"), ("DELETE", ITEM)] {
        let asked = subject.ask(subject.with_token(request(method, path))?)?.has_status(403)?;
        asked.has_no_body()?.lacks_fields(&["Allow"])?;
    }
    Ok(())
}

/// Methods that change nothing, even where a service accepts them.
fn other_methods_are_403(subject: &Subject<'_>) -> Result<(), Stop> {
    for method in ["get", "PROPFIND"] {
        subject.ask(subject.with_token(request(method, ITEM))?)?.has_status(403)?.has_no_body()?;
    }
    Ok(())
}

fn options_lists_the_methods(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(subject.with_token(request("OPTIONS", ITEM))?)?.has_status(200)?;
    asked.has_field("Allow", "OPTIONS, GET, HEAD")?.has_no_body().map(drop)
}

/// What the rules of refusals are not judged by.
const NO_REFUSAL: &str = "the endpoint refuses nothing with the status of EC2";

fn refusals_have_these_reasons(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut number = 0;
    for asked in subject.refusals()? {
        let line = match asked.reply.status {
            400 => "400 Bad Request",
            401 => "401 Unauthorized",
            403 => "403 Forbidden",
            404 => "404 Not Found",
            // A rule of its own.
            _ => continue,
        };
        asked.clone().has_status_line(line)?;
        number += 1;
    }
    if number == 0 { not_applicable(NO_REFUSAL) } else { Ok(()) }
}

fn refusals_are_plain_text(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut number = 0;
    for asked in subject.refusals()?.iter().filter(|asked| asked.reply.status != 404) {
        asked.clone().has_no_body()?.has_field("Content-Type", "text/plain")?;
        number += 1;
    }
    if number == 0 { not_applicable(NO_REFUSAL) } else { Ok(()) }
}

fn disabled_is_403(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.ask(Request::get("/latest/meta-data/"))?.has_status_line("403 Forbidden")?;
    asked.has_field("Content-Type", "text/plain")?.has_no_body().map(drop)
}

fn disabled_refuses_all(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Subject::token_request("60"))?.has_status(403)?;
    subject.ask(Request::get("/latest/api/token"))?.has_status(403)?;
    for path in ["/", ITEM, "/latest/user-data", NOTHING] {
        subject.ask(Request::get(path))?.has_status(403)?;
    }
    subject.ask(request("OPTIONS", ITEM))?.has_status(403).map(drop)
}
