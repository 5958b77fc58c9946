use std::time::{Duration, UNIX_EPOCH};

/// 9998-12-31T23:59:59Z, in milliseconds since 1970: the last time that the component
/// writes, and so the last that anything here shows.
pub(crate) const LAST_MS: u64 = 253_370_764_799_000;

/// A time as descriptions have it, to the millisecond; none is after
/// [`LAST_MS`].
pub(crate) fn rfc3339(unix_ms: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(unix_ms.min(LAST_MS))).to_string()
}
