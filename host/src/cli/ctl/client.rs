// Requests to the control listener.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use anyhow::{Context, anyhow};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, IF_MATCH};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use imds_host::{Error, Place as PlaceInText, Problem, Problems};
use serde_json::Value;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::super::control::Place;
use super::super::failure::WrongUse;
use super::super::operator::Stream;
use super::super::signals::ensure_descriptors;

/// Asks the listener at one place.
pub struct Client {
    place: Place,
    runtime: Runtime,
    refusal: RefCell<Option<String>>,
}

/// An answer that is no refusal.
pub struct Answer {
    pub raw: String,
    pub body: Value,
}

/// What is asked.
pub struct Ask<'a> {
    method: &'a str,
    path: &'a str,
    body: Option<Value>,
    revision: Option<u64>,
    wait: Duration,
}

/// The listener is on this machine: who does not answer by then does not.
const TIME: Duration = Duration::from_secs(10);

/// Far above the largest answer, the whole journal.
const ANSWER_BYTES: usize = 16 << 20;

impl<'a> Ask<'a> {
    pub fn get(path: &'a str) -> Self {
        Self { method: "GET", path, body: None, revision: None, wait: Duration::ZERO }
    }

    pub fn post(path: &'a str) -> Self {
        Self { method: "POST", ..Self::get(path) }
    }

    pub fn patch(path: &'a str, body: Value) -> Self {
        Self { method: "PATCH", body: Some(body), ..Self::get(path) }
    }

    /// The same of this revision of the instance and no other.
    pub fn of_revision(self, revision: Option<u64>) -> Self {
        Self { revision, ..self }
    }

    /// The same with an answer that may come so much later.
    pub fn waiting(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }
}

impl Client {
    pub fn new(place: Place) -> anyhow::Result<Self> {
        ensure_descriptors()?;
        Ok(Self { place, runtime: Builder::new_current_thread().enable_all().build()?, refusal: RefCell::default() })
    }

    /// Fails with what the listener says against it: a wrong change with
    /// [`Error::Invalid`], of which the places are those in what was sent.
    pub fn ask(&self, ask: Ask<'_>) -> anyhow::Result<Answer> {
        self.refusal.take();
        let time = TIME.saturating_add(ask.wait);
        let sent = self.runtime.block_on(async { timeout(time, self.send(ask)).await });
        let (status, raw) = sent.unwrap_or_else(|_| Err(anyhow!("no answer from {}", self.place)))?;
        let Ok(body) = serde_json::from_str(&raw) else {
            let place = &self.place;
            anyhow::bail!("what answers at {place} is no control listener of imds\nhelp: {HOW_TO_START}");
        };
        if status.is_success() {
            return Ok(Answer { raw, body });
        }
        let error = refused(status, &body);
        self.refusal.replace(Some(raw));
        Err(error)
    }

    /// The last answer as it came, if it was a refusal.
    pub fn refusal(&self) -> Option<String> {
        self.refusal.take()
    }

    /// Whether nobody listens there.
    pub fn is_gone(&self) -> bool {
        self.runtime.block_on(self.connect()).is_err()
    }

    async fn send(&self, ask: Ask<'_>) -> anyhow::Result<(StatusCode, String)> {
        let stream = self
            .connect()
            .await
            .map_err(|error| anyhow!("cannot reach {}: {error}\nhelp: {HOW_TO_START}", self.place))?;
        let host = match &self.place {
            Place::Tcp(address) => address.to_string(),
            Place::Path(_) => "localhost".to_owned(),
        };
        let mut request = Request::builder().method(ask.method).uri(ask.path).header(HOST, host);
        if ask.method != "GET" {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(revision) = ask.revision {
            request = request.header(IF_MATCH, format!("\"{revision}\""));
        }
        let request = request.body(ask.body.map(|body| body.to_string()).unwrap_or_default())?;
        let broken = || format!("{} does not answer as HTTP does", self.place);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.with_context(broken)?;
        // It ends with the sender.
        tokio::spawn(connection);
        let response = sender.send_request(request).await.with_context(broken)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| anyhow!(error)).with_context(broken)?;
        Ok((status, String::from_utf8(body.to_bytes().into()).with_context(broken)?))
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.place {
            Place::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            #[cfg(unix)]
            Place::Path(path) => Box::new(UnixStream::connect(path).await?),
            #[cfg(not(unix))]
            Place::Path(_) => return Err(io::ErrorKind::Unsupported.into()),
        })
    }
}

const HOW_TO_START: &str = "start it with --control: imds serve --control; where it listens elsewhere, say so: \
                            imds ctl --control ADDR:PORT or PATH, or by IMDS_CONTROL";

/// What a refusal means for who typed the command.
fn refused(status: StatusCode, body: &Value) -> anyhow::Error {
    let message = body["error"].as_str().unwrap_or("it does not say why").to_owned();
    match (status, body["problems"].as_array()) {
        (StatusCode::UNPROCESSABLE_ENTITY, Some(problems)) => {
            let source = body["source"].as_str().unwrap_or_default().to_owned();
            Error::Invalid(Problems { source, list: problems.iter().map(problem).collect() }).into()
        }
        (StatusCode::UNPROCESSABLE_ENTITY, None) => WrongUse(message).into(),
        (StatusCode::PRECONDITION_FAILED, _) => anyhow!(Conflict(message)),
        _ => anyhow!("{message} ({status})"),
    }
}

/// The instance has another revision by now.
#[derive(Debug)]
pub struct Conflict(String);

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nhelp: imds ctl show tells the revision", self.0)
    }
}

impl std::error::Error for Conflict {}

fn problem(value: &Value) -> Problem {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let number = |name: &str| value[name].as_u64().and_then(|number| usize::try_from(number).ok());
    let place = number("line").zip(number("column"));
    Problem {
        field: text("field").unwrap_or_default(),
        in_name: value["in-name"] == true,
        message: text("message").unwrap_or_default(),
        help: text("help"),
        place: place.map(|(line, column)| PlaceInText { line, column, excerpt: None }),
        set_by: text("set-by"),
    }
}
