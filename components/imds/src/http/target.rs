//! Request targets: from what a client sends to the segments of a path.
//!
//! Recorded: doubled slashes, `.` segments, percent-encoding, a query, a final
//! slash and none all lead to the same item.

use std::borrow::Cow;
use std::iter;

/// The path of a request target, decoded and normalised.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'t> {
    segments: Path<'t>,
    authority: Option<&'t str>,
}

/// The segments of a path; most have few and stand as they were sent.
#[derive(Debug, PartialEq, Eq)]
enum Path<'t> {
    Few([&'t str; FEW], usize),
    Many(Vec<Cow<'t, str>>),
}

/// As many segments as the longest path of the service has.
const FEW: usize = 8;

impl<'t> Target<'t> {
    /// Reads a request target in origin form (`/latest/…`) or absolute form
    /// (`http://169.254.169.254/latest/…`).
    ///
    /// UNRECORDED: the absolute form; its path is taken. `..` never leads above
    /// the root; the VM::EC2 client asks for `/latest/meta-data/../user-data`.
    pub fn parse(target: &'t str) -> Target<'t> {
        let (authority, path) = split_authority(target);
        let segments = few_segments(path).unwrap_or_else(|| Path::Many(all_segments(path)));
        Target { segments, authority }
    }

    /// The target of a path below `latest`, of which no request is read: to read one is
    /// compiled into the one place where requests are, which is a twentieth of the work for one.
    pub fn below_latest(path: &'t str) -> Target<'t> {
        let segments = path.split('/').filter(|segment| !segment.is_empty()).map(Cow::from);
        Target { segments: Path::Many(iter::once("latest".into()).chain(segments).collect()), authority: None }
    }

    /// The segments of the path: none for `/`.
    pub fn segments(&self) -> impl Iterator<Item = &str> + Clone {
        let (few, many) = match &self.segments {
            Path::Few(few, count) => (&few[..*count], &[][..]),
            Path::Many(many) => (&[][..], &many[..]),
        };
        few.iter().copied().chain(many.iter().map(|segment| &**segment))
    }

    /// Whether the path is exactly these segments.
    pub fn is(&self, path: &[&str]) -> bool {
        match &self.segments {
            Path::Few(few, count) => few[..*count] == *path,
            Path::Many(many) => many.iter().eq(path.iter()),
        }
    }

    /// The authority of a target in absolute form, which replaces `Host` (RFC
    /// 9112, section 3.2.2).
    pub fn authority(&self) -> Option<&str> {
        self.authority
    }
}

/// The segments of a path that has few of them, no escape and no segment of dots.
/// Nearly every request has such a path, so it is gone through once, byte by byte:
/// searches for characters take longer on such short texts.
fn few_segments(path: &str) -> Option<Path<'_>> {
    let mut segments = [""; FEW];
    let (mut count, mut start) = (0, 0);
    let mut end_segment = |start: usize, end: usize| {
        if start < end {
            *segments.get_mut(count)? = &path[start..end];
            count += 1;
        }
        Some(())
    };
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'/' => {
                end_segment(start, at)?;
                start = at + 1;
            }
            b'?' | b'#' => {
                end_segment(start, at)?;
                return Some(Path::Few(segments, count));
            }
            b'%' => return None,
            // It may be all of a segment, or half of it.
            b'.' if at == start => return None,
            _ => {}
        }
    }
    end_segment(start, path.len())?;
    Some(Path::Few(segments, count))
}

/// The segments of any path.
fn all_segments(path: &str) -> Vec<Cow<'_, str>> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut segments = Vec::new();
    let mut add = |segment: Cow<'_, str>| match &*segment {
        "" | "." => {}
        ".." => drop(segments.pop()),
        _ => segments.push(Cow::from(segment.into_owned())),
    };
    // An escaped slash parts segments too.
    if path.contains('%') {
        percent_decode(path).split('/').for_each(|segment| add(segment.into()));
    } else {
        path.split('/').for_each(|segment| add(segment.into()));
    }
    segments
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
