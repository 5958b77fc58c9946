//! The keys of the store, and what stands under them by default.

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
    format!("throttle/{key}")
}

/// The key of the counter that elects who puts the first number under `key`.
///
/// ```
/// assert_eq!(imds_spin::keys::first("throttle/instance"), "first/throttle/instance");
/// ```
pub fn first(key: &str) -> String {
    format!("first/{key}")
}
