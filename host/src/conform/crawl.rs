//! What a version shows, found by its listings.

use std::collections::{BTreeSet, VecDeque};

use super::check::Stop;
use super::{Asked, Subject, items};
use crate::probe::NoReply;

/// More names than any folder has.
const NAMES: usize = 256;
/// Longer than any name: a tag's key has 255 characters.
const NAME_BYTES: usize = 1024;
/// Deeper than any folder.
const DEPTH: usize = 12;
/// After this many requests without an answer, the crawl stops.
const UNANSWERED: usize = 3;

/// What a version shows, found by following its listings.
pub struct Tree {
    /// `latest` or a date.
    pub version: String,
    /// What was requested, folders before their contents; the first entry is the version.
    pub entries: Vec<Entry>,
    /// Listed paths that did not answer.
    pub unanswered: Vec<(String, NoReply)>,
    /// Whether everything listed was requested and answered, so that anything missing here
    /// does not exist.
    pub is_whole: bool,
}

/// A folder or an item with its answer.
pub struct Entry {
    /// The path below the version, without a final slash: `meta-data/iam/info`.
    pub path: String,
    /// Whether it is a folder on the real service, or is listed as one.
    pub is_folder: bool,
    /// The request and its answer.
    pub asked: Asked,
}

impl Tree {
    /// Follows the listings of a version with at most `limit` requests. Folders near the
    /// version come first.
    pub fn crawl(subject: &Subject<'_>, version: &str, limit: usize) -> Result<Self, Stop> {
        let mut tree =
            Self { version: version.to_owned(), entries: Vec::new(), unanswered: Vec::new(), is_whole: true };
        let mut seen = BTreeSet::from([String::new()]);
        let mut waiting = VecDeque::from([(String::new(), format!("{version}/"))]);
        let mut has_guessed = false;
        loop {
            let Some((path, listed)) = waiting.pop_front() else {
                // What a poor listing leaves out may be there all the same.
                if has_guessed || version != "latest" || subject.answers_all_paths_alike()? {
                    break;
                }
                has_guessed = true;
                let guessed: Vec<&str> = items::known().filter(|path| tree.is_poor_above(path)).collect();
                for path in guessed.into_iter().filter(|path| seen.insert((*path).to_owned())) {
                    waiting.push_back((path.to_owned(), String::new()));
                }
                continue;
            };
            if tree.entries.len() >= limit || tree.unanswered.len() >= UNANSWERED {
                tree.is_whole = false;
                break;
            }
            let is_folder = listed.ends_with('/') || items::is_folder(&path);
            let asked = match subject.get(&target(version, &path, is_folder)) {
                Ok(asked) => asked,
                // Without its root there is no tree.
                Err(Stop::NoReply(none)) if !path.is_empty() => {
                    tree.unanswered.push((path, none));
                    tree.is_whole = false;
                    continue;
                }
                Err(stop) => return Err(stop),
            };
            let entry = Entry { path, is_folder, asked };
            // Nobody listed what was guessed, so that it may be missing.
            if has_guessed && listed.is_empty() && !entry.is_there() {
                continue;
            }
            let names = entry.names();
            if names.len() > NAMES || entry.path.split('/').count() > DEPTH {
                tree.is_whole = false;
            } else {
                for name in names {
                    let path = entry.path_of(name);
                    if seen.insert(path.clone()) {
                        waiting.push_back((path, name.to_owned()));
                    }
                }
            }
            tree.entries.push(entry);
        }
        Ok(tree)
    }

    /// Whether a folder above a path does not list what it has: it does not answer, or with
    /// nothing that is a name.
    fn is_poor_above(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        std::iter::once("")
            .chain(above)
            .any(|folder| self.entries.iter().any(|entry| entry.path == folder && entry.names().is_empty()))
    }

    /// The folder or item at a path, if it answers.
    pub fn find(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.path == path && entry.is_there())
    }

    /// The items that match a pattern, in which `*` is any name, and answer.
    pub fn items<'t>(&'t self, pattern: &'t str) -> impl Iterator<Item = &'t Entry> {
        self.entries
            .iter()
            .filter(move |entry| !entry.is_folder && entry.is_there() && items::matches(pattern, &entry.path))
    }

    /// All folders that answer.
    pub fn folders(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_folder && entry.is_there())
    }
}

impl Entry {
    /// Whether it answers.
    pub fn is_there(&self) -> bool {
        self.asked.reply.status == 200
    }

    /// The body as text.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        self.asked.reply.text()
    }

    /// The last name of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The names that a folder lists and that can be requested, with their slashes.
    pub fn names(&self) -> Vec<&str> {
        if self.is_folder && self.is_there() { names(&self.asked.reply.body) } else { Vec::new() }
    }

    /// The path of a name that it lists: `0=my-key` is the folder `0`.
    fn path_of(&self, name: &str) -> String {
        let name = name.trim_end_matches('/');
        let name = match name.split_once('=') {
            Some((number, _)) if self.path == "meta-data/public-keys" => number,
            _ => name,
        };
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }
}

/// The names in a listing. Lines that cannot be names are skipped.
pub fn names(listing: &[u8]) -> Vec<&str> {
    // An HTML page is not a listing.
    let Some(text) = str::from_utf8(listing).ok().filter(|text| !text.trim_start().starts_with('<')) else {
        return Vec::new();
    };
    let is_name = |name: &&str| {
        let bare = name.trim_end_matches('/');
        !matches!(bare, "" | "." | "..") && bare.len() <= NAME_BYTES && !bare.contains(|c: char| c.is_control())
    };
    text.lines().filter(is_name).take(NAMES + 1).collect()
}

/// The target of a path below a version. Characters with a meaning in a target are escaped.
pub fn target(version: &str, path: &str, is_folder: bool) -> String {
    let mut target = format!("/{version}");
    for name in path.split('/').filter(|name| !name.is_empty()) {
        target.push('/');
        for byte in name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => target.push(char::from(byte)),
                b'-' | b'.' | b'_' | b'~' | b'+' | b'=' | b',' | b':' | b'@' => target.push(char::from(byte)),
                _ => target += &format!("%{byte:02X}"),
            }
        }
    }
    if is_folder {
        target.push('/');
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_any_body() {
        assert_eq!(names(b"ami-id\niam/\n0=my key"), ["ami-id", "iam/", "0=my key"]);
        assert_eq!(names(b"\n..\n/\na\r\n\x1b[2J\n"), ["a"]);
        assert_eq!(names(b"<html>\n<body>"), [""; 0]);
        assert_eq!(names(b"\xff\xfe"), [""; 0]);
        assert_eq!(names("a\n".repeat(100_000).as_bytes()).len(), NAMES + 1);
    }

    #[test]
    fn names_are_escaped_in_targets() {
        assert_eq!(target("latest", "", true), "/latest/");
        assert_eq!(target("1.0", "meta-data/tags/instance/a?b %c", false), "/1.0/meta-data/tags/instance/a%3Fb%20%25c");
        assert_eq!(target("latest", "meta-data/macs/0e:ff", true), "/latest/meta-data/macs/0e:ff/");
    }
}
