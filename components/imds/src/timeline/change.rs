//! A change merged into a description, under the rules of EC2's API.

use super::relative::default_time;
use crate::description::json::Json;
use crate::description::problem::{Problem, pointer_step, shown};
use crate::facts::made;
use crate::time::Time;

/// What follows from a change besides what it says.
pub struct Merged {
    /// Whether the identity document may be another one.
    pub identity_changes: bool,
}

/// What an instance is launched with and keeps for life.
const FOR_LIFE: [&str; 10] = [
    "/instance-id",
    "/owner-id",
    "/image-id",
    "/reservation-id",
    "/ami-launch-index",
    "/architecture",
    "/virtualization-type",
    "/placement/availability-zone",
    "/placement/availability-zone-id",
    "/placement/region",
];

/// What EC2 changes only while the instance is stopped. Source: EC2 user guide,
/// `ModifyInstanceAttribute`.
const WHILE_STOPPED: [&str; 5] = ["/instance-type", "/kernel-id", "/ramdisk-id", "/user-data", "/user-data-base64"];

/// Fields of which the identity document tells. What is signed is given up with
/// any of them; a test finds one that is missing here.
const IN_THE_IDENTITY_DOCUMENT: [&str; 13] = [
    "owner-id",
    "instance-id",
    "image-id",
    "instance-type",
    "architecture",
    "launch-time",
    "placement",
    "private-ip-address",
    "network-interfaces",
    "billing-products",
    "product-codes",
    "kernel-id",
    "ramdisk-id",
];

/// Texts by name, of which `false` takes one away.
const TEXTS: [&str; 2] = ["tags", "extra-entries"];

/// What is told anew each time.
const NOTICES: [&str; 2] = ["spot-interruption", "rebalance-recommendation"];

/// The field of the signatures of the identity document.
pub const SIGNATURES: &str = "identity-signatures";

/// An interruption comes two minutes after its notice.
const WARNING_SECONDS: u64 = 120;

/// Merges `change` into `document`, which is left half-changed on failure. `at`
/// is when; without it, it is before the launch, when everything can change.
/// Pointers in problems point into the change.
pub fn merge(document: &mut Json, change: &Json, at: Option<Time>) -> Result<Merged, Vec<Problem>> {
    if at.is_some() {
        allowed(document, change)?;
    }
    let before = document.clone();
    for (name, value) in change.fields() {
        match name.as_str() {
            "user-data" => drop(document.take("user-data-base64")),
            "user-data-base64" => drop(document.take("user-data")),
            _ => {}
        }
        match (name.as_str(), value) {
            ("events", Json::Array(events)) => merge_events(document, events),
            (name, Json::Object(texts)) if TEXTS.contains(&name) => {
                let gone = |value: &Json| if *value == Json::Bool(false) { Json::Null } else { value.clone() };
                let texts = texts.iter().map(|(name, value)| (name.clone(), gone(value))).collect();
                document.merge_field(name, &Json::Object(texts));
            }
            (name, Json::Object(_)) if NOTICES.contains(&name) => {
                document.take(name);
                document.merge_field(name, value);
            }
            (name, value) => document.merge_field(name, value),
        }
    }
    if let Some(at) = at {
        begin_notices(document, change, at);
        if state(&before) == "stopped" && state(document) == "running" {
            start(document, change, at);
        }
    }
    let identity_changes =
        IN_THE_IDENTITY_DOCUMENT.iter().any(|name| before.at(&pointer_step(name)) != document.at(&pointer_step(name)));
    if identity_changes && change.at(&pointer_step(SIGNATURES)).is_none() {
        document.take(SIGNATURES);
    }
    Ok(Merged { identity_changes })
}

fn state(document: &Json) -> &str {
    document.at("/state").and_then(Json::text).unwrap_or("running")
}

/// Whether EC2's API would take the change.
fn allowed(document: &Json, change: &Json) -> Result<(), Vec<Problem>> {
    let changes = |pointer: &&&str| {
        let value = change.at(pointer).map(|value| if *value == Json::Null { None } else { Some(value) });
        value.is_some_and(|value| value != document.at(pointer))
    };
    let mut problems = Vec::new();
    let stays = |(name, value): &(String, Json)| document.at(&pointer_step(name)) == Some(value);
    if state(document) == "terminated" && !change.fields().iter().all(stays) {
        let problem = Problem::at("", "the instance is terminated, and nothing about it changes any more");
        return Err(vec![problem.help("serve its description anew to have it back")]);
    }
    for pointer in FOR_LIFE.iter().filter(changes) {
        let message = format!("an instance keeps its `{}` for life", field(pointer));
        problems.push(Problem::at(*pointer, message).help("describe another instance and serve that"));
    }
    if state(document) != "stopped" {
        for pointer in WHILE_STOPPED.iter().filter(changes) {
            let message = format!("`{}` changes only while the instance is stopped, as in EC2", field(pointer));
            problems.push(
                Problem::at(*pointer, message).help("change `state` to \"stopped\" first, in a change before this one"),
            );
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// `placement.region`, of a pointer.
fn field(pointer: &str) -> String {
    pointer[1..].replace('/', ".")
}

/// What the notices of a change leave out begins with it.
fn begin_notices(document: &mut Json, change: &Json, at: Time) {
    let Json::Object(fields) = document else { return };
    for (name, value) in fields.iter_mut().filter(|(name, _)| change.at(&pointer_step(name)).is_some()) {
        match name.as_str() {
            "spot-interruption" => {
                // A hibernation comes without warning.
                let hibernates = value.at("/action").and_then(Json::text) == Some("hibernate");
                let warning = if hibernates { 0 } else { WARNING_SECONDS };
                let time = value.at("/time").and_then(Json::text).and_then(Time::parse);
                // Not before this change, and as long before the interruption as it is always told.
                let notice_time = time.map_or(at, |time| at.max(time.minus_seconds(warning)).min(time));
                default_time(value, "notice-time", notice_time);
                default_time(value, "time", at.plus_seconds(warning));
            }
            "rebalance-recommendation" => default_time(value, "notice-time", at),
            _ => {}
        }
    }
}

/// The instance was stopped and runs again: EC2 gives it another launch time, a
/// new public address unless it has one of its own, and new credentials.
fn start(document: &mut Json, change: &Json, at: Time) {
    let starts = match document.at("/start-count") {
        Some(Json::Integer(starts)) => *starts,
        _ => 0,
    };
    document.put("start-count", Json::Integer(starts.saturating_add(1)));
    let is_given = |pointer: &str| change.at(pointer).is_some();
    if !is_given("/launch-time") {
        document.put("launch-time", Json::String(at.rfc3339_exact()));
    }
    for notice in NOTICES.iter().filter(|notice| !is_given(&pointer_step(notice))) {
        document.take(notice);
    }
    // The new credentials are the first of a rotation, which one that ended before does not end.
    for name in ["since", "until"] {
        let pointer = format!("/iam-instance-profile/credentials-rotation/{name}");
        let time = document.at(&pointer).and_then(Json::text).and_then(Time::parse);
        if !is_given(&pointer) && time.is_some_and(|time| time <= at) {
            let gone = Json::Object(vec![(name.to_owned(), Json::Null)]);
            let rotation = Json::Object(vec![("credentials-rotation".to_owned(), gone)]);
            document.merge_field("iam-instance-profile", &rotation);
        }
    }
}

/// Events with the id of one that is there change that one; others are added.
fn merge_events(document: &mut Json, changes: &[Json]) {
    let instance_id = document.at("/instance-id").and_then(Json::text).unwrap_or(crate::facts::INSTANCE_ID).to_owned();
    let mut events = match document.take("events") {
        Some(Json::Array(events)) => events,
        _ => Vec::new(),
    };
    let id_of = |event: &Json, index: usize| match event.at("/instance-event-id").and_then(Json::text) {
        Some(id) => id.to_owned(),
        None => made::event_id(&instance_id, index),
    };
    for change in changes {
        let id = change.at("/instance-event-id").and_then(Json::text);
        let known = id.and_then(|id| events.iter().enumerate().position(|(index, event)| id_of(event, index) == id));
        match known {
            Some(index) => events[index].merge(change),
            None => {
                let mut event = Json::Null;
                event.merge(change);
                events.push(event);
            }
        }
    }
    document.put("events", Json::Array(events));
}

/// A change in a few words, without what may be a secret: `tags.Name, state =
/// stopped`. Not the notices that it brings, which are told at their own times;
/// empty where nothing else changes.
pub fn in_words(change: &Json) -> String {
    let mut words = Vec::new();
    for (name, value) in change.fields() {
        if !(NOTICES.contains(&name.as_str()) && matches!(value, Json::Object(_))) {
            tell(value, shown(name), &mut words);
        }
    }
    let more = words.len().saturating_sub(WORDS_MAX);
    words.truncate(WORDS_MAX);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

/// More fields of one change are not told.
const WORDS_MAX: usize = 8;

/// Parts whose values may be secrets, or long.
const UNTOLD: [&str; 7] = [
    "user-data",
    "user-data-base64",
    "tags.",
    "extra-entries.",
    "iam-instance-profile.credentials.",
    "iam-instance-profile.credentials-without-token.",
    "managed-ssh-keys",
];

fn tell(value: &Json, name: String, words: &mut Vec<String>) {
    let is_untold = UNTOLD.iter().any(|part| name.starts_with(part));
    let set = |value: &str| format!("{name} = {}", shown(value));
    words.push(match value {
        Json::Object(fields) if !fields.is_empty() && name != "managed-ssh-keys" => {
            for (field, value) in fields {
                tell(value, format!("{name}.{}", shown(field)), words);
            }
            return;
        }
        Json::Null | Json::Removed => format!("{name} by default"),
        Json::Bool(false) => format!("no {name}"),
        _ if is_untold => name,
        Json::Bool(true) => set("true"),
        Json::Integer(number) => set(&number.to_string()),
        Json::Float(number) => set(&number.to_string()),
        Json::String(text) => set(text),
        Json::Array(items) if items.is_empty() => format!("no {name}"),
        Json::Array(items) => format!("{name}: {}", items.len()),
        Json::Object(_) => name,
    });
}
