//! Requests and answers as values, without the types of an HTTP binding.

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

/// An answer, complete.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer in plain text, for what is not the service's: a wrong variable.
    ///
    /// ```
    /// assert_eq!(imds_spin::Reply::text(500, "what is wrong").body, b"what is wrong\n");
    /// ```
    pub fn text(status: u16, text: &str) -> Reply {
        Reply {
            status,
            fields: vec![("Content-Type".to_owned(), b"text/plain; charset=utf-8".to_vec())],
            body: format!("{text}\n").into_bytes(),
        }
    }

    /// A refusal, as the service refuses: without a body.
    ///
    /// ```
    /// assert_eq!(imds_spin::Reply::empty(403).body, b"");
    /// ```
    pub fn empty(status: u16) -> Reply {
        Reply { status, fields: vec![("Content-Length".to_owned(), b"0".to_vec())], body: Vec::new() }
    }
}

impl std::fmt::Debug for Reply {
    /// Without the body, which may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
