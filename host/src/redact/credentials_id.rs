//! The id of a task's credentials in a path: any client that knows it gets them.

use super::shapes::Decoded;

/// Where a path may have such an id, however it is encoded or misspelt: behind a first
/// name `v1` or `v2`, which no version of the metadata service has. `credentials` itself
/// is shown.
pub(super) fn place(path: &str) -> Option<usize> {
    let decoded = Decoded::of(path.as_bytes());
    // An authority may come before.
    let first = usize::from(!path.starts_with('/'));
    let (mut at, mut depth, mut is_behind, mut is_named) = (0, 0_usize, false, false);
    for segment in decoded.bytes.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            _ if is_behind && (is_named || segment != b"credentials") => return Some(decoded.place(at..at).start),
            _ if is_behind => is_named = true,
            b".." => depth = depth.saturating_sub(1),
            _ if depth <= first && [b"v1", b"v2"].iter().any(|version| segment.eq_ignore_ascii_case(*version)) => {
                is_behind = true;
            }
            _ => depth += 1,
        }
        at += segment.len() + 1;
    }
    None
}
