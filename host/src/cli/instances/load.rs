// Judges descriptions side by side.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use imds_host::{Description, Error, Problem, Problems, Warnings};

use super::stated::{self, One, Stated};
use super::wrong::{Wrong, problem, problems_of};
use crate::cli::warnings::Warned;

/// A description and its caller's key.
pub struct Entry {
    pub key: String,
    pub source: Source,
}

/// Where a description stands.
pub enum Source {
    /// In a file of its own.
    File(PathBuf),
    /// On a line of a file.
    Line {
        file: Arc<str>,
        number: usize,
        /// The characters of the line before it.
        before: usize,
        text: String,
    },
}

/// A description as it was given.
pub enum Given<'s> {
    /// That of a file of its own.
    Read(Description),
    /// JSON text on a line of a file, which is not read yet.
    Text { file: &'s str, text: &'s str },
}

impl Given<'_> {
    pub fn description(self) -> Result<Description, Error> {
        match self {
            Self::Read(description) => Ok(description),
            Self::Text { file, text } => Description::from_json(file, text),
        }
    }

    /// The instance id that it states.
    fn instance_id(&self) -> Option<String> {
        match self {
            Self::Read(description) => description.instance_id(),
            Self::Text { text, .. } => stated::instance_id(text),
        }
    }
}

/// Threads hand over so many at once: to wake one takes as long as some of them.
const HANDED_OVER: usize = 64;

/// And no more than so many bytes of them.
const HANDED_OVER_BYTES: usize = 1 << 20;

/// So that nobody waits who reads or opens; few enough to be nothing in memory.
const WAITING_MAX: usize = 4;

/// What was found in many descriptions.
#[derive(Default)]
pub struct Found {
    /// How many are right.
    pub right: usize,
    pub wrong: Wrong,
    pub warned: Warned,
    /// Lines that say what was left out.
    pub left_out: Vec<String>,
}

/// Judges what `read` gives, on as many threads as there are processors. `judge`
/// gets the key and the description, and gives what it says that cannot be real.
/// `take_back` gets the key of one that turns out to have the instance id of
/// another.
pub fn each(
    read: impl FnOnce(&mut dyn FnMut(Result<Entry, Problems>)) -> anyhow::Result<Vec<String>>,
    judge: impl Fn(&str, Given<'_>) -> Result<Warnings, Error> + Sync,
    take_back: impl Fn(&str),
) -> anyhow::Result<Found> {
    let found = Mutex::new(Found::default());
    let stated = Mutex::new(Stated::default());
    let add = |place, judged: Result<Warnings, Problems>| {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        match judged {
            Ok(warnings) => {
                found.right += 1;
                found.warned.add(place, warnings);
            }
            Err(problems) => found.wrong.add(place, problems),
        }
    };
    let (sender, entries) = mpsc::sync_channel(WAITING_MAX);
    let entries = Mutex::new(entries);
    let judge_one = |place, Entry { key, source }: Entry| {
        let mut instance_id = None;
        let judged = source.given().and_then(|given| {
            instance_id = given.instance_id();
            judge(&key, given)
        });
        if let Some(instance_id) = instance_id.filter(|_| judged.is_ok()) {
            let one = One { instance_id: &instance_id, place, key: &key, name: &source.name() };
            stated.lock().unwrap_or_else(PoisonError::into_inner).add(&one);
        }
        add(
            place,
            match judged {
                Ok(warnings) => Ok(source.locate_warnings(warnings, &key)),
                Err(error) => Err(problems_of(source.locate(error, &key), &source.name())),
            },
        );
    };
    let judge_all = || {
        while let Some(handed_over) = next(&entries) {
            handed_over.into_iter().for_each(|(place, entry)| judge_one(place, entry));
        }
    };
    let left_out = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(judge_all)));
        // Dropped with its sender, which ends the threads.
        let mut handing = Handing { sender, entries: Vec::new(), bytes: 0 };
        let mut place = 0;
        let left_out = read(&mut |entry| {
            match entry {
                Ok(entry) => handing.add(place, entry),
                Err(problems) => add(place, Err(problems)),
            }
            place += 1;
        })?;
        handing.hand_over();
        anyhow::Ok(left_out)
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stated = stated.into_inner().unwrap_or_else(PoisonError::into_inner);
    stated.each_again(|first, other| {
        take_back(other.key);
        found.right -= 1;
        found.wrong.add(other.place, same_id(&first, &other));
    });
    Ok(Found { left_out, ..found })
}

/// Two descriptions state one instance id.
fn same_id(first: &One<'_>, other: &One<'_>) -> Problems {
    let One { instance_id, key, name, .. } = first;
    let message = format!("`{}` and `{key}` in {name} have the same instance id, {instance_id}", other.key);
    let help = "give each its own, or none: then it is made from the caller's key";
    problem(other.name, None, message, Some(help.to_owned()))
}

/// Some of what was read, with its places.
type HandedOver = Vec<(usize, Entry)>;

fn next(entries: &Mutex<Receiver<HandedOver>>) -> Option<HandedOver> {
    entries.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Hands what was read over to the threads that judge it.
struct Handing {
    sender: SyncSender<HandedOver>,
    entries: HandedOver,
    bytes: usize,
}

impl Handing {
    fn add(&mut self, place: usize, entry: Entry) {
        if let Source::Line { text, .. } = &entry.source {
            self.bytes += text.len();
        }
        self.entries.push((place, entry));
        if self.entries.len() == HANDED_OVER || self.bytes > HANDED_OVER_BYTES {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        self.bytes = 0;
        // It fails where no thread is left, which the scope tells.
        drop(self.sender.send(std::mem::take(&mut self.entries)));
    }
}

impl Source {
    fn given(&self) -> Result<Given<'_>, Error> {
        Ok(match self {
            Self::File(path) => Given::Read(Description::read(path)?),
            Self::Line { file, text, .. } => Given::Text { file, text },
        })
    }

    /// What an error calls it that has no place in it.
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Line { file, number, .. } => format!("{file}:{number}"),
        }
    }

    /// The error with places in the whole file; of a scenario, with the instance to
    /// which it does not fit.
    fn locate(&self, mut error: Error, key: &str) -> Error {
        if let Error::Invalid(problems) = &mut error {
            self.place(&mut problems.source, problems.list.iter_mut(), key);
        }
        error
    }

    /// The same of warnings.
    fn locate_warnings(&self, mut warnings: Warnings, key: &str) -> Warnings {
        if !warnings.list.is_empty() {
            let problems = warnings.list.iter_mut().map(|warning| &mut warning.problem);
            self.place(&mut warnings.source, problems, key);
        }
        warnings
    }

    fn place<'p>(&self, source: &mut String, problems: impl Iterator<Item = &'p mut Problem>, key: &str) {
        let is_own = match self {
            Self::File(path) => path.display().to_string() == *source,
            Self::Line { file, .. } => **file == **source,
        };
        if !is_own {
            *source += &format!(" (for {key})");
        } else if let Self::Line { number, before, .. } = self {
            for place in problems.filter_map(|problem| problem.place.as_mut()) {
                place.line = *number;
                place.column += before;
            }
        }
    }
}
