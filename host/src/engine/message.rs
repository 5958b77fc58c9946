use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use crate::engine::delivery::Delivery;
use crate::engine::outcome::Outcome;
use crate::redact;

/// One HTTP request, as plain values: no connection, no body. It prints as a log
/// may show it.
///
/// ```
/// use imds_host::{Field, Request};
///
/// let request = Request {
///     method: "PUT".into(),
///     target: "/latest/api/token".into(),
///     fields: vec![Field::new("X-aws-ec2-metadata-token-ttl-seconds", "21600")],
///     over_ipv6: false,
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
    /// The header fields; those that [`Runtime::fields_read`](crate::Runtime::fields_read)
    /// does not name may be left out.
    pub fields: Vec<Field>,
    /// Whether the request came over IPv6; an address that stands for an IPv4
    /// one does not count.
    pub over_ipv6: bool,
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

    /// The same request with one more header field.
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
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &redact::method(&self.method))
            .field("target", &redact::target(&self.target))
            .field("fields", &self.fields)
            .field("over_ipv6", &self.over_ipv6)
            .finish()
    }
}

/// A [`Request`] whose parts stand elsewhere, so that none is copied before
/// the component takes them.
#[derive(Clone, Copy)]
pub(crate) struct RequestRef<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) fields: &'a [(&'a str, &'a [u8])],
    pub(crate) over_ipv6: bool,
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
/// # let instance = runtime.open(&Default::default(), &Default::default())?;
/// let answer = instance.answer(&imds_host::Request::get("/"), imds_host::Moment::at(1_764_000_000_000, 0));
/// assert_eq!((answer.status, answer.reason(), answer.field("server")), (200, "OK", Some("EC2ws")));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The head as HTTP/1.1 sends it: status line, header fields in wire order,
    /// empty line; what a shell with a socket of its own writes before the body.
    pub head: String,
    /// The body; empty in the answer to `HEAD`.
    pub body: Vec<u8>,
    /// The IP time-to-live with which the packets of this answer must be sent,
    /// 1 to 64; none leaves the system's default.
    pub hop_limit: Option<u8>,
    /// What a server does with it; none for sending it whole and at once.
    pub delivery: Option<Delivery>,
    /// Why the answer is what it is.
    pub outcome: Outcome,
}

impl Answer {
    /// The reason phrase; `Not Allowed` stands for 405.
    ///
    /// ```
    /// # let runtime = imds_host::Runtime::new()?;
    /// # let instance = runtime.open(&Default::default(), &Default::default())?;
    /// let answer = instance.answer(&imds_host::Request::get("/latest/api/token"), imds_host::Moment::at(0, 0));
    /// assert_eq!(answer.reason(), "Not Allowed");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn reason(&self) -> &str {
        reason(self.head.lines().next())
    }

    /// The header fields, names and values, in wire order.
    ///
    /// ```
    /// # let runtime = imds_host::Runtime::new()?;
    /// # let instance = runtime.open(&Default::default(), &Default::default())?;
    /// let answer = instance.answer(&imds_host::Request::get("/"), imds_host::Moment::at(0, 0));
    /// assert_eq!(answer.fields().last(), Some(("Connection", "close")));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        fields(self.head.lines().skip(1))
    }

    /// The value of the first field of that name, compared without case.
    ///
    /// ```
    /// # let runtime = imds_host::Runtime::new()?;
    /// # let instance = runtime.open(&Default::default(), &Default::default())?;
    /// let answer = instance.answer(&imds_host::Request::get("/"), imds_host::Moment::at(0, 0));
    /// assert_eq!(answer.field("accept-ranges"), Some("none"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// An answer of the shell itself, in the shape of the service's refusals.
    pub(crate) fn without_body(status: u16, reason: &str, outcome: Outcome, now_ms: u64) -> Self {
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nDate: {}\r\nServer: EC2ws\r\n\
             Connection: close\r\nContent-Type: text/plain\r\n\r\n",
            date(now_ms)
        );
        Self { status, head, body: Vec::new(), hop_limit: None, delivery: None, outcome }
    }
}

/// The reason phrase of a status line.
pub(crate) fn reason(status_line: Option<&str>) -> &str {
    status_line.and_then(|line| line.splitn(3, ' ').nth(2)).unwrap_or_default()
}

/// The fields on the lines below it.
pub(crate) fn fields<'h>(lines: impl Iterator<Item = &'h str>) -> impl Iterator<Item = (&'h str, &'h str)> {
    lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim_ascii_start()))
}

/// A time as the component writes it, which ends with the year 9998.
fn date(unix_ms: u64) -> String {
    const LAST_MS: u64 = 253_370_764_799_000;
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(unix_ms.min(LAST_MS)))
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("reason", &self.reason())
            .field("head", &format_args!("<{} bytes>", self.head.len()))
            .field("body", &format_args!("<{} bytes>", self.body.len()))
            .field("hop_limit", &self.hop_limit)
            .field("delivery", &self.delivery)
            .field("outcome", &self.outcome)
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
pub struct Moment {
    /// The time, in milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: u64,
    /// A number that should differ from request to request, so that two tokens
    /// issued in the same millisecond differ. It need not be secret.
    pub entropy: u64,
}

impl Moment {
    /// The moment `now_ms` milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// ```
    /// assert_eq!(imds_host::Moment::at(5, 1).entropy, 1);
    /// ```
    pub fn at(now_ms: u64, entropy: u64) -> Self {
        Self { now_ms, entropy }
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
