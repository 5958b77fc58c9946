//! The timeline as a whole: what never happens, and what holds all the time.

use super::Report;
use super::rules::{CHANGE_NEVER_HAPPENS, CHANGE_OF_NOTHING, TAGS_NOT_SHOWN};
use crate::description::Switch;
use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::facts::Facts;
use crate::time::Time;
use crate::timeline::{Change, Chapter};

/// What chapters say together.
#[derive(Default)]
pub struct Story {
    before: Option<Json>,
    /// Where tags are first stated, and whether they are shown at any time.
    tags: Option<String>,
    shows_tags: bool,
    /// Entries that leave all as it is.
    of_nothing: Vec<String>,
    /// The last time at which something happens.
    end: Time,
}

impl Story {
    /// The document of the last chapter that was added.
    pub fn before(&self) -> Option<&Json> {
        self.before.as_ref()
    }

    /// Takes the next chapter, which the changes `made_by` make.
    pub fn add(&mut self, chapter: &Chapter, facts: &Facts, made_by: &[Change]) {
        if self.before.as_ref() == Some(&chapter.document) {
            self.of_nothing.extend(made_by.iter().map(|change| change.pointer.clone()));
        }
        self.before = Some(chapter.document.clone());
        self.shows_tags |= facts.options.instance_metadata_tags == Switch::Enabled;
        if self.tags.is_none() && !facts.tags.is_empty() {
            let change = made_by.iter().find(|change| change.fields.at("/tags").is_some());
            self.tags = Some(format!("{}/tags", change.map_or("", |change| &change.pointer)));
        }
        self.end = chapter.since;
    }

    /// Reports what only shows when all chapters are known.
    pub fn judge(self, changes: &[Change], report: &mut Report) {
        if let Some(pointer) = self.tags.filter(|_| !self.shows_tags) {
            let message = "the tags are not shown: `instance-metadata-tags` is disabled";
            let help = "set `metadata-options.instance-metadata-tags` to \"enabled\"";
            report.add(TAGS_NOT_SHOWN.name, vec![Problem::at(pointer, message).help(help)]);
        }
        let of_nothing = self.of_nothing.into_iter().map(|pointer| {
            let problem = Problem::at(pointer, "this change leaves all as it is");
            problem.help("what it states is so before; take the entry out, or change another field")
        });
        report.add(CHANGE_OF_NOTHING.name, of_nothing.collect());
        let is_over = |document: Json| document.at("/state").and_then(Json::text) == Some("terminated");
        if self.before.is_some_and(is_over) {
            let never = behind_the_termination(changes, self.end).map(|change| {
                let problem =
                    Problem::at(change.pointer.clone(), "this change never happens: the instance is terminated before");
                problem.help("give it an earlier `at`, or take it out")
            });
            report.add(CHANGE_NEVER_HAPPENS.name, never.collect());
        }
    }
}

/// The changes that come behind that which terminates the instance at `end`.
fn behind_the_termination(changes: &[Change], end: Time) -> impl Iterator<Item = &Change> {
    let terminates =
        |change: &Change| change.at >= end && change.fields.at("/state").and_then(Json::text) == Some("terminated");
    // None does where the instance is terminated from the beginning.
    let terminating = changes.iter().position(terminates);
    changes[terminating.map_or(0, |index| index + 1)..].iter()
}
