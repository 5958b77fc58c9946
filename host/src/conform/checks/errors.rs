//! Statuses and bodies of refusals.

use super::super::asked::request;
use super::super::subject::ITEM;
use super::super::{Area, Check, Evidence, Rule, Stop, Subject};
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

const NOTHING: &str = "/latest/meta-data/nothing-here";

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
    let asked = subject.get(NOTHING)?.has_status(404)?.has_field("Content-Type", "text/html")?;
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

fn refusals_have_these_reasons(subject: &Subject<'_>) -> Result<(), Stop> {
    subject.ask(Subject::token_request("21601"))?.has_status_line("400 Bad Request")?;
    if subject.needs_token()? {
        subject.ask(Request::get(ITEM))?.has_status_line("401 Unauthorized")?;
    }
    let forwarded = Subject::token_request("60").with("X-Forwarded-For", "192.0.2.1");
    subject.ask(forwarded)?.has_status_line("403 Forbidden")?;
    subject.get(NOTHING)?.has_status_line("404 Not Found").map(drop)
}

fn refusals_are_plain_text(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut requests = vec![
        (400, Subject::token_request("21601")),
        (403, Subject::token_request("60").with("X-Forwarded-For", "192.0.2.1")),
        (405, Request::get("/latest/api/token")),
    ];
    if subject.needs_token()? {
        requests.push((401, Request::get(ITEM)));
    }
    for (status, request) in requests {
        let asked = subject.ask(request)?.has_status(status)?;
        asked.has_no_body()?.has_field("Content-Type", "text/plain")?;
    }
    Ok(())
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
