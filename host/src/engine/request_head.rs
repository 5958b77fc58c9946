use std::fmt;
use std::mem::MaybeUninit;

use http::Extensions;

use crate::redact;

/// A view of the head of a request, to pick an instance by it or to log it. Each access
/// parses the head anew, so a request whose head you do not look at costs nothing. Only
/// the component decides what a head means to the service.
///
/// ```
/// use imds_host::RequestHead;
///
/// let head = RequestHead::new(b"GET /latest/ HTTP/1.1\r\nHost: localhost:1338\r\nUser-Agent: curl\r\n\r\n");
/// assert_eq!((head.method(), head.target()), ("GET", "/latest/"));
/// assert_eq!((head.host(), head.user_agent()), (Some("localhost:1338"), Some("curl")));
/// assert_eq!(RequestHead::new(b"\x16\x03").method(), "");
/// ```
#[derive(Clone, Copy)]
pub struct RequestHead<'h> {
    bytes: &'h [u8],
    extensions: Option<&'h Extensions>,
}

/// As many fields as are read without memory of their own.
const FIELDS: usize = 64;

impl<'h> RequestHead<'h> {
    /// The head in these bytes. One that cannot be read has an empty method, an
    /// empty target and no fields.
    ///
    /// ```
    /// assert_eq!(imds_host::RequestHead::new(b"PUT / HTTP/1.1\r\n\r\n").method(), "PUT");
    /// ```
    pub fn new(bytes: &'h [u8]) -> Self {
        Self { bytes, extensions: None }
    }

    /// The same with what an HTTP library knows of the request besides.
    pub(crate) fn with_extensions(self, extensions: &'h Extensions) -> Self {
        Self { extensions: Some(extensions), ..self }
    }

    /// The bytes as they came.
    ///
    /// ```
    /// assert_eq!(imds_host::RequestHead::new(b"GET").bytes(), b"GET");
    /// ```
    pub fn bytes(&self) -> &'h [u8] {
        self.bytes
    }

    /// The method as sent.
    ///
    /// ```
    /// assert_eq!(imds_host::RequestHead::new(b"put / HTTP/1.1\r\n\r\n").method(), "put");
    /// ```
    pub fn method(&self) -> &'h str {
        self.read(|request| request.method).flatten().unwrap_or_default()
    }

    /// The target as sent: the client controls it, and its length is limited by the
    /// server alone.
    ///
    /// ```
    /// assert_eq!(imds_host::RequestHead::new(b"GET /a?b HTTP/1.1\r\n\r\n").target(), "/a?b");
    /// ```
    pub fn target(&self) -> &'h str {
        self.read(|request| request.path).flatten().unwrap_or_default()
    }

    /// The values of all fields of one name, compared without case.
    ///
    /// ```
    /// let head = imds_host::RequestHead::new(b"GET / HTTP/1.1\r\nX-Guest: vm-7\r\n\r\n");
    /// assert_eq!(head.values("x-guest"), [b"vm-7"]);
    /// ```
    pub fn values(&self, name: &str) -> Vec<&'h [u8]> {
        let values = self.read(|request| {
            let fields = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
            fields.map(|field| field.value).collect()
        });
        values.unwrap_or_default()
    }

    /// The authority of a target in absolute form: `localhost:80` of
    /// `http://localhost:80/latest/`.
    ///
    /// ```
    /// let head = imds_host::RequestHead::new(b"GET http://localhost:80/latest/ HTTP/1.1\r\n\r\n");
    /// assert_eq!(head.authority(), Some("localhost:80"));
    /// ```
    pub fn authority(&self) -> Option<&'h str> {
        let target = self.target();
        let (_, rest) = target.split_once("://").filter(|_| !target.starts_with('/'))?;
        rest.split(['/', '?', '#']).next()
    }

    /// The host of the request, as sent in its fields `Host` and in the authority of an
    /// absolute target; `None` if these differ. The client controls it.
    ///
    /// ```
    /// let head = imds_host::RequestHead::new(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    /// assert_eq!(head.host(), None);
    /// ```
    pub fn host(&self) -> Option<&'h str> {
        let fields = self.values("host").into_iter().map(|value| str::from_utf8(value).ok());
        let mut hosts = self.authority().map(Some).into_iter().chain(fields);
        let host = hosts.next()?;
        if hosts.all(|other| other == host) { host } else { None }
    }

    /// The user agent as sent; `None` if there is none or if it is not text.
    ///
    /// ```
    /// assert_eq!(imds_host::RequestHead::new(b"GET / HTTP/1.1\r\n\r\n").user_agent(), None);
    /// ```
    pub fn user_agent(&self) -> Option<&'h str> {
        self.values("user-agent").first().and_then(|value| str::from_utf8(value).ok())
    }

    /// A value that the server which mounts a [`Service`](crate::Service) put into the
    /// extensions of the request; `None` on [`serve`](crate::serve)'s connections.
    ///
    /// ```
    /// assert_eq!(imds_host::RequestHead::new(b"GET / HTTP/1.1\r\n\r\n").extension::<u32>(), None);
    /// ```
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&'h T> {
        self.extensions?.get()
    }

    fn read<T>(&self, look: impl Fn(&httparse::Request<'_, 'h>) -> T) -> Option<T> {
        let mut few = [const { MaybeUninit::uninit() }; FIELDS];
        let mut request = httparse::Request::new(&mut []);
        match request.parse_with_uninit_headers(self.bytes, &mut few) {
            Ok(status) => return status.is_complete().then(|| look(&request)),
            Err(httparse::Error::TooManyHeaders) => {}
            Err(_) => return None,
        }
        // Each field has a line.
        let mut many = vec![MaybeUninit::uninit(); self.bytes.iter().filter(|byte| **byte == b'\n').count()];
        let mut request = httparse::Request::new(&mut []);
        let status = request.parse_with_uninit_headers(self.bytes, &mut many).ok()?;
        status.is_complete().then(|| look(&request))
    }
}

/// As a log may show it.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &redact::method(self.method()))
            .field("target", &redact::target(self.target()))
            .field("host", &self.host().map(redact::host))
            .field("user_agent", &self.user_agent().map(redact::user_agent))
            .finish()
    }
}
