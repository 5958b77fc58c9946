//! What an instance is between two changes of its description.
//!
//! Opening an instance checks every phase; the tree of paths of a phase is built
//! when the first request finds the phase in force. So an instance with many
//! changes to come opens in the time that their checks take, and one with none
//! is not built before somebody asks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use crate::categories;
use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::description::value::Ipv6Block;
use crate::description::{Description, NetworkInterface};
use crate::facts::{Facts, Interface};
use crate::http::answer::{MediaType, Reply};
use crate::http::target::Target;
use crate::instance::Signatures;
use crate::outcome::Outcome;
use crate::time::Time;
use crate::timeline::{Chapter, Timeline};
use crate::tree::{Folder, Node, View};
use crate::version::{DATED, Version};

/// What an instance is from when on, in the order of time; never empty.
pub struct Phases {
    list: Vec<Phase>,
}

/// What an instance is from a time on, until the next phase.
pub struct Phase {
    /// Since when it is.
    pub since: Time,
    /// What the description means then.
    pub facts: Facts,
    shell_signs: bool,
    shown: OnceLock<Shown>,
}

/// What a phase shows below a version.
struct Shown {
    tree: Folder,
    /// Entries that the operator added to one version, by version and path.
    version_entries: BTreeMap<(Version, String), String>,
}

/// The rules of a description that depend on who opens it.
#[derive(Clone, Copy, Default)]
pub struct Terms<'t> {
    /// What an instance is made from that does not say who it is.
    pub scope: Option<&'t str>,
    /// Whether the shell can sign identity documents.
    pub shell_signs: bool,
}

impl Phases {
    /// The phases of a description. Fails with everything that is wrong with any
    /// of them.
    pub fn open(document: Json, terms: Terms<'_>) -> Result<Phases, Vec<Problem>> {
        let mut interfaces = None;
        let mut derived = Derived::default();
        let mut timeline = Timeline::read(document)?;
        // An id costs a hash, and only changes ask for it.
        if !timeline.changes.is_empty() {
            timeline = timeline.of_instance(terms.scope);
        }
        let (list, _) = timeline.chapters(|chapter| {
            let shared = interfaces.take().filter(|_| !chapter.network_changes);
            let description = Description::of_document(&chapter.document)?;
            derived.add(&description, shared.is_some())?;
            let phase = Phase::open(chapter, description, terms, shared)?;
            interfaces = Some(Arc::clone(&phase.facts.interfaces));
            Ok(phase)
        })?;
        Ok(Phases { list })
    }

    /// The phase in force at a time.
    pub fn at(&self, now: Time) -> &Phase {
        let begun = self.list.partition_point(|phase| phase.since <= now);
        // The first begins with the epoch.
        &self.list[begun.saturating_sub(1)]
    }

    /// The id of the instance, which is the same in all.
    pub fn instance_id(&self) -> &str {
        &self.list[0].facts.instance_id
    }

    /// All of them, in the order of time.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Phase> {
        self.list.iter()
    }
}

/// What has been derived for the phases so far. A few hundred bytes of text can ask
/// for a lot, so it is counted before it is derived.
#[derive(Default)]
struct Derived {
    phases: usize,
    network: usize,
    extra_entries: usize,
}

/// The most network interfaces, with their addresses, blocks and security groups:
/// 128 interfaces with one group each, in 64 phases. No instance type has a
/// quarter of that at once.
const NETWORK_MAX: usize = 8192;

/// The most extra entries of up to four names: 16 phases of as many as a description
/// can have.
const EXTRA_ENTRIES_MAX: usize = 16_384;

impl Derived {
    /// Counts another phase, which may share the interfaces of the one before.
    fn add(&mut self, description: &Description, shares_network: bool) -> Result<(), Vec<Problem>> {
        if !shares_network {
            self.network += network_of(description);
        }
        self.extra_entries += extra_entries_of(description);
        let (field, found, max, what) = if self.network > NETWORK_MAX {
            let what = "network interfaces, addresses, blocks and security groups";
            ("/network-interfaces", self.network, NETWORK_MAX, what)
        } else if self.extra_entries > EXTRA_ENTRIES_MAX {
            ("/extra-entries", self.extra_entries, EXTRA_ENTRIES_MAX, "extra entries")
        } else {
            self.phases += 1;
            return Ok(());
        };
        Err(vec![match self.phases {
            0 => Problem::at(field, format!("expected at most {max} {what} in all, found {found}")),
            phases => {
                let message = format!("{phases} changes describe {found} {what} anew, and {max} are the most in all");
                let help = "describe fewer of them, or let fewer changes touch them";
                Problem::at("/timeline", message).help(help)
            }
        }])
    }
}

/// The extra entries of a description. Long paths make many folders, so that each
/// four names that no other path has count as an entry.
fn extra_entries_of(description: &Description) -> usize {
    let mut paths: Vec<&str> = description.extra_entries.0.iter().map(|(path, _)| path.as_str()).collect();
    paths.sort_unstable();
    let mut names = 0;
    let mut before = "";
    for path in &paths {
        let shared = path.split('/').zip(before.split('/')).take_while(|(name, other)| name == other).count();
        names += path.split('/').count() - shared;
        before = path;
    }
    paths.len().max(names / 4)
}

/// The interfaces of a description with all that each has, at most: an interface
/// shows the blocks that are stated on any other of its subnet and its VPC.
fn network_of(description: &Description) -> usize {
    let groups = description.security_groups.as_ref().map_or(1, Vec::len);
    let blocks = |blocks: &Option<Vec<Ipv6Block>>| blocks.as_ref().map_or(0, Vec::len);
    let of_interface = |interface: &NetworkInterface| {
        interface.groups.as_ref().map_or(groups, Vec::len)
            + interface.private_ip_addresses.as_ref().map_or(0, Vec::len)
            + interface.ipv6_addresses.len()
            + interface.ipv4_prefixes.len()
            + interface.ipv6_prefixes.len()
    };
    let stated = |interface: &NetworkInterface| {
        blocks(&interface.subnet_ipv6_cidr_blocks)
            + blocks(&interface.vpc_ipv6_cidr_blocks)
            + interface.vpc_ipv4_cidr_blocks.as_ref().map_or(0, Vec::len)
    };
    let interfaces = &description.network_interfaces;
    let shown = interfaces.iter().map(stated).max().unwrap_or_default() * interfaces.len();
    let stated: usize = interfaces.iter().map(stated).sum();
    interfaces.iter().map(of_interface).sum::<usize>().max(groups) + shown.max(stated)
}

impl Phase {
    /// What a chapter's document says.
    fn open(
        chapter: &Chapter,
        description: Description,
        terms: Terms<'_>,
        interfaces: Option<Arc<Vec<Interface>>>,
    ) -> Result<Phase, Vec<Problem>> {
        let facts = Facts::of(description, terms.scope, interfaces)?;
        let phase = Phase { since: chapter.since, facts, shell_signs: terms.shell_signs, shown: OnceLock::new() };
        // Whether an extra entry is in the way of an item, only the tree tells.
        match phase.facts.extra_entries.is_empty() {
            true => Ok(phase),
            false => phase.build().map(|shown| Phase { shown: shown.into(), ..phase }),
        }
    }

    fn build(&self) -> Result<Shown, Vec<Problem>> {
        let (tree, problems) = categories::tree(&self.facts, self.shell_signs);
        if !problems.is_empty() {
            return Err(problems);
        }
        let entries = self.facts.extra_entries.iter();
        let version_entries =
            entries.filter_map(|entry| Some(((entry.version?, entry.path.clone()), entry.text.clone()))).collect();
        Ok(Shown { tree, version_entries })
    }

    fn shown(&self) -> &Shown {
        self.shown.get_or_init(|| {
            // Only extra entries can contradict, and with any of them it was built before.
            let (tree, _) = categories::tree(&self.facts, self.shell_signs);
            Shown { tree, version_entries: BTreeMap::new() }
        })
    }

    /// The item or listing at a path, if the path is there.
    pub fn find(
        &self,
        target: &Target<'_>,
        now: Time,
        with_token: bool,
        signatures: Option<&Signatures>,
    ) -> Option<Result<Reply<'_>, Outcome>> {
        let launch_time = self.facts.launch_time;
        let text = |body, modified| Ok(Reply::Item { media_type: MediaType::Text, modified, body: bytes(body) });
        let mut segments = target.segments();
        let Some(version) = segments.next() else {
            return Some(text(VERSIONS.as_str().into(), launch_time));
        };
        let view = View { version: Version::named(version)?, now, with_token };
        let shown = self.shown();
        if let Some(body) = shown.version_entry(view.version, segments.clone()) {
            return Some(text(body.into(), launch_time));
        }
        let node = match segments.clone().next() {
            None => return shown.tree.listing(view).map(|listing| text(listing, launch_time)),
            Some(_) => shown.tree.look_up(segments)?,
        };
        match node {
            Node::Folder(folder) => {
                folder.listing(view).map(|listing| text(listing, folder.modified(now).unwrap_or(launch_time)))
            }
            Node::Leaf(_) if !node.is_shown(view) => None,
            Node::Leaf(leaf) => Some(match leaf.content.body(view, signatures) {
                None => Err(Outcome::SignaturesWanted),
                Some(body) => Ok(Reply::Item {
                    media_type: leaf.content.media_type(),
                    modified: leaf.content.modified(view).unwrap_or(launch_time),
                    body,
                }),
            }),
        }
    }
}

impl Phase {
    /// The item or listing at a path below `latest`, as a client with a token gets it;
    /// none where nothing is there, or a signature that nobody made.
    pub fn item(&self, path: &str, now: Time) -> Option<Cow<'_, [u8]>> {
        match self.find(&Target::below_latest(path), now, true, None)? {
            Ok(Reply::Item { body, .. }) => Some(body),
            Ok(_) | Err(_) => None,
        }
    }
}

/// The listing of `/`.
static VERSIONS: LazyLock<String> = LazyLock::new(|| format!("{}\nlatest", DATED.join("\n")));

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => text.as_bytes().into(),
        Cow::Owned(text) => text.into_bytes().into(),
    }
}

impl Shown {
    /// What the operator added to one version.
    ///
    /// DIFFERENCE: it answers and is not listed. For clients that ask an old
    /// version for what only newer ones have; those that crawl see EC2's lists.
    fn version_entry<'p>(&self, version: Version, path: impl Iterator<Item = &'p str>) -> Option<String> {
        if self.version_entries.is_empty() {
            return None;
        }
        let path: Vec<&str> = path.collect();
        self.version_entries.get(&(version, path.join("/"))).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::NOT_OF_THE_NETWORK;

    fn open(text: &str) -> Phases {
        let document = Json::parse(text).unwrap_or_else(|problem| panic!("{problem}"));
        Phases::open(document, Terms::default()).unwrap_or_else(|problems| panic!("{text}: {}", problems[0]))
    }

    /// A value for each field that has no say in the network.
    const VALUES: [(&str, &str); 22] = [
        ("auto-scaling", r#"{"target-lifecycle-state": "Standby"}"#),
        ("block-device-mappings", r#"[{"device-name": "/dev/sdf"}]"#),
        ("events", r#"[{"code": "instance-stop", "not-before": "2026-10-01T00:00:00Z"}]"#),
        ("extra-entries", r#"{"meta-data/x": "y"}"#),
        ("faults", r#"[{"kind": "refuse", "paths": ["/latest/user-data"]}]"#),
        ("hibernation-options", r#"{"configured": true}"#),
        ("iam-instance-profile", r#"{"name": "other"}"#),
        ("identity-signatures", r#"{"signature": "AAAA"}"#),
        ("instance-action", r#""shutdown""#),
        ("instance-lifecycle", r#""spot""#),
        ("key-pair", r#"{"key-name": "other"}"#),
        ("launch-time", r#""2026-09-30T00:00:00Z""#),
        ("managed-ssh-keys", r#"{"active-keys": {"ubuntu": "ssh-ed25519 AAAA"}}"#),
        ("metadata-options", r#"{"http-tokens": "required", "http-protocol-ipv6": "enabled"}"#),
        ("monitoring", r#""enabled""#),
        ("rebalance-recommendation", r#"false"#),
        ("request-throttle", r#"{"burst": 1}"#),
        ("spot-interruption", r#"false"#),
        ("state", r#""stopped""#),
        ("tags", r#"{"Name": "other"}"#),
        ("user-data", r#""other""#),
        ("user-data-base64", r#""AAAA""#),
    ];

    #[test]
    fn fields_that_are_not_of_the_network_leave_it_as_it_is() {
        assert_eq!(VALUES.map(|(name, _)| name), NOT_OF_THE_NETWORK);
        let before =
            open(r#"{"network-interfaces": [{}, {"private-ip-addresses": [{"private-ip-address": "10.1.0.9"}]}]}"#);
        for (name, value) in VALUES {
            let after = open(&format!(
                r#"{{"network-interfaces": [{{}}, {{"private-ip-addresses": [{{"private-ip-address": "10.1.0.9"}}]}}],
                    "{name}": {value}}}"#
            ));
            assert_eq!(before.list[0].facts.interfaces, after.list[0].facts.interfaces, "{name}");
        }
    }

    #[test]
    fn phases_share_the_network_until_it_changes() {
        let phases = open(
            r#"{"timeline": [{"at": "+1s", "tags": {"a": "b"}}, {"at": "+2s", "public-ip-address": "198.51.100.7"},
                             {"at": "+3s", "state": "stopped"}, {"at": "+4s", "state": "running"}]}"#,
        );
        let shared: Vec<bool> =
            phases.list.windows(2).map(|two| Arc::ptr_eq(&two[0].facts.interfaces, &two[1].facts.interfaces)).collect();
        // The start counts as one of the network: it may bring another public address.
        assert_eq!(shared, [true, false, true, false]);
    }

    #[test]
    fn nothing_is_built_before_somebody_asks() {
        let phases = open(r#"{"timeline": [{"at": "+1s", "tags": {"a": "b"}}]}"#);
        assert!(phases.iter().all(|phase| phase.shown.get().is_none()));
        let now = Time::from_ms(0);
        assert!(phases.at(now).find(&Target::parse("/latest/meta-data/"), now, false, None).is_some());
        let built: Vec<bool> = phases.iter().map(|phase| phase.shown.get().is_some()).collect();
        assert_eq!(built, [true, false]);
    }
}
