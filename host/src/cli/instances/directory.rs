// Descriptions in a directory, each in a file that is named after its caller.

use std::ffi::OsString;
use std::path::Path;
use std::{fs, io};

use anyhow::Context;
use imds_host::CallerKey;

use super::keys::{Keys, Refused};
use super::load::{Entry, Source};
use super::wrong::words;
use crate::cli::failure::WrongUse;
use crate::cli::print::to_stderr;

/// Gives all descriptions in the order of their names, and what is wrong with
/// the others.
///
/// What is hidden is no description: such files are those of editors and of
/// systems that put the directory there. All else in it is meant to be one.
pub fn read(directory: &Path, callers: &CallerKey, give: &mut dyn FnMut(Result<Entry, String>)) -> anyhow::Result<()> {
    let names = names(directory).with_context(|| WrongUse(format!("cannot read {}", directory.display())))?;
    let mut keys = Keys::new(callers);
    for (place, name) in names.iter().enumerate() {
        let path = directory.join(name);
        let source = path.display().to_string();
        let refuse = |message: String, help: Option<&str>| Err(words(&source, None, message, help.map(str::to_owned)));
        give(match key(&path) {
            Ok(key) => match keys.take(key, place) {
                Ok(key) => Ok(Entry { key, source: Source::File(path) }),
                Err(Refused::Unknown(error)) => refuse(error.to_string(), None),
                Err(Refused::Twice(before)) => {
                    let before = directory.join(&names[before]);
                    refuse(format!("the caller `{key}` was given before, by {}", before.display()), None)
                }
            },
            Err(message) => refuse(message.into(), Some("descriptions are named KEY.toml or KEY.json")),
        });
    }
    Ok(())
}

/// The key in a file's name.
fn key(path: &Path) -> Result<&str, &'static str> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if !extension.is_some_and(|extension| ["toml", "json"].contains(&extension)) {
        return Err(if path.is_dir() {
            "this is a directory, in which nothing is looked for"
        } else {
            "this is no description"
        });
    }
    // A pipe would be waited for.
    if fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        return Err("this is no regular file");
    }
    path.file_stem().and_then(|stem| stem.to_str()).ok_or("the name of this file is not UTF-8")
}

/// The names in a directory, without those that are hidden.
fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    let is_hidden = |name: &OsString| name.as_encoded_bytes().starts_with(b".");
    let (hidden, mut names): (Vec<_>, Vec<_>) = names.into_iter().partition(is_hidden);
    names.sort();
    tell_of(directory, hidden);
    Ok(names)
}

/// The most hidden files that are named.
const TOLD_MAX: usize = 5;

fn tell_of(directory: &Path, mut hidden: Vec<OsString>) {
    if hidden.is_empty() {
        return;
    }
    hidden.sort();
    let names: Vec<_> = hidden.iter().take(TOLD_MAX).map(|name| name.to_string_lossy()).collect();
    let more = match hidden.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    to_stderr(&format!(
        "imds: warning: what is hidden in {} is left out: {}{more}",
        directory.display(),
        names.join(", ")
    ));
}
