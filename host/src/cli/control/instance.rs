// `/v1/instance`: what the instance is, and changes of it.

use std::time::SystemTime;

use hyper::StatusCode;
use hyper::header::IF_MATCH;
use hyper::http::request::Parts;
use imds_host::{Control, CredentialsState, DescribedSource, Description, Happening, MetadataOptions, Snapshot};
use serde_json::{Map, Value, json};

use super::super::warnings::Before;
use super::clock;
use super::reply::{Reply, changed, error, failed, of_revision, ok};

/// What the instance is now, without its secrets.
pub fn get(control: &Control) -> Reply {
    match control.snapshot().map_err(anyhow::Error::from).and_then(|now| Ok((shown(&now)?, now))) {
        Ok((body, snapshot)) => of_revision(ok(&body), snapshot.revision),
        Err(error) => failed(&error),
    }
}

/// A piece of a description, merged into what the instance is.
pub fn patch(control: &Control, parts: &Parts, body: &[u8]) -> Reply {
    change(control, parts, body, |change, revision| match revision {
        Some(revision) => control.edit_revision(revision, change),
        None => control.edit(change),
    })
}

/// Another description in the place of all that was.
pub fn put(control: &Control, parts: &Parts, body: &[u8]) -> Reply {
    change(control, parts, body, |description, revision| match revision {
        _ if is_of_another_source(control, description) => Err(another_source(description)),
        Some(revision) => control.replace_revision(revision, description),
        None => control.replace(description),
    })
}

fn change(
    control: &Control,
    parts: &Parts,
    body: &[u8],
    change: impl FnOnce(&Description, Option<u64>) -> Result<u64, imds_host::Error>,
) -> Reply {
    let Ok(revision) = wanted_revision(parts) else {
        let message = "If-Match must be a revision such as \"7\", as ETag tells it, or *";
        return error(StatusCode::BAD_REQUEST, message);
    };
    let Ok(text) = str::from_utf8(body) else {
        return error(StatusCode::BAD_REQUEST, "the body is not UTF-8; send JSON text");
    };
    if text.contains("\"(hidden)\"") {
        let message = "\"(hidden)\" stands for a secret where a description is shown; give the secret, or leave the \
                       field out of a change";
        return error(StatusCode::BAD_REQUEST, message);
    }
    match Description::from_json("the request", text) {
        Ok(read) => {
            let before = Before::of(control);
            changed(change(&read, revision), || before.new_ones_of(control))
        }
        Err(imds_host::Error::Invalid(mut problems)) => {
            // It has no file's name.
            for problem in problems.list.iter_mut().filter(|problem| problem.message == "this is TOML") {
                problem.help = Some("send JSON; imds ctl edit takes TOML".to_owned());
            }
            failed(&imds_host::Error::Invalid(problems).into())
        }
        Err(error) => failed(&error.into()),
    }
}

/// The revision that is to be changed; none for any.
fn wanted_revision(parts: &Parts) -> Result<Option<u64>, ()> {
    let mut fields = parts.headers.get_all(IF_MATCH).iter();
    let field = match (fields.next(), fields.next()) {
        (None, _) => return Ok(None),
        (Some(field), None) => field.to_str().map_err(|_| ())?.trim(),
        (Some(_), Some(_)) => return Err(()),
    };
    if field == "*" {
        return Ok(None);
    }
    let number = field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).ok_or(())?;
    number.parse().map(Some).map_err(|_| ())
}

fn shown(snapshot: &Snapshot) -> anyhow::Result<Value> {
    let description: Value = serde_json::from_str(&snapshot.description.to_json_without_secrets())?;
    let (past, to_come): (Vec<_>, Vec<_>) =
        snapshot.timeline.iter().partition(|happening| happening.at() <= snapshot.clock.now);
    let happenings = |list: Vec<&Happening>| -> Vec<Value> {
        list.into_iter().map(|happening| json!({ "at": time(happening.at()), "what": happening.what })).collect()
    };
    let mut shown = json!({
        "revision": snapshot.revision,
        "state": snapshot.state,
        "instance-lifecycle": snapshot.lifecycle,
        "clock": clock::shown(&snapshot.clock),
        "metadata-options": options(&snapshot.metadata_options),
        "identity": serde_json::from_str::<Value>(&snapshot.identity_document)?,
        "timeline": { "past": happenings(past), "to-come": happenings(to_come) },
        "faults": description.get("faults").cloned().unwrap_or_else(|| json!([])),
        "description": description,
    });
    if let Some(state) = &snapshot.credentials {
        shown["credentials"] = credentials(state);
    }
    Ok(shown)
}

/// Where real credentials come from, and how that goes. What there is not is left out.
fn credentials(state: &CredentialsState) -> Value {
    let failure = state.last_failure.as_ref();
    let failure = failure.map(|failure| json!({ "at": time(failure.at), "reason": failure.error.to_string() }));
    let fields = [
        ("source", Some(json!(state.source))),
        ("updated", state.updated.map(|at| json!(time(at)))),
        ("end", state.end.map(|at| json!(time(at)))),
        ("next-fetch", state.next_fetch.map(|at| json!(time(at)))),
        ("failures", Some(json!(state.failures))),
        ("last-failure", failure),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

/// Whoever may change the instance is not to have this program run commands and read
/// files: that is a matter of its own files and flags. A change is refused by the
/// component, which lets no instance change its source.
fn is_of_another_source(control: &Control, description: &Description) -> bool {
    let present = control.description().ok().and_then(|present| DescribedSource::of(&present));
    DescribedSource::of(description).is_some_and(|source| present != Some(source))
}

fn another_source(description: &Description) -> imds_host::Error {
    let problem = imds_host::Problem {
        field: "/iam-instance-profile/credentials-source".to_owned(),
        in_name: false,
        message: "an operator cannot name a source of credentials".to_owned(),
        help: Some("put it into the file that imds reads, or start it with --credentials".to_owned()),
        place: None,
        set_by: None,
    };
    imds_host::Error::Invalid(description.place_problems(vec![problem]))
}

/// By EC2's names.
fn options(options: &MetadataOptions) -> Value {
    json!({
        "http-endpoint": options.http_endpoint,
        "http-protocol-ipv6": options.http_protocol_ipv6,
        "http-put-response-hop-limit": options.http_put_response_hop_limit,
        "http-tokens": options.http_tokens,
        "instance-metadata-tags": options.instance_metadata_tags,
    })
}

/// As all times are told here: RFC 3339 to the millisecond.
pub fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}
