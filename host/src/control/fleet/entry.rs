use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::mem::size_of;

use crate::engine::Instance;

/// One of many instances. Until somebody asks for it, it is no more than its texts:
/// most of many rest.
pub(super) enum Entry {
    /// The JSON text of its description, and behind that its key, in one piece.
    Resting {
        texts: Box<str>,
        document_length: usize,
    },
    Awake(Instance),
}

/// Beside the texts, each takes so much, and again what the table leaves free.
const _: () = assert!(size_of::<Entry>() == 24);

impl Entry {
    pub(super) fn resting(document: &str, key: &str) -> Self {
        Self::Resting { texts: [document, key].concat().into(), document_length: document.len() }
    }

    /// The JSON text of its description.
    pub(super) fn document(&self) -> &str {
        match self {
            Self::Resting { texts, document_length } => &texts[..*document_length],
            Self::Awake(instance) => instance.document(),
        }
    }

    pub(super) fn key(&self) -> &str {
        match self {
            Self::Resting { texts, document_length } => &texts[*document_length..],
            Self::Awake(instance) => instance.scope().unwrap_or_default(),
        }
    }
}

// Entries are found by their keys.

impl Borrow<str> for Entry {
    fn borrow(&self) -> &str {
        self.key()
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}
