//! Answers: the recorded heads and bodies of every kind.

use std::borrow::Cow;

use crate::categories::IdentityDocument;
use crate::decide::{Decision, SessionVersion, TOKEN_METHODS};
use crate::description::FaultKind;
use crate::faults::Delivery;
use crate::http::head::{Head, KeepsAlive, RequestBody};
use crate::outcome::Outcome;
use crate::time::{Dates, Time};

/// One HTTP answer, complete and in wire order; `wit/imds.wit` tells what each part
/// is.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer<'i> {
    /// The head as HTTP/1.1 sends it: status line, header fields spelled and
    /// ordered as on the wire, empty line.
    pub head: Vec<u8>,
    /// The body; empty in the answer to `HEAD`.
    pub body: Cow<'i, [u8]>,
    /// The status code.
    pub status: u16,
    /// Why the answer is what it is.
    pub outcome: Outcome,
    /// Which version of the service the client used.
    pub session_version: Option<SessionVersion>,
    /// The IP time-to-live of the answer to a request for a token.
    pub hop_limit: Option<u8>,
    /// How to deliver it; none for whole and at once.
    pub delivery: Option<Delivery>,
    /// What the shell reads and throws away before.
    pub request_body: RequestBody,
    /// Whether the connection may stay open.
    pub keep_alive: bool,
    /// The state of the throttle after this request.
    pub throttle_state: u64,
    /// What to sign, where signatures are wanted.
    pub to_sign: Option<IdentityDocument>,
}

/// What is answered, before it is written.
pub enum Reply<'i> {
    /// An item or a listing.
    Item {
        /// Its `Content-Type`.
        media_type: MediaType,
        /// When it was last published.
        modified: Time,
        /// Its bytes.
        body: Cow<'i, [u8]>,
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
    /// What an agent of containers answers, a refusal too.
    Agent {
        /// Why it is what it is.
        outcome: Outcome,
        /// Its bytes.
        body: AgentBody,
    },
    /// A refusal: an outcome whose status is not 200.
    Refused(Outcome),
}

/// The body of an agent's answer.
pub enum AgentBody {
    /// Credentials, and what the agent of ECS refuses.
    Json(String),
    /// What the agent of EKS refuses.
    Text(String),
}

/// The `Content-Type` of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// All but user data, JSON included.
    Text,
    /// User data.
    Binary,
}

/// What one answer leaves to the next, and nobody sees: memory that is there, and
/// dates that were written.
#[derive(Default)]
pub struct Buffers {
    /// Takes the head of the next answer.
    pub head: Vec<u8>,
    dates: Dates,
}

/// The page that comes with 404: 339 bytes, SHA-256 3f92bfc0…c39a.
const NOT_FOUND_PAGE: &[u8] = concat!(
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
)
.as_bytes();

impl Reply<'_> {
    /// Why it is what it is.
    pub fn outcome(&self) -> Outcome {
        match self {
            Reply::Item { .. } => Outcome::Found,
            Reply::Token { .. } => Outcome::TokenIssued,
            Reply::Methods(_) => Outcome::MethodsListed,
            Reply::Agent { outcome, .. } | Reply::Refused(outcome) => *outcome,
        }
    }

    fn has_body(&self) -> bool {
        match self {
            Reply::Item { body, .. } => !body.is_empty(),
            Reply::Token { .. } | Reply::Agent { .. } | Reply::Refused(Outcome::NotFound) => true,
            Reply::Methods(_) | Reply::Refused(_) => false,
        }
    }
}

impl Answer<'_> {
    /// The header fields, names and values, in their order.
    ///
    /// ```
    /// # use imds_core::{Instance, Moment, Settings};
    /// # let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
    /// let instance = Instance::open("{}", settings)?;
    /// let answer = instance.answer(b"GET / HTTP/1.1\r\n\r\n", Moment::default(), None);
    /// assert_eq!(answer.fields().next(), Some(("Content-Type", "text/plain")));
    /// # Ok::<(), Vec<imds_core::Problem>>(())
    /// ```
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let head = core::str::from_utf8(&self.head).unwrap_or_default();
        head.split("\r\n").filter_map(|line| line.split_once(": "))
    }
}

impl<'i> Answer<'i> {
    /// Writes out a decision about the request with this head; none is one that
    /// cannot be read.
    ///
    /// What a valid token of the request has left stands in every answer to it. The
    /// answer to `HEAD` has the head of `GET` and no body, with one exception: 404
    /// has the head of a refusal without a body (recorded in 2022).
    pub fn write(
        decision: Decision<'i>,
        head: Option<&Head<'_>>,
        keep_alive: bool,
        now: Time,
        buffers: &mut Buffers,
    ) -> Answer<'i> {
        let session_version = decision.session_version();
        let Decision { reply, ttl_left, throttle_state, fault } = decision;
        let outcome = reply.outcome();
        let (status, status_line) = outcome.status();
        let is_head = head.is_some_and(|head| head.method == "HEAD");
        let delivery = match (outcome, fault) {
            (Outcome::NotRunning, _) => Some(Delivery::Closed),
            (_, None) => None,
            (_, Some(fault)) => match fault.kind {
                FaultKind::Refuse => None,
                FaultKind::Delay => Some(Delivery::Delayed(fault.delay_ms)),
                FaultKind::Close => Some(Delivery::Closed),
                FaultKind::Withhold => Some(Delivery::Withheld),
                // One that cuts bodies does nothing to an answer without one.
                FaultKind::Cut => (reply.has_body() && !is_head).then_some(Delivery::Cut),
            },
        };
        let request_body = head.map_or(RequestBody::Unknown, |head| head.body);
        let keeps_alive = match head {
            Some(head) if keep_alive && matches!(delivery, None | Some(Delivery::Delayed(_))) => head.keeps_alive,
            _ => KeepsAlive::No,
        };
        let mut text = Text { bytes: core::mem::take(&mut buffers.head), keeps_alive, now, dates: &mut buffers.dates };
        text.bytes.clear();
        text.bytes.reserve(HEAD_BYTES);
        text.bytes.extend_from_slice(status_line.as_bytes());
        let mut body = match reply {
            Reply::Item { media_type, modified, body } => {
                text.ttl(ttl_left);
                match media_type {
                    MediaType::Text => text.put(b"Content-Type: text/plain\r\nAccept-Ranges: none\r\nLast-Modified: "),
                    MediaType::Binary => {
                        text.put(b"Content-Type: application/octet-stream\r\nAccept-Ranges: none\r\nLast-Modified: ");
                    }
                }
                text.date(modified.min(now));
                text.put(b"\r\n");
                text.length_and_server(body.len());
                body
            }
            Reply::Token { token, ttl_seconds } => {
                text.ttl(Some(ttl_seconds));
                text.length_and_server(token.len());
                text.put(b"Content-Type: text/plain\r\n");
                token.into_bytes().into()
            }
            Reply::Methods(methods) => {
                text.ttl(ttl_left);
                text.empty(Some(methods));
                Cow::Borrowed(&[][..])
            }
            Reply::Agent { outcome: _, body } => {
                let body = match body {
                    AgentBody::Json(body) => {
                        text.put(b"Content-Type: application/json\r\n");
                        body
                    }
                    AgentBody::Text(body) => {
                        text.put(b"Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n");
                        body
                    }
                };
                text.date_and_length(body.len());
                body.into_bytes().into()
            }
            Reply::Refused(Outcome::NotFound) if !is_head => {
                text.ttl(ttl_left);
                text.put(b"Content-Type: text/html\r\n");
                text.length_and_server(NOT_FOUND_PAGE.len());
                NOT_FOUND_PAGE.into()
            }
            Reply::Refused(outcome) => {
                text.ttl(ttl_left);
                text.empty((outcome == Outcome::TokenMethodRefused).then_some(TOKEN_METHODS));
                Cow::Borrowed(&[][..])
            }
        };
        text.put(b"\r\n");
        if is_head {
            body = Cow::Borrowed(&[]);
        } else if delivery == Some(Delivery::Cut) {
            let half = body.len() / 2;
            match &mut body {
                Cow::Borrowed(bytes) => *bytes = &bytes[..half],
                Cow::Owned(bytes) => bytes.truncate(half),
            }
        }
        Answer {
            head: text.bytes,
            body,
            status,
            outcome,
            session_version,
            hop_limit: None,
            delivery,
            request_body,
            keep_alive: keeps_alive != KeepsAlive::No,
            throttle_state,
            to_sign: None,
        }
    }
}

/// The head of an answer that is being written.
struct Text<'b> {
    bytes: Vec<u8>,
    keeps_alive: KeepsAlive,
    now: Time,
    dates: &'b mut Dates,
}

/// What the longest head takes, an answer to a request with a token.
const HEAD_BYTES: usize = 384;

impl Text<'_> {
    /// Puts a piece that is always the same: its length is known here, so that it is
    /// copied without a call.
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn number(&mut self, number: u64) {
        // A call to copy a few digits takes longer than this.
        for digit in itoa::Buffer::new().format(number).bytes() {
            self.bytes.push(digit);
        }
    }

    fn date(&mut self, time: Time) {
        let date = *self.dates.imf_fixdate(time);
        self.put(&date);
    }

    fn ttl(&mut self, seconds: Option<u32>) {
        if let Some(seconds) = seconds {
            self.put(b"X-Aws-Ec2-Metadata-Token-Ttl-Seconds: ");
            self.number(seconds.into());
            self.put(b"\r\n");
        }
    }

    fn length_and_server(&mut self, length: usize) {
        self.put(b"Content-Length: ");
        self.number(length as u64);
        self.put(b"\r\nDate: ");
        self.date(self.now);
        match self.keeps_alive {
            KeepsAlive::No => self.put(b"\r\nServer: EC2ws\r\nConnection: close\r\n"),
            KeepsAlive::Yes => self.put(b"\r\nServer: EC2ws\r\n"),
            KeepsAlive::Told => self.put(b"\r\nServer: EC2ws\r\nConnection: keep-alive\r\n"),
        }
    }

    /// The same of an agent's answer, in the order of Go's server.
    fn date_and_length(&mut self, length: usize) {
        self.put(b"Date: ");
        self.date(self.now);
        self.put(b"\r\nContent-Length: ");
        self.number(length as u64);
        match self.keeps_alive {
            KeepsAlive::No => self.put(b"\r\nConnection: close\r\n"),
            KeepsAlive::Yes => self.put(b"\r\n"),
            KeepsAlive::Told => self.put(b"\r\nConnection: keep-alive\r\n"),
        }
    }

    /// The fields of an answer without a body. UNRECORDED: their order where
    /// the status is 400 or the method OPTIONS; that of 401 and 405 is taken.
    fn empty(&mut self, allow: Option<&'static str>) {
        if let Some(methods) = allow {
            self.put(b"Allow: ");
            self.bytes.extend_from_slice(methods.as_bytes());
            self.put(b"\r\n");
        }
        self.length_and_server(0);
        self.put(b"Content-Type: text/plain\r\n");
    }
}

// A body may hold a token or credentials: not for logs.
impl core::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ({} bytes, {:?})", self.status, self.body.len(), self.outcome)
    }
}
