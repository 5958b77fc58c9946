//! An edit: document in, document out.

use super::change::NOTICES;
use super::operation::Step;
use super::{Change, TIMELINE, Timeline, change, of_an_event, read_changes, refuse_fields, relative};
use crate::description::json::Json;
use crate::description::operation::FIELD as OPERATION;
use crate::description::problem::{Problem, pointer_step, shown};
use crate::facts::Identity;
use crate::instance::judge;
use crate::time::Time;

/// Changes a description, as of `now_ms` or, without it, before the launch. Gives
/// the new one; `wit/imds.wit` tells what a change can say. `scope` is as in
/// [`Settings`](crate::Settings): whose instance it is, which decides what the
/// description leaves out.
///
/// Fails with all that is wrong, at least one problem and at most 20. `field` of
/// a problem points into the change; it is empty where the change does not have
/// the field that is wrong with it, or where the description itself is wrong.
///
/// ```
/// let tokens = r#"{"metadata-options": {"http-tokens": "required"}}"#;
/// let edited = imds_core::edit(r#"{"instance-type": "m7g.large"}"#, tokens, Some(1_790_800_000_000), None)?;
/// assert_eq!(edited, r#"{"instance-type":"m7g.large","metadata-options":{"http-tokens":"required"}}"#);
///
/// let stopped = imds_core::edit("{}", r#"{"operation": "stop"}"#, Some(1_790_800_000_000), None)?;
/// assert_eq!(stopped, r#"{"state":"stopped"}"#);
///
/// let problems = imds_core::edit("{}", r#"{"user-data": "late"}"#, Some(1_790_800_000_000), None).unwrap_err();
/// assert_eq!(problems[0].message, "`user-data` changes only while the instance is stopped, as in EC2");
/// # Ok::<(), Vec<imds_core::Problem>>(())
/// ```
pub fn edit(description: &str, change: &str, now_ms: Option<u64>, scope: Option<&str>) -> Result<String, Vec<Problem>> {
    crate::instance::at_most_problems(edited(description, change, now_ms.map(Time::from_ms), scope))
}

/// What a document says from `now` on. Its timeline can be read.
pub(super) fn from_now_on(document: Json, now: Time, scope: Option<&str>) -> Result<Json, Vec<Problem>> {
    change_now(document, Json::Object(Vec::new()), now, scope).map(|edited| edited.document)
}

fn edited(description: &str, change: &str, now: Option<Time>, scope: Option<&str>) -> Result<String, Vec<Problem>> {
    let change = Json::parse(change).map_err(|problem| vec![problem])?;
    if !matches!(change, Json::Object(_)) {
        let problem = Problem::at("", format!("expected an object, found {}", change.kind()));
        return Err(vec![problem.help("a change is an object of the fields that change")]);
    }
    let mut problems = Vec::new();
    let refused: &[&str] = if now.is_some() { &["at"] } else { &["at", OPERATION] };
    refuse_fields(&change, refused, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let document = Json::parse(description).map_err(|problem| of_the_description(vec![problem]))?;
    let edited = match now {
        Some(now) => change_now(document, change, now, scope)?,
        None => change_before_launch(document, change, scope)?,
    };
    let text = edited.document.write();
    let Edited { document, told } = edited;
    match judge(document, scope) {
        Ok(()) => Ok(text),
        Err(problems) => Err(problems.into_iter().map(|problem| told.tell(problem)).collect()),
    }
}

/// A document and what tells of its problems.
struct Edited {
    document: Json,
    told: Told,
}

/// Whose problems are whose.
struct Told {
    change: Json,
    /// When what was to come before comes, in the order of the timeline. What the
    /// change brings stands behind it.
    before: Vec<Time>,
    /// Where the entries of the change begin in its `timeline`.
    first: usize,
    /// How many they are.
    entries: usize,
    /// The fields that the operation of the change brings; with `timeline`, where it
    /// brings a change to come.
    of_operation: Vec<&'static str>,
}

/// What a change does to the timeline.
struct Entries {
    added: Option<Json>,
    /// Whether what was to come goes.
    replaces: bool,
    /// Where the first one stands in the list.
    first: usize,
}

impl Entries {
    /// `false` and `null` take away what is to come, and so does `false` as the
    /// first item of a list: then the rest comes instead.
    fn read(timeline: Option<Json>) -> Entries {
        match timeline {
            Some(Json::Null | Json::Bool(false)) => Entries { added: None, replaces: true, first: 0 },
            Some(Json::Array(mut items)) if items.first() == Some(&Json::Bool(false)) => {
                items.remove(0);
                Entries { added: Some(Json::Array(items)), replaces: true, first: 1 }
            }
            added => Entries { added, replaces: false, first: 0 },
        }
    }
}

fn change_now(document: Json, change: Json, now: Time, scope: Option<&str>) -> Result<Edited, Vec<Problem>> {
    let timeline = Timeline::read(document).map_err(of_the_description)?.of_instance(scope);
    let Timeline { instance_id, document, changes } = timeline;
    let (past, mut to_come): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.at <= now);
    let past = Timeline { instance_id: instance_id.clone(), document, changes: past };
    let (_, chapter) = past.chapters(|_| Ok(())).map_err(of_the_description)?;
    let mut document = chapter.document;

    let mut fields = change.clone();
    let mut problems = Vec::new();
    let Entries { added, replaces, first } = Entries::read(fields.take(TIMELINE));
    relative::resolve(&mut fields, now, "", &mut problems);
    let added = read_changes(added, now, &mut problems);
    if !problems.is_empty() {
        return Err(problems.into_iter().map(|problem| moved(problem, first)).collect());
    }
    let step = Step::of(&mut fields, &document, now, &instance_id)?;
    step.call_off(&document, &mut to_come);
    let mut of_operation: Vec<&str> = step.fields.iter().map(|(name, _)| *name).collect();
    of_operation.extend(step.end.iter().map(|_| TIMELINE));
    for (name, value) in step.fields {
        fields.put(name, value);
    }
    let was_stopped = change::state(&document) == "stopped";
    change::merge(&mut document, &fields, Some(now), &instance_id)?;
    if was_stopped && change::state(&document) == "stopped" {
        let refused: Vec<Problem> = NOTICES.iter().filter_map(|notice| refused_notice(&fields, notice)).collect();
        if !refused.is_empty() {
            return Err(refused);
        }
    }
    // Nothing happens any more to an instance that is gone.
    if replaces || terminates(&fields) {
        to_come.clear();
    }
    // Nor is one interrupted that is gone before.
    let gone = |at: Time| to_come.iter().chain(&added).any(|change| terminates(&change.fields) && change.at <= at);
    let end = step.end.filter(|end| !gone(end.at));
    // Nor does something happen behind a termination that the change brings.
    let ends = added.iter().chain(&end).filter(|change| terminates(&change.fields));
    if let Some(end) = ends.map(|change| change.at).min() {
        to_come.retain(|change| change.at <= end);
    }
    let before = to_come.iter().map(|change| change.at).collect();
    let told = Told { change, before, first, entries: added.len(), of_operation };
    let entries: Vec<Json> = to_come.into_iter().chain(in_their_order(added)).chain(end).map(entry).collect();
    if !entries.is_empty() {
        document.put(TIMELINE, Json::Array(entries));
    }
    Ok(Edited { document, told })
}

/// Whether a change ends the instance.
fn terminates(fields: &Json) -> bool {
    fields.at("/state").and_then(Json::text) == Some("terminated")
}

/// EC2 interrupts and rebalances running instances. A stopped one could not read
/// the notice, and its next start takes notices away. A timeline may have one all
/// the same, so that scenarios can be combined: it has no effect.
fn refused_notice(change: &Json, notice: &str) -> Option<Problem> {
    let pointer = pointer_step(notice);
    let is_new = matches!(change.at(&pointer), Some(Json::Object(_)));
    let message = format!("the instance is stopped, and only a running one gets a `{notice}`");
    is_new.then(|| {
        Problem::at(pointer, message).help("start it first: imds ctl start, or `state` as \"running\" in a change")
    })
}

fn change_before_launch(mut document: Json, change: Json, scope: Option<&str>) -> Result<Edited, Vec<Problem>> {
    let mut fields = change.clone();
    let Entries { added, replaces, first } = Entries::read(fields.take(TIMELINE));
    change::merge(&mut document, &fields, None, &Identity::of(scope).instance_id())?;
    let mut before = Vec::new();
    let entries = match &added {
        Some(Json::Array(entries)) => entries.len(),
        _ => 0,
    };
    match (document.take(TIMELINE).filter(|_| !replaces), added) {
        (Some(Json::Array(mut entries)), Some(Json::Array(mut added))) => {
            let start = relative::start_of(&document);
            let at = |entry: &Json| {
                let text = entry.at("/at").and_then(Json::text).unwrap_or_default();
                relative::time(text, start).unwrap_or(start)
            };
            // Where one of the two ends the instance, the other does not bring it back.
            let ends =
                |entries: &[Json]| entries.iter().filter(|entry| change::state(entry) == "terminated").map(at).min();
            let (end, added_end) = (ends(&entries), ends(&added));
            let stay_over = |entries: &mut [Json], end: Option<Time>| {
                for entry in entries.iter_mut().filter(|entry| end.is_some_and(|end| at(entry) > end)) {
                    entry.take("state");
                }
            };
            stay_over(&mut entries, added_end);
            stay_over(&mut added, end);
            before = entries.iter().map(at).collect();
            entries.extend(added);
            document.put(TIMELINE, Json::Array(entries));
        }
        (there, added) => {
            if let Some(entries) = added.or(there) {
                document.put(TIMELINE, entries);
            }
        }
    }
    Ok(Edited { document, told: Told { change, before, first, entries, of_operation: Vec::new() } })
}

/// As they stand in the change, so that problems of the document point there.
fn in_their_order(mut changes: Vec<Change>) -> Vec<Change> {
    let index = |change: &Change| change.pointer.rsplit('/').next().and_then(|index| index.parse::<usize>().ok());
    changes.sort_by_key(index);
    changes
}

/// A change as an entry of the timeline.
fn entry(change: Change) -> Json {
    let mut fields = vec![("at".to_owned(), Json::String(change.at.rfc3339_exact()))];
    if let Json::Object(more) = change.fields {
        fields.extend(more);
    }
    Json::Object(fields)
}

fn of_the_description(problems: Vec<Problem>) -> Vec<Problem> {
    let tell = |problem: Problem| {
        let place = if problem.field.is_empty() { String::new() } else { format!("{}: ", shown(&problem.field)) };
        let message = format!("the description to change is wrong: {place}{}", problem.message);
        Problem { field: String::new(), in_name: false, message, position: None, ..problem }
    };
    problems.into_iter().map(tell).collect()
}

impl Told {
    /// A problem of the document, told of the change.
    fn tell(&self, problem: Problem) -> Problem {
        let problem = of_an_event(problem);
        let in_change = match entry_of(&problem.field) {
            None => self.change.at(&problem.field).map(|_| problem.field.clone()),
            Some((index, below)) => match self.before.get(index) {
                Some(at) => return to_come(problem, *at, &below),
                None => {
                    let index = index - self.before.len();
                    (index < self.entries).then(|| format!("/timeline/{}{below}", index + self.first))
                }
            },
        };
        match in_change {
            Some(field) => Problem { field, ..problem },
            None if problem.field.is_empty() => problem,
            None => {
                let message = format!("with this change, {}: {}", shown(&problem.field), problem.message);
                let name = problem.field.split('/').nth(1).unwrap_or_default();
                let field = if self.of_operation.contains(&name) { pointer_step(OPERATION) } else { String::new() };
                Problem { field, in_name: false, message, ..problem }
            }
        }
    }
}

/// The entry of the timeline to which a pointer leads, and the rest of it.
fn entry_of(pointer: &str) -> Option<(usize, String)> {
    let rest = pointer.strip_prefix("/timeline/")?;
    let (index, below) = rest.split_once('/').map_or((rest, ""), |(index, _)| (index, &rest[index.len()..]));
    Some((index.parse().ok()?, below.to_owned()))
}

/// A problem with an entry, which stands so much further behind in the change.
fn moved(problem: Problem, by: usize) -> Problem {
    match entry_of(&problem.field) {
        Some((index, below)) => Problem { field: format!("/timeline/{}{below}", index + by), ..problem },
        None => problem,
    }
}

/// A problem with what was to come before the change, which it does not fit.
fn to_come(problem: Problem, at: Time, below: &str) -> Problem {
    let place = if below.is_empty() { String::new() } else { format!(", {}", shown(below)) };
    let message = format!("what is to come at {}{place} does not fit this change: {}", at.rfc3339(), problem.message);
    let help = "to take what is to come away: `timeline = false`, alone or with this change";
    Problem { field: String::new(), in_name: false, message, ..problem }.help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_790_812_800_000;

    fn edited_now(description: &str, change: &str) -> Result<String, Problem> {
        edit(description, change, Some(NOW_MS), None).map_err(|mut problems| problems.remove(0))
    }

    #[test]
    fn a_state_that_is_restated_changes_nothing() {
        for (description, state) in [
            ("{}", "running"),
            (r#"{"state":"stopped"}"#, "stopped"),
            (r#"{"state":"terminated"}"#, "terminated"),
            (r#"{"timeline":[{"at":"2026-10-02T00:00:00Z","state":"stopped"}]}"#, "running"),
        ] {
            let restated = format!(r#"{{"state": "{state}"}}"#);
            assert_eq!(edited_now(description, &restated), edited_now(description, "{}"), "{description}");
        }
    }

    #[test]
    fn a_stopped_instance_gets_no_notice() {
        let stopped = r#"{"instance-lifecycle": "spot", "state": "stopped"}"#;
        for notice in ["spot-interruption", "rebalance-recommendation"] {
            let change = format!(r#"{{"{notice}": {{}}}}"#);
            let refused = edited_now(stopped, &change).unwrap_err();
            assert_eq!(refused.field, format!("/{notice}"));
            assert!(refused.message.starts_with("the instance is stopped"), "{}", refused.message);
            // One that is called off is none, and one that starts in the same change runs.
            assert!(edited_now(stopped, &format!(r#"{{"{notice}": false}}"#)).is_ok());
            assert!(edited_now(stopped, &format!(r#"{{"state": "running", "{notice}": {{}}}}"#)).is_ok());
            let terminated = edited_now(r#"{"state": "terminated"}"#, &change).unwrap_err();
            assert!(terminated.help.unwrap().contains("imds ctl reset"));
        }
    }

    #[test]
    fn a_list_that_begins_with_false_comes_instead_of_what_was_to_come() {
        let there = r#"{"timeline":[{"at":"2026-10-02T00:00:00Z","state":"stopped"}]}"#;
        let change = r#"{"timeline": [false, {"at": "+5m", "state": "terminated"}]}"#;
        let instead = r#"{"timeline":[{"at":"2026-10-01T00:05:00Z","state":"terminated"}]}"#;
        assert_eq!(edited_now(there, change).as_deref(), Ok(instead));
        assert_eq!(edited_now(there, r#"{"timeline": [false]}"#), edited_now(there, r#"{"timeline": false}"#));
        let before_launch = edit(there, change, None, None).unwrap();
        assert_eq!(before_launch, r#"{"timeline":[{"at":"+5m","state":"terminated"}]}"#);
        for (wrong, field) in [
            (r#"{"timeline": [false, {"at": "soon"}]}"#, "/timeline/1/at"),
            (r#"{"timeline": [false, {"at": "+5m", "state": "gone"}]}"#, "/timeline/1/state"),
            (r#"{"timeline": [false, false]}"#, "/timeline/1"),
        ] {
            assert_eq!(edited_now(there, wrong).unwrap_err().field, field, "{wrong}");
        }
    }
}
