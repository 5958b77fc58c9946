use std::sync::LazyLock;

use imds_core::{Instance, Outcome};

static INSTANCE: LazyLock<Instance> = LazyLock::new(|| super::open("{}"));

/// All spellings of a path have the answer of its plain spelling, which an
/// independent model finds; bytes of which no target is made are refused.
///
/// The bytes: a request target.
///
/// ```
/// imds_fuzz::path(b"//latest/./meta-data/%6d%61c?x=1");
/// ```
pub fn path(bytes: &[u8]) {
    let answer = super::get(&INSTANCE, &[b"/", bytes].concat());
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if text.bytes().all(|byte| byte > b' ' && byte != 0x7f) => text,
        _ => return assert_eq!(answer.outcome, Outcome::HeadUnreadable, "{}", bytes.escape_ascii()),
    };
    let path = format!("/{text}");
    let segments = segments(&path);
    let get = |target: &str| super::get(&INSTANCE, target.as_bytes());

    // No segment of the tree holds what would have to be written as an escape.
    let plain = segments.iter().all(|segment| segment.bytes().all(|byte| !b"%?#/\x7f".contains(&byte) && byte > b' '));
    if plain {
        for spelling in [format!("/{}", segments.join("/")), format!("//{}//", segments.join("/./"))] {
            assert_eq!(answer, get(&spelling), "{path:?} and {spelling:?}");
        }
        let escaped: String = segments.join("/").bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(answer, get(&format!("/{escaped}?{text}#")), "{path:?} in escapes");
    } else {
        assert_eq!(answer.outcome, Outcome::NotFound, "{path:?}");
    }
    let absolute = format!("http://169.254.169.254{path}");
    assert_eq!(answer, get(&absolute), "{path:?} in absolute form");
}

/// The segments of a path by the letter of RFC 3986: query and fragment off,
/// escapes decoded, dot segments and empty ones removed.
fn segments(path: &str) -> Vec<String> {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.split('#').next().unwrap_or_default();
    let mut decoded = Vec::new();
    let mut bytes = path.bytes().collect::<std::collections::VecDeque<u8>>();
    while let Some(byte) = bytes.pop_front() {
        let digit = |index: usize| bytes.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                bytes.drain(..2);
            }
            _ => decoded.push(byte),
        }
    }
    let mut segments = Vec::new();
    for segment in String::from_utf8_lossy(&decoded).split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment.to_owned()),
        }
    }
    segments
}
