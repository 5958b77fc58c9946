//! What a description says that can be served and cannot be real.
//!
//! A description that is wrong is refused ([`Problem`]). One that is right in
//! itself may still be of no instance that EC2 could have: an instance type that
//! nobody knows, an address outside of its subnet, a fault that can never apply.
//! Here that is found and reported as a [`Warning`], which changes no answer.
//!
//! Each rule has a name in [`RULES`] and a function in the file of its area. A
//! rule looks at one chapter of the timeline: what the instance is between two
//! changes. What changes bring is reported of these changes.

mod blocks;
mod faults;
mod ids;
mod kind;
mod names;
mod network;
mod ownership;
mod place;
mod rules;
mod story;
mod times;

use std::collections::{BTreeMap, BTreeSet};

pub use self::rules::{RULES, Rule};
use crate::description::Description;
use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::facts::Facts;
use crate::phase::{Phase, Phases, Terms};
use crate::time::Time;
use crate::timeline::{Change, Chapter, Timeline, attributed};

/// Something that a description says and that cannot be real.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The name of its rule, one of [`RULES`]. A description that has it in
    /// `allow-warnings` does not get the warning.
    pub name: &'static str,
    /// What is said, where, and what to write instead.
    pub problem: Problem,
}

/// By what a warning is known again: its name, field and message.
type Key = (&'static str, String, String);

/// The most warnings of one name: the same said of hundreds of interfaces helps
/// nobody. The last of them says how many more there are.
const OF_A_NAME_MAX: usize = 5;

/// What a description says that can be served and cannot be real, as of `now_ms`:
/// at most five warnings of each name, none of those that it allows.
///
/// Fails with the problems of a description that is wrong, at most 20.
///
/// ```
/// let warnings = imds_core::warnings(r#"{"instance-type": "t3.mikro"}"#, 1_790_800_000_000)?;
/// assert_eq!(warnings[0].name, "unknown-instance-type");
/// assert_eq!(warnings[0].problem.field, "/instance-type");
/// assert_eq!(imds_core::warnings("{}", 1_790_800_000_000)?, []);
/// # Ok::<(), Vec<imds_core::Problem>>(())
/// ```
pub fn warnings(description: &str, now_ms: u64) -> Result<Vec<Warning>, Vec<Problem>> {
    warnings_in_scope(description, now_ms, None)
}

/// The same of the description of an instance of many, whose key is `scope`.
///
/// ```
/// let own_subnet = r#"{"network-interfaces": [{"subnet-ipv4-cidr-block": "10.1.0.0/24"}]}"#;
/// assert_eq!(imds_core::warnings_in_scope(own_subnet, 1_790_800_000_000, Some("10.1.0.7"))?, []);
/// # Ok::<(), Vec<imds_core::Problem>>(())
/// ```
pub fn warnings_in_scope(description: &str, now_ms: u64, scope: Option<&str>) -> Result<Vec<Warning>, Vec<Problem>> {
    crate::instance::at_most_problems(find(description, Time::from_ms(now_ms), scope))
}

fn find(description: &str, now: Time, scope: Option<&str>) -> Result<Vec<Warning>, Vec<Problem>> {
    let document = Json::parse(description).map_err(|problem| vec![problem])?;
    // They are derived once, for a phase shares what does not change.
    let phases = Phases::open(document.clone(), Terms { scope, shell_signs: true })?;
    let mut phases = phases.iter();
    let timeline = Timeline::read(document)?.of_instance(scope);
    let changes = timeline.changes.clone();
    let mut report = Report::default();
    let mut story = story::Story::default();
    let mut before: BTreeSet<Key> = BTreeSet::new();
    let mut before_of_network: BTreeSet<Key> = BTreeSet::new();
    timeline.chapters(|chapter| {
        let Some(Phase { facts, .. }) = phases.next() else { return Ok(()) };
        let description = Description::of_document(&chapter.document)?;
        report.allowed.extend(description.allow_warnings.iter().map(|name| name.as_str().to_owned()));
        let made_by = made_by(&changes, chapter, story.before().is_none());
        let end = changes.iter().map(|change| change.at).find(|at| *at > chapter.since);
        let mut judge = Judge {
            document: &chapter.document,
            description: &description,
            facts,
            now: (end.is_none_or(|end| now < end)).then_some(now.max(chapter.since)),
            before: story.before().filter(|_| now < chapter.since),
            found: BTreeMap::new(),
        };
        let mut tell = |found: BTreeMap<&'static str, Found>, before: &BTreeSet<Key>| {
            let mut present = BTreeSet::new();
            for (name, Found { first, more }) in found {
                report.more(name, more);
                for problem in first {
                    let key = (name, problem.field.clone(), problem.message.clone());
                    // What was so before is not the doing of this change.
                    if !before.contains(&key) {
                        let told = if made_by.is_empty() { vec![problem] } else { attributed(vec![problem], made_by) };
                        report.add(name, told);
                    }
                    present.insert(key);
                }
            }
            present
        };
        judge.all_but_the_network();
        before = tell(core::mem::take(&mut judge.found), &before);
        // It is the most to look at, and most changes leave it as it is.
        if chapter.network_changes {
            judge.network();
            before_of_network = tell(judge.found, &before_of_network);
        }
        story.add(chapter, facts, made_by);
        Ok(())
    })?;
    story.judge(&changes, &mut report);
    Ok(report.warnings())
}

/// The changes with which a chapter begins; none for the first, which begins with
/// the epoch, as a change may.
fn made_by<'c>(changes: &'c [Change], Chapter { since, .. }: &Chapter, is_first: bool) -> &'c [Change] {
    if is_first {
        return &[];
    }
    let begin = changes.partition_point(|change| change.at < *since);
    let end = changes.partition_point(|change| change.at <= *since);
    &changes[begin..end]
}

/// What was found, by the names of the rules.
#[derive(Default)]
struct Report {
    allowed: BTreeSet<String>,
    found: BTreeMap<&'static str, Found>,
}

/// What was found by one rule.
#[derive(Default)]
struct Found {
    first: Vec<Problem>,
    /// How many more.
    more: usize,
}

impl Found {
    fn add(&mut self, problem: Problem) {
        if self.first.contains(&problem) {
            return;
        }
        match self.first.len() < OF_A_NAME_MAX {
            true => self.first.push(problem),
            false => self.more += 1,
        }
    }
}

impl Report {
    fn add(&mut self, name: &'static str, problems: Vec<Problem>) {
        let found = self.found.entry(name).or_default();
        problems.into_iter().for_each(|problem| found.add(problem));
    }

    /// What a chapter has more of than it has told. The next chapter has most of
    /// it too, so that they do not add up.
    fn more(&mut self, name: &'static str, more: usize) {
        if more > 0 {
            let found = self.found.entry(name).or_default();
            found.more = found.more.max(more);
        }
    }

    fn warnings(mut self) -> Vec<Warning> {
        for name in self.allowed.iter().filter(|name| RULES.iter().all(|rule| rule.name != **name)) {
            let problem = rules::unknown_name(name);
            self.found.entry(rules::UNKNOWN_WARNING.name).or_default().add(problem);
        }
        let Report { allowed, found } = self;
        let mut warnings = Vec::new();
        for (name, Found { mut first, more }) in found.into_iter().filter(|(name, _)| !allowed.contains(*name)) {
            if let Some(last) = first.last_mut().filter(|_| more > 0) {
                last.message += &format!(" (and {more} more like this)");
            }
            warnings.extend(first.into_iter().map(|problem| Warning { name, problem }));
        }
        warnings
    }
}

/// One chapter, and what its rules have found.
struct Judge<'c> {
    /// What is stated, without relative times.
    document: &'c Json,
    description: &'c Description,
    facts: &'c Facts,
    /// The present or, of a chapter that is to come, its begin; none where the
    /// chapter is over, in which nothing is late.
    now: Option<Time>,
    /// What was stated before, if this chapter is to come: what was in time then is
    /// over by and by, as all things are.
    before: Option<&'c Json>,
    found: BTreeMap<&'static str, Found>,
}

impl Judge<'_> {
    fn all_but_the_network(&mut self) {
        self.kind();
        self.place();
        self.ids();
        self.names();
        self.ownership();
        self.times();
        self.faults();
    }

    /// Only of what is stated: what is made up for a description is not its fault.
    fn warn(&mut self, rule: &Rule, problem: Problem) {
        if self.states(&problem.field) {
            self.found.entry(rule.name).or_default().add(problem);
        }
    }

    /// The same where it takes a while to say what is wrong: that is left out where
    /// nobody reads it.
    fn warn_with(&mut self, rule: &Rule, problem: impl FnOnce() -> Problem) {
        let found = self.found.entry(rule.name).or_default();
        match found.first.len() < OF_A_NAME_MAX {
            true => found.add(problem()),
            false => found.more += 1,
        }
    }

    /// Whether the document has a value at a pointer.
    fn states(&self, pointer: &str) -> bool {
        self.document.at(pointer).is_some()
    }

    /// The first of these places that the document has; the first of all where it
    /// has none.
    fn stated<const N: usize>(&self, pointers: [String; N]) -> String {
        let stated = pointers.iter().find(|pointer| self.states(pointer));
        stated.or(pointers.first()).cloned().unwrap_or_default()
    }

    /// The text at a pointer.
    fn text(&self, pointer: &str) -> Option<&str> {
        self.document.at(pointer).and_then(Json::text)
    }

    /// The time from which on it is judged whether what a field of the first level
    /// says is over; none where it is not judged here.
    fn now_for(&self, field: &str) -> Option<Time> {
        self.now.filter(|_| self.before.is_none_or(|before| before.at(field) != self.document.at(field)))
    }

    /// The time that is stated at a pointer.
    fn time(&self, pointer: &str) -> Option<Time> {
        self.text(pointer).and_then(Time::parse)
    }
}
