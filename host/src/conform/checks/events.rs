//! Maintenance, interruptions of spot instances, and recommendations.

use serde_json::value::RawValue;

use super::super::crawl::Entry;
use super::super::judge::{each_entry, rule, shown};
use super::super::{Area, Check, Evidence, Stop, Subject, forms, json, not_applicable};

const SCHEDULED: &str = "meta-data/events/maintenance/scheduled";
const HISTORY: &str = "meta-data/events/maintenance/history";
const ACTION: &str = "meta-data/spot/instance-action";
const TERMINATION: &str = "meta-data/spot/termination-time";
const REBALANCE: &str = "meta-data/events/recommendations/rebalance";
const GUIDE: &str = "EC2 user guide, \"Spot Instance interruption notices\"";

pub const CHECKS: &[Check] = &[
    Check::of_case("maintenance-events-are-an-empty-array-where-none-are", Area::Events, |subject| {
        none(subject, &[SCHEDULED, HISTORY])
    }),
    Check::of_case("maintenance-event-to-come-is-scheduled", Area::Events, |subject| {
        events(subject, SCHEDULED, |event| event.text("State") == Some("active"), "State `active`")
    }),
    Check::of_case("maintenance-event-completed-stands-in-history", Area::Events, |subject| {
        history(subject, "completed", "[Completed] ")
    }),
    Check::of_case("maintenance-event-canceled-stands-in-history", Area::Events, |subject| {
        history(subject, "canceled", "[Canceled] ")
    }),
    Check::of_case("maintenance-event-without-an-end-has-no-not-after", Area::Events, without_an_end),
    Check::of_case("maintenance-event-opens-and-closes-on-the-line-of-the-array", Area::Events, layout),
    Check::of_case("spot-instance-action-is-compact-json", Area::Events, spot_action),
    Check::with_rule(
        "spot-termination-time-is-that-of-the-action",
        Area::Events,
        rule(
            "`termination-time` is the time that `instance-action` states for `terminate`.",
            GUIDE,
            Evidence::Documented,
        ),
        termination_time,
    ),
    Check::of_case("spot-stop-has-no-termination-time", Area::Events, |subject| {
        let action = action(subject)?;
        if action.1.text("action") == Some("terminate") {
            return not_applicable("the instance will be terminated");
        }
        subject.is_not_found(subject.get(&format!("/latest/{TERMINATION}"))?).map(|_| ())
    }),
    Check::with_rule(
        "spot-notices-are-of-spot-instances",
        Area::Events,
        rule("Only a spot instance has `spot/`.", GUIDE, Evidence::Documented),
        |subject| {
            let latest = subject.latest()?;
            if latest.find(ACTION).is_none() {
                return not_applicable("the endpoint shows no interruption");
            }
            let Some(kind) = latest.find("meta-data/instance-life-cycle") else {
                return not_applicable("there is no `instance-life-cycle`");
            };
            let text = kind.text();
            if text == "spot" { Ok(()) } else { Err(kind.asked.broken("spot, since there is `spot/`", shown(&text))) }
        },
    ),
    Check::of_case("rebalance-recommendation-is-there-from-its-notice-on", Area::Events, rebalance),
];

/// The events of an item, if it is an array of objects.
fn events_of(entry: &Entry) -> Result<Vec<json::Fields>, Stop> {
    let text = entry.text();
    let objects: Option<Vec<Box<RawValue>>> = serde_json::from_str(&text).ok();
    let events = objects.and_then(|objects| objects.iter().map(|object| json::Fields::of(object.get())).collect());
    events.ok_or_else(|| entry.asked.broken("a JSON array of events", format!("{} other bytes", text.len())))
}

fn none(subject: &Subject<'_>, paths: &[&str]) -> Result<(), Stop> {
    let mut found = false;
    each_entry(subject, paths, |entry| {
        if !events_of(entry)?.is_empty() {
            return Ok(());
        }
        found = true;
        let text = entry.text();
        if text == "[]" { Ok(()) } else { Err(entry.asked.broken("`[]`", shown(&text))) }
    })?;
    if found { Ok(()) } else { not_applicable("there are events") }
}

const SIX: [&str; 6] = ["NotBefore", "Code", "Description", "EventId", "NotAfter", "State"];
const CODES: [&str; 5] =
    ["system-reboot", "instance-reboot", "instance-stop", "instance-retirement", "system-maintenance"];

/// Checks the form of each event of an item.
fn events(
    subject: &Subject<'_>,
    path: &str,
    is_of_kind: impl Fn(&json::Fields) -> bool,
    kind: &str,
) -> Result<(), Stop> {
    each_entry(subject, &[path], |entry| {
        let events = events_of(entry)?;
        if events.is_empty() {
            return not_applicable("there are no such events");
        }
        for event in events {
            let has_end = event.text("NotAfter").is_some();
            let names: Vec<&str> = SIX.into_iter().filter(|name| *name != "NotAfter" || has_end).collect();
            if event.names() != names {
                return Err(entry.asked.broken(format!("the fields {}", SIX.join(", ")), "others or in another order"));
            }
            let is = |name, is_good: fn(&str) -> bool| event.text(name).is_some_and(is_good);
            let forms = [
                ("NotBefore", "NotBefore as 21 Jan 2019 09:00:43 GMT", is("NotBefore", forms::is_event_date)),
                ("NotAfter", "NotAfter as 21 Jan 2019 09:17:23 GMT", !has_end || is("NotAfter", forms::is_event_date)),
                ("Code", "a code of EC2's", is("Code", |code| CODES.contains(&code))),
                (
                    "EventId",
                    "an EventId that begins instance-event-",
                    is("EventId", |id| id.starts_with("instance-event-")),
                ),
                ("", kind, is_of_kind(&event)),
            ];
            if let Some((name, expected, _)) = forms.iter().find(|(.., is_good)| !is_good) {
                let got = event.text(name).map_or_else(|| "another value".to_owned(), shown);
                return Err(entry.asked.broken(*expected, got));
            }
        }
        Ok(())
    })
}

/// Checks how the history describes the events of one state.
fn history(subject: &Subject<'_>, state: &str, prefix: &str) -> Result<(), Stop> {
    let Some(entry) = subject.latest()?.find(HISTORY) else { return not_applicable("there is no history of events") };
    let is_in_state = |event: &json::Fields| event.text("State") == Some(state);
    if !events_of(entry)?.iter().any(is_in_state) {
        // Unknown states are found here too.
        let is_known = |event: &json::Fields| matches!(event.text("State"), Some("completed" | "canceled"));
        return match events_of(entry)?.iter().all(is_known) {
            true => not_applicable(format!("no event is {state}")),
            false => Err(entry.asked.broken("State `completed` or `canceled`", "another state")),
        };
    }
    let tells = |event: &json::Fields| {
        let is_described = event.text("Description").is_some_and(|text| text.starts_with(prefix));
        !is_in_state(event) || is_described
    };
    events(subject, HISTORY, tells, &format!("a Description that begins `{prefix}`"))
}

fn without_an_end(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut found = false;
    each_entry(subject, &[SCHEDULED, HISTORY], |entry| {
        for event in events_of(entry)?.iter().filter(|event| event.text("NotAfter").is_none()) {
            found = true;
            if event.names().contains(&"NotAfter") {
                return Err(entry.asked.broken("no line NotAfter where there is no end", "one without a date"));
            }
        }
        Ok(())
    })?;
    if found { Ok(()) } else { not_applicable("there is no event without an end") }
}

fn layout(subject: &Subject<'_>) -> Result<(), Stop> {
    let mut found = false;
    each_entry(subject, &[SCHEDULED, HISTORY], |entry| {
        if events_of(entry)?.is_empty() {
            return Ok(());
        }
        found = true;
        let text = entry.text();
        let objects = text.strip_prefix("[ ").and_then(|text| text.strip_suffix(" ]"));
        // The text between two events is not recorded.
        let is_good = objects.is_some_and(|objects| {
            objects.split_inclusive("\n}").all(|object| json::is_laid_out(object.trim_start_matches([',', ' ', '\n'])))
        });
        if is_good { Ok(()) } else { Err(entry.asked.broken("`[ {`, one field on each line, `} ]`", "another layout")) }
    })?;
    if found { Ok(()) } else { not_applicable("there are no events") }
}

/// The interruption that the endpoint shows.
fn action<'s>(subject: &'s Subject<'_>) -> Result<(&'s Entry, json::Fields), Stop> {
    let Some(entry) = subject.latest()?.find(ACTION) else {
        return not_applicable("the endpoint shows no interruption");
    };
    match json::Fields::of(&entry.text()) {
        Some(fields) => Ok((entry, fields)),
        None => Err(entry.asked.broken("a JSON object", shown(&entry.text()))),
    }
}

fn spot_action(subject: &Subject<'_>) -> Result<(), Stop> {
    let (entry, fields) = action(subject)?;
    let text = entry.text();
    let is_known = matches!(fields.text("action"), Some("terminate" | "stop" | "hibernate"));
    let is_time = fields.text("time").is_some_and(|time| forms::time(time).is_some());
    if fields.names() == ["action", "time"] && is_known && is_time && !json::has_space(&text) {
        return Ok(());
    }
    Err(entry.asked.broken(r#"{"action":"terminate","time":"2025-03-31T16:34:24Z"}"#, shown(&text)))
}

fn termination_time(subject: &Subject<'_>) -> Result<(), Stop> {
    let Some(time) = subject.latest()?.find(TERMINATION) else {
        return not_applicable("no termination is told");
    };
    let text = time.text();
    if forms::time(&text).is_none() {
        return Err(time.asked.broken("a time such as 2015-01-05T18:02:00Z", shown(&text)));
    }
    let (_, fields) = action(subject)?;
    if fields.text("action") == Some("terminate") && fields.text("time") == Some(&*text) {
        return Ok(());
    }
    let expected = format!("the time of `instance-action`, {}", shown(fields.text("time").unwrap_or_default()));
    Err(time.asked.broken(expected, shown(&text)))
}

fn rebalance(subject: &Subject<'_>) -> Result<(), Stop> {
    each_entry(subject, &[REBALANCE], |entry| {
        let text = entry.text();
        let is_good = json::Fields::of(&text).is_some_and(|fields| {
            let is_time = fields.text("noticeTime").is_some_and(|time| forms::time(time).is_some());
            fields.names() == ["noticeTime"] && is_time && !text.contains('\n')
        });
        if is_good {
            Ok(())
        } else {
            Err(entry.asked.broken(r#"{"noticeTime": "2020-11-05T08:22:00Z"}"#, shown(&text)))
        }
    })
}
