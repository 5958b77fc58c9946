//! The rooms of `host/src`, its folders: which uses which.
//!
//! A room may use those that stand for it in [`ROOMS`] and no other, so that none
//! needs, by whatever way round, one that needs it. Unit tests and what documentation
//! shows are free: they show a part among the others.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, File, ItemMod, ItemUse, Macro, UseTree, VisRestricted};

use crate::shell::workspace;

/// Each room, and those that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("redact", &[]),
    ("error", &["redact"]),
    ("description", &["error", "redact"]),
    ("identity", &["error", "redact"]),
    ("engine", &["description", "error", "identity", "redact"]),
    ("observe", &["engine", "error", "redact"]),
    ("serve", &["engine", "error", "observe"]),
    ("credentials", &["description", "error", "redact"]),
    ("control", &["credentials", "description", "engine", "error", "identity", "observe", "serve"]),
    ("ec2", &["control", "description", "engine", "error", "redact"]),
    ("probe", &["engine", "redact"]),
    ("conform", &["engine", "probe", "redact"]),
    ("capture", &["description", "engine", "error", "identity", "probe", "redact"]),
    ("testing", &["control", "description", "engine", "error", "observe", "redact", "serve"]),
    // The program: it has the library's public names alone, and nothing has its.
    ("cli", &[]),
];

/// What the crate and the program show of the rooms, and no room themselves.
const ROOTS: [&str; 2] = ["lib.rs", "main.rs"];

#[test]
fn each_room_uses_only_those_that_it_may() {
    let root = workspace().join("host/src");
    let mut rooms = BTreeSet::new();
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let module = module(file.strip_prefix(&root).expect("it lies there"));
        let source = std::fs::read_to_string(&file).expect("it can be read");
        let room = room(&module[0]);
        rooms.insert(room.to_owned());
        let forbidden = forbidden(ROOMS, &module, &source);
        wrong.extend(forbidden.iter().map(|other| format!("{room} uses {other}: {}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let known: BTreeSet<_> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, known, "the folders, and the rooms that are known");
}

#[test]
fn no_room_needs_one_that_needs_it() {
    assert_eq!(in_circles(ROOMS), BTreeSet::new());
}

#[test]
fn a_circle_is_found() {
    let table: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a", "c"]), ("c", &["d"]), ("d", &["b"]), ("e", &["e"])];
    assert_eq!(in_circles(table), BTreeSet::from(["b", "c", "d", "e"]));
    // Nor may a room use one that the table does not have.
    assert_eq!(in_circles(&[("a", &["b"])]), BTreeSet::from(["a"]));
}

#[test]
fn an_arrow_that_is_not_allowed_is_found_however_it_is_written() {
    for (source, found) in [
        ("use crate::serve::Service;", "serve"),
        ("use crate::{error::Error, redact, control::{clock::{self, VirtualClock}, Fleet}};", "control"),
        ("use crate::serve as listener;", "serve"),
        ("use super::super::serve::Service;", "serve"),
        ("use super::super::{serve, description};", "serve"),
        ("pub(crate) use self::super::super::serve::*;", "serve"),
        ("fn of(service: &crate::serve::Service) {}", "serve"),
        ("fn of() { super::super::serve::serve() }", "serve"),
        ("fn of() { println!(\"{}\", crate::serve::PLACES) }", "serve"),
        ("mod inner { use super::super::super::serve::Service; }", "serve"),
        ("use imds_host::Service;", "imds_host"),
        // What the root shows has a room, and that is to be named.
        ("use crate::Service;", "Service"),
        ("use crate::*;", "*"),
    ] {
        let module = ["engine", "worker"].map(str::to_owned);
        assert_eq!(forbidden(ROOMS, &module, source), BTreeSet::from([found.to_owned()]), "{source}");
    }
}

#[test]
fn arrows_that_are_allowed_and_those_of_tests_are_none_to_complain_of() {
    let source = "
        //! See [`serve`](crate::serve).
        use super::instance::Instance;
        use crate::engine::recent::Recent;
        use crate::problem::Problem;
        use super::super::redact;
        /// For [`crate::control`].
        pub(crate) fn check(error: crate::error::Error) { std::mem::drop(error) }
        mod inner { use super::super::message; }
        #[cfg(test)]
        use crate::serve::Service;
        #[cfg(test)]
        mod tests { use crate::control::Fleet; }
        #[cfg(all(test, unix))]
        mod unix { use crate::control::Fleet; }
    ";
    let module = ["engine", "worker"].map(str::to_owned);
    assert_eq!(forbidden(ROOMS, &module, source), BTreeSet::new());
}

/// A file that is longer has more than one job.
const LINES_MAX: usize = 400;

#[test]
fn no_file_is_too_long() {
    let mut folders = vec![workspace().join("host/src")];
    for component in std::fs::read_dir(workspace().join("components")).expect("a folder") {
        folders.push(component.expect("an entry").path().join("src"));
    }
    let (mut files, mut long) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        // Not all that lies beside the components is one.
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files += 1;
                let lines = std::fs::read_to_string(&path).expect("it can be read").lines().count();
                long.extend((lines > LINES_MAX).then(|| format!("{lines} lines: {}", path.display())));
            }
        }
    }
    assert!(files > 100, "{files} files");
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// The files of a folder and of those in it, without unit tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        if path.is_dir() && name != "tests" {
            files.extend(sources(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" && !ROOTS.contains(&name) {
            files.push(path);
        }
    }
    files
}

/// The module of a file, from the root.
fn module(file: &Path) -> Vec<String> {
    let names = file.with_extension("");
    let names = names.iter().map(|name| name.to_str().expect("a name in UTF-8").to_owned());
    names.filter(|name| name != "mod").collect()
}

/// The room of what stands in the root: `error` is two files, the others are folders.
fn room(name: &str) -> &str {
    if name == "problem" { "error" } else { name }
}

/// What a module uses of the crate and may not.
fn forbidden(table: &[(&str, &[&str])], module: &[String], source: &str) -> BTreeSet<String> {
    let own = room(&module[0]);
    let allowed = table.iter().find(|(room, _)| *room == own).map_or(&[][..], |(_, allowed)| *allowed);
    let file: File = syn::parse_str(source).expect("it is Rust");
    let mut arrows = Arrows { module: module.to_vec(), to: BTreeSet::new() };
    arrows.visit_file(&file);
    let other = arrows.to.into_iter().filter(|to| to != own && !allowed.contains(&to.as_str()));
    // Of the library, the program has what the root shows.
    other.filter(|to| !(own == "cli" && to == LIBRARY)).collect()
}

/// Rooms of a table in circles or behind them, or that use what is no room.
fn in_circles<'t>(table: &[(&'t str, &[&str])]) -> BTreeSet<&'t str> {
    let mut free = BTreeSet::new();
    // Each round frees those that use only free ones.
    for _ in table {
        let next = table.iter().filter(|(_, uses)| uses.iter().all(|used| free.contains(used)));
        free = next.map(|(room, _)| *room).collect();
    }
    table.iter().map(|(room, _)| *room).filter(|room| !free.contains(room)).collect()
}

/// The library by its name, as only the program and documentation have it.
const LIBRARY: &str = "imds_host";

/// The names in the root that a file's paths begin with.
struct Arrows {
    module: Vec<String>,
    to: BTreeSet<String>,
}

impl Arrows {
    fn add<'s>(&mut self, path: impl IntoIterator<Item = &'s str>) {
        let mut path = path.into_iter().skip_while(|name| *name == "self").peekable();
        let mut base = match path.peek() {
            Some(&"crate") => {
                path.next();
                Vec::new()
            }
            Some(&"super") => self.module.clone(),
            Some(&LIBRARY) => Vec::new(),
            // Within this module, or of another crate.
            _ => return,
        };
        while path.next_if_eq(&"super").is_some() {
            base.pop();
        }
        let first = base.into_iter().next().or_else(|| path.next().map(str::to_owned));
        self.to.insert(room(&first.unwrap_or_default()).to_owned());
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let mut path = before.to_vec();
        match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                return self.add_tree(&path, &tree.tree);
            }
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.add_tree(before, tree)),
            UseTree::Name(name) => path.push(name.ident.to_string()),
            UseTree::Rename(rename) => path.push(rename.ident.to_string()),
            UseTree::Glob(_) => path.push("*".to_owned()),
        }
        self.add(path.iter().map(String::as_str));
    }
}

impl<'s> Visit<'s> for Arrows {
    fn visit_item_use(&mut self, item: &'s ItemUse) {
        if !is_test(&item.attrs) {
            self.add_tree(&[], &item.tree);
        }
    }

    fn visit_item_mod(&mut self, item: &'s ItemMod) {
        if !is_test(&item.attrs) {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_path(&mut self, path: &'s syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(names.iter().map(String::as_str));
        visit::visit_path(self, path);
    }

    /// `pub(crate)` is no use of the crate.
    fn visit_vis_restricted(&mut self, _: &'s VisRestricted) {}

    /// What a macro gets is any text: whatever looks like a path counts.
    fn visit_macro(&mut self, item: &'s Macro) {
        let text = item.tokens.to_string().replace(" :: ", "::");
        for word in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':'))) {
            if word.contains("::") {
                self.add(word.split("::"));
            }
        }
        visit::visit_macro(self, item);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        let condition = attribute.meta.require_list().map(|list| list.tokens.to_string());
        attribute.path().is_ident("cfg")
            && condition.is_ok_and(|condition| condition.split(|c: char| !c.is_alphanumeric()).any(|w| w == "test"))
    };
    attributes.iter().any(is_test)
}
