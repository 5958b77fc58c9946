//! The two forms of a description.

use std::path::Path;

use crate::description::document::Node;
use crate::problem::Problem;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Toml,
    Json,
}

impl Form {
    /// By the end of the name, else by the first character.
    pub(super) fn of(name: &str, text: &str) -> Self {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Self::Json,
            Some("toml") => Self::Toml,
            _ if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') => Self::Json,
            _ => Self::Toml,
        }
    }

    /// Fails with the first problems of the text.
    pub(super) fn read(self, text: &str) -> Result<Node, Vec<Problem>> {
        match self {
            Self::Toml => Node::from_toml(text),
            Self::Json => Node::from_json(text),
        }
    }

    /// The component speaks of a description as JSON.
    pub(super) fn put_in_its_words(self, problem: &mut Problem) {
        match self {
            Self::Toml => put_in_words_of_toml(problem),
            Self::Json => put_in_words_of_json(problem),
        }
    }
}

fn put_in_words_of_toml(problem: &mut Problem) {
    // Not in what follows: a message may end with words of the text.
    if let Some(kinds) = problem.message.strip_prefix("expected ") {
        problem.message = format!("expected {}", kinds.replace("an object", "a table"));
    }
}

/// Its advice about TOML comes last.
fn put_in_words_of_json(problem: &mut Problem) {
    if let Some((before, _)) = problem.help.as_deref().and_then(|help| help.split_once("in TOML")) {
        let before = before.trim_end_matches([':', ',', ' ']).to_owned();
        problem.help = Some(before).filter(|before| !before.is_empty());
    }
}
