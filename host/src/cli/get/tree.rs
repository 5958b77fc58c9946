// Everything that a service has, as a tree.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use imds_host::probe::Reply;

use super::super::print;
use super::advice;
use super::session::Session;

/// Far deeper and more than the service has: what answers may be anything.
const DEPTH: usize = 16;
const ITEMS: usize = 10_000;
const BYTES: usize = 64 << 20;
const TIME: Duration = Duration::from_secs(300);

/// Prints what is below a path, with its values; an item as itself.
pub fn print(session: &Session, path: &str) -> anyhow::Result<ExitCode> {
    let mut tree = Tree { session, until: Instant::now() + TIME, left: ITEMS, is_whole: true, text: String::new() };
    let path = path.trim_end_matches('/');
    if is_item(session, path)? {
        let (folder, name) = path.rsplit_once('/').unwrap_or_default();
        let answer = session.ask("GET", path)?;
        tree.text = format!("{folder}/\n");
        tree.leaf(name, &answer, "└─ ", "   ");
    } else {
        let folder = format!("{path}/");
        let answer = session.ask("GET", &folder)?;
        if answer.status != 200 {
            print::to_stderr(&format!("imds: {folder}: {}{}", answer.status_line(), advice(session, &answer, &folder)));
            return Ok(ExitCode::FAILURE);
        }
        tree.text = format!("{folder}\n");
        tree.grow(&folder, &answer.body, "")?;
    }
    let printed = print::to_stdout(&tree.text, "the tree")?;
    Ok(if tree.is_whole { printed } else { ExitCode::FAILURE })
}

/// Whether the folder above lists a path as an item. The service itself has the same
/// answer with and without a slash.
fn is_item(session: &Session, path: &str) -> anyhow::Result<bool> {
    let Some((folder, name)) = path.rsplit_once('/') else { return Ok(false) };
    let folder = format!("{folder}/");
    let listing = session.ask("GET", &folder)?;
    let listing = String::from_utf8_lossy(&listing.body).into_owned();
    let listed = listing.lines().find(|line| escaped(line) == name);
    Ok(listed.is_some_and(|listed| !path_of(&folder, listed).ends_with('/')))
}

struct Tree<'c> {
    session: &'c Session,
    until: Instant,
    /// How many items may still come.
    left: usize,
    /// Whether everything that is listed was there.
    is_whole: bool,
    text: String,
}

impl Tree<'_> {
    /// Adds what a listing shows, each line behind `before`.
    fn grow(&mut self, folder: &str, listing: &[u8], before: &str) -> anyhow::Result<()> {
        if folder.matches('/').count() > DEPTH {
            bail!("{folder}: no service has folders as deep as this");
        }
        let listing = String::from_utf8_lossy(listing);
        let mut names = listing.lines().filter(|name| !name.is_empty()).peekable();
        while let Some(name) = names.next() {
            let (branch, below) = if names.peek().is_none() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.left = self.left.checked_sub(1).with_context(|| format!("no service has more than {ITEMS} items"))?;
            if self.text.len() > BYTES || Instant::now() > self.until {
                bail!("{folder}: no service has as much, or takes as long");
            }
            let path = path_of(folder, name);
            let answer = self.session.ask("GET", &path)?;
            let (first, others) = (format!("{before}{branch}"), format!("{before}{below}"));
            if answer.status == 200 && path.ends_with('/') {
                self.text += &format!("{first}{}\n", shown(name));
                self.grow(&path, &answer.body, &others)?;
            } else {
                self.leaf(name, &answer, &first, &others);
            }
        }
        Ok(())
    }

    /// Adds an item, or why it cannot be had.
    fn leaf(&mut self, name: &str, answer: &Reply, first: &str, others: &str) {
        if answer.status == 200 {
            leaf(&shown(name), &answer.body, first, others, &mut self.text);
        } else {
            self.is_whole = false;
            self.text += &format!("{first}{}: {}\n", shown(name), answer.status_line());
        }
    }
}

/// Adds an item: behind its name, or in lines of its own.
fn leaf(name: &str, value: &[u8], first: &str, others: &str, text: &mut String) {
    match str::from_utf8(value) {
        Err(_) => *text += &format!("{first}{name}: {} bytes\n", value.len()),
        Ok(value) if value.trim_end_matches('\n').contains('\n') => {
            *text += &format!("{first}{name}\n");
            for line in value.lines() {
                *text += format!("{others}  {}", shown(line)).trim_end();
                *text += "\n";
            }
        }
        Ok(value) => {
            *text += format!("{first}{name}: {}", shown(value.trim_end_matches('\n'))).trim_end();
            *text += "\n";
        }
    }
}

/// The path of a name in a listing. A folder ends with a slash, except at the top of a
/// version, and `0=my-key` names the folder 0.
fn path_of(folder: &str, name: &str) -> String {
    if let Some((number, _)) = name.split_once('=').filter(|_| folder.ends_with("/public-keys/")) {
        return format!("{folder}{number}/");
    }
    let is_root = folder == "/";
    let is_version = folder.matches('/').count() == 2;
    let is_folder = is_root || (is_version && name != "user-data");
    let slash = if is_folder && !name.ends_with('/') { "/" } else { "" };
    format!("{folder}{}{slash}", escaped(name))
}

/// A name as a target has it: no space and nothing that a terminal obeys.
fn escaped(name: &str) -> String {
    let mut target = String::new();
    for character in name.chars() {
        match character {
            '\0'..=' ' | '\x7f' | '%' | '?' | '#' => target += &format!("%{:02X}", u32::from(character)),
            other => target.push(other),
        }
    }
    target
}

/// A text without characters that a terminal obeys.
fn shown(text: &str) -> String {
    imds_host::shown::lines(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_listing_has_a_path() {
        for (folder, name, path) in [
            ("/", "latest", "/latest/"),
            ("/latest/", "meta-data", "/latest/meta-data/"),
            ("/latest/", "user-data", "/latest/user-data"),
            ("/latest/meta-data/", "ami-id", "/latest/meta-data/ami-id"),
            ("/latest/meta-data/", "iam/", "/latest/meta-data/iam/"),
            ("/latest/meta-data/public-keys/", "0=my key", "/latest/meta-data/public-keys/0/"),
            ("/latest/meta-data/tags/instance/", "a b%", "/latest/meta-data/tags/instance/a%20b%25"),
        ] {
            assert_eq!(path_of(folder, name), path);
        }
    }

    #[test]
    fn an_item_of_several_lines_stands_below_its_name() {
        let mut text = String::new();
        leaf("one", b"a\x1b[2J", "- ", "  ", &mut text);
        leaf("two", b"a\n\nb\n", "- ", "  ", &mut text);
        leaf("bytes", b"\xff", "- ", "  ", &mut text);
        leaf("nothing", b"", "- ", "  ", &mut text);
        assert_eq!(text, "- one: a\\u{1b}[2J\n- two\n    a\n\n    b\n- bytes: 1 bytes\n- nothing:\n");
    }
}
