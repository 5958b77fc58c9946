//! Request heads: from the bytes on a connection to what the service looks at.
//!
//! Sources: RFC 9112; how a request ends (sections 6 and 9.3) is read as strictly
//! as it can be, since a second reader in front may read it otherwise (section
//! 11.2). UNRECORDED: what EC2 says to a head that is none; 400, as to other
//! requests that it cannot use.

use core::mem::MaybeUninit;

use httparse::{Header, Status};

use super::{AUTHORIZATION, FORWARDED_FOR, HOST, TOKEN, TOKEN_TTL_SECONDS};
use crate::outcome::Outcome;

/// What the service looks at of a request.
///
/// UNRECORDED: which of several fields of one name counts. The last does least
/// harm: the AWS node termination handler answers a 401 with the same request
/// again, its fresh token added behind the expired one.
#[derive(Clone, Copy)]
pub struct Head<'h> {
    /// The method as sent, compared with case.
    pub method: &'h str,
    /// The request target as sent: path and query, or an absolute URI.
    pub target: &'h str,
    /// The last session token, if there is any.
    pub token: Option<&'h [u8]>,
    /// The last lifetime asked for, if there is any.
    pub token_ttl: Option<&'h [u8]>,
    /// The last token of a container, if there is any.
    pub authorization: Option<&'h [u8]>,
    /// Whether a proxy passed the request on.
    pub is_forwarded: bool,
    /// What follows on the connection.
    pub body: RequestBody,
    /// Whether the client would send another request on the connection.
    pub keeps_alive: KeepsAlive,
    /// The first `Host`.
    host: Option<&'h [u8]>,
    /// All fields, where there are more than one `Host`.
    repeated: Option<&'h [Header<'h>]>,
}

/// What follows a head on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// Nothing.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, up to and with the last one and its trailers.
    Chunked,
    /// Nobody can know, or the client waits to be asked for it.
    Unknown,
}

/// Whether a client would send another request on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepsAlive {
    /// It asked for an end, as clients of HTTP/1.0 do that say nothing.
    No,
    /// It need not be told that the connection stays.
    Yes,
    /// A client of HTTP/1.0 asked for it and expects to be told.
    Told,
}

/// Why a head cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is none of HTTP/1.0 or HTTP/1.1, or leaves in doubt where the request
    /// ends.
    Malformed,
    /// It does not end: the shell cut it off at its bounds.
    TooLarge,
}

impl Unreadable {
    /// Why the request is refused.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Unreadable::Malformed => Outcome::HeadUnreadable,
            Unreadable::TooLarge => Outcome::HeadTooLarge,
        }
    }
}

/// As many fields as are read without memory of their own.
const FIELDS: usize = 64;

impl Head<'_> {
    /// Reads a head, which must be all of `bytes`, and hands it to `use_it`.
    ///
    /// ```
    /// use imds_core::http::Head;
    ///
    /// let bytes = b"GET /latest/ HTTP/1.1\r\nHOST: localhost\r\nX-aws-ec2-metadata-token: abc\r\n\r\n";
    /// Head::read(bytes, |head| {
    ///     let head = head.expect("that is a head");
    ///     assert_eq!((head.method, head.target, head.token), ("GET", "/latest/", Some(&b"abc"[..])));
    /// });
    /// ```
    pub fn read<T>(bytes: &[u8], use_it: impl FnOnce(Result<Head<'_>, Unreadable>) -> T) -> T {
        let mut few = [const { MaybeUninit::uninit() }; FIELDS];
        let mut request = httparse::Request::new(&mut []);
        match request.parse_with_uninit_headers(bytes, &mut few) {
            Err(httparse::Error::TooManyHeaders) => {}
            read => return use_it(whole(read, bytes).and_then(|()| Head::of(&request))),
        }
        // Each field has a line.
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let mut many = vec![MaybeUninit::uninit(); lines];
        let mut request = httparse::Request::new(&mut []);
        let read = request.parse_with_uninit_headers(bytes, &mut many);
        use_it(whole(read, bytes).and_then(|()| Head::of(&request)))
    }
}

/// Whether what was read is a head and all of `bytes`.
fn whole(read: httparse::Result<usize>, bytes: &[u8]) -> Result<(), Unreadable> {
    match read {
        Ok(Status::Complete(length)) if length == bytes.len() => Ok(()),
        Ok(Status::Partial) => Err(Unreadable::TooLarge),
        Ok(Status::Complete(_)) | Err(_) => Err(Unreadable::Malformed),
    }
}

impl<'h> Head<'h> {
    fn of(request: &'h httparse::Request<'_, 'h>) -> Result<Head<'h>, Unreadable> {
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
            return Err(Unreadable::Malformed);
        };
        let mut head = Head {
            method,
            target,
            token: None,
            token_ttl: None,
            authorization: None,
            is_forwarded: false,
            body: RequestBody::None,
            keeps_alive: KeepsAlive::No,
            host: None,
            repeated: None,
        };
        let mut framing = Framing { version, ..Framing::default() };
        for field in &*request.headers {
            // By the length first: most fields are none of these.
            let is = |name: &str| is_named(field, name);
            match field.name.len() {
                4 if is(HOST) && head.host.is_none() => head.host = Some(field.value),
                4 if is(HOST) => head.repeated = Some(request.headers),
                24 if is(TOKEN) => head.token = Some(field.value),
                36 if is(TOKEN_TTL_SECONDS) => head.token_ttl = Some(field.value),
                13 if is(AUTHORIZATION) => head.authorization = Some(field.value),
                15 if is(FORWARDED_FOR) => head.is_forwarded = true,
                6 | 10 | 14 | 17 => framing.add(field)?,
                _ => {}
            }
        }
        (head.body, head.keeps_alive) = framing.end()?;
        Ok(head)
    }

    /// The value of `Host`, if there is one and no more.
    pub(crate) fn only_host(&self) -> Option<&'h [u8]> {
        self.host.filter(|_| self.repeated.is_none())
    }

    /// The values of `Host`, of which there may be none or several.
    pub fn hosts(&self) -> impl Iterator<Item = &'h [u8]> {
        let all = self.repeated.into_iter().flatten().filter(|field| field.name.eq_ignore_ascii_case(HOST));
        // The first one is among all.
        self.host.filter(|_| self.repeated.is_none()).into_iter().chain(all.map(|field| field.value))
    }
}

/// The fields that tell where a request ends and whether another may follow.
#[derive(Default)]
struct Framing {
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    version: u8,
    length: Option<u64>,
    /// Whether the last coding is `chunked`, if there is any.
    ends_chunked: Option<bool>,
    closes: bool,
    keeps: bool,
    expects: bool,
}

impl Framing {
    fn add(&mut self, field: &Header<'_>) -> Result<(), Unreadable> {
        let is = |name: &str| is_named(field, name);
        if is("content-length") {
            let length = length(field.value).ok_or(Unreadable::Malformed)?;
            // The same one twice leaves nothing in doubt.
            if self.length.replace(length).is_some_and(|other| other != length) {
                return Err(Unreadable::Malformed);
            }
        } else if is("transfer-encoding") {
            // Commas in quotes part nothing, which not every reader knows.
            if field.value.contains(&b'"') {
                return Err(Unreadable::Malformed);
            }
            for coding in options(field.value) {
                // Chunks come once, and nothing behind them (RFC 9112, section 6.1).
                if self.ends_chunked == Some(true) {
                    return Err(Unreadable::Malformed);
                }
                self.ends_chunked = Some(coding.eq_ignore_ascii_case(b"chunked"));
            }
        } else if is("connection") {
            for option in options(field.value) {
                self.closes |= option.eq_ignore_ascii_case(b"close");
                self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        } else if is("expect") {
            self.expects |= field.value.eq_ignore_ascii_case(b"100-continue");
        }
        Ok(())
    }

    fn end(self) -> Result<(RequestBody, KeepsAlive), Unreadable> {
        let body = match (self.ends_chunked, self.length) {
            // Then nobody knows where the request ends. HTTP/1.0 has no codings.
            (Some(false), _) => return Err(Unreadable::Malformed),
            (Some(true), _) if self.version == 0 => return Err(Unreadable::Malformed),
            (Some(true), _) => RequestBody::Chunked,
            (None, None | Some(0)) => RequestBody::None,
            (None, Some(length)) => RequestBody::Length(length),
        };
        // A reader in front may have taken the length in place of the chunks.
        let is_in_doubt = self.ends_chunked.is_some() && self.length.is_some();
        // Whether a client sends a body that nobody asked it for, it decides itself.
        let may_not_come = self.expects && body != RequestBody::None;
        let keeps_alive = match self.version {
            _ if self.closes || is_in_doubt || may_not_come => KeepsAlive::No,
            0 if self.keeps => KeepsAlive::Told,
            0 => KeepsAlive::No,
            _ => KeepsAlive::Yes,
        };
        Ok((if may_not_come { RequestBody::Unknown } else { body }, keeps_alive))
    }
}

/// Whether a field has this name, of small letters, digits and hyphens, in any case.
///
/// Several bytes at a time: of the characters that a field's name can have, none but a
/// letter in the other case differs in this one bit from a letter, a digit or a hyphen.
fn is_named(field: &Header<'_>, name: &str) -> bool {
    const CASE: u64 = 0x2020_2020_2020_2020;
    let (words, rest) = field.name.as_bytes().as_chunks::<8>();
    let (wanted_words, wanted_rest) = name.as_bytes().as_chunks::<8>();
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes) | CASE;
    rest.eq_ignore_ascii_case(wanted_rest) && words.iter().map(word).eq(wanted_words.iter().map(word))
}

/// A length: digits, which fit.
fn length(value: &[u8]) -> Option<u64> {
    let digits = core::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

/// The items of a list, without the white space around them.
fn options(value: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

// The fields may hold a token, so they are not for logs, and neither is a target.
impl core::fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Head").field("body", &self.body).field("keeps_alive", &self.keeps_alive).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(fields: &str, version: &str) -> Result<(RequestBody, KeepsAlive), Unreadable> {
        let bytes = format!("PUT / HTTP/{version}\r\n{fields}\r\n");
        Head::read(bytes.as_bytes(), |head| head.map(|head| (head.body, head.keeps_alive)))
    }

    #[test]
    fn the_last_field_of_a_name_counts_and_every_host() {
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\nX-AWS-EC2-metadata-token: one\r\nhost:  b \r\n\
                      x-aws-ec2-metadata-token: two\r\n\r\n";
        Head::read(bytes, |head| {
            let head = head.unwrap();
            assert_eq!(head.token, Some(&b"two"[..]));
            assert_eq!(head.hosts().collect::<Vec<_>>(), [b"a", b"b"]);
        });
        Head::read(b"GET / HTTP/1.1\nHost: a\n\n", |head| assert_eq!(head.unwrap().hosts().count(), 1));
        Head::read(b"\r\nGET / HTTP/1.0\r\n\r\n", |head| assert_eq!(head.unwrap().hosts().count(), 0));
    }

    #[test]
    fn any_number_of_fields_can_be_read() {
        for fields in [0, FIELDS, FIELDS + 1, 5000] {
            let bytes = format!("GET / HTTP/1.1\r\n{}Host: last\r\n\r\n", "A: b\r\n".repeat(fields));
            Head::read(bytes.as_bytes(), |head| assert_eq!(head.unwrap().hosts().next(), Some(&b"last"[..])));
        }
    }

    #[test]
    fn a_head_is_all_of_the_bytes() {
        for (bytes, why) in [
            (&b""[..], Unreadable::TooLarge),
            (b"GET / HTTP/1.1\r\nHost: a\r\n", Unreadable::TooLarge),
            (b"GET / HTTP/1.1\r\n\r\nG", Unreadable::Malformed),
            (b"\x16\x03\x01\x02", Unreadable::Malformed),
            (b"GET / HTTP/1.1\r\nA: \x01\r\n\r\n", Unreadable::Malformed),
        ] {
            assert_eq!(Head::read(bytes, |head| head.err()), Some(why), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn where_a_request_ends_is_beyond_doubt_or_it_is_refused() {
        use KeepsAlive::{No, Yes};
        for (fields, expected) in [
            ("", Ok((RequestBody::None, Yes))),
            ("Content-Length: 0\r\n", Ok((RequestBody::None, Yes))),
            ("Content-Length: 12\r\ncontent-length: 12\r\n", Ok((RequestBody::Length(12), Yes))),
            ("Content-Length: 18446744073709551615\r\n", Ok((RequestBody::Length(u64::MAX), Yes))),
            ("Transfer-Encoding: gzip, Chunked\r\n", Ok((RequestBody::Chunked, Yes))),
            ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", Ok((RequestBody::Chunked, No))),
            ("Content-Length: 3\r\nExpect: 100-Continue\r\n", Ok((RequestBody::Unknown, No))),
            ("Expect: 100-continue\r\n", Ok((RequestBody::None, Yes))),
        ] {
            assert_eq!(framing(fields, "1.1"), expected, "{fields}");
        }
        for fields in [
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length:\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
            "Transfer-Encoding: chunked,\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: chunked, gzip\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: a;b=\", chunked\r\n",
            "Transfer-Encoding:\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip, chunked\r\n",
        ] {
            assert_eq!(framing(fields, "1.1"), Err(Unreadable::Malformed), "{fields}");
        }
        assert_eq!(framing("Transfer-Encoding: chunked\r\n", "1.0"), Err(Unreadable::Malformed));
    }

    #[test]
    fn a_client_of_http_1_0_asks_for_an_open_connection() {
        for (fields, version, expected) in [
            ("", "1.1", KeepsAlive::Yes),
            ("Connection: upgrade, Close\r\n", "1.1", KeepsAlive::No),
            ("", "1.0", KeepsAlive::No),
            ("Connection: Keep-Alive\r\n", "1.0", KeepsAlive::Told),
            ("Connection: keep-alive\r\nConnection: close\r\n", "1.0", KeepsAlive::No),
        ] {
            assert_eq!(framing(fields, version), Ok((RequestBody::None, expected)), "{fields} {version}");
        }
    }
}
