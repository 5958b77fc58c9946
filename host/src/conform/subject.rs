//! The endpoint under test: its token, its facts and its listings, requested once.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::given::{Containers, Given};
use super::seen::Seen;
use super::suite::Wait;
use super::{Asked, Stop, depends_on, not_applicable};
use crate::engine::Request;
use crate::probe::{Client, Reply};
use crate::redact;

/// The endpoint under test.
pub struct Subject<'c> {
    client: &'c Client,
    /// What the caller states about it: certificates in PEM, the endpoint of containers,
    /// and the description as JSON.
    pub certificates: Option<Vec<u8>>,
    pub containers: Option<Containers>,
    pub description: Option<Value>,
    wait: Wait,
    bounds: Bounds,
    started: Instant,
    /// How many requests it may still send, and how many it may still repeat after a
    /// throttle.
    requests_left: Cell<u64>,
    retries_left: Cell<u32>,
    token: OnceCell<Option<Vec<u8>>>,
    mode: OnceCell<Mode>,
    document: OnceCell<Option<Value>>,
    pub(super) seen: Seen,
    answers_all_paths_alike: OnceCell<bool>,
    status_of_nothing: OnceCell<u16>,
    status_of_a_bad_token: OnceCell<u16>,
}

/// How much a run may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub requests: u64,
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { requests: 1000, time: Duration::from_secs(600) }
    }
}

/// How the endpoint treats requests without a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Optional,
    Required,
    Disabled,
}

/// The lifetime of the token that all checks share, longer than a run.
const TTL_SECONDS: &str = "3600";
/// An item that every instance has, in every version.
pub const ITEM: &str = "/latest/meta-data/instance-id";
/// Where the names of roles and the identity document are.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const DOCUMENT: &str = "/latest/dynamic/instance-identity/document";
/// The field in which clients send a token.
pub const TOKEN: &str = "X-aws-ec2-metadata-token";
/// Where no instance has anything.
pub const NOTHING: &str = "/latest/meta-data/nothing-here";
/// The most repetitions of a run, for endpoints that throttle.
const RETRIES: u32 = 30;
/// The most repetitions of one request.
const RETRIES_EACH: u32 = 3;

impl<'c> Subject<'c> {
    pub fn new(client: &'c Client, given: Given, wait: Wait, bounds: Bounds) -> Self {
        let Given { certificates, containers, description } = given;
        Self {
            client,
            certificates,
            containers,
            description,
            wait,
            bounds,
            started: Instant::now(),
            requests_left: Cell::new(bounds.requests),
            retries_left: Cell::new(RETRIES),
            token: OnceCell::new(),
            mode: OnceCell::new(),
            document: OnceCell::new(),
            seen: Seen::default(),
            answers_all_paths_alike: OnceCell::new(),
            status_of_nothing: OnceCell::new(),
            status_of_a_bad_token: OnceCell::new(),
        }
    }

    pub fn client(&self) -> &'c Client {
        self.client
    }

    /// Lets time pass for the endpoint.
    pub fn wait(&self, time: Duration) {
        (self.wait)(time);
    }

    /// Counts one request against the limits of the run.
    pub fn spend(&self) -> Result<(), Stop> {
        if self.started.elapsed() > self.bounds.time {
            return Err(Stop::OutOfBounds("not asked: the run took too long"));
        }
        match self.requests_left.get().checked_sub(1) {
            Some(left) => self.requests_left.set(left),
            None => return Err(Stop::OutOfBounds("not asked: the run has sent all requests that it may")),
        }
        Ok(())
    }

    fn exchange(&self, request: &Request) -> Result<Reply, Stop> {
        let mut pause = Duration::from_millis(100);
        for retry in 0.. {
            self.spend()?;
            let reply = self.client.exchange(request)?;
            let is_throttled = reply.status == 503 && retry < RETRIES_EACH;
            match self.retries_left.get().checked_sub(1) {
                Some(left) if is_throttled => self.retries_left.set(left),
                _ => return Ok(reply),
            }
            self.wait(pause);
            pause *= 2;
        }
        unreachable!("the loop has no end but its answer")
    }

    /// Sends a request unchanged, and again after a pause if the endpoint throttles.
    pub fn ask(&self, request: Request) -> Result<Asked, Stop> {
        let reply = self.exchange(&request)?;
        Ok(Asked { request, reply })
    }

    /// Requests a path as a client does, with a token if the endpoint issues one.
    pub fn get(&self, path: &str) -> Result<Asked, Stop> {
        self.ask(self.with_token(Request::get(path))?)
    }

    /// A request with the token that all checks share, if the endpoint issues one.
    pub fn with_token(&self, request: Request) -> Result<Request, Stop> {
        Ok(match self.token()? {
            Some(token) => request.with(TOKEN, token),
            None => request,
        })
    }

    /// The token that all checks share; `None` if the endpoint issues none.
    pub fn token(&self) -> Result<Option<&[u8]>, Stop> {
        if self.token.get().is_none() {
            let reply = self.exchange(&Self::token_request(TTL_SECONDS))?;
            let is_token = reply.status == 200
                && !reply.body.is_empty()
                && reply.body.len() <= 4096
                && !reply.body.starts_with(b"<")
                && reply.body.iter().all(u8::is_ascii_graphic);
            let _ = self.token.set(is_token.then_some(reply.body));
        }
        Ok(self.token.get().and_then(|token| token.as_deref()))
    }

    /// A new token. If the endpoint issues none, the rule of the check is broken.
    pub fn new_token(&self, ttl_seconds: &str) -> Result<Vec<u8>, Stop> {
        let asked = self.ask(Self::token_request(ttl_seconds))?.has_status(200)?;
        if asked.reply.body.is_empty() || !asked.reply.body.iter().all(u8::is_ascii_graphic) {
            return Err(asked.broken("a token", format!("{} bytes that no client can send", asked.reply.body.len())));
        }
        Ok(asked.reply.body)
    }

    /// A request for a token.
    pub fn token_request(ttl_seconds: &str) -> Request {
        Self::bare_token_request().with("X-aws-ec2-metadata-token-ttl-seconds", ttl_seconds)
    }

    /// A request for a token that does not state a lifetime.
    pub fn bare_token_request() -> Request {
        Request { method: "PUT".to_owned(), target: "/latest/api/token".to_owned(), fields: Vec::new() }
    }

    fn mode(&self) -> Result<Mode, Stop> {
        if let Some(mode) = self.mode.get() {
            return Ok(*mode);
        }
        let mode = match self.exchange(&Request::get("/latest/meta-data/"))?.status {
            401 => Mode::Required,
            403 if self.exchange(&Self::token_request(TTL_SECONDS))?.status == 403 => Mode::Disabled,
            _ => Mode::Optional,
        };
        Ok(*self.mode.get_or_init(|| mode))
    }

    /// Whether requests need a token: a request without one gets 401.
    pub fn needs_token(&self) -> Result<bool, Stop> {
        Ok(self.mode()? == Mode::Required)
    }

    /// Whether it refuses all requests, those for tokens included.
    pub fn is_disabled(&self) -> Result<bool, Stop> {
        Ok(self.mode()? == Mode::Disabled)
    }

    /// What answers, if it is no metadata service: it issues no token, and none of the paths
    /// that clients ask for first has a listing or an item.
    pub fn no_service(&self) -> Result<Option<String>, Stop> {
        if self.token()?.is_some() {
            return Ok(None);
        }
        let mut last = None;
        for path in [ITEM, "/latest/meta-data/", "/", "/latest/meta-data/ami-id", ROLES, DOCUMENT, "/latest/user-data"]
        {
            let reply = self.get(path)?.reply;
            let is_page = reply.body.trim_ascii_start().starts_with(b"<");
            // One that requires tokens and issues none is one that fails.
            if matches!(reply.status, 401 | 403) || (reply.status == 200 && !reply.body.is_empty() && !is_page) {
                return Ok(None);
            }
            // If nothing answers, a service may start later.
            last.get_or_insert(reply);
        }
        Ok(last.map(|reply| {
            let kind = reply.field("Content-Type").map_or_else(
                || "no content type".to_owned(),
                |kind| format!("the content type {}", redact::user_agent(kind)),
            );
            format!("GET {ITEM} gets {} with {kind}", redact::user_agent(&reply.status_line()))
        }))
    }

    /// Whether it answers the same for an item and for an unknown path, so that its paths
    /// cannot be told apart.
    pub fn answers_all_paths_alike(&self) -> Result<bool, Stop> {
        if let Some(alike) = self.answers_all_paths_alike.get() {
            return Ok(*alike);
        }
        let [item, nothing] = [self.get(ITEM)?.reply, self.get(NOTHING)?.reply];
        let alike = (item.status, item.body) == (nothing.status, nothing.body);
        Ok(*self.answers_all_paths_alike.get_or_init(|| alike))
    }

    /// The status of what is not there.
    pub fn status_of_nothing(&self) -> Result<u16, Stop> {
        if let Some(status) = self.status_of_nothing.get() {
            return Ok(*status);
        }
        let status = self.get(NOTHING)?.reply.status;
        Ok(*self.status_of_nothing.get_or_init(|| status))
    }

    /// Continues if an answer is 404. An endpoint that has another status for what is not
    /// there breaks the rule of that, and no further one.
    pub fn is_not_found(&self, asked: Asked) -> Result<Asked, Stop> {
        let status = asked.reply.status;
        if status != 404 && status == self.status_of_nothing()? {
            return depends_on("path-unknown-is-not-found");
        }
        asked.has_status(404)
    }

    /// Ends the check if the endpoint accepts any token, so that its answer to a good one
    /// shows nothing.
    pub fn bad_tokens_are_refused(&self) -> Result<(), Stop> {
        let check =
            if self.needs_token()? { "token-invalid-is-401" } else { "token-invalid-is-401-where-tokens-are-optional" };
        if self.status_of_a_bad_token.get().is_none() {
            let asked = self.ask(Request::get(ITEM).with(TOKEN, "invalid"))?;
            let _ = self.status_of_a_bad_token.set(asked.reply.status);
        }
        if self.status_of_a_bad_token.get() == Some(&401) { Ok(()) } else { depends_on(check) }
    }

    /// Ends the check if requests need a token.
    pub fn tokens_are_optional(&self) -> Result<(), Stop> {
        if self.needs_token()? { not_applicable("tokens are required") } else { Ok(()) }
    }

    /// Ends the check if requests need no token.
    pub fn tokens_are_required(&self) -> Result<(), Stop> {
        if self.needs_token()? { Ok(()) } else { not_applicable("tokens are optional") }
    }

    /// The identity document, the source of most facts.
    pub fn document(&self) -> Result<&Value, Stop> {
        if self.document.get().is_none() {
            let asked = self.get("/latest/dynamic/instance-identity/document")?;
            let _ =
                self.document.set(serde_json::from_slice(&asked.reply.body).ok().filter(|_| asked.reply.status == 200));
        }
        match self.document.get() {
            Some(Some(document)) => Ok(document),
            _ => not_applicable("the endpoint has no identity document"),
        }
    }
}
