//! Serde's view of a JSON tree.

use std::collections::BTreeSet;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor};

use super::fault::Fault;
use crate::description::json::{ENTRIES_MAX, Json};
use crate::description::problem::shown;
use crate::description::{part, spelling};

/// A list of more fields than these helps nobody.
const FIELDS_LISTED_MAX: usize = 10;

/// Serde's view of one value.
#[derive(Clone, Copy)]
pub struct Reader<'j>(pub &'j Json);

impl Reader<'_> {
    /// The fault for a value of the wrong kind. It names the kind, never the
    /// value, which may be a secret.
    fn wrong_kind(self, expected: &dyn de::Expected) -> Fault {
        let expected = expected.to_string();
        let help = match (expected.as_str(), self.0) {
            (_, Json::Null) => Some("leave the field out for its default"),
            ("a string", Json::Integer(_) | Json::Float(_)) => Some("write it in quotes"),
            ("a whole number", Json::String(text)) if text.parse::<u64>().is_ok() => Some("write it without quotes"),
            ("`true` or `false`", Json::String(text)) if text.parse::<bool>().is_ok() => {
                Some("write it without quotes")
            }
            ("an array", Json::String(_)) => Some("write it in brackets: [\"…\"]"),
            ("an array", Json::Object(_)) => Some("in TOML, `[[name]]` begins an entry of an array, `[name]` a table"),
            (_, Json::Array(_)) if expected.starts_with("an object") => {
                Some("in TOML, `[name]` begins a table, `[[name]]` an entry of an array")
            }
            _ => None,
        };
        Fault::new(format!("expected {expected}, found {}", self.0.kind()), help.map(str::to_owned))
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Null | Json::Removed => Err(self.wrong_kind(&visitor)),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Integer(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            Json::Float(value) => visitor.visit_f64(*value),
            Json::String(value) => visitor.visit_str(value),
            Json::Array(items) if items.len() > ENTRIES_MAX => Err(too_many(items.len())),
            Json::Object(fields) if fields.len() > ENTRIES_MAX => Err(too_many(fields.len())),
            Json::Array(items) => visitor.visit_seq(Items { items: items.iter(), index: 0 }),
            Json::Object(fields) => {
                visitor.visit_map(Fields { fields: fields.iter(), names: BTreeSet::new(), value: None })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        if name != part::NAME {
            return visitor.visit_newtype_struct(self);
        }
        match self.0 {
            Json::Bool(false) => visitor.visit_none(),
            value => visitor.visit_newtype_struct(self).map_err(|mut fault| {
                // What the part is made of is wrong, or the part itself.
                let may_mean_none = match value {
                    Json::Object(_) | Json::Array(_) => false,
                    Json::String(text) => text.is_empty(),
                    _ => true,
                };
                if fault.0.field.is_empty() && may_mean_none {
                    fault.0.help = Some("write `false` where there is none".to_owned());
                }
                fault
            }),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Json::String(value) => visitor.visit_enum(UnitVariant(value)),
            _ => {
                let Fault(mut problem) = self.wrong_kind(&"a string");
                problem.help = Some(format!("known: {}", spelling::list(words)));
                Err(Fault(problem))
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Object(_) => self.deserialize_any(visitor),
            _ => {
                let Fault(mut problem) = self.wrong_kind(&"an object");
                if problem.help.is_none() && fields.len() <= FIELDS_LISTED_MAX {
                    problem.help = Some(format!("its fields: {}", spelling::list(fields)));
                }
                Err(Fault(problem))
            }
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::String(value) => visitor.visit_str(value),
            _ => Err(self.wrong_kind(&"a string")),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Array(_) => self.deserialize_any(visitor),
            _ => Err(self.wrong_kind(&"an array")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Object(_) => self.deserialize_any(visitor),
            _ => {
                let mut fault = self.wrong_kind(&"an object");
                let name = shown(pair_name(self.0).unwrap_or("Name"));
                if *self.0 != Json::Null {
                    fault.0.help = Some(format!(
                        "write each name with its text: {{ \"{name}\": \"…\" }}, in TOML {{ {name} = \"…\" }}"
                    ));
                }
                Err(fault)
            }
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.whole_number(visitor, u8::MAX.into())
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.whole_number(visitor, u16::MAX.into())
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.whole_number(visitor, u32::MAX.into())
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 u64 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.wrong_kind(&"`true` or `false`")),
        }
    }
}

impl Reader<'_> {
    fn whole_number<'de, V: Visitor<'de>>(self, visitor: V, max: u64) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Integer(value) => match u64::try_from(*value) {
                Ok(value) if value <= max => visitor.visit_u64(value),
                _ => Err(Fault::new(format!("expected a whole number from 0 to {max}"), None)),
            },
            _ => Err(self.wrong_kind(&"a whole number")),
        }
    }
}

/// The first name in a list of pairs `Key`, `Value`, as EC2's API has tags.
fn pair_name(value: &Json) -> Option<&str> {
    let Json::Array(items) = value else { return None };
    let pair = items.first()?.fields();
    match pair.iter().find(|(name, _)| name.eq_ignore_ascii_case("key")) {
        Some((_, Json::String(name))) => Some(name),
        _ => None,
    }
}

fn too_many(entries: usize) -> Fault {
    Fault::new(format!("expected at most {ENTRIES_MAX} entries, found {entries}"), None)
}

struct Items<'j> {
    items: core::slice::Iter<'j, Json>,
    index: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        for item in self.items.by_ref() {
            let index = self.index;
            self.index += 1;
            if *item != Json::Removed {
                return seed.deserialize(Reader(item)).map(Some).map_err(|fault| fault.under(&index.to_string()));
            }
        }
        Ok(None)
    }
}

struct Fields<'j> {
    fields: core::slice::Iter<'j, (String, Json)>,
    names: BTreeSet<&'j str>,
    value: Option<&'j (String, Json)>,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.fields.by_ref().find(|(_, value)| *value != Json::Removed);
        let Some((name, _)) = self.value else {
            return Ok(None);
        };
        let name_reader: StrDeserializer<'_, Fault> = name.as_str().into_deserializer();
        let read = match self.names.insert(name) {
            true => seed.deserialize(name_reader).map(Some),
            false => Err(Fault::new(format!("field `{}` is given twice", shown(name)), None)),
        };
        read.map_err(|fault| {
            let mut fault = fault.under(name);
            fault.0.in_name = true;
            fault
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        match self.value.take() {
            Some((name, value)) => seed.deserialize(Reader(value)).map_err(|fault| fault.under(name)),
            None => Err(de::Error::custom("a value without a name")),
        }
    }
}

/// An enum value without content, written as a string.
struct UnitVariant<'j>(&'j str);

impl<'de> EnumAccess<'de> for UnitVariant<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.0.into_deserializer();
        seed.deserialize(name).map(|value| (value, self))
    }
}

impl<'de> VariantAccess<'de> for UnitVariant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Fault> {
        Err(de::Error::custom("expected an object"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(de::Error::custom("expected an array"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Fault> {
        Err(de::Error::custom("expected an object"))
    }
}
