//! User data. It may be a secret, so reports show only its length.

use base64::Engine as _;
use serde_json::Value;

use super::super::crawl::Entry;
use super::super::judge::shown;
use super::super::{Area, Asked, Check, Stop, Subject, depends_on, not_applicable};

pub const CHECKS: &[Check] = &[
    Check::of_case("user-data-is-what-was-supplied", Area::UserData, is_what_was_supplied),
    Check::of_case("user-data-may-be-binary", Area::UserData, is_not_touched),
    Check::of_case("user-data-is-the-same-under-2009-04-04", Area::UserData, |subject| {
        is_the_same(subject, &["/2009-04-04/user-data", "/latest/user-data/"])
    }),
    Check::of_case("user-data-is-the-same-in-every-version", Area::UserData, |subject| {
        let versions = subject.versions()?;
        let dated = [versions.from("1.0"), versions.before("3")];
        let paths: Vec<String> = dated.into_iter().flatten().map(|version| format!("/{version}/user-data")).collect();
        is_the_same(subject, &paths)
    }),
    Check::of_case("version-root-without-user-data-lacks-its-name", Area::UserData, |subject| {
        let (root, asked) = (root(subject)?, subject.user_data()?);
        is_listed_as(root, asked)
    }),
    Check::of_case("version-root-before-2009-04-04-may-list-meta-data-alone", Area::UserData, |subject| {
        if subject.user_data()?.reply.status == 200 {
            return not_applicable("there is user data");
        }
        let Some(version) = subject.versions()?.before("2009-04-04") else {
            return not_applicable("`/` lists no version before 2009-04-04");
        };
        let asked = subject.get(&format!("/{version}/"))?.has_status(200)?;
        let text = asked.reply.text();
        if text == "meta-data" { Ok(()) } else { Err(asked.broken("only meta-data", shown(&text))) }
    }),
    Check::of_case("user-data-missing-is-404", Area::UserData, |subject| {
        let asked = subject.user_data()?;
        match asked.reply.status {
            200 => not_applicable("there is user data"),
            404 => Ok(()),
            other if other == subject.status_of_nothing()? => depends_on("path-unknown-is-not-found"),
            other => Err(asked.broken("status 404", format!("status {other}"))),
        }
    }),
    Check::of_case("user-data-missing-is-404-in-every-version", Area::UserData, |subject| {
        if subject.user_data()?.reply.status == 200 {
            return not_applicable("there is user data");
        }
        let versions = subject.versions()?;
        for version in [versions.from("1.0"), versions.from("2009-04-04"), versions.before("3")].into_iter().flatten() {
            subject.is_not_found(subject.get(&format!("/{version}/user-data"))?)?;
        }
        Ok(())
    }),
];

/// The user data, if there is any.
fn there<'s>(subject: &'s Subject<'_>) -> Result<&'s Asked, Stop> {
    let asked = subject.user_data()?;
    if subject.answers_all_paths_alike()? {
        return not_applicable("the endpoint answers all paths alike");
    }
    if asked.reply.status == 200 { Ok(asked) } else { not_applicable("there is no user data") }
}

fn root<'s>(subject: &'s Subject<'_>) -> Result<&'s Entry, Stop> {
    match subject.latest()?.entries.first().filter(|root| root.is_there()) {
        Some(root) => Ok(root),
        None => not_applicable("latest has no listing"),
    }
}

fn is_listed_as(root: &Entry, asked: &Asked) -> Result<(), Stop> {
    let is_listed = root.text().split('\n').any(|name| name == "user-data");
    match (is_listed, asked.reply.status == 200) {
        (true, false) => Err(root.asked.broken("no user-data in the listing, since there is none", "user-data in it")),
        (false, true) => {
            Err(root.asked.broken("user-data in the listing, since there is some", "a listing without it"))
        }
        _ => Ok(()),
    }
}

fn is_what_was_supplied(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = there(subject)?;
    let kind = asked.reply.field("Content-Type");
    if kind != Some("application/octet-stream") {
        let got = kind.map_or("no such field".to_owned(), shown);
        return Err(asked.broken("Content-Type: application/octet-stream", got));
    }
    let Some(supplied) = subject.description.as_ref().and_then(supplied) else { return Ok(()) };
    if asked.reply.body == supplied {
        return Ok(());
    }
    let (expected, got) = (supplied.len(), asked.reply.body.len());
    Err(asked.broken(format!("the {expected} bytes of the description"), format!("other bytes, {got} of them")))
}

/// The user data of a description.
fn supplied(description: &Value) -> Option<Vec<u8>> {
    if let Some(text) = description.get("user-data").and_then(Value::as_str) {
        return Some(text.as_bytes().to_vec());
    }
    let base64 = description.get("user-data-base64").and_then(Value::as_str)?;
    let base64: String = base64.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(base64).ok()
}

fn is_not_touched(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = there(subject)?;
    match asked.reply.field("Content-Encoding") {
        Some(_) => Err(asked.broken("no Content-Encoding", "one")),
        None => Ok(()),
    }
}

fn is_the_same<P: AsRef<str>>(subject: &Subject<'_>, paths: &[P]) -> Result<(), Stop> {
    let of_latest = there(subject)?;
    for path in paths {
        let asked = subject.get(path.as_ref())?.has_status(200)?;
        if asked.reply.body != of_latest.reply.body {
            let (expected, got) = (of_latest.reply.body.len(), asked.reply.body.len());
            return Err(asked.broken(format!("the {expected} bytes of latest"), format!("other bytes, {got} of them")));
        }
    }
    Ok(())
}
