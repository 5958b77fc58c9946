//! Sends requests with a token, with back-off, and within limits: for captures and for comparisons.

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use super::asker::Asker;
use super::capturer::{Limits, Progress};
use super::transcript::{Answered, Asked, Exchange, Missing};
use crate::engine::Request;
use crate::probe::{NoReply, Reply};
use crate::redact;

/// How often a request is repeated if the service is busy or does not answer.
const REPETITIONS: u32 = 6;
/// The pause before the first repetition. Each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// After this many requests in a row without an answer, the service counts as gone.
const GONE: u32 = 3;
/// The lifetime of the session token, the longest that the service accepts.
const TTL_SECONDS: &str = "21600";
/// A refused token is renewed at most this often.
const RENEWAL: Duration = Duration::from_secs(30);

/// More requests than these are not recorded as missing one by one.
const MISSING: usize = 5000;
/// How much of a reason is recorded.
const WHY: usize = 200;

pub const TOKEN: &str = "X-aws-ec2-metadata-token";
pub const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";

/// The requests so far, and their answers.
pub struct Session<'a> {
    asker: &'a mut dyn Asker,
    observer: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    limits: Limits,
    begun: SystemTime,
    token: Option<String>,
    renewed: Option<SystemTime>,
    pub exchanges: Vec<Exchange>,
    pub missing: Vec<Missing>,
    asked: u64,
    expected: Option<u64>,
    bytes: u64,
    unanswered: u32,
    has_answered: bool,
    /// Targets that got no answer.
    given_up: Vec<String>,
    /// Why no more requests are sent.
    ended: Option<String>,
    /// The first failure, in case the service never answers.
    failure: Option<NoReply>,
}

/// A request, before there is a token.
pub fn request(method: &str, target: &str) -> Asked {
    Asked { method: method.to_owned(), target: target.to_owned(), fields: Vec::new() }
}

impl Asked {
    /// Adds a header field.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A request for a token.
pub fn token_request(ttl_seconds: &str) -> Asked {
    request("PUT", "/latest/api/token").with(TTL, ttl_seconds)
}

/// The statuses by which the service throttles, now or formerly.
pub fn is_busy(status: u16) -> bool {
    matches!(status, 429 | 503)
}

/// Whether an answer is a page for people or XML, and so neither an item nor a listing.
pub fn is_page(answered: &Answered) -> bool {
    answered.text().is_some_and(|text| text.trim_start().starts_with('<'))
}

/// The token of an exchange that later requests use.
pub fn issued(asked: &Asked, status: u16, body: &[u8]) -> Option<String> {
    let seconds: u64 = asked.field(TTL)?.parse().ok()?;
    let is_token = (1..=4096).contains(&body.len()) && body.iter().all(u8::is_ascii_graphic);
    (asked.method == "PUT" && status == 200 && seconds >= 60 && is_token)
        .then(|| String::from_utf8_lossy(body).into_owned())
}

/// Whether a target is a folder's own or of something in it.
fn is_below(target: &str, folder: &str) -> bool {
    target.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl<'a> Session<'a> {
    pub fn new(
        asker: &'a mut dyn Asker,
        observer: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
        limits: Limits,
    ) -> Self {
        let begun = asker.now();
        Self {
            asker,
            observer,
            limits,
            begun,
            token: None,
            renewed: None,
            exchanges: Vec::new(),
            missing: Vec::new(),
            asked: 0,
            expected: None,
            bytes: 0,
            unanswered: 0,
            has_answered: false,
            given_up: Vec::new(),
            ended: None,
            failure: None,
        }
    }

    pub fn begun(&self) -> SystemTime {
        self.begun
    }

    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether the capture was ended before all was requested.
    pub fn has_ended_early(&self) -> bool {
        self.ended.is_some() && !self.exchanges.is_empty()
    }

    /// Whether anything below `/latest` was answered as a metadata service does.
    pub fn is_with_metadata(&self) -> bool {
        self.exchanges.iter().any(|Exchange { request, response, .. }| {
            let is_metadata = request.method == "GET" && request.target.starts_with("/latest/");
            is_metadata && response.status == 200 && !is_page(response)
        })
    }

    /// What a service answers that is no metadata service.
    pub fn other_answer(&self) -> String {
        let exchange = self.exchanges.iter().rev().find(|exchange| exchange.request.method == "GET");
        let of = |Exchange { request, response, .. }: &Exchange| {
            let page = if is_page(response) && response.status == 200 { " with a page of HTML or XML" } else { "" };
            format!("{}: {} {}", request.line(), response.status, redact::text(&response.reason, 40))
                .trim_end()
                .to_owned()
                + page
        };
        exchange.map(of).or_else(|| self.missing.first().map(Missing::to_string)).unwrap_or_default()
    }

    /// Why the service never answered at all, if it never did.
    pub fn never_answered(&mut self) -> Option<NoReply> {
        self.failure.take().filter(|_| self.exchanges.is_empty())
    }

    /// Gets a token, if the service issues any.
    pub fn begin(&mut self) {
        self.ask(token_request(TTL_SECONDS));
    }

    /// Requests a path as a client does, with a token if there is one.
    pub fn get(&mut self, target: &str) -> Option<&Exchange> {
        self.with_token(request("GET", target))
    }

    /// Sends a request with a token if there is one.
    pub fn with_token(&mut self, asked: Asked) -> Option<&Exchange> {
        self.ask(if self.token.is_some() { asked.with(TOKEN, "{token}") } else { asked })
    }

    /// Sends a request, and again while the service is busy. Keeps the answer, or records
    /// the request as missing.
    pub fn ask(&mut self, asked: Asked) -> Option<&Exchange> {
        if let Some(why) = self.ended_before(&asked) {
            self.miss(&asked, why);
            return None;
        }
        match self.reply(&asked, None) {
            Ok(reply) => {
                self.exchanges.push(Exchange::new(asked, &reply));
                self.exchanges.last()
            }
            Err(why) => {
                self.miss(&asked, why);
                None
            }
        }
    }

    /// Why a request is not sent, and none after it.
    pub fn ended_before(&mut self, asked: &Asked) -> Option<String> {
        self.look_whether_to_go_on(asked);
        self.ended.clone()
    }

    /// Sends a request, and again while the service is busy, unless the status is the
    /// expected one. Returns its answer, or why there is none. After some in a row without
    /// an answer, no more requests are sent.
    pub fn reply(&mut self, asked: &Asked, expected: Option<u16>) -> Result<Reply, String> {
        let answered = self.patiently(asked, expected);
        match &answered {
            Ok(reply) => {
                self.unanswered = 0;
                self.bytes += length(reply);
                if let Some(token) = issued(asked, reply.status, &reply.body) {
                    self.token = Some(token);
                }
            }
            Err(_) => {
                self.unanswered += 1;
                if asked.target.matches('/').count() > 2 {
                    self.given_up.push(asked.target.trim_end_matches('/').to_owned());
                }
                if self.unanswered >= GONE {
                    self.end("the service had stopped answering");
                }
            }
        }
        answered
    }

    fn patiently(&mut self, asked: &Asked, expected: Option<u16>) -> Result<Reply, String> {
        let mut pause = FIRST_PAUSE;
        let mut why = String::new();
        // Requests below a folder that did not answer are repeated only once.
        let is_below = self.given_up.iter().any(|target| is_below(&asked.target, target));
        for attempt in 0..=if is_below { 1 } else { REPETITIONS } {
            if attempt > 0 {
                self.asker.pause(pause);
                pause *= 2;
                self.look_whether_to_go_on(asked);
                if let Some(ended) = &self.ended {
                    return Err(format!("{ended}; before that: {why}"));
                }
            }
            match self.send(&asked.filled(self.token.as_deref())) {
                Ok(reply) if expected == Some(reply.status) => return Ok(reply),
                Ok(reply) if is_busy(reply.status) => why = format!("always {}", reply.status_line()),
                Ok(reply) if reply.status == 401 && self.may_renew(asked) => {
                    let again = self.asker.now();
                    self.renewed = Some(again);
                    self.renew();
                    why = "its token was refused".to_owned();
                }
                Ok(reply) => return Ok(reply),
                Err(none) => {
                    why = none.to_string();
                    let is_nothing_there = none.is_refused() && !self.has_answered;
                    self.failure.get_or_insert(none);
                    if is_nothing_there {
                        break;
                    }
                    // Nothing shows that there is a service to wait for.
                    if !self.has_answered && attempt + 1 >= GONE {
                        self.end("the service never answered");
                        return Err(why);
                    }
                }
            }
        }
        Err(why)
    }

    /// Whether the request had a valid token that may have expired.
    fn may_renew(&self, asked: &Asked) -> bool {
        let has_token = asked.fields.iter().any(|(_, value)| value == "{token}");
        let since = |renewed| self.asker.now().duration_since(renewed).unwrap_or_default();
        has_token && self.token.is_some() && self.renewed.is_none_or(|renewed| since(renewed) >= RENEWAL)
    }

    fn renew(&mut self) {
        let asked = token_request(TTL_SECONDS);
        if let Ok(reply) = self.send(&asked.filled(None))
            && let Some(token) = issued(&asked, reply.status, &reply.body)
        {
            self.token = Some(token);
            self.exchanges.push(Exchange::new(asked, &reply));
        }
    }

    fn send(&mut self, request: &Request) -> Result<Reply, NoReply> {
        self.asked += 1;
        let answered = self.asker.ask(request);
        self.has_answered |= answered.is_ok();
        answered
    }

    /// Estimates how many requests there will be in all.
    pub fn expect(&mut self, more: usize) {
        self.expected = Some(self.asked + more as u64);
    }

    fn look_whether_to_go_on(&mut self, asked: &Asked) {
        if self.ended.is_none() {
            let (target, missing) = (asked.target.clone(), self.missing.len());
            let progress = Progress { requests: self.asked, expected: self.expected, target, missing };
            if (self.observer)(progress).is_break() {
                self.end(&format!("the {} was interrupted before", self.limits.of));
            }
        }
        let of = self.limits.of;
        let spent = self.asker.now().duration_since(self.begun).unwrap_or_default();
        if self.asked >= self.limits.requests {
            self.end(&format!("the {of}'s {} requests were used up", self.limits.requests));
        } else if self.bytes >= self.limits.bytes {
            self.end(&format!("the {of}'s {} bytes were used up", self.limits.bytes));
        } else if spent >= self.limits.time {
            self.end(&format!("the {of}'s time of {} was over", humantime::format_duration(self.limits.time)));
        }
    }

    fn end(&mut self, why: &str) {
        self.ended.get_or_insert_with(|| why.to_owned());
    }

    /// Records a request as missing.
    pub fn miss(&mut self, asked: &Asked, why: impl Into<String>) {
        match self.missing.len() {
            ..MISSING => {
                self.missing.push(Missing { request: asked.line(), why: redact::text(&why.into(), WHY) });
            }
            MISSING => {
                let why = "no more of them are listed".to_owned();
                self.missing.push(Missing { request: "More requests".to_owned(), why });
            }
            _ => {}
        }
    }

    /// Records that nothing below the last missing request was requested.
    pub fn miss_below(&mut self) {
        let is_recorded = self.missing.len() <= MISSING;
        if let Some(missing) = self.missing.last_mut().filter(|_| is_recorded) {
            missing.request += " and all that is below it";
        }
    }
}

/// About how many bytes an answer takes.
fn length(reply: &Reply) -> u64 {
    let fields = reply.fields.iter().map(|(name, value)| name.len() + value.len());
    (reply.reason.len() + fields.sum::<usize>() + reply.body.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_folder_has_a_slash_after_it() {
        let folder = "/latest/meta-data/public-ipv4";
        for (rest, expected) in [("", true), ("/", true), ("/0e:49:61:0f:c3:11", true), ("s", false), ("s/", false)] {
            assert_eq!(is_below(&format!("{folder}{rest}"), folder), expected, "{rest}");
        }
        assert!(!is_below("/latest/meta-data/", folder));
    }
}
