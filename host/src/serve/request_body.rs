use httparse::Status;

use crate::engine::RequestBody;

/// What is left of a request's body, which is thrown away as it comes.
#[derive(Debug)]
pub(crate) enum Rest {
    /// So many bytes.
    Bytes(u64),
    /// A line with the size of a chunk.
    Size,
    /// So many bytes of a chunk, and the line end behind it.
    Chunk(u64),
    /// Trailers, up to an empty line.
    Trailers,
    /// Nothing.
    Nothing,
}

/// What a piece of a body comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// So many bytes belong to it, and it is not at its end.
    Part(usize),
    /// So many bytes belong to it, and it is at its end.
    All(usize),
    /// It is wrong in itself: nobody knows where it ends.
    Wrong,
}

impl Rest {
    /// All of a body; none where nobody can know its end.
    pub(crate) fn of(body: RequestBody) -> Option<Self> {
        match body {
            RequestBody::None => Some(Self::Nothing),
            RequestBody::Length(length) => Some(Self::Bytes(length)),
            RequestBody::Chunked => Some(Self::Size),
            RequestBody::Unknown => None,
        }
    }

    /// Takes what belongs to the body off the front of what came.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Taken {
        let mut at = 0;
        loop {
            let left = &bytes[at..];
            match self {
                Self::Nothing => return Taken::All(at),
                Self::Bytes(length) | Self::Chunk(length) if *length > 0 => {
                    let taken = left.len().min(usize::try_from(*length).unwrap_or(usize::MAX));
                    if taken == 0 {
                        return Taken::Part(at);
                    }
                    at += taken;
                    *length -= taken as u64;
                }
                Self::Bytes(_) => *self = Self::Nothing,
                Self::Chunk(_) => match left {
                    [b'\r', b'\n', ..] => {
                        at += 2;
                        *self = Self::Size;
                    }
                    [] | [b'\r'] => return Taken::Part(at),
                    _ => return Taken::Wrong,
                },
                // The library takes no digit at all for 0.
                Self::Size if left.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) => return Taken::Wrong,
                // Nor does it look at what is behind the size.
                Self::Size if line(left).is_some_and(has_control) => return Taken::Wrong,
                Self::Size => match httparse::parse_chunk_size(left) {
                    Ok(Status::Complete((length, size))) => {
                        at += length;
                        *self = if size == 0 { Self::Trailers } else { Self::Chunk(size) };
                    }
                    Ok(Status::Partial) => return Taken::Part(at),
                    Err(_) => return Taken::Wrong,
                },
                Self::Trailers => {
                    let Some(trailer) = line(left) else { return Taken::Part(at) };
                    at += trailer.len() + 1;
                    let Some(trailer) = trailer.strip_suffix(b"\r").filter(|it| is_trailer(it)) else {
                        return Taken::Wrong;
                    };
                    if trailer.is_empty() {
                        *self = Self::Nothing;
                    }
                }
            }
        }
    }
}

/// The first line, up to its line feed.
fn line(bytes: &[u8]) -> Option<&[u8]> {
    memchr::memchr(b'\n', bytes).map(|end| &bytes[..end])
}

/// Whether a line up to its line feed holds what no line may hold. Another reader
/// could take it for the end of the line.
fn has_control(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')
}

/// Whether a line is a header field, or the empty one that ends them.
fn is_trailer(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_name = name.len() < line.len() && !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic());
    line.is_empty() || (is_name && !has_control(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a body whole and byte by byte, and gives what is left of it and behind.
    fn behind(body: RequestBody, bytes: &[u8]) -> Option<usize> {
        let whole = match Rest::of(body)?.take(bytes) {
            Taken::All(length) => Some(bytes.len() - length),
            Taken::Part(_) | Taken::Wrong => None,
        };
        let mut rest = Rest::of(body)?;
        let (mut input, mut by_bytes) = (Vec::new(), None);
        for (index, byte) in bytes.iter().enumerate() {
            input.push(*byte);
            match rest.take(&input) {
                Taken::Part(length) => drop(input.drain(..length)),
                Taken::All(_) => {
                    by_bytes = Some(bytes.len() - index - 1);
                    break;
                }
                Taken::Wrong => break,
            }
        }
        assert_eq!(by_bytes, whole, "{body:?} {}", bytes.escape_ascii());
        whole
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        let length = RequestBody::Length;
        for (body, bytes, left) in [
            (length(3), &b"abc"[..], Some(0)),
            (length(3), b"abcGET", Some(3)),
            (length(3), b"ab", None),
            (RequestBody::Chunked, b"3\r\nabc\r\n0\r\n\r\n", Some(0)),
            (RequestBody::Chunked, b"3;a=b\r\nabc\r\nA\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\nGET", Some(3)),
            (RequestBody::Chunked, b"0\r\n\r\n", Some(0)),
        ] {
            assert_eq!(behind(body, bytes), left, "{}", bytes.escape_ascii());
        }
        assert_eq!(Rest::of(RequestBody::None).map(|mut rest| rest.take(b"GET")), Some(Taken::All(0)));
        assert!(Rest::of(RequestBody::Unknown).is_none());
    }

    #[test]
    fn trailers_that_are_none_are_wrong() {
        for trailers in ["\n", "A: b\n\n", "A\rB: c\r\n\r\n", "\0\r\n\r\n", "GET /x HTTP/1.1\r\n\r\n", ": x\r\n\r\n"] {
            let body = format!("0\r\n{trailers}");
            assert_eq!(Rest::of(RequestBody::Chunked).unwrap().take(body.as_bytes()), Taken::Wrong, "{trailers:?}");
        }
        assert_eq!(Rest::of(RequestBody::Chunked).unwrap().take(b"3;a\0b\r\nabc\r\n"), Taken::Wrong);
    }

    #[test]
    fn chunks_that_are_none_are_wrong() {
        for bytes in [&b"x\r\nabc"[..], b"-3\r\n", b"3\r\nabcd", b"3\nabc\n", b"ffffffffffffffffff\r\n", b"\r\n"] {
            assert_eq!(Rest::of(RequestBody::Chunked).unwrap().take(bytes), Taken::Wrong, "{}", bytes.escape_ascii());
        }
    }
}
