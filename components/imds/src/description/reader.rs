//! Reads a [`Json`] tree into the types of a description, and tells every
//! problem with its place and what was expected.

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};

use super::json::Json;
use super::part;
use super::problem::{Problem, pointer_step};
use super::spelling;

/// How many problems are told at once.
const PROBLEMS_MAX: usize = 20;

/// Reads `json` as a `T`, which must be complete when every field is missing.
///
/// After a problem the value concerned is taken out and reading starts again,
/// so that all problems are told, not the first only.
pub fn read<T: DeserializeOwned>(mut json: Json) -> Result<T, Vec<Problem>> {
    let mut problems = Vec::new();
    loop {
        match T::deserialize(Reader(&json)) {
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => return Err(problems),
            Err(Fault(problem)) => {
                let can_go_on = !problem.field.is_empty() && json.remove(&problem.field);
                problems.push(*problem);
                if !can_go_on || problems.len() == PROBLEMS_MAX {
                    return Err(problems);
                }
            }
        }
    }
}

/// A problem on its way up: each level puts its own step before the pointer.
struct Fault(Box<Problem>);

impl Fault {
    fn under(mut self, step: &str) -> Fault {
        self.0.field.insert_str(0, &pointer_step(step));
        self
    }

    fn new(message: String, help: Option<String>) -> Fault {
        Fault(Box::new(Problem { message, help, ..Problem::default() }))
    }
}

impl de::Error for Fault {
    fn custom<T: core::fmt::Display>(message: T) -> Fault {
        Fault::new(message.to_string(), None)
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Fault {
        Fault::new(format!("expected {expected}"), None)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Fault {
        let mut fault =
            Fault::new(format!("unknown field `{}`", spelling::shown(field)), Some(spelling::field_help(field, known)));
        fault.0.in_name = true;
        fault
    }

    fn unknown_variant(value: &str, known: &'static [&'static str]) -> Fault {
        let message = format!("unknown value \"{}\"", spelling::shown(value));
        Fault::new(message, Some(spelling::value_help(value, known)))
    }

    fn missing_field(field: &'static str) -> Fault {
        Fault::new(format!("field `{field}` is missing here"), None)
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::fmt::Debug for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Fault {}

/// Serde's view of one value.
#[derive(Clone, Copy)]
struct Reader<'j>(&'j Json);

impl Reader<'_> {
    /// The fault for a value of the wrong kind. It names the kind, never the
    /// value, which may be a secret.
    fn wrong_kind(self, expected: &dyn de::Expected) -> Fault {
        let help = match self.0 {
            Json::Null => Some("leave the field out for its default, or write `false` where there is none".to_owned()),
            _ => None,
        };
        Fault::new(format!("expected {expected}, found {}", self.0.kind()), help)
    }
}

/// Serde methods that all take any value as it is.
macro_rules! any {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.deserialize_any(visitor)
        })*
    };
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
            Json::Array(items) => visitor.visit_seq(Items { items: items.iter(), index: 0 }),
            Json::Object(fields) => visitor.visit_map(Fields { fields: fields.iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Bool(false) if name == part::NAME => visitor.visit_none(),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Json::String(value) => visitor.visit_enum(UnitVariant(value)),
            _ => Err(self.wrong_kind(&"a string")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Object(_) => self.deserialize_any(visitor),
            _ => Err(self.wrong_kind(&"a table")),
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
            _ => Err(self.wrong_kind(&"a table")),
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

    any! { deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u64 deserialize_f32
    deserialize_f64 deserialize_char deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_identifier
    deserialize_ignored_any }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Json::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.wrong_kind(&"`true` or `false`")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
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
        seed.deserialize(name_reader).map(Some).map_err(|fault| {
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
        Err(de::Error::custom("expected a table"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(de::Error::custom("expected an array"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Fault> {
        Err(de::Error::custom("expected a table"))
    }
}
