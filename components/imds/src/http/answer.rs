//! Answers: the recorded heads and bodies of every kind.

use crate::description::FaultKind;
use crate::faults::{Delivery, Fault};
use crate::time::Time;

/// One HTTP answer, complete and in wire order.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The head as HTTP/1.1 sends it: status line, header fields spelled and
    /// ordered as on the wire, empty line.
    pub head: String,
    /// The body; empty in the answer to `HEAD`.
    pub body: Vec<u8>,
    /// The IP time-to-live of the answer to a request for a token.
    pub hop_limit: Option<u8>,
    /// How to deliver it; none for whole and at once.
    pub delivery: Option<Delivery>,
    /// Why the answer is what it is.
    pub outcome: Outcome,
    /// The state of the throttle after this request.
    pub throttle_state: u64,
}

/// Why an answer is what it is: one value for each way through the order of
/// checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 503, and closed without an answer: the instance does not run.
    NotRunning,
    /// 503: a fault of the description struck.
    FaultRefused,
    /// 503: more requests than the description allows.
    Throttled,
    /// 200: an item or a listing.
    Found,
    /// 200: a session token was issued.
    TokenIssued,
    /// 200: the answer to `OPTIONS`.
    MethodsListed,
    /// 403: `Host` names a domain that is neither local nor allowed.
    HostRefused,
    /// 403: the endpoint is disabled.
    EndpointDisabled,
    /// 403: the request came over IPv6 and IPv6 is disabled.
    Ipv6Disabled,
    /// 405: the token path takes `PUT` and `OPTIONS` only.
    TokenMethodRefused,
    /// 403: `X-Forwarded-For` on a request for a token or with one.
    Forwarded,
    /// 400: the lifetime asked for is missing, no number, or too long.
    TtlRefused,
    /// 401: tokens are required and there is none.
    TokenMissing,
    /// 401: the token was not issued by this instance under this secret.
    TokenInvalid,
    /// 401: the token's lifetime is over.
    TokenExpired,
    /// 403: a method other than `GET`, `HEAD` and `OPTIONS`.
    MethodRefused,
    /// 404: nothing at that path in that version now.
    NotFound,
    /// 503: a signature was asked for that the shell has not made yet.
    SignaturesWanted,
}

/// What is answered, before it is written out.
pub(crate) enum Reply {
    /// An item or a listing.
    Item {
        /// Its `Content-Type`.
        media_type: &'static str,
        /// When it was last published.
        modified: Time,
        /// Its bytes.
        body: Vec<u8>,
    },
    /// A new session token.
    Token {
        /// The token.
        token: String,
        /// The lifetime granted.
        ttl_seconds: u32,
    },
    /// The methods that a path takes.
    Methods(&'static str),
    /// A refusal: an outcome whose status is not 200.
    Refused(Outcome),
}

/// Methods on the token path and everywhere else, as `Allow` lists them.
pub(crate) const TOKEN_METHODS: &str = "OPTIONS, PUT";
pub(crate) const METADATA_METHODS: &str = "OPTIONS, GET, HEAD";

/// The page that comes with 404: 339 bytes, SHA-256 3f92bfc0…c39a.
const NOT_FOUND_PAGE: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n",
    "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n",
    "\t\t \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n",
    "<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n",
    " <head>\n",
    "  <title>404 - Not Found</title>\n",
    " </head>\n",
    " <body>\n",
    "  <h1>404 - Not Found</h1>\n",
    " </body>\n",
    "</html>\n",
);

impl Outcome {
    /// The status code and the status line.
    fn status(self) -> (u16, &'static str) {
        match self {
            Outcome::Found | Outcome::TokenIssued | Outcome::MethodsListed => (200, "HTTP/1.1 200 OK"),
            Outcome::TtlRefused => (400, "HTTP/1.1 400 Bad Request"),
            Outcome::TokenMissing | Outcome::TokenInvalid | Outcome::TokenExpired => (401, "HTTP/1.1 401 Unauthorized"),
            Outcome::HostRefused
            | Outcome::EndpointDisabled
            | Outcome::Ipv6Disabled
            | Outcome::Forwarded
            | Outcome::MethodRefused => (403, "HTTP/1.1 403 Forbidden"),
            Outcome::NotFound => (404, "HTTP/1.1 404 Not Found"),
            Outcome::TokenMethodRefused => (405, "HTTP/1.1 405 Not Allowed"),
            // UNRECORDED: its head and body; those of the other refusals are taken.
            Outcome::Throttled | Outcome::SignaturesWanted | Outcome::NotRunning | Outcome::FaultRefused => {
                (503, "HTTP/1.1 503 Service Unavailable")
            }
        }
    }
}

impl Answer {
    /// The header fields, names and values, in their order.
    ///
    /// ```
    /// # use imds_core::{Instance, Moment, Settings, http::Request};
    /// # let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
    /// let instance = Instance::open("{}", settings)?;
    /// let answer = instance.answer(&Request { method: "GET", target: "/", ..Request::default() }, Moment::default());
    /// assert_eq!(answer.fields().next(), Some(("Content-Type", "text/plain")));
    /// # Ok::<(), Vec<imds_core::Problem>>(())
    /// ```
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head.split("\r\n").filter_map(|line| line.split_once(": "))
    }

    /// Writes out `reply` to a request with `method`. `ttl_left` is what the
    /// valid token of the request has left, if it had one: every answer to such a
    /// request tells it.
    ///
    /// The answer to `HEAD` has the head of `GET` and no body, with one exception:
    /// 404 has the head of a refusal without a body (recorded in 2022).
    pub(crate) fn write(reply: Reply, method: &str, ttl_left: Option<u32>, now: Time) -> Answer {
        let outcome = match &reply {
            Reply::Item { .. } => Outcome::Found,
            Reply::Token { .. } => Outcome::TokenIssued,
            Reply::Methods(_) => Outcome::MethodsListed,
            Reply::Refused(outcome) => *outcome,
        };
        let (status, status_line) = outcome.status();
        let is_head = method == "HEAD";
        let mut head = Head::new(status_line, now);
        let mut body = match reply {
            Reply::Item { media_type, modified, body } => {
                head.ttl(ttl_left);
                head.field("Content-Type", media_type);
                head.field("Accept-Ranges", "none");
                head.date("Last-Modified", modified.min(now));
                head.length_and_server(body.len());
                body
            }
            Reply::Token { token, ttl_seconds } => {
                head.ttl(Some(ttl_seconds));
                head.length_and_server(token.len());
                head.field("Content-Type", "text/plain");
                token.into_bytes()
            }
            Reply::Methods(methods) => {
                head.ttl(ttl_left);
                head.empty(Some(methods));
                Vec::new()
            }
            Reply::Refused(Outcome::NotFound) if !is_head => {
                head.ttl(ttl_left);
                head.field("Content-Type", "text/html");
                head.length_and_server(NOT_FOUND_PAGE.len());
                NOT_FOUND_PAGE.into()
            }
            Reply::Refused(outcome) => {
                head.ttl(ttl_left);
                head.empty((outcome == Outcome::TokenMethodRefused).then_some(TOKEN_METHODS));
                Vec::new()
            }
        };
        if is_head {
            body.clear();
        }
        Answer { status, head: head.end(), body, hop_limit: None, delivery: None, outcome, throttle_state: 0 }
    }

    /// How the answer is delivered after a fault struck. One that cuts bodies
    /// does nothing to an answer without one.
    pub(crate) fn struck_by(&mut self, fault: &Fault) -> Option<Delivery> {
        match fault.kind {
            FaultKind::Refuse => None,
            FaultKind::Delay => Some(Delivery::Delayed(fault.delay_ms)),
            FaultKind::Close => Some(Delivery::Closed),
            FaultKind::Withhold => Some(Delivery::Withheld),
            FaultKind::Cut if self.body.is_empty() => None,
            FaultKind::Cut => {
                self.body.truncate(self.body.len() / 2);
                Some(Delivery::Cut)
            }
        }
    }
}

struct Head {
    text: String,
    now: Time,
}

/// What the longest head takes, an answer to a request with a token.
const HEAD_BYTES: usize = 320;

impl Head {
    fn new(status_line: &'static str, now: Time) -> Head {
        let mut text = String::with_capacity(HEAD_BYTES);
        text.push_str(status_line);
        text.push_str("\r\n");
        Head { text, now }
    }

    fn field(&mut self, name: &'static str, value: &str) {
        self.name(name);
        self.text.push_str(value);
        self.text.push_str("\r\n");
    }

    fn number(&mut self, name: &'static str, number: u64) {
        self.name(name);
        self.text.push_str(itoa::Buffer::new().format(number));
        self.text.push_str("\r\n");
    }

    fn date(&mut self, name: &'static str, time: Time) {
        self.name(name);
        time.write_imf_fixdate(&mut self.text);
        self.text.push_str("\r\n");
    }

    fn name(&mut self, name: &'static str) {
        self.text.push_str(name);
        self.text.push_str(": ");
    }

    fn ttl(&mut self, seconds: Option<u32>) {
        if let Some(seconds) = seconds {
            self.number("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", seconds.into());
        }
    }

    fn length_and_server(&mut self, length: usize) {
        self.number("Content-Length", length as u64);
        self.date("Date", self.now);
        self.text.push_str("Server: EC2ws\r\nConnection: close\r\n");
    }

    /// The fields of an answer without a body. UNRECORDED: their order where
    /// the status is 400 or the method OPTIONS; that of 401 and 405 is taken.
    fn empty(&mut self, allow: Option<&'static str>) {
        if let Some(methods) = allow {
            self.field("Allow", methods);
        }
        self.length_and_server(0);
        self.field("Content-Type", "text/plain");
    }

    fn end(mut self) -> String {
        self.text.push_str("\r\n");
        self.text
    }
}

// A body may hold a token or credentials: not for logs.
impl core::fmt::Debug for Answer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ({} bytes, {:?})", self.status, self.body.len(), self.outcome)
    }
}
