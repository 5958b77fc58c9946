//! What a transcript shows below `latest`, by path.

use std::collections::BTreeMap;

use crate::capture::paths::split;
use crate::capture::transcript::{Answered, Transcript};

/// The items and listings of `latest`.
pub struct View<'t> {
    items: BTreeMap<String, &'t Answered>,
    folders: BTreeMap<String, &'t Answered>,
    /// Whether a request without a token was refused.
    pub needs_token: bool,
    /// The identity document.
    pub document: serde_json::Value,
}

impl<'t> View<'t> {
    pub fn of(transcript: &'t Transcript) -> Self {
        let mut view = Self {
            items: BTreeMap::new(),
            folders: BTreeMap::new(),
            needs_token: false,
            document: serde_json::Value::Null,
        };
        for exchange in transcript.exchanges.iter().filter(|exchange| exchange.request.method == "GET") {
            let answered = &exchange.response;
            let Some((_, path)) = split(&exchange.request.target).filter(|(version, _)| version == "latest") else {
                continue;
            };
            // The answer with a token comes first and takes precedence.
            match answered.status {
                200 if exchange.request.target.ends_with('/') => view.folders.entry(path).or_insert(answered),
                200 => view.items.entry(path).or_insert(answered),
                401 if exchange.request.fields.is_empty() => {
                    view.needs_token = true;
                    continue;
                }
                _ => continue,
            };
        }
        let document = view.text("dynamic/instance-identity/document").unwrap_or_default();
        view.document = serde_json::from_str(document).unwrap_or_default();
        view
    }

    /// The text of an item.
    pub fn text(&self, path: &str) -> Option<&'t str> {
        self.items.get(path)?.text()
    }

    /// The text of an item below `meta-data`, unless it is empty.
    pub fn meta(&self, path: &str) -> Option<&'t str> {
        self.text(&format!("meta-data/{path}")).filter(|text| !text.is_empty())
    }

    pub fn item(&self, path: &str) -> Option<&'t Answered> {
        self.items.get(path).copied()
    }

    pub fn has_folder(&self, path: &str) -> bool {
        self.folders.contains_key(path)
    }

    /// The names that a folder lists, without slashes.
    pub fn names(&self, folder: &str) -> impl Iterator<Item = &'t str> + use<'t> {
        let text = self.folders.get(folder).and_then(|answered| answered.text()).unwrap_or_default();
        text.split('\n').filter(|name| !name.is_empty()).map(|name| name.trim_end_matches('/'))
    }

    /// The lines of an item below `meta-data`.
    pub fn lines(&self, path: &str) -> impl Iterator<Item = &'t str> + use<'t> {
        self.meta(path).unwrap_or_default().split('\n').filter(|line| !line.is_empty())
    }

    /// A text of the identity document.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.document.get(name)?.as_str()
    }
}
