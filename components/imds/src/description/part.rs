//! Parts that an instance may lack.

use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Visitor};

/// The name under which the reader knows this type.
pub(super) const NAME: &str = "imds::Part";

/// A part that an instance may lack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part<T> {
    /// Not in the document: the default applies.
    #[default]
    Default,
    /// `false` in the document: the instance has none.
    Absent,
    /// In the document.
    Given(T),
}

impl<T> Part<T> {
    /// The part given, or what `default` makes, or nothing.
    pub fn or_default(self, default: impl FnOnce() -> Option<T>) -> Option<T> {
        match self {
            Part::Default => default(),
            Part::Absent => None,
            Part::Given(value) => Some(value),
        }
    }

    /// The part, if it is given.
    pub fn given(&self) -> Option<&T> {
        match self {
            Part::Given(value) => Some(value),
            Part::Default | Part::Absent => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, PartVisitor(PhantomData))
    }
}

struct PartVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PartVisitor<T> {
    type Value = Part<T>;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a value, or `false` where there is none")
    }

    fn visit_none<E>(self) -> Result<Part<T>, E> {
        Ok(Part::Absent)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part<T>, D::Error> {
        T::deserialize(deserializer).map(Part::Given)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Part<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("PartOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let given = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [given, { "const": false }] })
    }
}
