// Everything that a service has, as a tree.

use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::super::print;
use super::client::Client;

/// Far deeper and more than the service has: what answers may be anything.
const DEPTH: usize = 16;
const ITEMS: usize = 10_000;

/// Prints what is below a path, with its values.
pub fn print(client: &Client, path: &str) -> anyhow::Result<ExitCode> {
    let folder = format!("{}/", path.trim_end_matches('/'));
    let mut text = format!("{folder}\n");
    let answer = client.ask("GET", &folder)?;
    if !answer.is_found() {
        print::to_stderr(&format!("imds: {folder}: {}\nhelp: --tree wants a path that lists", answer.status_line()));
        return Ok(ExitCode::FAILURE);
    }
    let mut left = ITEMS;
    grow(client, &folder, &answer.body, "", &mut left, &mut text)?;
    print::to_stdout(&text, "the tree")
}

/// Adds what a listing shows, each line behind `before`, `left` items at most.
fn grow(
    client: &Client,
    folder: &str,
    listing: &[u8],
    before: &str,
    left: &mut usize,
    text: &mut String,
) -> anyhow::Result<()> {
    if folder.matches('/').count() > DEPTH {
        bail!("{folder}: no service has folders as deep as this");
    }
    let listing = String::from_utf8_lossy(listing);
    let names: Vec<&str> = listing.lines().filter(|name| !name.is_empty()).collect();
    for (index, name) in names.iter().enumerate() {
        let is_last = index + 1 == names.len();
        let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        *left = left.checked_sub(1).with_context(|| format!("no service has more than {ITEMS} items"))?;
        let path = path_of(folder, name);
        let answer = client.ask("GET", &path)?;
        let shown = shown(name);
        if !answer.is_found() {
            *text += &format!("{before}{branch}{shown}: {}\n", answer.status_line());
        } else if path.ends_with('/') {
            *text += &format!("{before}{branch}{shown}\n");
            grow(client, &path, &answer.body, &format!("{before}{below}"), left, text)?;
        } else {
            leaf(&shown, &answer.body, &format!("{before}{branch}"), &format!("{before}{below}"), text);
        }
    }
    Ok(())
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
