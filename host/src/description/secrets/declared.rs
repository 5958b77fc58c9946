//! Which fields are secrets, as the schema of a description declares them: the build
//! script reads it from there.

use std::collections::HashMap;
use std::sync::LazyLock;

// SECRETS, HOLDERS and PLAIN.
include!(concat!(env!("OUT_DIR"), "/secrets.rs"));

/// What the schema says of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Secret,
    /// A table that holds secrets; of its fields these are none.
    Holder(&'static [&'static str]),
    Plain,
}

static DECLARED: LazyLock<HashMap<&str, Declared>> = LazyLock::new(|| {
    let plain = PLAIN.iter().map(|name| (*name, Declared::Plain));
    let holders = HOLDERS.iter().map(|(name, plain)| (*name, Declared::Holder(plain)));
    let secrets = SECRETS.iter().map(|name| (*name, Declared::Secret));
    // Of two that have one name, the one that hides more.
    plain.chain(holders).chain(secrets).collect()
});

/// What the schema says of the fields of this name, if there are any.
pub(crate) fn declared(name: &str) -> Option<Declared> {
    DECLARED.get(name).copied()
}

/// The names of secrets and of what holds them.
pub(super) fn secret() -> impl Iterator<Item = &'static str> {
    SECRETS.iter().copied().chain(HOLDERS.iter().map(|(name, _)| *name))
}

/// All other names.
pub(super) fn plain() -> impl Iterator<Item = &'static str> {
    PLAIN.iter().copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The schema that the component itself hands out.
    #[test]
    fn the_secrets_are_those_of_the_component() {
        let schema = crate::Runtime::new().unwrap().schema().unwrap();
        let (mut secrets, mut all) = (BTreeSet::new(), BTreeSet::new());
        let schema: Value = serde_json::from_str(&schema).unwrap();
        collect(&schema, &mut secrets, &mut all);
        assert_eq!(secrets, SECRETS.iter().copied().collect());
        assert_eq!(all, secret().chain(plain()).collect());
        assert!(secrets.contains("user-data") && all.contains("instance-type"));
    }

    #[test]
    fn credentials_hold_secrets_and_times() {
        for name in ["credentials", "credentials-without-token"] {
            assert!(declared(name) == Some(Declared::Holder(&["expiration", "last-updated"])), "{name}");
        }
        assert!(declared("iam-instance-profile") == Some(Declared::Plain));
        assert!(declared("session-token") == Some(Declared::Secret));
        assert!(declared("hunter2").is_none());
    }

    fn collect<'s>(part: &'s Value, secrets: &mut BTreeSet<&'s str>, all: &mut BTreeSet<&'s str>) {
        for (name, property) in part["properties"].as_object().into_iter().flatten() {
            all.insert(name);
            if property["writeOnly"] == true {
                secrets.insert(name);
            }
        }
        let members = part.as_object().into_iter().flat_map(|members| members.values());
        let parts = members.chain(part.as_array().into_iter().flatten());
        parts.for_each(|part| collect(part, secrets, all));
    }
}
