//! The id of a task's credentials in a path: any client that knows it gets them.

use super::shapes::Decoded;

/// Where a path may have such an id, however it is encoded or misspelt: behind a name
/// `v1` or `v2`, which no version of the metadata service has. `credentials` itself is
/// shown.
pub(super) fn place(path: &str) -> Option<usize> {
    let decoded = Decoded::of(path.as_bytes());
    let (mut at, mut is_behind, mut is_named) = (0, false, false);
    for segment in decoded.bytes.split(|byte| *byte == b'/') {
        match segment {
            _ if !is_behind => is_behind = [b"v1", b"v2"].iter().any(|version| segment.eq_ignore_ascii_case(*version)),
            b"" | b"." => {}
            b"credentials" if !is_named => is_named = true,
            _ => return Some(decoded.place(at..at).start),
        }
        at += segment.len() + 1;
    }
    None
}
