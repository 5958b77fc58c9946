use std::time::{Duration, UNIX_EPOCH};

/// A time as descriptions have it, to the millisecond; none is after the year
/// 9998.
pub(crate) fn rfc3339(unix_ms: u64) -> String {
    const LAST_MS: u64 = 253_370_764_799_000;
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(unix_ms.min(LAST_MS))).to_string()
}
