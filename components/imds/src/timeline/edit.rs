//! An edit: document in, document out.

use super::{Change, TIMELINE, Timeline, change, read_changes, refuse_fields, relative};
use crate::description::json::Json;
use crate::description::problem::{Problem, shown};
use crate::instance::judge;
use crate::time::Time;

/// Changes a description, as of `now_ms` or, without it, before the launch. Gives
/// the new one; `wit/imds.wit` tells what a change can say.
///
/// Fails with all that is wrong, at least one problem and at most 20. `field` of
/// a problem points into the change; it is empty where the change does not have
/// the field that is wrong with it, or where the description itself is wrong.
///
/// ```
/// let tokens = r#"{"metadata-options": {"http-tokens": "required"}}"#;
/// let edited = imds_core::edit(r#"{"instance-type": "m7g.large"}"#, tokens, Some(1_790_800_000_000))?;
/// assert_eq!(edited, r#"{"instance-type":"m7g.large","metadata-options":{"http-tokens":"required"}}"#);
///
/// let problems = imds_core::edit("{}", r#"{"user-data": "late"}"#, Some(1_790_800_000_000)).unwrap_err();
/// assert_eq!(problems[0].message, "`user-data` changes only while the instance is stopped, as in EC2");
/// # Ok::<(), Vec<imds_core::Problem>>(())
/// ```
pub fn edit(description: &str, change: &str, now_ms: Option<u64>) -> Result<String, Vec<Problem>> {
    crate::instance::at_most_problems(edited(description, change, now_ms.map(Time::from_ms)))
}

fn edited(description: &str, change: &str, now: Option<Time>) -> Result<String, Vec<Problem>> {
    let change = Json::parse(change).map_err(|problem| vec![problem])?;
    if !matches!(change, Json::Object(_)) {
        let problem = Problem::at("", format!("expected an object, found {}", change.kind()));
        return Err(vec![problem.help("a change is an object of the fields that change")]);
    }
    let mut problems = Vec::new();
    refuse_fields(&change, &["at"], "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let document = Json::parse(description).map_err(|problem| of_the_description(vec![problem]))?;
    let edited = match now {
        Some(now) => change_now(document, change, now)?,
        None => change_before_launch(document, change)?,
    };
    let text = edited.document.write();
    let Edited { document, told } = edited;
    match judge(document) {
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
    /// Entries of the timeline that were there before those of the change.
    entries_before: usize,
}

fn change_now(document: Json, change: Json, now: Time) -> Result<Edited, Vec<Problem>> {
    let timeline = Timeline::read(document).map_err(of_the_description)?;
    let Timeline { document, changes } = timeline;
    let (past, to_come): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.at <= now);
    let past = Timeline { document, changes: past };
    let (_, chapter) = past.chapters(|_| Ok(())).map_err(of_the_description)?;
    let mut document = chapter.document;

    let mut fields = change.clone();
    let mut problems = Vec::new();
    let entries = fields.take(TIMELINE);
    relative::resolve(&mut fields, now, "", &mut problems);
    let added = read_changes(entries, now, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    change::merge(&mut document, &fields, Some(now))?;
    let entries_before = to_come.len();
    let entries: Vec<Json> = to_come.into_iter().chain(in_their_order(added)).map(entry).collect();
    if !entries.is_empty() {
        document.put(TIMELINE, Json::Array(entries));
    }
    Ok(Edited { document, told: Told { change, entries_before } })
}

fn change_before_launch(mut document: Json, change: Json) -> Result<Edited, Vec<Problem>> {
    let mut fields = change.clone();
    let added = fields.take(TIMELINE);
    change::merge(&mut document, &fields, None)?;
    let mut entries_before = 0;
    match (document.take(TIMELINE), added) {
        (Some(Json::Array(mut entries)), Some(Json::Array(added))) => {
            entries_before = entries.len();
            entries.extend(added);
            document.put(TIMELINE, Json::Array(entries));
        }
        (before, added) => {
            if let Some(entries) = added.or(before) {
                document.put(TIMELINE, entries);
            }
        }
    }
    Ok(Edited { document, told: Told { change, entries_before } })
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
        let in_change = match problem.field.strip_prefix("/timeline/") {
            None => self.change.at(&problem.field).map(|_| problem.field.clone()),
            Some(rest) => {
                let (index, below) =
                    rest.split_once('/').map_or((rest, ""), |(index, _)| (index, &rest[index.len()..]));
                let index = index.parse::<usize>().ok().and_then(|index| index.checked_sub(self.entries_before));
                index.map(|index| format!("/timeline/{index}{below}"))
            }
        };
        match in_change {
            Some(field) => Problem { field, ..problem },
            None if problem.field.is_empty() => problem,
            None => {
                let message = format!("with this change, {}: {}", shown(&problem.field), problem.message);
                Problem { field: String::new(), in_name: false, message, ..problem }
            }
        }
    }
}
