//! Request targets: from what a client sends to the segments of a path.
//!
//! Recorded: doubled slashes, `.` segments, percent-encoding, a query, a final
//! slash and none all lead to the same item.

use std::borrow::Cow;

/// The path of a request target, decoded and normalised.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'t> {
    /// Without escapes and `..`; empty segments and `.` are passed over.
    path: Cow<'t, str>,
    authority: Option<&'t str>,
}

impl Target<'_> {
    /// Reads a request target in origin form (`/latest/…`) or absolute form
    /// (`http://169.254.169.254/latest/…`).
    ///
    /// UNRECORDED: the absolute form; its path is taken. `..` never leads above
    /// the root; the VM::EC2 client asks for `/latest/meta-data/../user-data`.
    pub fn parse(target: &str) -> Target<'_> {
        let (authority, rest) = split_authority(target);
        // By bytes: searches for characters take longer than such short texts.
        let (mut has_escapes, mut has_parents, mut before) = (false, false, 0);
        let end = rest.bytes().position(|byte| {
            has_escapes |= byte == b'%';
            has_parents |= byte == b'.' && before == b'.';
            before = byte;
            matches!(byte, b'?' | b'#')
        });
        let path = &rest[..end.unwrap_or(rest.len())];
        let decoded = if has_escapes { Cow::from(percent_decode(path)) } else { path.into() };
        let path = if has_escapes || has_parents { without_parents(&decoded).into() } else { decoded };
        Target { path, authority }
    }

    /// The segments of the path: none for `/`.
    pub fn segments(&self) -> Segments<'_> {
        Segments { rest: &self.path }
    }

    /// Whether the path is exactly these segments.
    pub fn is(&self, path: &[&str]) -> bool {
        self.segments().eq(path.iter().copied())
    }

    /// The authority of a target in absolute form, which replaces `Host` (RFC
    /// 9112, section 3.2.2).
    pub fn authority(&self) -> Option<&str> {
        self.authority
    }
}

/// The segments of a path, of which empty ones and `.` are none.
#[derive(Clone)]
pub struct Segments<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Segments<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        while !self.rest.is_empty() {
            let end = self.rest.bytes().position(|byte| byte == b'/');
            let segment = &self.rest[..end.unwrap_or(self.rest.len())];
            self.rest = end.map_or("", |end| &self.rest[end + 1..]);
            if !matches!(segment, "" | ".") {
                return Some(segment);
            }
        }
        None
    }
}

/// A decoded path in which every `..` has taken away the segment before it.
fn without_parents(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in (Segments { rest: path }) {
        if segment == ".." {
            segments.pop();
        } else {
            segments.push(segment);
        }
    }
    segments.join("/")
}

fn split_authority(target: &str) -> (Option<&str>, &str) {
    if target.starts_with('/') {
        return (None, target);
    }
    let Some((_, after)) = target.split_once("://") else {
        return (None, target);
    };
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    (Some(&after[..end]), &after[end..])
}

/// Decodes `%xx`, before the path is taken apart: `%2F` is a slash. What is no
/// complete escape stays as it is; bytes that are not UTF-8 become U+FFFD, which
/// is in no item's name.
///
/// UNRECORDED: encoded slashes and dots, broken escapes.
///
/// By hand: which item answers to a broken escape is a rule of the service, which no
/// version of a crate may change.
fn percent_decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'%', Some(byte)) = (first, hex_pair(tail)) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    match String::from_utf8(bytes) {
        Ok(decoded) => decoded,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let nibble = |digit: &u8| (*digit as char).to_digit(16);
    Some((nibble(digits.first()?)? * 16 + nibble(digits.get(1)?)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(target: &str) -> Vec<String> {
        Target::parse(target).segments().map(str::to_owned).collect()
    }

    #[test]
    fn every_spelling_of_a_path_has_the_same_segments() {
        let plain = ["latest", "meta-data", "instance-id"];
        for spelling in [
            "/latest/meta-data/instance-id",
            "/latest/meta-data/instance-id/",
            "//latest//meta-data///instance-id",
            "/latest/./meta-data/instance-id/.",
            "/latest/meta-data/x/../instance-id",
            "/../../latest/meta-data/instance-id",
            "/latest/meta-data/%69nstance-id",
            "/latest%2Fmeta-data/%2e/instance-id",
            "/latest/meta-data/instance-id?x=1&y=/z",
            "http://169.254.169.254/latest/meta-data/instance-id",
            "http://[fd00:ec2::254]:80//latest/meta-data/instance-id?",
        ] {
            assert_eq!(segments(spelling), plain, "{spelling}");
        }
    }

    #[test]
    fn the_root_has_no_segments() {
        for root in ["", "/", "//", "/.", "/..", "/?x", "http://localhost", "http://localhost/"] {
            assert_eq!(segments(root), [""; 0], "{root}");
        }
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(segments("/%zz/%4/%"), ["%zz", "%4", "%"]);
        assert_eq!(segments("/x/%ff/../y"), ["x", "y"]);
        assert_eq!(segments("/%ff"), ["\u{fffd}"]);
    }

    #[test]
    fn the_authority_of_an_absolute_target_is_known() {
        assert_eq!(Target::parse("http://example.com:8080/latest").authority(), Some("example.com:8080"));
        assert_eq!(Target::parse("/latest").authority(), None);
    }
}
