// The instance ids that descriptions state: no two may state the same.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

/// What was stated so far. All words stand in one text: the memory of very many
/// small ones would lie between that of the instances, and stay taken.
#[derive(Default)]
pub struct Stated {
    words: String,
    all: Vec<Ranges>,
}

struct Ranges {
    /// Among all descriptions.
    place: usize,
    instance_id: Range<usize>,
    key: Range<usize>,
    name: Range<usize>,
}

/// An instance id that a description states.
pub struct One<'s> {
    pub instance_id: &'s str,
    /// Among all descriptions.
    pub place: usize,
    pub key: &'s str,
    /// Where the description is.
    pub name: &'s str,
}

impl Stated {
    pub fn add(&mut self, one: &One<'_>) {
        let mut push = |word: &str| {
            let start = self.words.len();
            self.words.push_str(word);
            start..self.words.len()
        };
        let (instance_id, key, name) = (push(one.instance_id), push(one.key), push(one.name));
        self.all.push(Ranges { place: one.place, instance_id, key, name });
    }

    /// Calls `found` with each that states the id of one before it, and with the first
    /// of these.
    pub fn each_again(mut self, mut found: impl FnMut(One<'_>, One<'_>)) {
        let Self { words, all } = &mut self;
        all.sort_unstable_by_key(|one| one.place);
        all.sort_by(|one, other| words[one.instance_id.clone()].cmp(&words[other.instance_id.clone()]));
        let of = |Ranges { place, instance_id, key, name }: &Ranges| One {
            instance_id: &words[instance_id.clone()],
            place: *place,
            key: &words[key.clone()],
            name: &words[name.clone()],
        };
        for same in all.chunk_by(|one, other| words[one.instance_id.clone()] == words[other.instance_id.clone()]) {
            let [first, others @ ..] = same else { continue };
            others.iter().for_each(|other| found(of(first), of(other)));
        }
    }
}

/// The instance id that JSON text states; none where it is no object of its form.
pub fn instance_id(json: &str) -> Option<String> {
    // Nothing is read for what most of many say by an escape, if at all.
    if !json.contains(NAME) && !json.contains("\\u") {
        return None;
    }
    serde_json::Deserializer::from_str(json).deserialize_map(FirstLevel).ok().flatten()
}

const NAME: &str = "instance-id";

struct FirstLevel;

impl<'de> Visitor<'de> for FirstLevel {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a description")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut stated = None;
        while let Some(name) = map.next_key_seed(IsInstanceId)? {
            match name {
                true => stated = Some(map.next_value()?),
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(stated)
    }
}

/// Whether a name is that of the field; without a copy of it.
struct IsInstanceId;

impl<'de> serde::de::DeserializeSeed<'de> for IsInstanceId {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsInstanceId {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == NAME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_the_first_level_is_found_however_it_is_written() {
        for (json, id) in [
            ("{}", None),
            (r#"{"tags":{"instance-id":"i-1"}}"#, None),
            (r#"{"tags":{"instance-id":"i-1"},"instance-id":"i-2"}"#, Some("i-2")),
            (r#"{"instance\u002did" : "i-\u0033" , "tags":[1,{"a":null}]}"#, Some("i-3")),
            (r#"{"instance-id":7}"#, None),
            ("[\"instance-id\"]", None),
        ] {
            assert_eq!(instance_id(json).as_deref(), id, "{json}");
        }
    }

    #[test]
    fn who_states_an_id_again_is_told_with_the_first() {
        let mut stated = Stated::default();
        for (place, instance_id, key) in [(2, "i-1", "c"), (0, "i-1", "a"), (1, "i-2", "b"), (3, "i-1", "d")] {
            stated.add(&One { instance_id, place, key, name: "there" });
        }
        let mut found = Vec::new();
        stated.each_again(|first, other| found.push((first.key.to_owned(), other.key.to_owned(), other.place)));
        assert_eq!(found, [("a".to_owned(), "c".to_owned(), 2), ("a".to_owned(), "d".to_owned(), 3)]);
    }
}
