//! A request with its answer, and what a check can expect of the two.

use std::time::SystemTime;

use super::{Failure, Stop, depends_on};
use crate::engine::Request;
use crate::probe::Reply;
use crate::redact;

/// A request with its answer.
#[derive(Clone)]
pub struct Asked {
    pub request: Request,
    pub reply: Reply,
}

/// The field with the remaining lifetime of a token.
pub const TTL: &str = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds";

/// What tells whether another request may follow.
const CONNECTION: &str = "Connection";

/// A request without header fields.
pub fn request(method: &str, path: &str) -> Request {
    Request { method: method.to_owned(), ..Request::get(path) }
}

/// Fields of requests whose values a report shows, since none of them is a secret.
const SHOWN: [&str; 9] = [
    "X-aws-ec2-metadata-token-ttl-seconds",
    "X-Forwarded-For",
    "Host",
    "Accept-Encoding",
    "Connection",
    "Expect",
    "If-Modified-Since",
    "If-None-Match",
    "Range",
];

impl Asked {
    /// Ends the check: the endpoint's answer breaks the rule.
    pub fn broken(&self, expected: impl Into<String>, got: impl Into<String>) -> Stop {
        Stop::Broken(Failure { request: self.shown(), expected: expected.into(), got: got.into() })
    }

    fn shown(&self) -> String {
        let (path, query) = self.request.target.split_once('?').unwrap_or((&self.request.target, ""));
        let mut shown = format!("{} {}", redact::method(&self.request.method), redact::target(path));
        if path.len() < self.request.target.len() {
            // The suite writes its queries itself, but the report must be safe without
            // that.
            shown += &format!("?{}", redact::user_agent(query));
        }
        for field in &self.request.fields {
            shown += "\n";
            match SHOWN.iter().find(|name| field.name.eq_ignore_ascii_case(name)) {
                Some(name) => shown += &format!("{name}: {}", value(&field.value)),
                None => shown += &format!("{field:?}"),
            }
        }
        shown
    }

    /// Continues if the status is this one.
    pub fn has_status(self, status: u16) -> Result<Self, Stop> {
        if self.reply.status == status {
            return Ok(self);
        }
        Err(self.broken(format!("status {status}"), format!("status {}", self.status())))
    }

    /// Continues if the status is this one, which is the rule of another check.
    pub fn needs_status(self, status: u16, check: &str) -> Result<Self, Stop> {
        if self.reply.status == status { Ok(self) } else { depends_on(check) }
    }

    /// Continues if it is refused with this status and without a body. Another check reports
    /// a body.
    pub fn has_refusal(self, status: u16) -> Result<Self, Stop> {
        let asked = self.has_status(status)?;
        if asked.reply.body.is_empty() { Ok(asked) } else { depends_on("refusals-are-plain-text-without-a-body") }
    }

    /// Continues if status and reason phrase are these.
    pub fn has_status_line(self, line: &str) -> Result<Self, Stop> {
        if self.reply.status_line() == line {
            return Ok(self);
        }
        Err(self.broken(format!("status {line}"), format!("status {}", self.status())))
    }

    fn status(&self) -> String {
        redact::user_agent(&self.reply.status_line())
    }

    /// Continues if the body is empty.
    pub fn has_no_body(self) -> Result<Self, Stop> {
        if self.reply.body.is_empty() {
            return Ok(self);
        }
        Err(self.broken("an empty body", format!("a body of {} bytes", self.reply.body.len())))
    }

    /// Continues if the body equals that of another answer.
    pub fn has_body_of(self, other: &Reply) -> Result<Self, Stop> {
        if self.reply.body == other.body {
            return Ok(self);
        }
        let expected = format!("the {} bytes of the plain request", other.body.len());
        Err(self.broken(expected, format!("{} other bytes", self.reply.body.len())))
    }

    /// Continues if a header field has this value.
    pub fn has_field(self, name: &str, expected: &str) -> Result<Self, Stop> {
        match self.reply.field(name) {
            Some(value) if value == expected => Ok(self),
            Some(other) => {
                let got = format!("{name}: {}", value(other.as_bytes()));
                Err(self.broken(format!("{name}: {expected}"), got))
            }
            None => Err(self.broken(format!("{name}: {expected}"), format!("no field {name}"))),
        }
    }

    /// Continues if a token for this many seconds tells them. Another check reports an
    /// endpoint that never tells them.
    pub fn tells_lifetime(self, seconds: &str) -> Result<Self, Stop> {
        if self.has(TTL) { self.has_field(TTL, seconds) } else { Ok(self) }
    }

    /// Continues if the head has none of these fields.
    pub fn lacks_fields(self, names: &[&str]) -> Result<Self, Stop> {
        match names.iter().find(|name| self.has(name)) {
            Some(name) => Err(self.broken(format!("no field {name}"), format!("a field {name}"))),
            None => Ok(self),
        }
    }

    /// Whether the head has a field, with a value of any bytes.
    pub fn has(&self, name: &str) -> bool {
        self.reply.fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    /// Continues if the head has exactly these fields in this order. `Connection` may be
    /// missing: a service that keeps connections breaks the rule about that, which has its
    /// own check, and not the rules about every head.
    pub fn has_names(self, names: &[&str]) -> Result<Self, Stop> {
        let got: Vec<&str> = self.reply.fields.iter().map(|(name, _)| &**name).collect();
        let keeps = !self.has(CONNECTION);
        let names: Vec<&str> = names.iter().copied().filter(|name| !(keeps && *name == CONNECTION)).collect();
        if got.len() == names.len() && got.iter().zip(&names).all(|(got, name)| got.eq_ignore_ascii_case(name)) {
            return Ok(self);
        }
        let got = redact::user_agent(&got.join(", "));
        Err(self.broken(format!("the fields {}", names.join(", ")), format!("the fields {got}")))
    }

    /// The remaining lifetime of a token in seconds, from its field.
    pub fn ttl(&self) -> Result<u64, Stop> {
        let seconds = self.reply.field(TTL).filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        seconds.and_then(|value| value.parse().ok()).ok_or_else(|| {
            let got = if self.has(TTL) { "another value" } else { "no such field" };
            self.broken(format!("{TTL} with a number of seconds"), got)
        })
    }

    /// A time in a field of the head, in the form of HTTP (RFC 9110, section 5.6.7).
    pub fn time(&self, name: &str) -> Result<SystemTime, Stop> {
        let text = self.reply.field(name);
        let time = text.and_then(|text| httpdate::parse_http_date(text).ok());
        match (text, time) {
            // The parser accepts older forms too.
            (Some(text), Some(time)) if httpdate::fmt_http_date(time) == text => Ok(time),
            _ => {
                let got = text.map_or_else(|| format!("no field {name}"), |text| value(text.as_bytes()));
                Err(self.broken(format!("{name} with a time such as Thu, 01 Oct 2026 00:00:00 GMT"), got))
            }
        }
    }
}

/// The value of a field, in a form that a report can show.
fn value(bytes: &[u8]) -> String {
    redact::user_agent(&String::from_utf8_lossy(bytes))
}
