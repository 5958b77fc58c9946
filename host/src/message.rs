use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use crate::delivery::Delivery;

/// One HTTP request, as plain values: no connection, no body.
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
        write!(f, "{}: <{} bytes>", self.name, self.value.len())
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

/// Why an answer is what it is: one value for each way through the service's
/// order of checks, and four of the shell. For logs and metrics; a client never
/// sees it. It displays as the rule that decided.
///
/// ```
/// let outcome = imds_host::Outcome::TokenMissing;
/// assert!(outcome.is_refusal());
/// assert_eq!(outcome.to_string(), "no token, and http-tokens is \"required\"");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// 503: the instance is stopped or terminated; a server closes without an
    /// answer.
    NotRunning,
    /// 503: a fault of the description struck.
    FaultRefused,
    /// 503: more requests than the description's `request-throttle` allows.
    Throttled,
    /// 200: an item or a listing.
    Found,
    /// 200: a session token was issued.
    TokenIssued,
    /// 200: the answer to `OPTIONS`.
    MethodsListed,
    /// 403: `Host` names a domain that is neither local nor allowed.
    HostRefused,
    /// 403: the metadata option `http-endpoint` is `disabled`.
    EndpointDisabled,
    /// 403: the request came over IPv6, and the metadata option
    /// `http-protocol-ipv6` is `disabled`.
    Ipv6Disabled,
    /// 405: the token path takes `PUT` and `OPTIONS` only.
    TokenMethodRefused,
    /// 403: `X-Forwarded-For` on a request for a token or with one.
    Forwarded,
    /// 400: the lifetime asked for is missing or out of range.
    TtlRefused,
    /// 401: tokens are required and the request carries none.
    TokenMissing,
    /// 401: the token is not one of this instance.
    TokenInvalid,
    /// 401: the token's lifetime is over.
    TokenExpired,
    /// 403: a method other than `GET`, `HEAD` and `OPTIONS`.
    MethodRefused,
    /// 404: nothing there in that version now.
    NotFound,
    /// 503: a signature of the identity document that was to be made and is
    /// not. An [`Instance`](crate::Instance) makes it and answers anew.
    SignaturesWanted,
    /// 500: the component failed; the observer is told why.
    Failed,
    /// 403: no instance belongs to this caller.
    NoInstance,
    /// 400: the head of the request is not HTTP, or has a target that is no URI.
    HeadUnreadable,
    /// 431: the head of the request is larger than [`Limits`](crate::Limits) allow.
    HeadTooLarge,
}

impl Outcome {
    /// All, in the order in which they are declared.
    pub(crate) const ALL: [Self; 22] = [
        Self::NotRunning,
        Self::FaultRefused,
        Self::Throttled,
        Self::Found,
        Self::TokenIssued,
        Self::MethodsListed,
        Self::HostRefused,
        Self::EndpointDisabled,
        Self::Ipv6Disabled,
        Self::TokenMethodRefused,
        Self::Forwarded,
        Self::TtlRefused,
        Self::TokenMissing,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::MethodRefused,
        Self::NotFound,
        Self::SignaturesWanted,
        Self::Failed,
        Self::NoInstance,
        Self::HeadUnreadable,
        Self::HeadTooLarge,
    ];

    /// Its name for machines, which does not change: as in the contract, and for
    /// those of the shell in the same manner.
    ///
    /// ```
    /// assert_eq!(imds_host::Outcome::TokenMissing.name(), "token-missing");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::NotRunning => "not-running",
            Self::FaultRefused => "fault-refused",
            Self::Throttled => "throttled",
            Self::Found => "found",
            Self::TokenIssued => "token-issued",
            Self::MethodsListed => "methods-listed",
            Self::HostRefused => "host-refused",
            Self::EndpointDisabled => "endpoint-disabled",
            Self::Ipv6Disabled => "ipv6-disabled",
            Self::TokenMethodRefused => "token-method-refused",
            Self::Forwarded => "forwarded",
            Self::TtlRefused => "ttl-refused",
            Self::TokenMissing => "token-missing",
            Self::TokenInvalid => "token-invalid",
            Self::TokenExpired => "token-expired",
            Self::MethodRefused => "method-refused",
            Self::NotFound => "not-found",
            Self::SignaturesWanted => "signatures-wanted",
            Self::Failed => "failed",
            Self::NoInstance => "no-instance",
            Self::HeadUnreadable => "head-unreadable",
            Self::HeadTooLarge => "head-too-large",
        }
    }

    /// Whether a client that asked for this may wonder why it did not get it.
    ///
    /// A 404 is none: clients ask for optional items all the time.
    ///
    /// ```
    /// assert!(!imds_host::Outcome::NotFound.is_refusal());
    /// ```
    pub fn is_refusal(self) -> bool {
        !matches!(self, Self::Found | Self::TokenIssued | Self::MethodsListed | Self::NotFound)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRunning => "the instance does not run: its state is \"stopped\" or \"terminated\"",
            Self::FaultRefused => "a fault of the description, of the kind \"refuse\"",
            Self::Throttled => "more requests than request-throttle allows",
            Self::Found => "found",
            Self::TokenIssued => "token issued",
            Self::MethodsListed => "methods listed",
            Self::HostRefused => "Host is neither a local name nor one that is allowed",
            Self::EndpointDisabled => "http-endpoint is \"disabled\"",
            Self::Ipv6Disabled => "http-protocol-ipv6 is \"disabled\"",
            Self::TokenMethodRefused => "the token path takes PUT and OPTIONS only",
            Self::Forwarded => "X-Forwarded-For on a request for a token or with one",
            Self::TtlRefused => "X-aws-ec2-metadata-token-ttl-seconds is missing or not a number from 0 to 21600",
            Self::TokenMissing => "no token, and http-tokens is \"required\"",
            Self::TokenInvalid => "the token was not issued by this instance under this secret",
            Self::TokenExpired => "the token's lifetime is over",
            Self::MethodRefused => "the method is none of GET, HEAD and OPTIONS",
            Self::NotFound => "nothing there in this version now",
            Self::SignaturesWanted => "the identity document is not signed yet",
            Self::Failed => "the component failed",
            Self::NoInstance => "no instance belongs to this caller",
            Self::HeadUnreadable => "its head is not HTTP/1.1, or has bytes that HTTP does not allow where they stand",
            Self::HeadTooLarge => "its head is larger than the limits allow",
        })
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
    fn all_outcomes_are_listed_in_order() {
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index, "{outcome:?}");
        }
    }

    #[test]
    fn outcomes_are_named_as_in_the_contract() {
        let places = ["../wit/imds.wit", "assets/wit/imds.wit"];
        let contract = places.iter().find_map(|place| std::fs::read_to_string(place).ok()).unwrap();
        let cases = contract.split_once("enum outcome {").unwrap().1.split_once('}').unwrap().0;
        let cases: Vec<_> = cases.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
        let cases: Vec<_> = cases.into_iter().filter(|line| !line.starts_with("///")).collect();
        let names = Outcome::ALL.map(Outcome::name);
        assert_eq!(cases, names[..cases.len()]);
        assert_eq!(names[cases.len()..], ["failed", "no-instance", "head-unreadable", "head-too-large"]);
    }

    #[test]
    fn the_ends_of_time_can_be_written() {
        assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date(u64::MAX), "Thu, 31 Dec 9998 23:59:59 GMT");
    }
}
