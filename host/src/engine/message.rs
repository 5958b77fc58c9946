use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use crate::description::LAST_MS;
use crate::engine::delivery::Delivery;
use crate::engine::outcome::Outcome;
use crate::engine::session_version::SessionVersion;
use crate::redact;

/// One HTTP request as plain values, without a connection or a body, for callers that
/// have no [head](Self::head) in bytes. Its `Debug` form is safe for logs.
///
/// ```
/// use imds_host::{Field, Request};
///
/// let request = Request {
///     method: "PUT".into(),
///     target: "/latest/api/token".into(),
///     fields: vec![Field::new("X-aws-ec2-metadata-token-ttl-seconds", "21600")],
/// };
/// assert_eq!(request.method, "PUT");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The method as sent; methods are compared with case.
    pub method: String,
    /// The request target as sent, before any decoding: a path with an
    /// optional query, or an absolute URI.
    pub target: String,
    /// The header fields; you may leave out those that
    /// [`Runtime::fields_read`](crate::Runtime::fields_read) does not name.
    pub fields: Vec<Field>,
}

impl Request {
    /// A `GET` without header fields.
    ///
    /// ```
    /// let request = imds_host::Request::get("/latest/meta-data/");
    /// assert_eq!(request.target, "/latest/meta-data/");
    /// ```
    pub fn get(target: impl Into<String>) -> Self {
        Self { method: "GET".into(), target: target.into(), ..Self::default() }
    }

    /// Adds a header field.
    ///
    /// ```
    /// let request = imds_host::Request::get("/").with("Host", "169.254.169.254");
    /// assert_eq!(request.fields.len(), 1);
    /// ```
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push(Field::new(name, value));
        self
    }

    /// The head of the request in HTTP/1.1. Line ends and NUL inside a part become NUL,
    /// which no valid head contains, so a part cannot inject another field.
    ///
    /// ```
    /// let request = imds_host::Request::get("/").with("Host", "localhost");
    /// assert_eq!(request.head(), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    /// ```
    pub fn head(&self) -> Vec<u8> {
        let mut head = Vec::with_capacity(256);
        let mut put = |part: &[u8], end: &[u8]| {
            head.extend(part.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { 0 } else { *byte }));
            head.extend_from_slice(end);
        };
        put(self.method.as_bytes(), b" ");
        put(self.target.as_bytes(), b" HTTP/1.1\r\n");
        for field in &self.fields {
            put(field.name.as_bytes(), b": ");
            put(&field.value, b"\r\n");
        }
        put(b"", b"\r\n");
        head
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &redact::method(&self.method))
            .field("target", &redact::target(&self.target))
            .field("fields", &self.fields)
            .finish()
    }
}

/// One header field of a request. Its value prints redacted, since it can be a token.
///
/// ```
/// let field = imds_host::Field::new("X-aws-ec2-metadata-token", "AQAEAGgj");
/// assert!(!format!("{field:?}").contains("AQAE"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// The name, in any mix of cases.
    pub name: String,
    /// The value, without surrounding white space.
    pub value: Vec<u8>,
}

impl Field {
    /// A field from its name and value.
    ///
    /// ```
    /// assert_eq!(imds_host::Field::new("Host", "localhost").value, b"localhost");
    /// ```
    pub fn new(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: <{} bytes>", redact::user_agent(&self.name), self.value.len())
    }
}

/// One HTTP answer, complete. Its body prints redacted, since it can hold
/// credentials.
///
/// ```
/// # let runtime = imds_host::Runtime::new()?;
/// # let instance = runtime.open(&Default::default())?;
/// let answer = instance.answer(&imds_host::Request::get("/"), imds_host::Moment::at(1_764_000_000_000, 0));
/// assert_eq!((answer.status, answer.reason(), answer.field("server")), (200, "OK", Some("EC2ws")));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The head as HTTP/1.1 sends it: status line, header fields in wire order,
    /// empty line; what a shell with a socket of its own writes before the body.
    pub head: String,
    /// The body; empty in the answer to `HEAD`.
    pub body: Vec<u8>,
    /// What a server does with the answer.
    pub verdict: Verdict,
}

/// What a server needs beside the bytes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The status code.
    pub status: u16,
    /// Why the answer is what it is.
    pub outcome: Outcome,
    /// The version of the service that the client used; `None` if the request was
    /// refused before the version was known.
    pub version: Option<SessionVersion>,
    /// The IP time-to-live of the packets of the answer, 1 to 64; `None` is the
    /// system's default.
    pub hop_limit: Option<u8>,
    /// What to do instead of sending it whole and at once.
    pub delivery: Option<Delivery>,
    /// What follows the head of the request; read it and discard it before you send the
    /// answer.
    pub request_body: RequestBody,
    /// Whether the connection may stay open for another request.
    pub keep_alive: bool,
    /// How many of the bytes are the head.
    pub head_length: usize,
}

/// What follows the head of a request on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// Nothing: the next byte belongs to another request.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks (RFC 9112, section 7.1), up to and with the last one and its
    /// trailers.
    Chunked,
    /// Unknown, or the client waits for `100 Continue` and need not get it: send the
    /// answer at once and close the connection.
    Unknown,
}

impl Answer {
    /// The reason phrase; for 405, `Not Allowed`.
    ///
    /// ```
    /// # let runtime = imds_host::Runtime::new()?;
    /// # let instance = runtime.open(&Default::default())?;
    /// let answer = instance.answer(&imds_host::Request::get("/latest/api/token"), imds_host::Moment::at(0, 0));
    /// assert_eq!(answer.reason(), "Not Allowed");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn reason(&self) -> &str {
        self.head.lines().next().and_then(|line| line.splitn(3, ' ').nth(2)).unwrap_or_default()
    }

    /// The header fields, names and values, in wire order.
    ///
    /// ```
    /// # let runtime = imds_host::Runtime::new()?;
    /// # let instance = runtime.open(&Default::default())?;
    /// let answer = instance.answer(&imds_host::Request::get("/"), imds_host::Moment::at(0, 0));
    /// assert_eq!(answer.fields().last(), Some(("Connection", "close")));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.head.lines().skip(1);
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim_ascii_start()))
    }

    /// The value of the first field of that name, compared without case.
    ///
    /// ```
    /// # let runtime = imds_host::Runtime::new()?;
    /// # let instance = runtime.open(&Default::default())?;
    /// let answer = instance.answer(&imds_host::Request::get("/"), imds_host::Moment::at(0, 0));
    /// assert_eq!(answer.field("accept-ranges"), Some("none"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// An answer from its bytes.
    pub(crate) fn of(mut bytes: Vec<u8>, verdict: Verdict) -> Self {
        let body = bytes.split_off(verdict.head_length.min(bytes.len()));
        let head = String::from_utf8(bytes).unwrap_or_default();
        Self { status: verdict.status, head, body, verdict }
    }
}

impl Verdict {
    /// That of nothing, before there is an answer.
    pub(crate) const NONE: Self = Self {
        status: 500,
        outcome: Outcome::Failed,
        version: None,
        hop_limit: None,
        delivery: None,
        request_body: RequestBody::Unknown,
        keep_alive: false,
        head_length: 0,
    };

    /// Writes the answer in place of one that the component failed to give, in the
    /// shape of the service's refusals.
    pub(crate) fn failed(now_ms: u64, out: &mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(
            format!(
                "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nDate: {}\r\nServer: EC2ws\r\n\
                 Connection: close\r\nContent-Type: text/plain\r\n\r\n",
                date(now_ms)
            )
            .as_bytes(),
        );
        Self { head_length: out.len() - start, ..Self::NONE }
    }
}

/// A time as the component writes it, none is after [`LAST_MS`].
fn date(unix_ms: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(unix_ms.min(LAST_MS)))
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("reason", &self.reason())
            .field("head", &format_args!("<{} bytes>", self.head.len()))
            .field("body", &format_args!("<{} bytes>", self.body.len()))
            .field("verdict", &self.verdict)
            .finish()
    }
}

/// What a shell knows at the moment of a request and the component cannot.
///
/// Equal requests at equal moments get equal answers.
///
/// ```
/// let moment = imds_host::Moment::at(1_764_000_000_000, 42);
/// assert_eq!(moment.now_ms, 1_764_000_000_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// The time, in milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: u64,
    /// A number that differs from request to request, so that two tokens of the same
    /// millisecond differ. It need not be secret.
    pub entropy: u64,
    /// Whether the request came over IPv6; an IPv4-mapped address does not count.
    pub over_ipv6: bool,
    /// Whether the server would keep the connection open for another request. EC2
    /// closes after each answer.
    pub keep_alive: bool,
}

impl Moment {
    /// The moment `now_ms` milliseconds after 1970-01-01T00:00:00Z, of a request over
    /// IPv4 whose connection is closed after the answer.
    ///
    /// ```
    /// assert_eq!(imds_host::Moment::at(5, 1).entropy, 1);
    /// ```
    pub const fn at(now_ms: u64, entropy: u64) -> Self {
        Self { now_ms, entropy, over_ipv6: false, keep_alive: false }
    }

    /// Sets whether the request came over IPv6.
    ///
    /// ```
    /// assert!(imds_host::Moment::at(0, 0).over_ipv6(true).over_ipv6);
    /// ```
    #[must_use]
    pub const fn over_ipv6(self, over_ipv6: bool) -> Self {
        Self { over_ipv6, ..self }
    }

    /// Sets whether the server would keep the connection open.
    ///
    /// ```
    /// assert!(imds_host::Moment::at(0, 0).keep_alive(true).keep_alive);
    /// ```
    #[must_use]
    pub const fn keep_alive(self, keep_alive: bool) -> Self {
        Self { keep_alive, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_in_a_request_is_printed() {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let request = Request { method: key.into(), ..Request::get(format!("/latest/{key}")) };
        let printed = format!("{:?}", request.with(key, key).with("Host", "localhost"));
        assert!(key.split('/').all(|part| !printed.contains(part)), "{printed}");
        assert!(printed.contains("/latest/…") && printed.contains("Host: <9 bytes>"), "{printed}");
    }

    #[test]
    fn the_ends_of_time_can_be_written() {
        assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date(u64::MAX), "Thu, 31 Dec 9998 23:59:59 GMT");
    }
}
