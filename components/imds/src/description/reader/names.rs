//! The names of the fields of a type.

use serde::de::{self, Deserializer, Visitor};

/// The names of a type's fields, brought out as an error, since serde tells
/// them only to a deserializer.
pub struct FieldNames;

/// The names.
#[derive(Debug)]
pub struct FirstLevel(pub &'static [&'static str]);

impl<'de> Deserializer<'de> for FieldNames {
    type Error = FirstLevel;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, FirstLevel> {
        Err(FirstLevel(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, FirstLevel> {
        Err(FirstLevel(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl core::fmt::Display for FirstLevel {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the fields are known")
    }
}

impl core::error::Error for FirstLevel {}

impl de::Error for FirstLevel {
    fn custom<T: core::fmt::Display>(_: T) -> FirstLevel {
        FirstLevel(&[])
    }
}
