//! JSON documents: credentials and related items; content types.

use std::time::{Duration, SystemTime};

use super::super::super::crawl::Entry;
use super::super::super::judge::{CAPTURE, each_entry, rule, shown};
use super::super::super::{Area, Check, Evidence, Stop, Subject, forms, json, not_applicable};
use super::{form, of_case};
use crate::engine::Request;

const ROLE: &str = "meta-data/iam/security-credentials/*";
const IDENTITY: &str = "meta-data/identity-credentials/ec2/security-credentials/*";
const SEVEN: [&str; 7] = ["Code", "LastUpdated", "Type", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"];

pub const CHECKS: &[Check] = &[
    of_case("content-type-of-items-not-recorded-is-text-plain", content_types),
    of_case("iam-info-is-json-of-four-fields", |subject| {
        let fields = ["Code", "LastUpdated", "InstanceProfileArn", "InstanceProfileId"];
        each_entry(subject, &["meta-data/iam/info"], |entry| {
            let info = document(entry, &fields)?;
            let is_arn = info.text("InstanceProfileArn").is_some_and(|arn| {
                arn.starts_with("arn:aws")
                    && arn.split(':').nth(5).is_some_and(|rest| rest.starts_with("instance-profile/"))
            });
            let is_id = info.text("InstanceProfileId").is_some_and(|id| id.starts_with("AIPA"));
            if is_arn && is_id && forms::time(info.text("LastUpdated").unwrap_or_default()).is_some() {
                return Ok(());
            }
            Err(entry.asked.broken("the ARN of an instance profile, an id that begins AIPA, a time", "other values"))
        })
    }),
    of_case("role-credentials-are-json-of-seven-fields", |subject| seven_fields(subject, ROLE)),
    of_case("role-that-cannot-be-assumed-is-200", role_that_cannot_be_assumed),
    of_case("identity-credentials-are-there-without-a-role", |subject| {
        if subject.latest()?.find("meta-data").is_none() {
            return not_applicable("latest has no menu");
        }
        let path = "/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance";
        subject.get(path)?.has_status(200).map(|_| ())
    }),
    form(
        "identity-credentials-are-json-of-seven-fields",
        Evidence::Recorded,
        "Identity credentials have the seven fields of a role's credentials, in the same order and layout.",
        CAPTURE,
        |subject| seven_fields(subject, IDENTITY),
    ),
    form(
        "identity-credentials-info-is-json-of-three-fields",
        Evidence::Recorded,
        "`identity-credentials/ec2/info` states the account in a JSON object of three fields.",
        CAPTURE,
        |subject| {
            each_entry(subject, &["meta-data/identity-credentials/ec2/info"], |entry| {
                let info = document(entry, &["Code", "LastUpdated", "AccountId"])?;
                if info.text("AccountId").is_some_and(forms::is_account) {
                    return Ok(());
                }
                Err(entry.asked.broken("an account of 12 digits", "another value"))
            })
        },
    ),
    of_case("identity-credentials-live-a-little-over-six-hours", |subject| {
        each_entry(subject, &[IDENTITY], |entry| {
            let fields = json::Fields::of(&entry.text());
            let time = |name| forms::time(fields.as_ref()?.text(name)?);
            let (Some(from), Some(to)) = (time("LastUpdated"), time("Expiration")) else {
                return not_applicable("they tell no times");
            };
            // Recorded: 1 to 19 minutes more. There are few recordings, so a little
            // tolerance is allowed.
            let life = to.duration_since(from).unwrap_or_default();
            if (Duration::from_secs(6 * 3600)..=Duration::from_secs(6 * 3600 + 1800)).contains(&life) {
                return Ok(());
            }
            let got = humantime::format_duration(life).to_string();
            Err(entry.asked.broken("6 hours and some minutes from LastUpdated to Expiration", got))
        })
    }),
    Check::with_rule(
        "credentials-are-good-when-they-are-asked-for",
        Area::Formats,
        rule("Credentials were last updated before the request and expire after it.", CAPTURE, Evidence::Recorded),
        good_when_asked_for,
    ),
    of_case("role-credentials-differ-with-and-without-a-token", differ_by_token),
];

/// The fields of a document, if it has exactly these in the service's layout. Values are
/// not shown.
fn document(entry: &Entry, fields: &[&str]) -> Result<json::Fields, Stop> {
    let text = entry.text();
    let Some(found) = json::Fields::of(&text) else {
        return Err(entry.asked.broken("a JSON object", format!("{} other bytes", text.len())));
    };
    if found.names() != fields {
        // Unexpected names can be anything, also secret.
        let known = found.names().into_iter().filter(|name| fields.contains(name)).collect::<Vec<_>>().join(", ");
        let got = format!("{} fields, of these {known}", found.0.len());
        return Err(entry.asked.broken(format!("the fields {}", fields.join(", ")), got));
    }
    if json::is_laid_out(&text) {
        return Ok(found);
    }
    let expected = "one field on each line, two spaces before it, spaces around the colon, no final line end";
    Err(entry.asked.broken(expected, "another layout"))
}

fn seven_fields(subject: &Subject<'_>, pattern: &str) -> Result<(), Stop> {
    each_entry(subject, &[pattern], |entry| {
        if failure_of(entry).is_some() {
            return not_applicable("there is a failure in place of credentials");
        }
        let found = document(entry, &SEVEN)?;
        let is = |name, is_good: fn(&str) -> bool| found.text(name).is_some_and(is_good);
        let is_time = |text: &str| forms::time(text).is_some();
        let wrong = [
            ("Code", is("Code", |code| code == "Success")),
            ("LastUpdated", is("LastUpdated", is_time)),
            ("Type", is("Type", |kind| kind == "AWS-HMAC")),
            ("AccessKeyId", is("AccessKeyId", |key| key.starts_with("ASIA") && key.len() >= 16)),
            ("SecretAccessKey", is("SecretAccessKey", |key| !key.is_empty())),
            ("Token", is("Token", |token| !token.is_empty())),
            ("Expiration", is("Expiration", is_time)),
        ];
        match wrong.iter().find(|(_, is_good)| !is_good) {
            Some((name, _)) => Err(entry.asked.broken(format!("a {name} in the form of EC2's"), "one of another form")),
            None => Ok(()),
        }
    })
}

/// The fields of a document whose code is not `Success`.
fn failure_of(entry: &Entry) -> Option<json::Fields> {
    json::Fields::of(&entry.text()).filter(|fields| fields.text("Code").is_some_and(|code| code != "Success"))
}

fn role_that_cannot_be_assumed(subject: &Subject<'_>) -> Result<(), Stop> {
    let failed = |entry: &&Entry| failure_of(entry).is_some();
    let Some(entry) = subject.latest()?.items(ROLE).find(failed) else {
        return not_applicable("the role can be assumed, or there is none");
    };
    document(entry, &["Code", "Message", "LastUpdated"]).map(|_| ())
}

fn good_when_asked_for(subject: &Subject<'_>) -> Result<(), Stop> {
    each_entry(subject, &[ROLE, IDENTITY], |entry| {
        let date = entry.asked.reply.field("Date").and_then(|date| httpdate::parse_http_date(date).ok());
        let fields = json::Fields::of(&entry.text()).filter(|fields| fields.text("Expiration").is_some());
        let (Some(date), Some(fields)) = (date, fields) else { return Ok(()) };
        let time = |name| forms::time(fields.text(name)?);
        let is_before = |a: Option<SystemTime>, b: Option<SystemTime>| a.zip(b).is_some_and(|(a, b)| a <= b);
        if is_before(time("LastUpdated"), Some(date)) && is_before(Some(date), time("Expiration")) {
            return Ok(());
        }
        Err(entry.asked.broken("LastUpdated, Date and Expiration in this order", "another order"))
    })
}

fn differ_by_token(subject: &Subject<'_>) -> Result<(), Stop> {
    if subject.needs_token()? {
        return not_applicable("the endpoint serves nothing without a token");
    }
    if subject.token()?.is_none() {
        return not_applicable("the endpoint issues no tokens");
    }
    let Some(entry) = subject.latest()?.items(ROLE).find(|entry| failure_of(entry).is_none()) else {
        return not_applicable("the instance has no role with credentials");
    };
    let with = subject.get(&entry.asked.request.target)?;
    let without = subject.ask(Request::get(&entry.asked.request.target))?.has_status(200)?;
    let key = |body: &str| Some(json::Fields::of(body)?.text("AccessKeyId")?.to_owned());
    match (key(&with.reply.text()), key(&without.reply.text())) {
        (Some(with), Some(other)) if with == other => {
            Err(without.broken("another AccessKeyId than with a token", "the same"))
        }
        (Some(_), Some(_)) => Ok(()),
        _ => not_applicable("what is there are no credentials"),
    }
}

/// Items whose heads nobody has recorded.
const NOT_RECORDED: [&str; 8] =
    ["/spot", "/recommendations", "/elastic-", "/managed-ssh-keys", "/autoscaling", "/ipv6", "/fws", "/hibernation"];

fn content_types(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut found = false;
    for entry in subject.latest()?.entries.iter().filter(|entry| entry.is_there()) {
        let path = format!("/{}", entry.path);
        if !NOT_RECORDED.iter().any(|part| path.contains(part)) {
            continue;
        }
        found = true;
        let got = entry.asked.reply.field("Content-Type");
        if got != Some("text/plain") {
            return Err(entry.asked.broken("Content-Type: text/plain", got.map_or("no such field".to_owned(), shown)));
        }
    }
    if found { Ok(()) } else { not_applicable("the endpoint has none of these items") }
}
