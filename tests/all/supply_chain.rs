//! What the project is made of, by what cargo says of the lock file: no network
//! and no other program is needed. Which crates have known weaknesses, only
//! `cargo deny` can say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::shell::workspace;

/// All packages for this machine and for the components.
static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let rustc = printed(Command::new("rustc").arg("-vV"));
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc tells its host");
    let mut cargo = cargo();
    cargo.args(["metadata", "--locked", "--format-version", "1"]);
    for platform in [host, "wasm32-unknown-unknown", "wasm32-wasip2"] {
        cargo.args(["--filter-platform", platform]);
    }
    serde_json::from_str(&printed(&mut cargo)).expect("cargo prints JSON")
});

/// What is allowed.
static DENY: LazyLock<toml::Table> = LazyLock::new(|| read(&workspace().join("deny.toml")).parse().expect("TOML"));

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace());
    cargo
}

fn printed(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn packages() -> impl Iterator<Item = &'static Value> {
    list(&METADATA["packages"])
}

/// The project's own.
fn members() -> impl Iterator<Item = &'static Value> {
    packages().filter(|package| list(&METADATA["workspace_members"]).any(|member| *member == package["id"]))
}

fn texts(list: &toml::Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(toml::Value::as_str).collect()
}

#[test]
fn every_licence_is_one_that_is_allowed() {
    let allowed = texts(&DENY["licenses"]["allow"]);
    let mut needed = BTreeSet::new();
    for package in packages() {
        let licence = text(&package["license"]);
        let taken = choose(licence, &allowed);
        let taken = taken.unwrap_or_else(|| panic!("{} has the licence {licence:?}", package["name"]));
        needed.extend(taken);
    }
    let unneeded: Vec<_> = allowed.iter().filter(|licence| !needed.contains(**licence)).collect();
    assert!(unneeded.is_empty(), "deny.toml allows what nothing has: {unneeded:?}");
}

#[test]
fn expressions_of_licences_are_read_as_spdx_says() {
    let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"];
    for (expression, is_allowed) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 / MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Apache-2.0", true),
        ("MIT OR GPL-3.0 AND GPL-2.0", true),
        ("(MIT OR GPL-3.0) AND GPL-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("MIT OR", false),
        ("(MIT", false),
        ("", false),
    ] {
        assert_eq!(choose(expression, &allowed).is_some(), is_allowed, "{expression:?}");
    }
}

/// The licences of an expression by which all of it is allowed, if there are.
fn choose(expression: &str, allowed: &[&str]) -> Option<Vec<String>> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let chosen = any(&mut words, allowed).ok()?;
    chosen.filter(|_| words.next().is_none())
}

type Words<'t> = std::iter::Peekable<std::str::SplitWhitespace<'t>>;
/// What was chosen, if anything is allowed; an error where it is no expression.
type Chosen = Result<Option<Vec<String>>, ()>;

fn any(words: &mut Words<'_>, allowed: &[&str]) -> Chosen {
    let mut chosen = every(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        let other = every(words, allowed)?;
        chosen = chosen.or(other);
    }
    Ok(chosen)
}

fn every(words: &mut Words<'_>, allowed: &[&str]) -> Chosen {
    let mut chosen = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        let other = one(words, allowed)?;
        chosen = chosen.zip(other).map(|(chosen, other)| [chosen, other].concat());
    }
    Ok(chosen)
}

fn one(words: &mut Words<'_>, allowed: &[&str]) -> Chosen {
    let mut licence = match words.next().ok_or(())? {
        "(" => {
            let chosen = any(words, allowed)?;
            return words.next_if_eq(&")").map(|_| chosen).ok_or(());
        }
        ")" | "AND" | "OR" | "WITH" => return Err(()),
        licence => licence.to_owned(),
    };
    if words.next_if_eq(&"WITH").is_some() {
        licence = format!("{licence} WITH {}", words.next().ok_or(())?);
    }
    Ok(allowed.contains(&licence.as_str()).then(|| vec![licence]))
}

#[test]
fn everything_comes_from_the_one_registry_or_from_here() {
    let registries = texts(&DENY["sources"]["allow-registry"]);
    let is_ours = |package: &Value| members().any(|member| member["id"] == package["id"]);
    for package in packages() {
        let source = text(&package["source"]);
        let is_known = source.strip_prefix("registry+").is_some_and(|registry| registries.contains(&registry));
        assert!(is_known || is_ours(package), "{} comes from {source:?}", package["name"]);
    }
}

#[test]
fn what_is_banned_or_heavy_is_not_there_or_once() {
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages() {
        *versions.entry(text(&package["name"])).or_default() += 1;
    }
    for ban in DENY["bans"]["deny"].as_array().expect("a list") {
        let name = ban["crate"].as_str().expect("a name");
        let once = ban.get("deny-multiple-versions").is_some();
        let count = versions.get(name).copied().unwrap_or_default();
        assert_eq!(count, usize::from(once), "versions of {name}");
    }
}

#[test]
fn of_heavy_crates_only_what_is_used_is_built() {
    let nodes: Vec<_> = list(&METADATA["resolve"]["nodes"]).collect();
    for rule in DENY["bans"]["features"].as_array().expect("a list") {
        let name = rule["crate"].as_str().expect("a name");
        let package = packages().find(|package| package["name"] == name).expect("what has a rule is there");
        let node = nodes.iter().find(|node| node["id"] == package["id"]).expect("it is built");
        for denied in texts(&rule["deny"]) {
            assert!(!list(&node["features"]).any(|feature| feature == denied), "{name} has the feature {denied}");
        }
    }
}

/// A name that no line of code has is a dependency for nothing. What a check of
/// names cannot see is listed under `package.metadata.cargo-machete`, where the
/// program of that name looks too.
#[test]
fn every_dependency_is_used() {
    for member in members() {
        let code: String = list(&member["targets"]).flat_map(|target| code_of(text(&target["src_path"]))).collect();
        let ignored = &member["metadata"]["cargo-machete"]["ignored"];
        for dependency in list(&member["dependencies"]) {
            let name = dependency["rename"].as_str().unwrap_or(text(&dependency["name"]));
            let word = name.replace('-', "_");
            let is_used = has_word(&code, &word);
            let is_ignored = list(ignored).any(|ignored| ignored == name);
            assert!(is_used != is_ignored, "{}: {name} is {}used", member["name"], if is_used { "" } else { "not " });
        }
    }
}

/// The lines of code of a target: its file and the folder that belongs to it.
fn code_of(root: &str) -> Vec<String> {
    let root = PathBuf::from(root);
    let folder = match root.file_name().and_then(|name| name.to_str()) {
        Some("lib.rs" | "main.rs") => root.parent().expect("a file has a folder").to_owned(),
        _ => root.with_extension(""),
    };
    let mut code = Vec::new();
    let mut left = vec![root, folder];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.is_file() {
            let text = read(&path);
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            code.extend(lines.map(|line| line.to_owned() + "\n"));
        }
    }
    code
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let after = text[at + word.len()..].chars().next();
        !text[..at].chars().next_back().is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn the_docs_tell_how_many_crates_there_are() {
    let docs = read(&workspace().join("docs/supply-chain.md"));
    for (features, what) in [
        ("tls", "the program `imds`"),
        ("serve", "the library `imds-host` with `serve` alone"),
        ("", "the library `imds-host` without features"),
    ] {
        let mut cargo = cargo();
        cargo.args(["tree", "--package", "imds-host", "--no-default-features", "--features", features]);
        // The same figure on every machine.
        cargo.args(["--edges", "normal", "--prefix", "none", "--locked", "--target", "x86_64-unknown-linux-gnu"]);
        let tree = printed(&mut cargo);
        let crates: BTreeSet<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        // One is its own.
        let line = format!("| {what} | {} |", crates.len() - 1);
        assert!(docs.contains(&line), "docs/supply-chain.md lacks: {line}");
        // What waits, and what reads a command line, is left to those who want it.
        for (name, feature) in [("hyper", "serve"), ("tokio", "serve"), ("clap", "tls")] {
            let is_there = crates.iter().any(|line| line.starts_with(&format!("{name} v")));
            assert_eq!(is_there, features == feature || features == "tls", "{name}, with the features {features:?}");
        }
    }
}
