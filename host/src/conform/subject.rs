//! The endpoint under judgment: its token, its facts and its listings, asked for once.

use std::cell::OnceCell;

use serde_json::Value;

use super::{Failure, Stop, not_applicable};
use crate::engine::Request;
use crate::probe::{Client, Reply};
use crate::redact;

/// The endpoint under judgment.
pub struct Subject<'c> {
    client: &'c Client,
    token: OnceCell<Option<String>>,
    needs_token: OnceCell<bool>,
    document: OnceCell<Option<Value>>,
}

/// The time to live of the token that all checks share; longer than they take.
const TTL_SECONDS: &str = "3600";

impl<'c> Subject<'c> {
    pub fn new(client: &'c Client) -> Self {
        Self { client, token: OnceCell::new(), needs_token: OnceCell::new(), document: OnceCell::new() }
    }

    pub fn client(&self) -> &'c Client {
        self.client
    }

    /// Sends a request as it is.
    pub fn ask(&self, request: Request) -> Result<Asked, Stop> {
        let reply = self.client.exchange(&request)?;
        Ok(Asked { request, reply })
    }

    /// Asks for a path as a client does: with a token where one can be had.
    pub fn get(&self, path: &str) -> Result<Asked, Stop> {
        let request = Request::get(path);
        self.ask(match self.token()? {
            Some(token) => request.with("X-aws-ec2-metadata-token", token),
            None => request,
        })
    }

    /// The token that all checks share; `None` if the endpoint gives none.
    pub fn token(&self) -> Result<Option<&str>, Stop> {
        if self.token.get().is_none() {
            let reply = self.client.exchange(&Self::token_request(TTL_SECONDS))?;
            let is_token = reply.status == 200
                && !reply.body.is_empty()
                && reply.body.len() <= 4096
                && reply.body.iter().all(u8::is_ascii_graphic);
            let _ = self.token.set(is_token.then(|| reply.text().into_owned()));
        }
        Ok(self.token.get().and_then(|token| token.as_deref()))
    }

    /// A request for a token.
    pub fn token_request(ttl_seconds: &str) -> Request {
        let request = Request { method: "PUT".to_owned(), target: "/latest/api/token".to_owned(), fields: Vec::new() };
        request.with("X-aws-ec2-metadata-token-ttl-seconds", ttl_seconds)
    }

    /// Whether requests need a token: a request without one gets 401.
    pub fn needs_token(&self) -> Result<bool, Stop> {
        if self.needs_token.get().is_none() {
            let _ = self.needs_token.set(self.client.exchange(&Request::get("/latest/meta-data/"))?.status == 401);
        }
        Ok(self.needs_token.get().copied().unwrap_or_default())
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

/// A request with its answer.
pub struct Asked {
    pub request: Request,
    pub reply: Reply,
}

impl Asked {
    /// Ends the check: the endpoint should have answered something else.
    pub fn broken(&self, expected: impl Into<String>, got: impl Into<String>) -> Stop {
        let mut request = format!("{} {}", redact::method(&self.request.method), redact::target(&self.request.target));
        for field in &self.request.fields {
            request += &format!("\n{field:?}");
        }
        Stop::Broken(Failure { request, expected: expected.into(), got: got.into() })
    }

    /// Goes on if the status is this one.
    pub fn has_status(self, status: u16) -> Result<Self, Stop> {
        if self.reply.status == status {
            return Ok(self);
        }
        Err(self.broken(format!("status {status}"), format!("status {}", self.reply.status_line())))
    }

    /// Goes on if the body is empty.
    pub fn has_no_body(self) -> Result<Self, Stop> {
        if self.reply.body.is_empty() {
            return Ok(self);
        }
        Err(self.broken("an empty body", format!("a body of {} bytes", self.reply.body.len())))
    }
}
