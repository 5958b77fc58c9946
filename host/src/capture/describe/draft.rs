//! A description under construction: fields with their origins, and their TOML.

use serde_json::Value;

use crate::capture::escaped::{is_unprintable, string};

/// Fields in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Field {
    /// The names from the root.
    path: Vec<String>,
    value: Value,
    /// Where its value comes from.
    from: String,
}

impl Draft {
    /// Sets a field, its names separated by dots, to a value from `from`.
    pub fn set(&mut self, path: &str, value: impl Into<Value>, from: &str) {
        let path = path.split('.').map(str::to_owned).collect();
        self.put(path, value.into(), from);
    }

    /// Sets a field if there is a value.
    pub fn set_some(&mut self, path: &str, value: Option<impl Into<Value>>, from: &str) {
        if let Some(value) = value {
            self.set(path, value, from);
        }
    }

    /// Sets a field of a table with arbitrary names.
    pub fn set_in(&mut self, table: &str, name: &str, value: impl Into<Value>, from: &str) {
        self.put(vec![table.to_owned(), name.to_owned()], value.into(), from);
    }

    fn put(&mut self, path: Vec<String>, value: Value, from: &str) {
        self.fields.retain(|field| field.path != path);
        self.fields.push(Field { path, value, from: from.to_owned() });
    }

    /// Removes the field that a JSON Pointer names, or the nearest one. Returns its names
    /// and origin.
    pub fn remove(&mut self, pointer: &str) -> Option<String> {
        let names: Vec<String> =
            pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
        let whole = self.fields.iter().position(|field| names.starts_with(&field.path));
        // The whole table is wrong.
        let index = whole.or_else(|| self.fields.iter().position(|field| field.path.starts_with(&names)));
        let field = &mut self.fields[index.filter(|_| !names.is_empty())?];
        let rest = names.get(field.path.len()..).unwrap_or_default();
        let (name, from) = (names.join("."), field.from.clone());
        if !remove_in(&mut field.value, rest) {
            self.fields.remove(index?);
        }
        Some(format!("{name} ({from})"))
    }

    /// Removes what was set last. Returns its name and origin.
    pub fn remove_last(&mut self) -> Option<String> {
        let Field { path, from, .. } = self.fields.pop()?;
        Some(format!("{} ({from})", path.join(".")))
    }

    /// The text: top-level fields first, then tables, each field with its origin.
    pub fn toml(&self, heading: &str) -> String {
        let mut text: String = heading.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect();
        text.push('\n');
        let is_list = |field: &&Field| {
            field.path.len() == 1 && field.value.as_array().is_some_and(|list| list.iter().any(Value::is_object))
        };
        for field in self.fields.iter().filter(|field| field.path.len() == 1 && !is_list(field)) {
            line(&mut text, &field.path[..1], &field.value, &field.from);
        }
        let mut tables: Vec<&str> = Vec::new();
        for field in self.fields.iter().filter(|field| field.path.len() > 1) {
            if !tables.contains(&field.path[0].as_str()) {
                tables.push(&field.path[0]);
            }
        }
        for table in tables {
            text += &format!("\n[{}]\n", key(table));
            for field in self.fields.iter().filter(|field| field.path.len() > 1 && field.path[0] == table) {
                line(&mut text, &field.path[1..], &field.value, &field.from);
            }
        }
        for field in self.fields.iter().filter(is_list) {
            for (number, entry) in field.value.as_array().into_iter().flatten().enumerate() {
                text += &format!("\n[[{}]]", key(&field.path[0]));
                text += &if number == 0 { comment(&field.from) } else { String::new() };
                text.push('\n');
                for (name, value) in entry.as_object().into_iter().flatten() {
                    line(&mut text, std::slice::from_ref(name), value, "");
                }
            }
        }
        text
    }
}

/// Removes what is at `path` in a value, unless that is the value itself.
fn remove_in(value: &mut Value, path: &[String]) -> bool {
    let Some((name, rest)) = path.split_first() else { return false };
    match value {
        Value::Object(object) => {
            if object.get_mut(name).is_some_and(|inner| remove_in(inner, rest)) {
                return true;
            }
            object.remove(name).is_some()
        }
        Value::Array(list) => {
            let Some(place) = name.parse::<usize>().ok().filter(|place| *place < list.len()) else { return false };
            if !remove_in(&mut list[place], rest) {
                list.remove(place);
            }
            !list.is_empty()
        }
        _ => false,
    }
}

fn line(text: &mut String, path: &[String], value: &Value, from: &str) {
    let name = path.iter().map(|name| key(name)).collect::<Vec<_>>().join(".");
    *text += &format!("{name} = {}{}\n", toml(value), comment(from));
}

fn comment(from: &str) -> String {
    match from {
        "" => String::new(),
        from => format!("  # {}", from.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect::<String>()),
    }
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { name.to_owned() } else { string(name) }
}

fn toml(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let fields: Vec<_> = table.iter().map(|(name, value)| format!("{} = {}", key(name), toml(value))).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        // TOML has no null, and no value here is null.
        Value::Null => "false".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::description::Description;

    fn draft() -> Draft {
        let mut draft = Draft::default();
        draft.set("instance-id", "i-1", "meta-data/instance-id");
        draft.set("placement.region", "us-east-1", "");
        draft.set_in("extra-entries", "meta-data/a b", "\u{7f}\u{9b}\u{202e}\n\"", "it\u{202e}");
        draft.set(
            "network-interfaces",
            json!([{ "mac-address": "m", "groups": [{ "group-name": "g" }] }, {}]),
            "macs/",
        );
        draft
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = draft().toml("About\nit");
        let read = Description::from_toml("x", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let read: Value = serde_json::from_str(&read.to_json()).unwrap();
        let expected = json!({
            "instance-id": "i-1",
            "placement": { "region": "us-east-1" },
            "extra-entries": { "meta-data/a b": "\u{7f}\u{9b}\u{202e}\n\"" },
            "network-interfaces": [{ "mac-address": "m", "groups": [{ "group-name": "g" }] }, {}],
        });
        assert_eq!(read, expected, "{text}");
        assert!(!text.contains(['\u{9b}', '\u{202e}']), "{text}");
        assert!(text.starts_with("# About\n# it\n\ninstance-id = \"i-1\"  # meta-data/instance-id\n"), "{text}");
    }

    #[test]
    fn what_is_wrong_is_taken_away_and_nothing_else() {
        for (pointer, gone) in [
            ("/instance-id", "instance-id = "),
            ("/network-interfaces/0/groups/0/group-name", "group-name"),
            ("/extra-entries/meta-data~1a b", "meta-data/a b"),
            ("/placement", "region"),
        ] {
            let mut draft = draft();
            assert!(draft.remove(pointer).is_some(), "{pointer}");
            let text = draft.toml("");
            assert!(!text.contains(gone) && text.lines().count() > 5, "{pointer}: {text}");
        }
        assert_eq!(draft().remove("/unknown"), None);
        assert_eq!(draft().remove(""), None);
    }
}
