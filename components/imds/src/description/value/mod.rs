//! Values with a syntax of their own: ids, names, addresses, times, secrets.
//!
//! A value that is wrong in itself is refused here, where it is read; `facts`
//! looks only for what contradicts.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::field::{Shape, Shaped};

/// Why a text is refused. Its second line, if it has one, is the help: serde takes
/// no more than a text.
struct Refused {
    expected: &'static str,
    help: Option<String>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)?;
        self.help.iter().try_for_each(|help| write!(f, "\n{help}"))
    }
}

/// Reads a string value with `FromStr`. What `help` says of a wrong one is shown
/// with what is expected.
macro_rules! read_from_string {
    ($type:ty, $shape:ident, $schema:expr, $pattern:expr) => {
        read_from_string!($type, $shape, $schema, $pattern, |_| None);
    };
    ($type:ty, $shape:ident, $schema:expr, $pattern:expr, $help:expr) => {
        impl $crate::description::field::Shaped for $type {
            const SHAPE: $crate::description::field::Shape = $crate::description::field::Shape::$shape;
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                let help: fn(&str) -> Option<String> = $help;
                text.parse().map_err(|expected| <D::Error as serde::de::Error>::custom($crate::description::value::Refused { expected, help: help(&text) }))
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

/// Texts that have a form: a type for each, whose `FromStr` refuses all others.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $pattern:expr, $expected:expr, $fits:expr $(, $help:expr)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::str::FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<$name, &'static str> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) { Ok($name(text.to_owned())) } else { Err($expected) }
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        read_from_string!($name, Plain, stringify!($name), $pattern $(, $help)?);
    )* };
}

mod address;
mod ids;
mod path;
mod place;
mod text;
mod time;

pub use self::address::{CidrBlock, Ipv4Block, Ipv6Block, MacAddress};
pub use self::ids::{
    AccountId, GroupId, HostId, IamName, ImageId, InstanceEventId, InstanceId, InstanceProfileArn, KernelId,
    NetworkInterfaceId, RamdiskId, ReservationId, RoleArn, SubnetId, VpcId,
};
pub use self::path::{EntryPath, PathPattern, Segment};
pub use self::place::{RegionName, ZoneName};
use self::text::ends_a_line;
pub use self::text::{Base64, Line, Method, PublicKey, VirtualName};
pub use self::time::{Changes, Span};

/// The IP time-to-live of an answer to the request for a token: 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopLimit(pub u8);

impl Shaped for HopLimit {
    const SHAPE: Shape = Shape::Plain;
}

impl Default for HopLimit {
    fn default() -> HopLimit {
        HopLimit(1)
    }
}

impl<'de> Deserialize<'de> for HopLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HopLimit, D::Error> {
        match u8::deserialize(deserializer) {
            Ok(hops @ 1..=64) => Ok(HopLimit(hops)),
            _ => Err(D::Error::custom("expected a whole number from 1 to 64")),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for HopLimit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HopLimit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 64 })
    }
}

/// Names with texts, in the order of the document.
#[derive(Clone, PartialEq, Eq)]
pub struct Texts<N = String>(pub Vec<(N, String)>);

impl<N> Shaped for Texts<N> {
    const SHAPE: Shape = Shape::Plain;
}

impl<N> Default for Texts<N> {
    fn default() -> Texts<N> {
        Texts(Vec::new())
    }
}

// A text may be a secret, its name is none.
impl<N: fmt::Debug> fmt::Debug for Texts<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Texts<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts<N>, D::Error> {
        struct TextsVisitor<N>(core::marker::PhantomData<N>);
        impl<'de, N: Deserialize<'de>> Visitor<'de> for TextsVisitor<N> {
            type Value = Texts<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Texts<N>, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = access.next_entry()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_map(TextsVisitor(core::marker::PhantomData))
    }
}

#[cfg(feature = "schema")]
impl<N: schemars::JsonSchema> schemars::JsonSchema for Texts<N> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names = generator.subschema_for::<N>();
        schemars::json_schema!({
            "type": "object", "propertyNames": names, "additionalProperties": { "type": "string" }
        })
    }
}

/// A share of requests: 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl Shaped for Share {
    const SHAPE: Shape = Shape::Plain;
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        match f64::deserialize(deserializer) {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Share(share)),
            _ => Err(D::Error::custom("expected a number from 0 to 1")),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

/// A text that no log and no debug output shows.
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Secret(pub String);

impl Shaped for Secret {
    const SHAPE: Shape = Shape::Secret;
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}
