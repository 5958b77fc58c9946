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

    /// What is too long for the service, as the status that says so and a reason. Spin
    /// itself refuses targets above 64 KiB only.
    ///
    /// ```
    /// use imds_spin::Head;
    ///
    /// let head = |method: &str, target: String| Head::new(method.to_owned(), Some(target), Vec::new(), None);
    /// assert_eq!(head("GET", "/".repeat(16 << 10)).too_long(), None);
    /// assert_eq!(head("GET", "/".repeat(64 << 10)).too_long().map(|(status, _)| status), Some(414));
    /// assert_eq!(head(&"A".repeat(64 << 10), "/".to_owned()).too_long().map(|(status, _)| status), Some(400));
    /// ```
    pub fn too_long(&self) -> Option<(u16, &'static str)> {
        if self.method.len() > PART_BYTES_MAX {
            return Some((400, "the method has more than 16 KiB"));
        }
        (self.target.len() > PART_BYTES_MAX).then_some((414, "the target has more than 16 KiB"))
    }

    /// The head as HTTP/1.1 sends it, with the fields of these names, given in lower
    /// case. No others: those that frame a body are not the component's to know where
    /// an engine read the body.
    ///
    /// Line ends and NUL in a part become NUL, which no head may have: so none of them
    /// begins another field, and the component answers 400.
    ///
    /// ```
    /// use imds_spin::Head;
    ///
    /// let fields = vec![("host".to_owned(), b"localhost".to_vec()), ("content-length".to_owned(), b"3".to_vec())];
    /// let head = Head::new("PUT".to_owned(), Some("/latest/api/token".to_owned()), fields, None);
    /// assert_eq!(head.write(&["host"]), b"PUT /latest/api/token HTTP/1.1\r\nhost: localhost\r\n\r\n");
    /// ```
    pub fn write(&self, names: &[impl AsRef<str>]) -> Vec<u8> {
        let mut head = Vec::with_capacity(256);
        let mut put = |part: &[u8], end: &[u8]| {
            head.extend(part.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { 0 } else { *byte }));
            head.extend_from_slice(end);
        };
        put(self.method.as_bytes(), b" ");
        put(self.target.as_bytes(), b" HTTP/1.1\r\n");
        for (name, value) in self.fields.iter().filter(|(name, _)| names.iter().any(|other| other.as_ref() == name)) {
            put(name.as_bytes(), b": ");
            put(value, b"\r\n");
        }
        put(b"", b"\r\n");
        head
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

/// As many bytes as the native runner takes for a whole head.
const PART_BYTES_MAX: usize = 16 << 10;

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
}

impl std::fmt::Debug for Reply {
    /// Without the body, which may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["host", "x-forwarded-for"];

    fn written(method: &str, target: &str, fields: &[(&str, &[u8])]) -> String {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
        let head = Head::new(method.to_owned(), Some(target.to_owned()), fields, None);
        head.write(&NAMES).escape_ascii().to_string()
    }

    #[test]
    fn the_fields_that_are_read_stay_in_their_order_and_others_go() {
        let fields: [(&str, &[u8]); 5] = [
            ("Host", b"a"),
            ("Content-Length", b"5"),
            ("Transfer-Encoding", b"chunked"),
            ("X-Forwarded-For", b"\xe4"),
            ("HOST", b"b"),
        ];
        let expected = r"GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: \xe4\r\nhost: b\r\n\r\n";
        assert_eq!(written("GET", "/", &fields), expected);
    }

    #[test]
    fn no_part_begins_another_line() {
        let expected = r"GET\x00 /\x00\x00Host: b HTTP/1.1\r\nhost: a\x00\x00x: \x00\r\n\r\n";
        assert_eq!(written("GET\n", "/\r\nHost: b", &[("host", b"a\r\nx: \0")]), expected);
    }
}
