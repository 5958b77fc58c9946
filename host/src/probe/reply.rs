use std::fmt;
use std::io;
use std::time::Duration;

use httparse::{EMPTY_HEADER, Header, Response, Status, parse_chunk_size};

use crate::redact;

/// More header fields than any answer of the service has.
const FIELDS: usize = 64;

/// An answer of a service, as it was sent. Its `Debug` form shows no values: a body can be
/// a secret.
///
/// ```
/// let bytes = b"HTTP/1.1 404 Not Found\r\nServer: EC2ws\r\nContent-Length: 2\r\n\r\nno";
/// let reply = imds_host::probe::Reply::read(bytes, false)?;
/// assert_eq!((reply.status, &*reply.reason, &*reply.body), (404, "Not Found", &b"no"[..]));
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The minor version: 1 for HTTP/1.1.
    pub http_minor: u8,
    /// The status code.
    pub status: u16,
    /// The reason phrase, empty if there is none.
    pub reason: String,
    /// The header fields in their order, names and values as they were sent.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body, without chunk headers.
    pub body: Vec<u8>,
    /// The time from the first byte of the request to the last byte of the answer.
    pub took: Duration,
}

impl Reply {
    /// Reads `bytes` as one answer, after any interim answers. `is_of_head` says that the
    /// request's method was `HEAD`.
    ///
    /// # Errors
    ///
    /// The bytes are not a complete HTTP/1 answer.
    pub fn read(bytes: &[u8], is_of_head: bool) -> io::Result<Self> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let bytes = without_interim(bytes);
        if bytes.is_empty() {
            return Err(wrong("the connection was closed"));
        }
        let mut fields = [EMPTY_HEADER; FIELDS];
        let mut parsed = Response::new(&mut fields);
        let Ok(Status::Complete(length)) = parsed.parse(bytes) else {
            return Err(wrong("what came is no answer of HTTP/1.1"));
        };
        let body = &bytes[length..];
        let value = |name: &str| str::from_utf8(find(parsed.headers, name)?.value).ok();
        let body = if is_of_head || is_without_body(parsed.code) {
            Vec::new()
        } else if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            of_chunks(body).ok_or_else(|| wrong("the body was cut off"))?
        } else {
            match value("content-length").map(|length| length.parse().ok()) {
                Some(Some(length)) => body.get(..length).ok_or_else(|| wrong("the body was cut off"))?.to_vec(),
                Some(None) => return Err(wrong("its length cannot be read")),
                None => body.to_vec(),
            }
        };
        Ok(Self {
            http_minor: parsed.version.unwrap_or_default(),
            status: parsed.code.unwrap_or_default(),
            reason: parsed.reason.unwrap_or_default().to_owned(),
            fields: parsed.headers.iter().map(|field| (field.name.to_owned(), field.value.to_owned())).collect(),
            body,
            took: Duration::ZERO,
        })
    }

    /// Whether the bytes are a complete answer that says where it ends.
    pub(crate) fn ends_with(bytes: &[u8], is_of_head: bool) -> bool {
        let bytes = without_interim(bytes);
        let mut fields = [EMPTY_HEADER; FIELDS];
        let mut parsed = Response::new(&mut fields);
        if !matches!(parsed.parse(bytes), Ok(Status::Complete(_))) {
            return false;
        }
        let says = |name: &str| find(parsed.headers, name).is_some();
        // Chunks are read once, when the last one may have arrived.
        let is_bounded = says("content-length") || (says("transfer-encoding") && bytes.ends_with(b"\r\n\r\n"));
        is_of_head || is_without_body(parsed.code) || (is_bounded && Self::read(bytes, false).is_ok())
    }

    /// The bytes of the head and of the interim answers before it, if the head is complete.
    pub(crate) fn head_bytes(bytes: &[u8]) -> Option<usize> {
        let rest = without_interim(bytes);
        let mut fields = [EMPTY_HEADER; FIELDS];
        match Response::new(&mut fields).parse(rest) {
            Ok(Status::Complete(length)) => Some(bytes.len() - rest.len() + length),
            _ => None,
        }
    }

    /// The statuses of consecutive answers, as long as each says where it ends.
    pub(crate) fn statuses(mut bytes: &[u8]) -> Vec<u16> {
        let mut statuses = Vec::new();
        loop {
            bytes = without_interim(bytes);
            let mut fields = [EMPTY_HEADER; FIELDS];
            let mut parsed = Response::new(&mut fields);
            let Ok(Status::Complete(head)) = parsed.parse(bytes) else { return statuses };
            statuses.extend(parsed.code);
            if is_without_body(parsed.code) {
                bytes = &bytes[head..];
                continue;
            }
            let length = find(parsed.headers, "content-length").and_then(|field| str::from_utf8(field.value).ok());
            let Some(length) = length.and_then(|length| length.parse::<usize>().ok()) else { return statuses };
            bytes = head.checked_add(length).and_then(|end| bytes.get(end..)).unwrap_or_default();
        }
    }

    /// The first value of a header field, if it is text. Names match in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok()
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// `404 Not Found`.
    pub fn status_line(&self) -> String {
        format!("{} {}", self.status, self.reason).trim_end().to_owned()
    }

    /// The status line and the header fields as they were sent, one on each line, each
    /// ended by LF.
    pub fn head(&self) -> String {
        let mut head = format!("HTTP/1.{} {}\n", self.http_minor, self.status_line());
        for (name, value) in &self.fields {
            head += format!("{name}: {}", String::from_utf8_lossy(value)).trim_end();
            head += "\n";
        }
        head
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| redact::user_agent(name)).collect();
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("fields", &names)
            .field("body", &format_args!("<{} bytes>", self.body.len()))
            .finish()
    }
}

/// Whether an answer ends with its head, whatever its fields say (RFC 9110, section 6.4.1).
/// Interim answers are not seen here, and after 101 follows another protocol.
fn is_without_body(status: Option<u16>) -> bool {
    matches!(status, Some(204 | 304))
}

fn find<'h>(fields: &'h [Header<'h>], name: &str) -> Option<&'h Header<'h>> {
    fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
}

/// The bytes after the interim answers (RFC 9110, section 15.2), such as 100 and 103. After
/// 101, another protocol follows, so it counts as final here.
fn without_interim(mut bytes: &[u8]) -> &[u8] {
    loop {
        let mut fields = [EMPTY_HEADER; FIELDS];
        let mut parsed = Response::new(&mut fields);
        match (parsed.parse(bytes), parsed.code) {
            (Ok(Status::Complete(length)), Some(100 | 102..=199)) => bytes = &bytes[length..],
            _ => return bytes,
        }
    }
}

/// A body without its chunk headers.
fn of_chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Ok(Status::Complete((start, size))) = parse_chunk_size(rest) else { return None };
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        body.extend_from_slice(rest.get(start..end)?);
        if size == 0 {
            return Some(body);
        }
        rest = rest[end..].strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_came() {
        let bytes = b"HTTP/1.1 404 Not Found\r\nX-Case: Kept\r\nContent-Length: 2\r\n\r\nabc";
        let answer = Reply::read(bytes, false).unwrap();
        assert_eq!(
            (answer.status, &answer.body[..], answer.status_line()),
            (404, &b"ab"[..], "404 Not Found".to_owned())
        );
        assert_eq!(&*answer.head(), "HTTP/1.1 404 Not Found\nX-Case: Kept\nContent-Length: 2\n");
        assert_eq!(Reply::read(bytes, true).unwrap().body, b"");
    }

    #[test]
    fn a_body_may_come_in_chunks() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n";
        assert_eq!(Reply::read(bytes, false).unwrap().body, b"abcd");
    }

    #[test]
    fn interim_answers_come_before_the_answer() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
        let bytes = format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
        let answer = Reply::read(bytes.as_bytes(), false).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"ab"[..]));
        assert!(answer.head().starts_with("HTTP/1.1 200 OK\n"), "{}", answer.head());
        for end in interim.len()..bytes.len() {
            assert!(!Reply::ends_with(&bytes.as_bytes()[..end], false), "{end}");
        }
        assert!(!Reply::ends_with(interim.as_bytes(), true) && Reply::ends_with(bytes.as_bytes(), true));
        assert!(Reply::read(interim.as_bytes(), false).is_err());
        // The bytes after it are not HTTP.
        assert_eq!(Reply::read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", true).unwrap().status, 101);
    }

    #[test]
    fn answers_one_behind_the_other_are_counted_as_far_as_each_says_where_it_ends() {
        let first = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        let refused = "HTTP/1.1 400 Bad Request\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        let of = |bytes: String| Reply::statuses(bytes.as_bytes());
        assert_eq!(of(format!("{first}{refused}")), [200, 400]);
        assert_eq!(of(format!("{first}HTTP/1.1 40")), [200]);
        assert_eq!(of(first.replace(": 2", ": 3")), [200]);
        assert!(of("SSH-2.0-x\r\n".to_owned()).is_empty());
    }

    #[test]
    fn some_answers_end_with_their_head() {
        for status in ["204 No Content", "304 Not Modified"] {
            for field in ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
                let bytes = format!("HTTP/1.1 {status}\r\n{field}\r\n");
                assert!(Reply::ends_with(bytes.as_bytes(), false), "{bytes}");
                assert_eq!(Reply::read(bytes.as_bytes(), false).unwrap().body, b"", "{bytes}");
                let both = format!("{bytes}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                assert_eq!(Reply::statuses(both.as_bytes()).len(), 2, "{both}");
                assert_eq!(Reply::head_bytes(both.as_bytes()), Some(bytes.len()));
            }
        }
        assert!(!Reply::ends_with(b"HTTP/1.1 200 OK\r\n\r\n", false));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for bytes in [
            &b""[..],
            b"SSH-2.0-x\r\n",
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab",
        ] {
            assert!(Reply::read(bytes, false).is_err(), "{}", bytes.escape_ascii());
        }
    }
}
