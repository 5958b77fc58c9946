//! Requests and answers, as a file of lines.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::escaped;
use super::wrong::WrongTranscript;
use crate::engine::Request;
use crate::probe::Reply;
use crate::redact;

/// The version of the format that this program writes and reads.
const FORMAT: u32 = 1;
/// The longest line: an answer with the longest body that a client accepts, in base64.
const LINE_BYTES: u64 = 32 << 20;
/// More exchanges than a capture has.
const EXCHANGES: usize = 100_000;

/// Requests to a service and its answers, without secrets. As a file, it is JSON Lines:
/// first a [`TranscriptHeader`], then an [`Exchange`] on each line in the order of time.
///
/// ```
/// use imds_host::capture::Transcript;
///
/// let text = concat!(
///     r#"{"imds-transcript":1,"date":"2026-10-01T00:00:00Z","endpoint":"http://169.254.169.254","#,
///     r#""tool":"imds 0.1.0","replaced":[],"missing":[]}"#, "\n",
///     r#"{"request":{"method":"GET","target":"/"},"response":{"version":1,"status":200,"reason":"OK","#,
///     r#""fields":[["Server","EC2ws"]],"body":"latest"},"took-ms":1}"#, "\n",
/// );
/// let transcript = Transcript::read_from(text.as_bytes())?;
/// assert_eq!(transcript.exchanges[0].response.body(), b"latest");
/// let error = Transcript::read_from("{}".as_bytes()).unwrap_err();
/// assert!(error.to_string().starts_with("line 1: "), "{error}");
/// # Ok::<_, imds_host::capture::WrongTranscript>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The first line.
    pub header: TranscriptHeader,
    /// The other lines.
    pub exchanges: Vec<Exchange>,
}

/// The first line of a transcript.
///
/// ```
/// # use imds_host::capture::TranscriptHeader;
/// let line = r#"{"imds-transcript":1,"date":"2026-10-01T00:00:00Z","endpoint":"http://a","tool":"x",
///     "replaced":["tokens"],"missing":[]}"#;
/// let header: TranscriptHeader = serde_json::from_str(line)?;
/// assert!(header.missing.is_empty());
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TranscriptHeader {
    /// The version of the format: 1.
    #[serde(rename = "imds-transcript")]
    pub format: u32,
    /// When the capture began, in the form of RFC 3339.
    pub date: String,
    /// Where the service was.
    pub endpoint: String,
    /// The program that captured it.
    pub tool: String,
    /// What was replaced by made-up values.
    pub replaced: Vec<Replaced>,
    /// The requests without an answer. A complete capture has none.
    pub missing: Vec<Missing>,
}

/// A kind of values that a transcript replaces by made-up ones of the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replaced {
    /// Session tokens.
    Tokens,
    /// Credentials, and other values in JSON that look like secrets.
    Credentials,
    /// User data.
    UserData,
    /// Keys of EC2 Instance Connect.
    ManagedSshKeys,
    /// Account, ids, addresses, names and values that follow from them.
    Identifiers,
    /// Signatures of the identity document. No certificate verifies the new ones.
    IdentitySignatures,
}

/// A request that has no answer in the transcript.
///
/// ```
/// # use imds_host::capture::Missing;
/// let missing = Missing { request: "GET /latest/".into(), why: "no answer within 5s".into() };
/// assert_eq!(missing.to_string(), "GET /latest/: no answer within 5s");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Method and target.
    pub request: String,
    /// What happened instead.
    pub why: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.request, self.why)
    }
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Exchange {
    /// The request.
    pub request: Asked,
    /// The answer.
    pub response: Answered,
    /// The time from the first byte of the request to the last byte of the answer, in
    /// milliseconds.
    pub took_ms: u64,
}

/// A request of a transcript. In values, `{token}` stands for the last session token
/// that was issued for a minute or longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The target as it was sent.
    pub target: String,
    /// Names and values of the header fields besides `Host`, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
}

/// An answer of a transcript. Its `Debug` form has no body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The minor version: 1 for HTTP/1.1.
    pub version: u8,
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// Names and values of the header fields in their order.
    pub fields: Vec<(String, String)>,
    /// The body, if it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<String>,
    #[serde(default, rename = "body-base64", skip_serializing_if = "Option::is_none")]
    pub(super) body_base64: Option<String>,
}

impl Asked {
    /// `GET /latest/`.
    ///
    /// ```
    /// # use imds_host::capture::Asked;
    /// let asked = Asked { method: "GET".into(), target: "/latest/".into(), fields: Vec::new() };
    /// assert_eq!(asked.line(), "GET /latest/");
    /// ```
    pub fn line(&self) -> String {
        format!("{} {}", redact::method(&self.method), redact::target(&self.target))
    }

    /// The value of a header field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The request with a valid token in place of `{token}`. Without a token, fields that
    /// need one are left out.
    pub(super) fn filled(&self, token: Option<&str>) -> Request {
        let mut request = Request { method: self.method.clone(), ..Request::get(self.target.clone()) };
        for (name, value) in &self.fields {
            request = match (value.contains("{token}"), token) {
                (false, _) => request.with(name, value.as_bytes()),
                (true, Some(token)) => request.with(name, value.replace("{token}", token)),
                (true, None) => request,
            };
        }
        request
    }
}

impl Answered {
    /// The body; empty in the answer to `HEAD`.
    pub fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(base64)) => STANDARD.decode(base64).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }

    /// The body, if it is text.
    pub fn text(&self) -> Option<&str> {
        match (&self.body, &self.body_base64) {
            (Some(text), _) => Some(text),
            (None, Some(_)) => None,
            (None, None) => Some(""),
        }
    }

    /// The first value of a header field. Names match in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn set_body(&mut self, bytes: Vec<u8>) {
        (self.body, self.body_base64) = match String::from_utf8(bytes) {
            Ok(text) => (Some(text).filter(|text| !text.is_empty()), None),
            Err(error) => (None, Some(STANDARD.encode(error.as_bytes()))),
        };
    }

    pub(super) fn of(reply: &Reply) -> Self {
        // EC2's values are all text. Other bytes are replaced.
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let mut answered = Self {
            version: reply.http_minor,
            status: reply.status,
            reason: reply.reason.clone(),
            fields: reply.fields.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            body: None,
            body_base64: None,
        };
        answered.set_body(reply.body.clone());
        answered
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered")
            .field("status", &self.status)
            .field("body", &format_args!("<{} bytes>", self.body().len()))
            .finish_non_exhaustive()
    }
}

impl Exchange {
    pub(super) fn new(request: Asked, reply: &Reply) -> Self {
        let took_ms = u64::try_from(reply.took.as_millis()).unwrap_or(u64::MAX);
        Self { request, response: Answered::of(reply), took_ms }
    }
}

impl Transcript {
    /// A transcript without an exchange.
    pub(super) fn begun(date: String, endpoint: String) -> Self {
        let header = TranscriptHeader {
            format: FORMAT,
            date,
            endpoint,
            tool: concat!("imds ", env!("CARGO_PKG_VERSION")).to_owned(),
            replaced: Vec::new(),
            missing: Vec::new(),
        };
        Self { header, exchanges: Vec::new() }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`WrongTranscript`] if the file cannot be read or a line is not that of a
    /// transcript.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, WrongTranscript> {
        let file = std::fs::File::open(path).map_err(|error| WrongTranscript::at(0, error.to_string()))?;
        Self::read_from(BufReader::new(file))
    }

    /// Reads from a stream, at most the size of the longest transcript.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_from(mut from: impl BufRead) -> Result<Self, WrongTranscript> {
        let (mut line, mut number, mut transcript) = (Vec::new(), 0, None::<Self>);
        loop {
            line.clear();
            number += 1;
            let read = from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line);
            let length = read.map_err(|error| WrongTranscript::at(number, error.to_string()))?;
            if length as u64 == LINE_BYTES && !line.ends_with(b"\n") {
                return Err(WrongTranscript::at(number, "it is too long"));
            }
            match &mut transcript {
                _ if length == 0 => break,
                None => {
                    let header: TranscriptHeader = parsed(&line, number, "the header of a transcript")?;
                    if header.format != FORMAT {
                        let why =
                            format!("it has version {} of the format, and this program reads {FORMAT}", header.format);
                        return Err(WrongTranscript::at(number, why));
                    }
                    transcript = Some(Self { header, exchanges: Vec::new() });
                }
                Some(_) if line.trim_ascii().is_empty() => {}
                Some(transcript) => {
                    let exchange: Exchange = parsed(&line, number, "an exchange")?;
                    if let Some(why) = exchange.wrong() {
                        return Err(WrongTranscript::at(number, why));
                    }
                    transcript.exchanges.push(exchange);
                    if transcript.exchanges.len() > EXCHANGES {
                        return Err(WrongTranscript::at(number, "there are too many exchanges"));
                    }
                }
            }
        }
        transcript.ok_or_else(|| WrongTranscript::at(1, "there is no header of a transcript"))
    }

    /// Writes it, one exchange on each line.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        escaped::write(&mut to, &self.header)?;
        to.write_all(b"\n")?;
        for exchange in &self.exchanges {
            escaped::write(&mut to, exchange)?;
            to.write_all(b"\n")?;
        }
        to.flush()
    }
}

/// Reads a line. Errors do not repeat its text.
fn parsed<'l, T: Deserialize<'l>>(line: &'l [u8], number: usize, what: &str) -> Result<T, WrongTranscript> {
    serde_json::from_slice(line).map_err(|error| {
        WrongTranscript::at(number, format!("it is not {what}: {}", redact::text(&error.to_string(), 200)))
    })
}
