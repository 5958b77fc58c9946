//! What happens to an instance: changes of its description, each at its time.
//!
//! A description is JSON text; its `timeline` is a list of changes, each an
//! object of fields of a description with the time `at`. Between two of them
//! the instance is described by a document of its own, the one before with the
//! change merged into it. So whatever can be described can change, and all that
//! follows from it changes with it.

mod change;
mod edit;
mod happenings;
mod operation;
mod relative;
mod speed;
mod status;
mod words;

#[cfg(test)]
pub use self::change::NOT_OF_THE_NETWORK;
pub use self::edit::edit;
pub use self::happenings::Happening;
pub use self::speed::speed_up;
pub use self::status::{MetadataOptions, Status, status};
use crate::description::json::{ENTRIES_MAX, Json};
use crate::description::operation::FIELD as OPERATION;
use crate::description::problem::{Problem, pointer_step, shown};
use crate::time::Time;

/// The field that holds the changes, and those that no change has.
const TIMELINE: &str = "timeline";
const NOT_IN_A_CHANGE: [&str; 2] = ["$schema", "timeline-start"];

/// The most changes to come: each is a whole instance when it is opened, and no
/// test has so many.
const CHANGES_MAX: usize = 128;

/// The most that the descriptions between changes may have together: each takes
/// some times as much when it is opened, and a component has not much memory.
const BYTES_MAX: usize = 4 << 20;

fn too_large(changes: usize, bytes: usize) -> Problem {
    let message = format!(
        "the instance is described anew after each change, which takes {} MiB up to change {changes} and may take {} MiB",
        bytes >> 20,
        BYTES_MAX >> 20
    );
    Problem::at(format!("/{TIMELINE}"), message).help("make the description smaller, or change it less often")
}

/// A description apart from its changes. No time in either is relative.
pub struct Timeline {
    /// The instance id where the document states none.
    pub instance_id: String,
    /// The description as it is before the first change.
    pub document: Json,
    /// The changes, in the order of time.
    pub changes: Vec<Change>,
}

/// A change at its time.
#[derive(Clone)]
pub struct Change {
    /// When.
    pub at: Time,
    /// Where it stands in the description, a JSON Pointer.
    pub pointer: String,
    /// The fields that change.
    pub fields: Json,
}

/// What an instance is from a time on, until the next one.
pub struct Chapter {
    /// The time; the epoch for the first.
    pub since: Time,
    /// Whether the network interfaces may be others than in the chapter before.
    pub network_changes: bool,
    /// What is from then on.
    pub document: Json,
}

impl Timeline {
    /// Takes a description apart.
    pub fn read(mut document: Json) -> Result<Timeline, Vec<Problem>> {
        let start = relative::start_of(&document);
        let entries = document.take(TIMELINE);
        let mut problems = Vec::new();
        relative::resolve(&mut document, start, "", &mut problems);
        let changes = read_changes(entries, start, &mut problems);
        let instance_id = crate::facts::INSTANCE_ID.to_owned();
        if problems.is_empty() { Ok(Timeline { instance_id, document, changes }) } else { Err(problems) }
    }

    /// The same of an instance of this scope, from which its id is made.
    pub fn of_instance(self, scope: Option<&str>) -> Timeline {
        Timeline { instance_id: crate::facts::Identity::of(scope).instance_id(), ..self }
    }

    /// What the instance is from each time on, up to its termination: what is to
    /// come behind that does not happen. `open` judges a chapter's document; its
    /// problems are told of the changes that made it so.
    pub fn chapters<T>(
        self,
        mut open: impl FnMut(&Chapter) -> Result<T, Vec<Problem>>,
    ) -> Result<(Vec<T>, Chapter), Vec<Problem>> {
        let mut chapter = Chapter { since: Time::EPOCH, network_changes: true, document: self.document };
        let mut opened = vec![open(&chapter)?];
        let mut bytes = chapter.document.bytes();
        for changes in self.changes.chunk_by(|one, other| one.at == other.at) {
            chapter.network_changes = false;
            let was_over = chapter.is_over();
            for change in changes {
                if chapter.is_over() {
                    stays_over(change)?;
                } else {
                    chapter.take(change, &self.instance_id)?;
                }
            }
            if was_over {
                continue;
            }
            bytes += chapter.document.bytes();
            // Before it is opened, which is what takes long.
            if bytes > BYTES_MAX {
                return Err(vec![too_large(opened.len(), bytes)]);
            }
            opened.push(open(&chapter).map_err(|problems| attributed(problems, changes))?);
        }
        Ok((opened, chapter))
    }
}

impl Chapter {
    /// Whether it is the last: the instance is terminated.
    fn is_over(&self) -> bool {
        change::state(&self.document) == "terminated"
    }

    /// Begins the chapter of a change.
    fn take(&mut self, change: &Change, instance_id: &str) -> Result<(), Vec<Problem>> {
        self.network_changes |= change::merge(&mut self.document, &change.fields, Some(change.at), instance_id)
            .map_err(|problems| attributed(problems, core::slice::from_ref(change)))?;
        self.since = change.at;
        Ok(())
    }
}

/// Refuses a change that brings a terminated instance back. Any other change of it
/// is one of nothing: so scenarios can be combined of which one ends it.
fn stays_over(change: &Change) -> Result<(), Vec<Problem>> {
    if !matches!(change.fields.at("/state").and_then(Json::text), Some("running" | "stopped")) {
        return Ok(());
    }
    let message = "the instance is terminated before this change, and a terminated instance never comes back";
    let problem = Problem::at(format!("{}/state", change.pointer), message);
    Err(vec![problem.help("leave out this change or the termination; to stop an instance for a while: \"stopped\"")])
}

/// The changes of a `timeline`, whose times count from `start`.
fn read_changes(entries: Option<Json>, start: Time, problems: &mut Vec<Problem>) -> Vec<Change> {
    let here = format!("/{TIMELINE}");
    let entries = match entries {
        None => return Vec::new(),
        Some(Json::Array(entries)) => entries,
        Some(other) => {
            let problem = Problem::at(here, format!("expected an array, found {}", other.kind()));
            problems.push(problem.help("in TOML, `[[timeline]]` begins each of its entries"));
            return Vec::new();
        }
    };
    if entries.len() > CHANGES_MAX {
        let message = format!("expected at most {CHANGES_MAX} entries, found {}", entries.len());
        problems.push(Problem::at(here, message));
        return Vec::new();
    }
    let mut changes: Vec<Change> = Vec::new();
    for (index, mut fields) in entries.into_iter().enumerate() {
        let pointer = format!("{here}/{index}");
        let at = match read_at(&fields, start, &pointer) {
            Ok(at) => at,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        fields.take("at");
        let before = problems.len();
        refuse_fields(&fields, &[TIMELINE, OPERATION], &pointer, problems);
        relative::resolve(&mut fields, at, &pointer, problems);
        if problems.len() == before {
            changes.push(Change { at, pointer, fields });
        }
    }
    // Of one time, in the order of the text.
    changes.sort_by_key(|change| change.at);
    changes
}

/// When the change at `pointer` is.
fn read_at(fields: &Json, start: Time, pointer: &str) -> Result<Time, Problem> {
    let here = format!("{pointer}/at");
    match (fields, fields.at("/at")) {
        (Json::Object(_), Some(Json::String(text))) => {
            relative::time(text, start).map_err(|wrong| Problem::at(here, wrong))
        }
        (Json::Object(_), Some(other)) => {
            let problem = Problem::at(here, format!("expected a string, found {}", other.kind()));
            Err(problem.help("write a time, or one from the start on: \"+5m\""))
        }
        (Json::Object(_), None) => {
            let problem = Problem::at(pointer, "field `at` is missing here");
            Err(problem.help("it says when: a time, or one from the start on: \"+5m\""))
        }
        (other, _) => Err(Problem::at(pointer, format!("expected an object, found {}", other.kind()))),
    }
}

/// Tells fields that a change does not have, and fields given twice.
fn refuse_fields(fields: &Json, besides: &[&str], prefix: &str, problems: &mut Vec<Problem>) {
    for (name, _) in fields.fields() {
        if NOT_IN_A_CHANGE.contains(&name.as_str()) || besides.contains(&name.as_str()) {
            let pointer = format!("{prefix}{}", pointer_step(name));
            let problem = if name == OPERATION {
                let message = "an operation is done to an instance at a time: only a change of now has one";
                Problem::at(pointer, message).help("state what it comes to, such as `state` or `spot-interruption`")
            } else {
                Problem::at(pointer, format!("a change has no field `{}`", shown(name)))
            };
            problems.push(Problem { in_name: true, ..problem });
        }
    }
    if let Some((pointer, entries)) = fields.too_wide() {
        let message = format!("expected at most {ENTRIES_MAX} entries, found {entries}");
        problems.push(Problem::at(format!("{prefix}{pointer}"), message));
    }
    if let Some((pointer, name)) = fields.given_twice() {
        let message = format!("field `{}` is given twice", shown(&name));
        problems.push(Problem { in_name: true, ..Problem::at(format!("{prefix}{pointer}"), message) });
    }
}

/// Problems of the document that changes led to, told of these changes: of the
/// last one that has the field, or of the last of all.
pub fn attributed(problems: Vec<Problem>, changes: &[Change]) -> Vec<Problem> {
    let attribute = |problem: Problem| {
        let problem = of_an_event(problem);
        let has_field = |change: &&Change| change.fields.at(&problem.field).is_some();
        match (changes.iter().rev().find(has_field), changes.last()) {
            (Some(change), _) => Problem { field: format!("{}{}", change.pointer, problem.field), ..problem },
            // It is one of all changes together.
            _ if problem.field == format!("/{TIMELINE}") => problem,
            (None, Some(change)) if !problem.field.is_empty() => {
                let message = format!("with this change, {}: {}", shown(&problem.field), problem.message);
                Problem { field: change.pointer.clone(), in_name: false, message, ..problem }
            }
            (None, _) => problem,
        }
    };
    problems.into_iter().map(attribute).collect()
}

/// Events of a change are merged into those that are there, and have other
/// places then: a problem with one is told of all of them.
fn of_an_event(problem: Problem) -> Problem {
    if problem.field.starts_with("/events/") {
        Problem { field: "/events".to_owned(), in_name: false, ..problem }
    } else {
        problem
    }
}
