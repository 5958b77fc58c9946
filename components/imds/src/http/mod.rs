//! Requests as plain values, and the header fields that the service reads.

/// One HTTP request, without its body: no rule of the service looks at one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method as sent, compared with case.
    pub method: &'a str,
    /// The request target as sent: path and query, or an absolute URI.
    pub target: &'a str,
    /// The header fields as sent, in any order and any case.
    pub fields: &'a [Field<'a>],
    /// Whether the request came over IPv6.
    pub over_ipv6: bool,
}

/// One header field of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name, in any case.
    pub name: &'a str,
    /// The value, any bytes.
    pub value: &'a [u8],
}

/// The host that the client believes to talk to.
pub const HOST: &str = "host";
/// A session token, sent with a request.
pub const TOKEN: &str = "x-aws-ec2-metadata-token";
/// The lifetime wanted for a session token, in seconds.
pub const TOKEN_TTL_SECONDS: &str = "x-aws-ec2-metadata-token-ttl-seconds";
/// Added by proxies; its presence refuses everything that has to do with tokens.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// The fields that can change an answer; a shell may leave out all others.
pub const FIELDS_READ: [&str; 4] = [HOST, TOKEN, TOKEN_TTL_SECONDS, FORWARDED_FOR];

impl<'a> Request<'a> {
    /// The value of the last field called `name`, white space around it
    /// removed.
    ///
    /// UNRECORDED: which of several fields of one name counts. The last does
    /// least harm: the AWS node termination handler answers a 401 with the same
    /// request again, its fresh token added behind the expired one.
    ///
    /// ```
    /// use imds_core::http::{Field, HOST, Request};
    ///
    /// let fields = [Field { name: "HOST", value: b" localhost " }];
    /// let request = Request { fields: &fields, ..Request::default() };
    /// assert_eq!(request.field(HOST), Some(&b"localhost"[..]));
    /// ```
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().rfind(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.trim_ascii())
    }
}

// A field may hold a session token, so its value is not for logs.
impl core::fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: ({} bytes)", self.name.escape_debug(), self.value.len())
    }
}
