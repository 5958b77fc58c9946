// Opens descriptions side by side.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use imds_host::{Description, Error, Fleet, Runtime};

use super::wrong::{Wrong, words_of};
use crate::cli::options::Changes;

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

/// Puts into the fleet what `read` gives, with the changes and with times that
/// count from `start`, on as many threads
/// as there are processors. Gives what is wrong.
pub fn load(
    fleet: &Fleet,
    runtime: &Runtime,
    changes: &Changes,
    start: SystemTime,
    read: impl FnOnce(&mut dyn FnMut(Result<Entry, String>)) -> anyhow::Result<()>,
) -> anyhow::Result<Wrong> {
    let wrong = Mutex::new(Wrong::default());
    let add = |place, words| wrong.lock().unwrap_or_else(PoisonError::into_inner).add(place, words);
    let (sender, entries) = mpsc::sync_channel(WAITING_MAX);
    let entries = Mutex::new(entries);
    let put_in = || {
        while let Some((place, entry)) = next(&entries) {
            if let Err(words) = open(fleet, runtime, changes, start, entry) {
                add(place, words);
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(put_in)));
        // Dropped with its sender, which ends the threads.
        let mut place = 0;
        let sender = sender;
        read(&mut |entry| {
            match entry {
                // It fails where no thread is left, which the scope tells.
                Ok(entry) => drop(sender.send((place, entry))),
                Err(words) => add(place, words),
            }
            place += 1;
        })
    })?;
    Ok(wrong.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn next(entries: &Mutex<Receiver<(usize, Entry)>>) -> Option<(usize, Entry)> {
    entries.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn open(
    fleet: &Fleet,
    runtime: &Runtime,
    changes: &Changes,
    start: SystemTime,
    Entry { key, source }: Entry,
) -> Result<(), String> {
    let name = match &source {
        Source::File(path) => path.display().to_string(),
        Source::Line { file, number, .. } => format!("{file}:{number}"),
    };
    let result = source.description().and_then(|description| {
        let mut description = changes.apply(runtime, description)?;
        description.start_at(start);
        fleet.insert(&key, &description)
    });
    result.map(drop).map_err(|error| words_of(source.locate(error, &key), &name))
}

impl Source {
    fn description(&self) -> Result<Description, Error> {
        match self {
            Self::File(path) => Description::read(path),
            Self::Line { file, text, .. } => Description::from_json(file, text),
        }
    }

    /// The error with places in the whole file; of a scenario, with the instance to
    /// which it does not fit.
    fn locate(&self, mut error: Error, key: &str) -> Error {
        let Error::Invalid(problems) = &mut error else { return error };
        let is_own = match self {
            Self::File(path) => path.display().to_string() == problems.source,
            Self::Line { file, .. } => *file == problems.source,
        };
        if !is_own {
            problems.source += &format!(" (for {key})");
        } else if let Self::Line { number, before, .. } = self {
            for place in problems.list.iter_mut().filter_map(|problem| problem.place.as_mut()) {
                place.line = *number;
                place.column += before;
            }
        }
        error
    }
}
