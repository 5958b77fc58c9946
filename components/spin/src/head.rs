//! Requests and answers as values, without the types of an HTTP binding.

use std::time::Duration;

/// The head of a request. Its body is not part of it: no rule of the service
/// looks at one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The method, as sent.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The header fields in the order in which they came, among them those that
    /// Spin adds. Names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// A head of what an HTTP binding gives. Without a target, `/`; the
    /// authority stands for `Host` where the engine moved it out of the fields.
    ///
    /// ```
    /// use imds_spin::Head;
    ///
    /// let fields = vec![("X-Forwarded-For".to_owned(), b"10.0.0.1".to_vec())];
    /// let head = Head::new("GET".to_owned(), None, fields, Some("localhost:3000".to_owned()));
    /// assert_eq!(head.target, "/");
    /// assert!(head.values("x-forwarded-for").next().is_some());
    /// assert_eq!(head.values("host").next(), Some(&b"localhost:3000"[..]));
    /// ```
    pub fn new(
        method: String,
        target: Option<String>,
        mut fields: Vec<(String, Vec<u8>)>,
        authority: Option<String>,
    ) -> Head {
        fields.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
        if let (false, Some(authority)) = (fields.iter().any(|(name, _)| name == "host"), authority) {
            fields.push(("host".to_owned(), authority.into_bytes()));
        }
        Head { method, target: target.unwrap_or_else(|| "/".to_owned()), fields }
    }

    /// The values of the fields of one name, given in lower case.
    ///
    /// ```
    /// use imds_spin::Head;
    ///
    /// let fields = vec![("host".to_owned(), b"localhost".to_vec())];
    /// let head = Head { fields, ..Head::default() };
    /// assert_eq!(head.values("host").collect::<Vec<_>>(), [b"localhost"]);
    /// ```
    pub fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.fields.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_slice())
    }
}

/// A method's name; both versions of `wasi:http` have the same methods, and each
/// a type of its own for them.
///
/// ```
/// enum Method { Get, Head, Post, Put, Delete, Connect, Options, Trace, Patch, Other(String) }
///
/// assert_eq!(imds_spin::method_name!(Method::Put), "PUT");
/// assert_eq!(imds_spin::method_name!(Method::Other("put".to_owned())), "put");
/// ```
#[macro_export]
macro_rules! method_name {
    ($method:expr) => {
        match $method {
            Method::Get => "GET".to_owned(),
            Method::Head => "HEAD".to_owned(),
            Method::Post => "POST".to_owned(),
            Method::Put => "PUT".to_owned(),
            Method::Delete => "DELETE".to_owned(),
            Method::Connect => "CONNECT".to_owned(),
            Method::Options => "OPTIONS".to_owned(),
            Method::Trace => "TRACE".to_owned(),
            Method::Patch => "PATCH".to_owned(),
            Method::Other(other) => other,
        }
    };
}

/// An answer, complete.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long a face waits before it sends the answer: the fault that a
    /// description asks for.
    pub delay: Duration,
}

impl Reply {
    /// An answer in plain text, for what is not the service's: a wrong variable.
    ///
    /// ```
    /// assert_eq!(imds_spin::Reply::text(500, "what is wrong").body, b"what is wrong\n");
    /// ```
    pub fn text(status: u16, text: &str) -> Reply {
        let body = format!("{text}\n").into_bytes();
        let length = body.len().to_string().into_bytes();
        let content_type = b"text/plain; charset=utf-8".to_vec();
        Reply {
            status,
            fields: vec![("Content-Type".to_owned(), content_type), ("Content-Length".to_owned(), length)],
            body,
            delay: Duration::ZERO,
        }
    }

    /// A refusal, as the service refuses: without a body.
    ///
    /// ```
    /// assert_eq!(imds_spin::Reply::empty(403).body, b"");
    /// ```
    pub fn empty(status: u16) -> Reply {
        let fields = vec![("Content-Length".to_owned(), b"0".to_vec())];
        Reply { status, fields, body: Vec::new(), delay: Duration::ZERO }
    }
}

impl std::fmt::Debug for Reply {
    /// Without the body, which may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
