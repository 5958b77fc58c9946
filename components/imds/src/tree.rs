//! The tree of entries below a version: look up, list.
//!
//! A folder exists where something in it does: in this version, at this time.
//! So nothing is ever listed that does not answer.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::categories::Signature;
use crate::credentials::{InfoDocument, RoleCredentials, Rotation};
use crate::http::answer::MediaType;
use crate::instance::Signatures;
use crate::refreshes::Refreshes;
use crate::time::Time;
use crate::version::Version;

/// Entries sorted by name.
#[derive(Default)]
pub struct Folder {
    entries: Vec<Entry>,
    /// What is known of it once all its entries are there.
    settled: Option<Settled>,
    /// When its listing is published anew, where that is not only at launch.
    refreshed: Option<Box<Rotation>>,
}

struct Settled {
    lists_in_order: bool,
    /// Whether the same is there at all times. Then the listing of the newest version,
    /// for which nearly all ask, is made once.
    is_timeless: bool,
    newest: OnceLock<String>,
}

struct Entry {
    /// The first bytes of the name: nearly all names differ in them, and to compare
    /// them takes two steps.
    begin: u128,
    name: String,
    /// How a listing shows the entry, where that is not its name (and a slash
    /// for a folder).
    label: Option<String>,
    node: Node,
}

impl Entry {
    /// How a listing shows it: a name, and a slash behind that of a folder.
    fn line(&self) -> (&str, &str) {
        match (&self.label, &self.node) {
            (Some(label), _) => (label, ""),
            (None, Node::Leaf(_)) => (&self.name, ""),
            (None, Node::Folder(_)) => (&self.name, "/"),
        }
    }
}

/// A folder or a leaf.
pub enum Node {
    /// Lists what is in it.
    Folder(Folder),
    /// Has content.
    Leaf(Leaf),
}

/// An item of the service.
pub struct Leaf {
    /// The first version that shows it.
    pub since: Version,
    /// What it shows.
    pub content: Content,
}

/// What a leaf shows.
pub enum Content {
    /// The same text at all times.
    Text(String),
    /// User data: the one item that is not `text/plain`.
    UserData(crate::facts::UserData),
    /// A text that is published anew with every refresh.
    Refreshed(Refreshes, String),
    /// A text that is there from a time on.
    From(Time, String),
    /// `iam/info` and its like, whose update time moves.
    Info(InfoDocument),
    /// Credentials, which are replaced as time goes on.
    Credentials(Box<RoleCredentials>),
    /// A signature that the shell makes, published with the document that it signs.
    Unsigned(Signature, Refreshes),
}

/// In which version, when, and with a token or without: all that an item's
/// answer can depend on besides the instance.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The version asked for.
    pub version: Version,
    /// The time.
    pub now: Time,
    /// Whether the request carried a valid session token.
    pub with_token: bool,
}

impl Folder {
    /// Puts a leaf at `path`, names separated by `/`, and makes the folders on
    /// the way. Whatever stood there is replaced.
    ///
    /// Fails where a leaf is in the way of a folder or a folder in that of the
    /// leaf, with the path of what is in the way.
    pub fn put(&mut self, path: &str, leaf: Leaf) -> Result<(), String> {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let under = |in_the_way: String| format!("{name}/{in_the_way}");
        let index = match self.find(name) {
            Ok(index) => index,
            Err(index) => {
                let node = Node::Folder(Folder::default());
                let begin = begin(name);
                self.entries.insert(index, Entry { begin, name: name.to_owned(), label: None, node });
                index
            }
        };
        match (rest, &mut self.entries[index].node) {
            (Some(rest), Node::Folder(folder)) => folder.put(rest, leaf).map_err(under),
            (Some(_), Node::Leaf(_)) => Err(name.to_owned()),
            (None, Node::Folder(folder)) if !folder.entries.is_empty() => Err(name.to_owned()),
            (None, node) => {
                *node = Node::Leaf(leaf);
                Ok(())
            }
        }
    }

    /// Lets listings show the entry at `path` as `label`, if there is one.
    pub fn label(&mut self, path: &str, label: &str) {
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let Ok(index) = self.find(name) else { return };
        let entry = &mut self.entries[index];
        match (rest, &mut entry.node) {
            (None, _) => entry.label = Some(label.to_owned()),
            (Some(rest), Node::Folder(folder)) => folder.label(rest, label),
            (Some(_), Node::Leaf(_)) => {}
        }
    }

    /// Lets the listing of the folder at `path`, if there is one, be published with
    /// the credentials that it lists and with every refresh.
    pub fn refreshed(&mut self, path: &str, rotation: Rotation) {
        let folder = path.split('/').try_fold(self, |folder, name| {
            let index = folder.find(name).ok()?;
            match &mut folder.entries[index].node {
                Node::Folder(folder) => Some(folder),
                Node::Leaf(_) => None,
            }
        });
        if let Some(folder) = folder {
            folder.refreshed = Some(Box::new(rotation));
        }
    }

    /// When the listing was last published, if that was not at launch.
    pub fn modified(&self, now: Time) -> Option<Time> {
        self.refreshed.as_ref().map(|rotation| rotation.list_published(now))
    }

    /// What is in the way of a leaf at `path`: a leaf on the way, or a folder there.
    pub fn in_the_way(&self, path: &str) -> Option<String> {
        let mut folder = self;
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for (name, end) in path.split('/').zip(ends) {
            match &folder.entries[folder.find(name).ok()?].node {
                Node::Leaf(_) => return (end < path.len()).then(|| path[..end].to_owned()),
                Node::Folder(found) => folder = found,
            }
        }
        Some(path.to_owned())
    }

    /// What there is of `path`: all of it, or what leads to the nearest folder.
    pub fn nearest<'p>(&self, path: &'p str) -> &'p str {
        let mut folder = self;
        let mut there = 0;
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for (name, end) in path.split('/').zip(ends) {
            let Ok(index) = folder.find(name) else { break };
            there = end;
            match &folder.entries[index].node {
                Node::Folder(found) => folder = found,
                Node::Leaf(_) => break,
            }
        }
        &path[..there]
    }

    /// The first version that shows what stands at `path`, or the nearest folder
    /// above it.
    pub fn since(&self, path: &str) -> Option<Version> {
        let mut folder = self;
        let mut nearest = None;
        for name in path.split('/') {
            let Ok(index) = folder.find(name) else { break };
            let node = &folder.entries[index].node;
            nearest = Some(node);
            match node {
                Node::Folder(found) => folder = found,
                Node::Leaf(_) => break,
            }
        }
        nearest?.since()
    }

    /// What stands at a path, in any version and at any time.
    pub fn look_up<'p>(&self, path: impl Iterator<Item = &'p str>) -> Option<&Node> {
        let mut folder = Some(self);
        let mut node = None;
        for name in path {
            // Below a leaf there is nothing.
            let entries = &folder?.entries;
            let found = &entries[folder?.find(name).ok()?].node;
            folder = match found {
                Node::Folder(folder) => Some(folder),
                Node::Leaf(_) => None,
            };
            node = Some(found);
        }
        node
    }

    /// The names shown in `view`, one a line and in the order of their bytes,
    /// without a last line end; none where nothing is to be shown.
    pub fn listing(&self, view: View) -> Option<Cow<'_, str>> {
        match &self.settled {
            Some(Settled { is_timeless: true, newest, .. }) if view.version == Version::LATEST => {
                let listing = newest.get_or_init(|| self.made_listing(view));
                (!listing.is_empty()).then_some(listing.into())
            }
            _ => Some(self.made_listing(view)).filter(|listing| !listing.is_empty()).map(Cow::from),
        }
    }

    fn made_listing(&self, view: View) -> String {
        let mut listing = String::new();
        for entry in self.entries.iter().filter(|entry| entry.node.is_shown(view)) {
            if !listing.is_empty() {
                listing.push('\n');
            }
            let (name, end) = entry.line();
            listing.push_str(name);
            listing.push_str(end);
        }
        if !self.settled.as_ref().is_some_and(|settled| settled.lists_in_order) {
            let mut lines: Vec<&str> = listing.split('\n').collect();
            lines.sort_unstable();
            listing = lines.join("\n");
        }
        listing
    }

    /// Notes which folders list their entries in the order in which they are kept,
    /// that of their names: a slash or a label makes a difference between such as
    /// `a-b` and `a/`, which is rare. Until then each listing is sorted.
    ///
    /// Says whether the same is there at all times.
    pub fn settle(&mut self) -> bool {
        let line = |entry| {
            let (name, end) = Entry::line(entry);
            name.bytes().chain(end.bytes())
        };
        let lists_in_order = self.entries.windows(2).all(|two| line(&two[0]).le(line(&two[1])));
        let mut is_timeless = true;
        for entry in &mut self.entries {
            is_timeless &= match &mut entry.node {
                Node::Folder(folder) => folder.settle(),
                Node::Leaf(leaf) => leaf.content.is_timeless(),
            };
        }
        self.settled = Some(Settled { lists_in_order, is_timeless, newest: OnceLock::new() });
        is_timeless
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        let begins = begin(name);
        self.entries.binary_search_by(|entry| {
            // Names have no NUL, which stands for what a short one has not.
            entry.begin.cmp(&begins).then_with(|| {
                if name.len() <= BEGIN && entry.name.len() <= BEGIN {
                    return entry.name.len().cmp(&name.len());
                }
                entry.name.as_str().cmp(name)
            })
        })
    }
}

/// As many bytes as are compared in two steps.
const BEGIN: usize = 16;

/// The first bytes of a name as a number, in the order of names.
fn begin(name: &str) -> u128 {
    let mut bytes = [0; BEGIN];
    match name.as_bytes().first_chunk() {
        Some(first) => bytes = *first,
        None => bytes[..name.len()].copy_from_slice(name.as_bytes()),
    }
    u128::from_be_bytes(bytes)
}

impl Node {
    /// The first version that shows it.
    fn since(&self) -> Option<Version> {
        match self {
            Node::Leaf(leaf) => Some(leaf.since),
            Node::Folder(folder) => folder.entries.iter().filter_map(|entry| entry.node.since()).min(),
        }
    }

    /// Whether listings in `view` show it, which is whether it answers there.
    pub fn is_shown(&self, view: View) -> bool {
        match self {
            Node::Folder(folder) => folder.entries.iter().any(|entry| entry.node.is_shown(view)),
            Node::Leaf(leaf) => leaf.since <= view.version && leaf.content.is_there(view.now),
        }
    }
}

impl Content {
    fn is_timeless(&self) -> bool {
        self.from() == Time::EPOCH
    }

    fn is_there(&self, now: Time) -> bool {
        self.from() <= now
    }

    /// From when on it is there.
    fn from(&self) -> Time {
        match self {
            Content::From(time, _) => *time,
            Content::Info(info) => info.from,
            Content::Credentials(credentials) => credentials.from,
            Content::Text(_) | Content::Refreshed(..) | Content::UserData(_) | Content::Unsigned(..) => Time::EPOCH,
        }
    }

    /// The bytes of the item; none for a signature that is not among `signatures`.
    pub fn body(&self, view: View, signatures: Option<&Signatures>) -> Option<Cow<'_, [u8]>> {
        Some(match self {
            Content::Text(text) | Content::Refreshed(_, text) | Content::From(_, text) => text.as_bytes().into(),
            Content::UserData(data) => data.0.as_slice().into(),
            Content::Info(info) => info.document(view.now).into_bytes().into(),
            Content::Credentials(credentials) => credentials.document(view.now, view.with_token).into_bytes().into(),
            Content::Unsigned(kind, _) => kind.of(signatures?).into_bytes().into(),
        })
    }

    /// When the item was last published, if that was not at launch.
    pub fn modified(&self, view: View) -> Option<Time> {
        match self {
            Content::Text(_) | Content::UserData(_) => None,
            Content::Refreshed(refreshes, _) | Content::Unsigned(_, refreshes) => Some(refreshes.last(view.now)),
            Content::From(time, _) => Some(*time),
            Content::Info(info) => Some(info.published(view.now)),
            Content::Credentials(credentials) => Some(credentials.published(view.now, view.with_token)),
        }
    }

    /// The `Content-Type`: `text/plain` for all but user data, JSON included.
    pub fn media_type(&self) -> MediaType {
        match self {
            Content::UserData(_) => MediaType::Binary,
            Content::Text(_)
            | Content::Refreshed(..)
            | Content::From(..)
            | Content::Info(_)
            | Content::Credentials(_)
            | Content::Unsigned(..) => MediaType::Text,
        }
    }
}
