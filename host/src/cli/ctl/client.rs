// Requests to the control listener.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, IF_MATCH};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use imds_host::{Error, Place as PlaceInText, Problem, Problems};
use serde_json::Value;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::super::control::Place;
use super::super::failure::WrongUse;
use super::super::operator::Stream;
use super::super::signals::ensure_descriptors;
use super::target::{Target, Url};
use super::{Access, tls};

/// The path of the instance; of that which `--instance` names, where there are many.
pub const INSTANCE: &str = "/v1/instance";

/// What an instance has beside itself: below its path, where there are many.
const OF_ONE: [&str; 5] = ["/v1/clock", "/v1/get", "/v1/requests", "/v1/usage", "/v1/reload"];

/// Asks the control at one place.
pub struct Client {
    target: Target,
    access: Access,
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

/// Who does not answer by then does not.
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

    /// Another description of the instance.
    pub fn put(body: Value) -> Self {
        Self { method: "PUT", body: Some(body), ..Self::get(INSTANCE) }
    }

    /// The end of the instance.
    pub fn delete() -> Self {
        Self { method: "DELETE", ..Self::get(INSTANCE) }
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
    pub fn new(target: Target, access: Access) -> anyhow::Result<Self> {
        ensure_descriptors()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { target, access, runtime, refusal: RefCell::default() })
    }

    /// Whether it asks an application that Spin serves.
    pub fn is_of_an_application(&self) -> bool {
        matches!(self.target, Target::Application(_))
    }

    /// The key of the instance, where there are many.
    pub fn key(&self) -> Option<&str> {
        self.access.key.as_deref()
    }

    /// Fails with what the listener says against it: a wrong change with
    /// [`Error::Invalid`], of which the places are those in what was sent.
    pub fn ask(&self, ask: Ask<'_>) -> anyhow::Result<Answer> {
        self.refusal.take();
        let is_of_the_instance = ask.path == INSTANCE;
        let path = ask.path.split('?').next().unwrap_or_default();
        let is_of_a_listener = !self.is_of_an_application() && (is_of_the_instance || OF_ONE.contains(&path));
        let time = TIME.saturating_add(ask.wait);
        let sent = self.runtime.block_on(async { timeout(time, self.send(ask)).await });
        let (status, raw) = sent.unwrap_or_else(|_| Err(anyhow!("no answer from {}", self.target)))?;
        let Ok(body) = serde_json::from_str(&raw) else {
            let target = &self.target;
            let what = if self.is_of_an_application() { "control" } else { "control listener" };
            anyhow::bail!("what answers at {target} is no {what} of imds\nhelp: {}", self.how_to_start());
        };
        if status.is_success() {
            return Ok(Answer { raw, body });
        }
        let mut error = refused(status, &body);
        let names_one = is_of_a_listener || (is_of_the_instance && self.is_of_an_application());
        if status == StatusCode::NOT_FOUND && names_one {
            error = anyhow!("{error}\n{}", self.how_to_name());
        }
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
        let stream = self.connect().await.map_err(|error| error.context(format!("cannot reach {}", self.target)))?;
        let host = match &self.target {
            Target::Listener(Place::Tcp(address), _) => address.to_string(),
            Target::Listener(Place::Path(_), _) => "localhost".to_owned(),
            Target::Application(url) => url.authority(),
        };
        let mut request = Request::builder().method(ask.method).uri(self.path(ask.path)).header(HOST, host);
        if let Some(token) = &self.access.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if ask.method != "GET" {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(revision) = ask.revision {
            request = request.header(IF_MATCH, format!("\"{revision}\""));
        }
        let request = request.body(ask.body.map(|body| body.to_string()).unwrap_or_default())?;
        let broken = || format!("{} does not answer as HTTP does", self.target);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.with_context(broken)?;
        // It ends with the sender.
        tokio::spawn(connection);
        let response = sender.send_request(request).await.with_context(broken)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| anyhow!(error)).with_context(broken)?;
        Ok((status, String::from_utf8(body.to_bytes().into()).with_context(broken)?))
    }

    /// A path as the target has it.
    fn path(&self, path: &str) -> String {
        let before = match &self.target {
            Target::Listener(..) => "",
            Target::Application(url) => &url.path,
        };
        let of_one = || match path {
            INSTANCE => Some(""),
            // An application says of these why it has none.
            _ if self.is_of_an_application() => None,
            _ => OF_ONE.contains(&path.split('?').next()?).then(|| path.strip_prefix("/v1")).flatten(),
        };
        match self.access.key.as_deref().zip(of_one()) {
            Some((key, rest)) => format!("{before}/v1/instances/{}{rest}", encoded(key)),
            None => format!("{before}{path}"),
        }
    }

    async fn connect(&self) -> anyhow::Result<Box<dyn Stream>> {
        let connected: io::Result<Box<dyn Stream>> = match &self.target {
            Target::Application(url) => return self.connect_to(url).await,
            Target::Listener(Place::Tcp(address), _) => {
                TcpStream::connect(address).await.map(|stream| -> Box<dyn Stream> { Box::new(stream) })
            }
            #[cfg(unix)]
            Target::Listener(Place::Path(path), _) => {
                UnixStream::connect(path).await.map(|stream| -> Box<dyn Stream> { Box::new(stream) })
            }
            #[cfg(not(unix))]
            Target::Listener(Place::Path(_), _) => Err(io::ErrorKind::Unsupported.into()),
        };
        connected.map_err(|error| self.unreachable(&error))
    }

    async fn connect_to(&self, url: &Url) -> anyhow::Result<Box<dyn Stream>> {
        let connecting = async {
            let resolved = lookup_host((url.host.as_str(), url.port)).await?;
            TcpStream::connect(&url.allowed(resolved)?[..]).await
        };
        let stream = connecting.await.map_err(|error| self.unreachable(&error))?;
        match url.is_https {
            true => tls::connect(stream, &url.host, self.access.ca_file.as_deref()).await,
            false => Ok(Box::new(stream)),
        }
    }

    fn unreachable(&self, error: &io::Error) -> anyhow::Error {
        anyhow!("{error}\nhelp: {}", self.how_to_start())
    }

    fn how_to_start(&self) -> String {
        let of_listeners = "start it with --control: imds serve --control; where it listens elsewhere, say so: imds \
                            ctl --control ADDR:PORT or PATH, or by IMDS_CONTROL";
        match &self.target {
            Target::Listener(place, true) => format!("{of_listeners}; for Spin add the route: {place}/imds-control"),
            Target::Listener(_, false) => of_listeners.to_owned(),
            Target::Application(_) => {
                "the URL is that of the application with the route of its control, such as \
                 https://imds.example.com/imds-control, and the control is there where the variable control_secret is set"
                    .to_owned()
            }
        }
    }

    /// How to name an instance, after there was none that was meant.
    fn how_to_name(&self) -> &'static str {
        match &self.access.key {
            None => "help: imds ctl --instance KEY …, for one of many instances; imds ctl list shows their keys",
            Some(_) => "help: imds ctl list shows those that there are",
        }
    }
}

/// A key as a part of a URL.
pub fn encoded(key: &str) -> String {
    let mut encoded = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

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
        (StatusCode::UNAUTHORIZED, _) => {
            anyhow!("{message} ({status})\nhelp: --token-file has what the application's variable control_secret says")
        }
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
