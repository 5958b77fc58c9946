//! The keys of the store, and what stands under them by default.

use sha2::{Digest, Sha256};

/// The most bytes of a key in Spin's store.
pub const KEY_BYTES_MAX: usize = 256;

/// The key of the one instance, where `callers` is `one`.
pub const INSTANCE: &str = "instance";

/// What stands before a caller's key in the store.
pub const INSTANCES: &str = "instances/";

/// The description of the one instance where nothing describes it.
pub const DEFAULT_DESCRIPTION: &str = "{}";

/// The key of the throttle's state of the instance under `key`.
///
/// ```
/// assert_eq!(imds_spin::keys::throttle("instances/10.0.0.7"), "throttle/instances/10.0.0.7");
/// ```
pub fn throttle(key: &str) -> String {
    beside("throttle", key)
}

/// The key of the counter that elects who puts the first number under `key`.
///
/// ```
/// assert_eq!(imds_spin::keys::first("throttle/instance"), "first/throttle/instance");
/// ```
pub fn first(key: &str) -> String {
    beside("first", key)
}

/// A key for what belongs to `key`; by its digest where both together are too long.
fn beside(what: &str, key: &str) -> String {
    let beside = format!("{what}/{key}");
    if beside.len() <= KEY_BYTES_MAX {
        return beside;
    }
    let digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{what}/sha256:{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_longer_than_the_store_takes() {
        let of = |bytes: usize| format!("{INSTANCES}{}", "a".repeat(bytes));
        let longest_plain = of(KEY_BYTES_MAX - "throttle/".len() - INSTANCES.len());
        assert_eq!(throttle(&longest_plain), format!("throttle/{longest_plain}"));
        let longest = of(KEY_BYTES_MAX - INSTANCES.len());
        assert!(throttle(&longest).starts_with("throttle/sha256:"));
        for key in [&longest_plain, &longest] {
            assert!(throttle(key).len() <= KEY_BYTES_MAX && first(&throttle(key)).len() <= KEY_BYTES_MAX, "{key}");
        }
        let other = format!("{}b", &longest[..longest.len() - 1]);
        assert_ne!(throttle(&longest), throttle(&other));
        assert_ne!(first(&throttle(&longest)), first(&throttle(&other)));
    }
}
