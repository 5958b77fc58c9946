//! What the types of a description have in common: how a table, an entry of a list
//! and a choice of words are read.

/// Tells what is known of the fields of a table. `@[…]` before a field has it: the
/// names are those of the methods of `Field`.
macro_rules! shape {
    ($name:ident { $($(@[$($property:ident $(($value:literal))?),+])? $field:ident: $type:ty,)* }) => {
        impl $crate::description::field::Shaped for $name {
            const SHAPE: $crate::description::field::Shape = {
                use $crate::description::field::{Field, Shape, Shaped, Table, hyphens};
                const FIELDS: &[Field] = &[$({
                    const NAME: [u8; stringify!($field).len()] = hyphens(stringify!($field));
                    // Names of fields are ASCII.
                    let name = match core::str::from_utf8(&NAME) {
                        Ok(name) => name,
                        Err(_) => stringify!($field),
                    };
                    Field::new(name, <$type as Shaped>::SHAPE)$($(.$property($($value)?))+)?
                }),*];
                Shape::Table(&Table { name: stringify!($name), fields: FIELDS })
            };
        }
    };
}

/// Derives what all tables of a description have in common.
macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $(@[$($property:ident $(($value:literal))?),+])? $field:ident: $type:ty,)* })*) => {
        $(#[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $(#[$doc])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        shape! { $name { $($(@[$($property $(($value))?),+])? $field: $type,)* } })*
    };
}

/// The same for tables of which some fields must be given: entries of lists.
macro_rules! entries {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $(@[$($property:ident $(($value:literal))?),+])? $field:ident: $type:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        shape! { $name { $($(@[$($property $(($value))?),+])? $field: $type,)* } })*
    };
}

/// Derives what all enumerations of a description have in common, and gives
/// each the spelling that the service uses.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "`")]
                #[serde(rename = $word)]
                $(#[$variant_meta])* $variant,
            )*
        }

        impl $crate::description::field::Shaped for $name {
            const SHAPE: $crate::description::field::Shape = $crate::description::field::Shape::Plain;
        }

        impl $name {
            /// The word as the service and EC2's API write it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        })*
    };
}
