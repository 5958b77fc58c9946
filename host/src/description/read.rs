//! The text of a file or a stream.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest file that is read; far above the largest description.
pub(super) const BYTES_MAX: u64 = 1 << 20;

pub(super) fn text_of(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    read_text(file)
}

pub(super) fn read_text(stream: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    stream.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::other("it is larger than 1 MiB, the most that a description may have"));
    }
    // By its mark or, without one, by the empty halves of the first characters.
    let has_mark = matches!(bytes[..], [0xfe, 0xff, ..] | [0xff, 0xfe, ..]);
    let is_empty: Vec<bool> = bytes.iter().take(4).map(|byte| *byte == 0).collect();
    let is_halved =
        matches!(is_empty[..], [true, false] | [false, true] | [true, false, true, false] | [false, true, false, true]);
    if has_mark || is_halved {
        return Err(io::Error::other("it is UTF-16 text; UTF-8 is expected"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let text = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let (line, column) = (text.split('\n').count(), text.chars().rev().take_while(|c| *c != '\n').count() + 1);
        io::Error::other(format!("it is not UTF-8 text (line {line}, column {column})"))
    })
}
