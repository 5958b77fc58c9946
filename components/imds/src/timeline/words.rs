//! A change, as people are told of it.

use super::change::NOTICES;
use crate::description::field::KNOWN;
use crate::description::json::Json;
use crate::description::problem::shown;

/// A change in a few words, without what may be a secret: `tags.Name, state =
/// stopped`. Not the notices that it brings, which are told at their own times;
/// empty where nothing else changes.
pub fn in_words(change: &Json) -> String {
    let mut words = Vec::new();
    for (name, value) in change.fields() {
        if !(NOTICES.contains(&name.as_str()) && matches!(value, Json::Object(_))) {
            tell(value, shown(name), &mut words);
        }
    }
    let more = words.len().saturating_sub(WORDS_MAX);
    words.truncate(WORDS_MAX);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

/// More fields of one change are not told.
const WORDS_MAX: usize = 8;

/// Parts besides the secrets whose values are long, or that belong to secrets.
const UNTOLD: [&str; 5] = [
    "key-pair.",
    "tags.",
    "iam-instance-profile.credentials.",
    "iam-instance-profile.credentials-without-token.",
    "managed-ssh-keys",
];

/// Whether a part is told without its value.
fn is_untold(name: &str) -> bool {
    let is_within = |secret: &Vec<&str>| {
        let below = name.strip_prefix(&secret.join("."));
        below.is_some_and(|below| below.is_empty() || below.starts_with('.'))
    };
    UNTOLD.iter().any(|part| name.starts_with(part)) || KNOWN.secrets.iter().any(is_within)
}

fn tell(value: &Json, name: String, words: &mut Vec<String>) {
    let set = |value: &str| format!("{name} = {}", shown(value));
    words.push(match value {
        Json::Object(fields) if !fields.is_empty() && name != "managed-ssh-keys" => {
            for (field, value) in fields {
                tell(value, format!("{name}.{}", shown(field)), words);
            }
            return;
        }
        Json::Null | Json::Removed => format!("{name} by default"),
        Json::Bool(false) => format!("no {name}"),
        _ if is_untold(&name) => name,
        Json::Bool(true) => set("true"),
        Json::Integer(number) => set(&number.to_string()),
        Json::Float(number) => set(&number.to_string()),
        Json::String(text) => set(text),
        Json::Array(items) if items.is_empty() => format!("no {name}"),
        Json::Array(items) => format!("{name}: {}", items.len()),
        Json::Object(_) => name,
    });
}
