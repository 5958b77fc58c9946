//! Compares a service with a transcript.

use std::fmt;
use std::ops::ControlFlow;

use super::asker::Asker;
use super::capturer::{Limits, Progress, TIME};
use super::folded::grouped;
use super::json::string_end;
use super::paths::{Secret, secret, split};
use super::secrets::{self, is_common, is_secret_field};
use super::session::Session;
use super::transcript::{Answered, Asked, Exchange, Replaced, Transcript};
use crate::probe::Reply;
use crate::redact;

/// How a service differs from a transcript.
///
/// ```
/// use imds_host::capture::Comparison;
///
/// let none = Comparison { compared: 3, differences: Vec::new() };
/// assert!(none.differences.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How many requests were compared: all, unless the service stops answering.
    pub compared: usize,
    /// The differences between answers, in the order of the transcript.
    pub differences: Vec<Difference>,
}

/// A line for each difference, with all versions that have it.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        grouped(&self.differences).into_iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// One difference between two answers. Of secrets, it shows only the form.
///
/// ```
/// use imds_host::capture::Difference;
///
/// let difference = Difference {
///     place: 0,
///     request: "GET /".into(),
///     what: "status".into(),
///     expected: "200 OK".into(),
///     got: "404 Not Found".into(),
/// };
/// assert_eq!(difference.to_string(), "GET /: status: expected 200 OK, got 404 Not Found");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which exchange of the transcript, from 0.
    pub place: usize,
    /// Method and target.
    pub request: String,
    /// What differs: `status`, `reason`, `version`, `fields`, `field NAME`, `body`, or
    /// `this and all after it` where the comparison ended early.
    pub what: String,
    /// What the transcript has.
    pub expected: String,
    /// What the service answered.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, what, expected, got, .. } = self;
        write!(f, "{request}: {what}: expected {expected}, got {got}")
    }
}

/// How much of a body is shown at most.
const SHOWN: usize = 200;

impl Transcript {
    /// Sends the requests of the transcript in its order, and compares the answers. It
    /// ignores what changes over time: times, tokens and their lifetimes, credentials,
    /// signatures, and values that the transcript has replaced. Like a capture, it waits
    /// while the service is busy, and ends early if the service stops answering, or after
    /// an hour; the last difference then says so.
    pub fn compare(&self, asker: &mut dyn Asker) -> Comparison {
        self.compare_observed(asker, &mut |_| ControlFlow::Continue(()))
    }

    /// Like [`compare`](Self::compare), but calls `observer` before each request. It can
    /// end the comparison.
    ///
    /// ```
    /// # use imds_host::Runtime;
    /// # use imds_host::capture::{Capturer, InProcess};
    /// # use std::ops::ControlFlow;
    /// # let runtime = Runtime::new()?;
    /// # let mut service = InProcess::new(runtime.open(&Default::default())?, std::time::SystemTime::now());
    /// # let transcript = Capturer::new()?.capture("http://169.254.169.254", &mut service)?;
    /// let comparison = transcript.compare_observed(&mut service, &mut |progress| {
    ///     if progress.requests < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    /// });
    /// assert_eq!(comparison.compared, 10);
    /// assert_eq!(comparison.differences[0].got, "none: the comparison was interrupted before");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn compare_observed(
        &self,
        asker: &mut dyn Asker,
        observer: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Comparison {
        let limits = Limits { of: "comparison", requests: u64::MAX, bytes: u64::MAX, time: TIME };
        let mut session = Session::new(asker, observer, limits);
        session.expect(self.exchanges.len());
        let mut differences = Vec::new();
        for (place, exchange) in self.exchanges.iter().enumerate() {
            let request = &exchange.request;
            let mut differs = |what: String, expected: String, got: String| {
                differences.push(Difference { place, request: shown_request(request), what, expected, got });
            };
            if let Some(why) = session.ended_before(request) {
                let left = format!("{} answers", self.exchanges.len() - place);
                differs("this and all after it".into(), left, format!("none: {why}"));
                return Comparison { compared: place, differences };
            }
            match session.reply(request, Some(exchange.response.status)) {
                Ok(reply) => compare(exchange, &self.header.replaced, &reply, &mut differs),
                Err(why) => {
                    differs("status".into(), status_line(&exchange.response), brief(&why));
                    session.miss(request, why);
                }
            }
        }
        Comparison { compared: self.exchanges.len(), differences }
    }
}

fn shown_request(request: &Asked) -> String {
    let fields = request.fields.iter().map(|(name, value)| match value.as_str() {
        "{token}" => " with a token".to_owned(),
        _ => format!(" with {}", brief(&format!("{name}: {value}"))),
    });
    request.line() + &fields.collect::<String>()
}

/// A text of a service in a form that a report can show: by the rules of logs, without what
/// looks like a secret.
fn brief(text: &str) -> String {
    redact::user_agent(text)
}

fn status_line(answered: &Answered) -> String {
    brief(format!("{} {}", answered.status, answered.reason).trim_end())
}

/// The kind of a body by its path, which decides what can be compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Token,
    /// Signatures, and values that the transcript has replaced and the service has not.
    Form,
    Opaque,
}

fn kind(exchange: &Exchange, replaced: &[Replaced]) -> Kind {
    let (_, path) = split(&exchange.request.target).unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let place = secret(&exchange.request.target);
    let is_json = exchange.response.text().is_some_and(|text| text.trim_start().starts_with('{'));
    match path.as_str() {
        _ if !(200..300).contains(&exchange.response.status) => Kind::Plain,
        _ if exchange.request.method == "PUT" => Kind::Token,
        _ if place == Some(Secret::Token) && form(&exchange.response.body(), Kind::Token) != NO_TOKEN => Kind::Token,
        _ if place == Some(Secret::Token) && replaced.contains(&Replaced::Tokens) => Kind::Opaque,
        _ if place == Some(Secret::UserData) && replaced.contains(&Replaced::UserData) => Kind::Opaque,
        _ if place == Some(Secret::Credentials) && replaced.contains(&Replaced::Credentials) && !is_json => {
            Kind::Opaque
        }
        _ if path.starts_with("dynamic/instance-identity/") && last != "document" && last != "instance-identity" => {
            Kind::Form
        }
        _ if path.starts_with("meta-data/managed-ssh-keys/") && replaced.contains(&Replaced::ManagedSshKeys) => {
            Kind::Opaque
        }
        _ => Kind::Plain,
    }
}

fn compare(
    exchange: &Exchange,
    replaced: &[Replaced],
    reply: &Reply,
    differs: &mut impl FnMut(String, String, String),
) {
    let expected = &exchange.response;
    let got = Answered::of(reply);
    if expected.status != got.status {
        return differs("status".into(), status_line(expected), status_line(&got));
    }
    if expected.reason != got.reason {
        differs("reason".into(), status_line(expected), status_line(&got));
    }
    if expected.version != got.version {
        differs("version".into(), format!("HTTP/1.{}", expected.version), format!("HTTP/1.{}", got.version));
    }
    let names = |answered: &Answered| {
        let names = answered.fields.iter().map(|(name, _)| name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    if names(expected) != names(&got) {
        differs("fields".into(), brief(&names(expected)), brief(&names(&got)));
    }
    let kind = kind(exchange, replaced);
    let [ours, theirs] = [expected.body(), got.body()];
    let is_equal = ours == theirs
        || match kind {
            Kind::Plain => {
                let is_credentials = secret(&exchange.request.target) == Some(Secret::Credentials);
                masked(&ours, is_credentials) == masked(&theirs, is_credentials)
                    || is_replaced_alike(exchange, replaced, [&ours, &theirs])
            }
            Kind::Token | Kind::Form | Kind::Opaque => form(&ours, kind) == form(&theirs, kind),
        };
    for (place, (name, value)) in expected.fields.iter().enumerate() {
        let is_same = |other: &&(String, String)| other.0.eq_ignore_ascii_case(name);
        // Of several fields of one name, each is compared with the one in its place.
        let before = expected.fields[..place].iter().filter(is_same).count();
        let Some((_, other)) = got.fields.iter().filter(is_same).nth(before) else { continue };
        let is_fine = match name.to_ascii_lowercase().as_str() {
            "date" | "last-modified" => {
                httpdate::parse_http_date(other).is_ok() == httpdate::parse_http_date(value).is_ok()
            }
            "x-aws-ec2-metadata-token-ttl-seconds" if exchange.request.method != "PUT" => {
                other.parse::<u32>().is_ok_and(|seconds| seconds <= 21600) == value.parse::<u32>().is_ok()
            }
            // The answer has no body to compare, and the body of a `GET` may differ.
            "content-length" if exchange.request.method == "HEAD" && !is_fixed_path(exchange, replaced) => {
                other.parse::<u64>().is_ok()
            }
            name if is_secret_field(name) && replaced.contains(&Replaced::Credentials) => true,
            // Bodies that count as equal may have different lengths.
            "content-length" if is_equal && ours != theirs => *other == theirs.len().to_string(),
            _ => value == other,
        };
        if !is_fine {
            differs(format!("field {}", brief(name)), brief(value), brief(other));
        }
    }
    if !is_equal {
        let (ours, theirs) = match kind {
            Kind::Plain if is_private(exchange) => {
                (format!("{} bytes", ours.len()), format!("{} other bytes", theirs.len()))
            }
            Kind::Plain => shown(&masked(&ours, false), &masked(&theirs, false)),
            Kind::Token | Kind::Form | Kind::Opaque => (form(&ours, kind), form(&theirs, kind)),
        };
        differs("body".into(), ours, theirs);
    }
}

/// Whether the value at a path can be a secret that its form does not reveal.
fn is_private(exchange: &Exchange) -> bool {
    let (_, path) = split(&exchange.request.target).unwrap_or_default();
    secret(&exchange.request.target).is_some() || path.starts_with("meta-data/managed-ssh-keys/")
}

/// Whether the value at a path never changes, judged by the path alone.
fn is_fixed_path(exchange: &Exchange, replaced: &[Replaced]) -> bool {
    let (_, path) = split(&exchange.request.target).unwrap_or_default();
    kind(exchange, replaced) == Kind::Plain && !path.contains("/security-credentials/")
}

/// Whether two texts differ only in what the transcript has replaced in them.
fn is_replaced_alike(exchange: &Exchange, replaced: &[Replaced], bodies: [&[u8]; 2]) -> bool {
    let [Ok(ours), Ok(theirs)] = bodies.map(str::from_utf8) else { return false };
    let masked = |text| secrets::masked(&exchange.request.target, text);
    replaced.contains(&Replaced::Credentials) && masked(ours) == masked(theirs)
}

const NO_TOKEN: &str = "no token";

/// The form of a body, if nothing else of it can be compared.
fn form(body: &[u8], kind: Kind) -> String {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte);
    match kind {
        Kind::Opaque if body.is_empty() => "nothing".to_owned(),
        Kind::Opaque | Kind::Plain => "something".to_owned(),
        Kind::Token if body.iter().all(is_base64) => format!("a token of {} characters", body.len()),
        Kind::Token => NO_TOKEN.to_owned(),
        Kind::Form => {
            let mut lines = body.split(|byte| *byte == b'\n').collect::<Vec<_>>();
            let last = lines.pop().unwrap_or_default();
            let width = lines.first().map_or(0, |line| line.len());
            let is_even = lines.iter().all(|line| line.len() == width) && last.len() <= width.max(76);
            match is_even && !last.is_empty() && body.iter().all(|byte| is_base64(byte) || *byte == b'\n') {
                true if width == 0 => "base64 on one line".to_owned(),
                true => format!("base64 in lines of {width}"),
                false => format!("{} bytes that are no signature", body.len()),
            }
        }
    }
}

/// Two bodies that differ: complete if they are short, otherwise the first lines that
/// differ.
fn shown(ours: &[u8], theirs: &[u8]) -> (String, String) {
    let [Ok(ours_text), Ok(theirs_text)] = [ours, theirs].map(str::from_utf8) else {
        return (format!("{} bytes", ours.len()), format!("{} bytes", theirs.len()));
    };
    let quoted = |text: &str| format!("{:?}", brief(text));
    if ours.len().max(theirs.len()) <= SHOWN {
        return (quoted(ours_text), quoted(theirs_text));
    }
    let mut lines = ours_text.lines().zip(theirs_text.lines()).enumerate();
    match lines.find(|(_, (ours, theirs))| ours != theirs) {
        Some((number, (ours, theirs))) => {
            let line = |text: &str| format!("{} in line {}", quoted(text), number + 1);
            (line(ours), line(theirs))
        }
        None => (format!("{} bytes", ours.len()), format!("{} bytes", theirs.len())),
    }
}

/// A body in which forms replace credentials and their times. In the answers of roles, every
/// text can be a secret.
fn masked(body: &[u8], is_role: bool) -> Vec<u8> {
    let Some(text) = str::from_utf8(body).ok().filter(|text| text.trim_start().starts_with('{')) else {
        return body.to_vec();
    };
    let is_credentials = text.contains("\"AccessKeyId\"");
    if !is_role && !is_credentials && !text.contains("\"LastUpdated\"") {
        return body.to_vec();
    }
    let (mut out, mut rest, mut name) = (String::with_capacity(text.len()), text, String::new());
    while let Some(start) = rest.find('"') {
        let Some(length) = string_end(&rest[start..]) else { break };
        let literal = &rest[start + 1..start + length - 1];
        out.push_str(&rest[..start]);
        rest = &rest[start + length..];
        if rest.trim_start().starts_with(':') {
            name = literal.to_owned();
            out += &format!("\"{literal}\"");
            continue;
        }
        let is_time = humantime::parse_rfc3339(literal).is_ok();
        let is_field = out.trim_end().ends_with(':');
        out += &match name.as_str() {
            "AccessKeyId" => {
                format!("<{} and {} more>", literal.get(..4).unwrap_or_default(), literal.len().max(4) - 4)
            }
            "SecretAccessKey" => format!("<{} characters>", literal.len()),
            "Token" if !literal.is_empty() => "<a token>".to_owned(),
            "LastUpdated" | "Expiration" if is_time => "<a time>".to_owned(),
            name if is_role && !literal.is_empty() && !is_common(is_field, Some(name), literal) => {
                "<a text>".to_owned()
            }
            _ => format!("\"{literal}\""),
        };
    }
    (out + rest).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_fields_of_a_name_is_compared() {
        let text = |second: &str| format!("HTTP/1.1 200 OK\r\nVia: a\r\nVia: {second}\r\nContent-Length: 1\r\n\r\nx");
        let reply = |second: &str| Reply::read(text(second).as_bytes(), false).unwrap();
        let asked = super::super::session::request("GET", "/latest/meta-data/system");
        let exchange = Exchange::new(asked, &reply("b"));
        let mut list = Vec::new();
        for second in ["b", "c"] {
            compare(&exchange, &[], &reply(second), &mut |what, ours, theirs| list.push([what, ours, theirs]));
        }
        assert_eq!(list, [["field Via", "b", "c"].map(str::to_owned)]);
    }
}
