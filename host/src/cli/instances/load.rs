// Judges descriptions side by side.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;

use imds_host::{Description, Error, Problem, Warnings};

use super::wrong::{Wrong, words, words_of};
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
        file: String,
        number: usize,
        /// The characters of the line before it.
        before: usize,
        text: String,
    },
}

/// So that nobody waits who reads or opens; few enough to be nothing in memory.
const WAITING_MAX: usize = 64;

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

/// An instance id that a description states.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Stated {
    instance_id: String,
    /// Among all descriptions.
    place: usize,
    key: String,
    /// Where the description is.
    name: String,
}

/// Judges what `read` gives, on as many threads as there are processors. `judge`
/// gets the key and the description, and gives what it says that cannot be real.
/// `take_back` gets the key of one that turns out to have the instance id of
/// another.
pub fn each(
    read: impl FnOnce(&mut dyn FnMut(Result<Entry, String>)) -> anyhow::Result<Vec<String>>,
    judge: impl Fn(&str, Description) -> Result<Warnings, Error> + Sync,
    take_back: impl Fn(&str),
) -> anyhow::Result<Found> {
    let found = Mutex::new(Found::default());
    let stated = Mutex::new(Vec::new());
    let add = |place, judged: Result<Warnings, String>| {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        match judged {
            Ok(warnings) => {
                found.right += 1;
                found.warned.add(place, warnings);
            }
            Err(words) => found.wrong.add(place, words),
        }
    };
    let (sender, entries) = mpsc::sync_channel(WAITING_MAX);
    let entries = Mutex::new(entries);
    let judge_all = || {
        while let Some((place, Entry { key, source })) = next(&entries) {
            let mut instance_id = None;
            let judged = source.description().and_then(|description| {
                instance_id = description.instance_id();
                judge(&key, description)
            });
            if let Some(instance_id) = instance_id.filter(|_| judged.is_ok()) {
                let (key, name) = (key.clone(), source.name());
                let mut stated = stated.lock().unwrap_or_else(PoisonError::into_inner);
                stated.push(Stated { instance_id, place, key, name });
            }
            add(
                place,
                match judged {
                    Ok(warnings) => Ok(source.locate_warnings(warnings, &key)),
                    Err(error) => Err(words_of(source.locate(error, &key), &source.name())),
                },
            );
        }
    };
    let left_out = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(judge_all)));
        // Dropped with its sender, which ends the threads.
        let mut place = 0;
        let sender = sender;
        read(&mut |entry| {
            match entry {
                // It fails where no thread is left, which the scope tells.
                Ok(entry) => drop(sender.send((place, entry))),
                Err(words) => add(place, Err(words)),
            }
            place += 1;
        })
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut stated = stated.into_inner().unwrap_or_else(PoisonError::into_inner);
    stated.sort();
    for same in stated.chunk_by(|one, other| one.instance_id == other.instance_id) {
        let [first, others @ ..] = same else { continue };
        for other in others {
            take_back(&other.key);
            found.right -= 1;
            found.wrong.add(other.place, same_id(first, other));
        }
    }
    Ok(Found { left_out, ..found })
}

/// Two descriptions state one instance id.
fn same_id(first: &Stated, other: &Stated) -> String {
    let Stated { instance_id, key, name, .. } = first;
    let message = format!("`{}` and `{key}` in {name} have the same instance id, {instance_id}", other.key);
    let help = "give each its own, or none: then it is made from the caller's key";
    words(&other.name, None, message, Some(help.to_owned()))
}

fn next(entries: &Mutex<Receiver<(usize, Entry)>>) -> Option<(usize, Entry)> {
    entries.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Source {
    fn description(&self) -> Result<Description, Error> {
        match self {
            Self::File(path) => Description::read(path),
            Self::Line { file, text, .. } => Description::from_json(file, text),
        }
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
        let problems = warnings.list.iter_mut().map(|warning| &mut warning.problem);
        self.place(&mut warnings.source, problems, key);
        warnings
    }

    fn place<'p>(&self, source: &mut String, problems: impl Iterator<Item = &'p mut Problem>, key: &str) {
        let is_own = match self {
            Self::File(path) => path.display().to_string() == *source,
            Self::Line { file, .. } => file == source,
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
