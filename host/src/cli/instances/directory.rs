// Descriptions in a directory, each in a file that is named after its caller.

use std::ffi::OsString;
use std::path::Path;
use std::{fs, io};

use anyhow::Context;
use imds_host::{CallerKey, Problems};

use super::keys::{Keys, Refused};
use super::load::{Entry, Source};
use super::wrong::problem;
use crate::cli::failure::WrongUse;

/// Gives all descriptions in the order of their names, and what is wrong with
/// the others. Returns lines that say what was left out.
///
/// What is hidden is no description: such files are those of editors and of
/// systems that put the directory there. So is what has another name than
/// `KEY.toml` or `KEY.json`, such as a README.
pub fn read(
    directory: &Path,
    callers: Option<&CallerKey>,
    give: &mut dyn FnMut(Result<Entry, Problems>),
) -> anyhow::Result<Vec<String>> {
    let (names, left_out) =
        names(directory).with_context(|| WrongUse(format!("cannot read {}", directory.display())))?;
    let mut keys = Keys::new(callers);
    for (place, name) in names.iter().enumerate() {
        let path = directory.join(name);
        let source = path.display().to_string();
        let refuse =
            |message: String, help: Option<&str>| Err(problem(&source, None, message, help.map(str::to_owned)));
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
    Ok(left_out)
}

/// The key in a file's name.
fn key(path: &Path) -> Result<&str, &'static str> {
    // A pipe would be waited for.
    if fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        return Err("this is no regular file");
    }
    path.file_stem().and_then(|stem| stem.to_str()).ok_or("the name of this file is not UTF-8")
}

/// Whether a file is named as descriptions are.
fn is_description(name: &OsString) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["toml", "json"].contains(&extension))
}

/// The names of the descriptions in a directory, and lines that say what else is
/// there.
fn names(directory: &Path) -> io::Result<(Vec<OsString>, Vec<String>)> {
    let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    let is_hidden = |name: &OsString| name.as_encoded_bytes().starts_with(b".");
    let (hidden, names): (Vec<_>, Vec<_>) = names.into_iter().partition(is_hidden);
    let (mut names, others): (Vec<_>, Vec<_>) = names.into_iter().partition(is_description);
    names.sort();
    let left_out = [
        left_out(directory, "is hidden", hidden, ""),
        left_out(directory, "is no description", others, "; descriptions are named KEY.toml or KEY.json"),
    ];
    Ok((names, left_out.into_iter().flatten().collect()))
}

/// The most files of a kind that are named.
const TOLD_MAX: usize = 5;

fn left_out(directory: &Path, what: &str, mut files: Vec<OsString>, help: &str) -> Option<String> {
    files.sort();
    let names: Vec<_> = files.iter().take(TOLD_MAX).map(|name| name.to_string_lossy()).collect();
    let more = match files.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (directory, names) = (directory.display(), names.join(", "));
    let line = format!("imds: warning: what {what} in {directory} is left out: {names}{more}{help}");
    (!files.is_empty()).then_some(line)
}
