// The instances that are served: as files describe them; or under control, and then
// some are otherwise, some are gone, and some are in no file.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use imds_host::{
    CallerKey, Control, ControlledFleet, Description, Error, Fleet, Instances as _, Observer, Runtime, Service,
};
use sha2::{Digest, Sha256};

use super::super::control::NoFile;
use super::super::credentials::ManySources;
use super::super::options::Options;
use super::super::print::to_stderr;

pub enum Guests {
    Described(Fleet),
    Controlled(Controlled),
}

impl Guests {
    pub fn runtime(&self) -> &Runtime {
        match self {
            Self::Described(fleet) => fleet.runtime(),
            Self::Controlled(guests) => guests.fleet.runtime(),
        }
    }

    pub fn callers(&self) -> &CallerKey {
        match self {
            Self::Described(fleet) => fleet.callers(),
            Self::Controlled(guests) => guests.fleet.callers(),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Described(fleet) => fleet.len(),
            Self::Controlled(guests) => guests.fleet.len(),
        }
    }

    pub fn make_keys_ahead(&self) -> Result<(), Error> {
        match self {
            Self::Described(fleet) => fleet.make_keys_ahead(),
            Self::Controlled(guests) => guests.fleet.make_keys_ahead(),
        }
    }

    pub fn service(&self, clock: imds_host::VirtualClock, options: &Options, observer: impl Observer) -> Service {
        match self {
            Self::Described(fleet) => options.service(fleet.clone(), clock, observer),
            Self::Controlled(guests) => options.service(guests.fleet.clone(), clock, observer),
        }
    }
}

/// Instances that operators change, of which each file's text is known.
pub struct Controlled {
    pub fleet: ControlledFleet,
    files: Mutex<BTreeMap<String, File>>,
}

/// What a file said of an instance when it was read last.
struct File {
    digest: [u8; 32],
    /// The revision that it was then.
    revision: u64,
}

/// What became of the instances when the files were read again.
#[derive(Debug, Default, PartialEq)]
pub struct Reread {
    /// Those whose descriptions changed.
    replaced: Vec<String>,
    added: usize,
    removed: usize,
    /// Those whose descriptions are what they were, and that were edited.
    kept: Vec<String>,
}

/// More names nobody reads.
const NAMED_MAX: usize = 5;

impl Controlled {
    /// None of those described yet.
    pub fn new(fleet: ControlledFleet) -> Self {
        Self { fleet, files: Mutex::default() }
    }

    /// Makes the instances those that the files describe now. One whose description is
    /// what it was stays what it is: edited, or gone. One whose description is another
    /// is replaced, whatever edits there were. One that no file ever described stays.
    ///
    /// Those that are another get their credentials from their sources, which run.
    ///
    /// All of them were judged before.
    pub fn read_again(&self, described: BTreeMap<String, Description>, sources: &ManySources) -> Result<Reread, Error> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reread = Reread::default();
        let gone: Vec<_> = files.keys().filter(|key| !described.contains_key(*key)).cloned().collect();
        for key in gone {
            files.remove(&key);
            reread.removed += usize::from(self.fleet.remove(&key));
        }
        for (key, description) in described {
            let digest = digest(&description);
            let before = files.get(&key);
            let present = self.fleet.get(&key);
            let is_same = before.is_some_and(|before| before.digest == digest);
            let was_edited = |control: &Control| before.is_none_or(|before| before.revision != control.revision());
            let control = match present {
                Some(control) if is_same => {
                    if was_edited(&control) {
                        reread.kept.push(key);
                    }
                    continue;
                }
                // An operator removed it.
                None if is_same => continue,
                Some(control) => {
                    if was_edited(&control) {
                        to_stderr(&format!(
                            "imds: warning: the edits of {key} are gone, since its description changed"
                        ));
                    }
                    reread.replaced.push(key.clone());
                    control.replace(&description)?;
                    control
                }
                None => {
                    reread.added += 1;
                    self.fleet.insert(&key, &description)?
                }
            };
            sources.give_to_one(&control)?;
            let revision = control.revision();
            files.insert(key, File { digest, revision });
        }
        Ok(reread)
    }

    /// Makes one instance what its file says, whatever became of it.
    pub fn reset(
        &self,
        key: &str,
        mut described: BTreeMap<String, Description>,
        sources: &ManySources,
    ) -> anyhow::Result<()> {
        let description = described.remove(key).ok_or_else(|| NoFile(key.to_owned()))?;
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let control = match self.fleet.get(key) {
            Some(control) => {
                control.replace(&description)?;
                control
            }
            None => self.fleet.insert(key, &description)?,
        };
        sources.give_to_one(&control)?;
        let revision = control.revision();
        files.insert(key.to_owned(), File { digest: digest(&description), revision });
        Ok(())
    }
}

fn digest(description: &Description) -> [u8; 32] {
    Sha256::digest(description.to_json()).into()
}

/// In words, after how many instances there are.
impl std::fmt::Display for Reread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = |keys: &[String]| {
            let more = match keys.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("{}{more}", keys.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        let Self { replaced, added, removed, kept } = self;
        let mut parts = Vec::new();
        if *added > 0 {
            parts.push(format!("{added} added"));
        }
        if *removed > 0 {
            parts.push(format!("{removed} removed"));
        }
        if !replaced.is_empty() {
            parts.push(format!("{} replaced ({})", replaced.len(), named(replaced)));
        }
        if !kept.is_empty() {
            parts.push(format!("{} as edited ({})", kept.len(), named(kept)));
        }
        match parts.is_empty() {
            true => f.write_str("nothing changed"),
            false => f.write_str(&parts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(all: &[(&str, &str)]) -> BTreeMap<String, Description> {
        all.iter().map(|(key, toml)| ((*key).to_owned(), Description::from_toml(key, toml).unwrap())).collect()
    }

    fn guests() -> Controlled {
        Controlled::new(ControlledFleet::new(&Runtime::new().unwrap(), CallerKey::Host).unwrap())
    }

    fn name(guests: &Controlled, key: &str) -> Option<String> {
        let json = guests.fleet.get(key)?.description().unwrap().to_json();
        Some(serde_json::from_str::<serde_json::Value>(&json).unwrap()["tags"]["Name"].as_str()?.to_owned())
    }

    #[test]
    fn edits_stay_until_the_description_of_their_instance_changes() {
        let (guests, no_sources) = (guests(), ManySources::default());
        let change = |name: &str| Description::from_toml("change", &format!("tags = {{ Name = '{name}' }}")).unwrap();
        let first = described(&[("a", "tags = { Name = 'a' }"), ("b", "tags = { Name = 'b' }"), ("c", ""), ("d", "")]);
        assert_eq!(guests.read_again(first.clone(), &no_sources).unwrap().to_string(), "4 added");
        for key in ["a", "b"] {
            guests.fleet.get(key).unwrap().edit(&change("edited")).unwrap();
        }
        guests.fleet.insert("own", &change("own")).unwrap();
        guests.fleet.remove("c");
        assert_eq!(guests.read_again(first.clone(), &no_sources).unwrap().to_string(), "2 as edited (a, b)");
        let mut second = first.clone();
        second.insert("b".to_owned(), change("anew"));
        second.remove("d");
        let reread = guests.read_again(second.clone(), &no_sources).unwrap();
        assert_eq!(reread.to_string(), "1 removed, 1 replaced (b), 1 as edited (a)");
        assert_eq!(guests.fleet.keys(), ["a", "b", "own"]);
        let names = ["a", "b", "own"].map(|key| name(&guests, key).unwrap());
        assert_eq!(names, ["edited", "anew", "own"]);
        // The revision goes on, and with it the journal.
        assert_eq!(guests.fleet.get("b").unwrap().revision(), 3);
        // What was removed comes back with another description.
        second.insert("c".to_owned(), change("back"));
        assert_eq!(guests.read_again(second.clone(), &no_sources).unwrap().to_string(), "1 added, 1 as edited (a)");
        // And each by itself, as its file says.
        guests.reset("a", second.clone(), &no_sources).unwrap();
        assert_eq!(name(&guests, "a").as_deref(), Some("a"));
        guests.fleet.remove("b");
        guests.reset("b", second.clone(), &no_sources).unwrap();
        assert_eq!(name(&guests, "b").as_deref(), Some("anew"));
        assert!(guests.reset("own", second.clone(), &no_sources).unwrap_err().is::<NoFile>());
        assert_eq!(guests.read_again(second, &no_sources).unwrap().to_string(), "nothing changed");
    }
}
