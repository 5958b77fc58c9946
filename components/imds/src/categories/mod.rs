//! Which path shows which fact, since which version: the categories of the
//! service.
//!
//! One line for each item; the dates are those of the first version that shows
//! it, recorded or documented. An item whose fact is missing is not there.
//! Source of paths and dates: the EC2 user guide, "Instance metadata
//! categories", and recordings of 2026-09.

mod dynamic;
mod iam;
mod meta_data;
mod network;

use std::collections::BTreeMap;

use crate::description::problem::{Problem, pointer_step, shown};
use crate::facts::Facts;
use crate::tree::{Content, Folder, Leaf};
use crate::version::Version;

pub use self::dynamic::{IdentityDocument, Signature};

/// Everything that the service has below a version. Where the shell signs
/// identity documents, signatures are there that are still to be made. The
/// problems are those of extra entries that are in the way of something.
pub fn tree(facts: &Facts, shell_signs: bool) -> (Folder, Vec<Problem>) {
    let mut shelf = Shelf { root: Folder::default() };
    meta_data::put(&mut shelf, facts);
    network::put(&mut shelf, facts);
    iam::put(&mut shelf, facts);
    dynamic::put(&mut shelf, facts, shell_signs);
    if let Some(data) = &facts.user_data {
        shelf.put("user-data", "1.0", Content::UserData(data.clone()));
    }
    // The names directly below a version are listed without a slash.
    shelf.root.label("meta-data", "meta-data");
    shelf.root.label("dynamic", "dynamic");
    let problems = shelf.extra_entries(facts);
    shelf.root.settle();
    (shelf.root, problems)
}

/// Takes the items of all categories.
struct Shelf {
    root: Folder,
}

impl Shelf {
    /// Puts an item at `path`, from the version of `date` on.
    fn put(&mut self, path: &str, date: &str, content: Content) {
        let leaf = Leaf { since: Version::since(date), content };
        // Fails only where an item lies below another, which no two categories do.
        let _in_the_way = self.root.put(path, leaf);
        debug_assert_eq!(_in_the_way, Ok(()));
    }

    /// Puts a text.
    fn text(&mut self, path: &str, date: &str, text: impl ToString) {
        self.put(path, date, Content::Text(text.to_string()));
    }

    /// Puts a text if there is one.
    fn optional(&mut self, path: &str, date: &str, text: Option<impl ToString>) {
        if let Some(text) = text {
            self.text(path, date, text);
        }
    }

    /// Puts several values, one a line, if there are any.
    fn lines<T: ToString>(&mut self, path: &str, date: &str, values: impl IntoIterator<Item = T>) {
        let lines: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        if !lines.is_empty() {
            self.text(path, date, lines.join("\n"));
        }
    }

    /// Puts an item of `latest` only, whose version nobody knows.
    fn latest(&mut self, path: &str, text: impl ToString) {
        let leaf = Leaf { since: Version::LATEST, content: Content::Text(text.to_string()) };
        let _in_the_way = self.root.put(path, leaf);
        debug_assert_eq!(_in_the_way, Ok(()));
    }

    /// Puts what the operator added, over what is there. An entry that replaces
    /// an item keeps its version; any other is there as long as the folder that
    /// it is put in. Entries for one version are looked at, not put, and last:
    /// none may hide a folder that another entry makes.
    fn extra_entries(&mut self, facts: &Facts) -> Vec<Problem> {
        let mut problems = Vec::new();
        // Entries below a folder leave its first version as it is, so that a folder
        // is searched for it once, however many they are and however deep.
        let mut since_of = BTreeMap::new();
        let (for_all, for_one) = facts.extra_entries.iter().partition::<Vec<_>, _>(|entry| entry.version.is_none());
        for entry in for_all.into_iter().chain(for_one) {
            let path = &entry.path;
            if is_like_a_key_pair(path) {
                let field = format!("/extra-entries{}", pointer_step(&entry.name));
                let message =
                    "in `public-keys/` a name with `=` lists a key pair, which answers under the number before it";
                problems.push(Problem { in_name: true, ..Problem::at(field, message) });
                continue;
            }
            let in_the_way = match entry.version {
                Some(_) => self.root.in_the_way(path),
                None => {
                    let since = match self.root.nearest(path) {
                        nearest if nearest == path => self.root.since(path),
                        nearest => *since_of.entry(nearest).or_insert_with(|| self.root.since(path)),
                    };
                    let since = since.unwrap_or(Version::since("1.0"));
                    let leaf = Leaf { since, content: Content::Text(entry.text.clone()) };
                    self.root.put(path, leaf).err()
                }
            };
            if let Some(in_the_way) = in_the_way {
                let field = format!("/extra-entries{}", pointer_step(&entry.name));
                let message = match in_the_way == *path {
                    true => format!("`{}` is a folder, an entry cannot replace it", shown(path)),
                    false => format!("`{}` is an item, nothing can be below it", shown(&in_the_way)),
                };
                problems.push(Problem { in_name: true, ..Problem::at(field, message) });
            }
        }
        problems
    }
}

/// Whether listings would show an entry as they show a key pair, `0=my-key`,
/// which clients then look for in the folder `0/`.
fn is_like_a_key_pair(path: &str) -> bool {
    let name = path.strip_prefix("meta-data/public-keys/").and_then(|path| path.split('/').next());
    name.is_some_and(|name| name.contains('='))
}
