//! The order of checks.

use crate::container;
use crate::description::{Enabled, FaultKind, HttpTokens, InstanceState, Switch};
use crate::faults::Fault;
use crate::http::answer::Reply;
use crate::http::host::HostNames;
use crate::http::target::Target;
use crate::http::{Head, Unreadable};
use crate::instance::{Moment, Signatures};
use crate::outcome::Outcome;
use crate::phase::Phase;
use crate::time::Time;
use crate::token::{self, Refused, TokenKey};

/// What a decision depends on.
pub struct Call<'i, 'r> {
    /// What the instance is at the moment.
    pub phase: &'i Phase,
    /// Whose tokens are good.
    pub token_key: &'i TokenKey,
    /// Which names may stand in `Host`.
    pub allowed_hosts: &'i HostNames,
    /// The request, if it can be read.
    pub request: Result<Request<'r>, Unreadable>,
    /// The signatures that the shell has at hand.
    pub signatures: Option<&'r Signatures>,
    /// The time.
    pub now: Time,
    /// What else the shell knows.
    pub moment: Moment,
}

/// A request that can be read.
pub struct Request<'r> {
    /// Its head.
    pub head: Head<'r>,
    /// The path that it asks for.
    pub target: Target<'r>,
    /// Whether that is the path of the session tokens.
    pub is_for_a_token: bool,
}

/// What is answered and what goes with it.
pub struct Decision<'i> {
    /// The answer, before it is written.
    pub reply: Reply<'i>,
    /// The seconds that a valid token has left: refusals after its check show
    /// them too.
    pub ttl_left: Option<u32>,
    /// The state of the throttle after the request.
    pub throttle_state: u64,
    /// The fault that affects the answer.
    pub fault: Option<&'i Fault>,
}

const TOKEN_PATH: [&str; 3] = ["latest", "api", "token"];

/// Methods on the token path and everywhere else, as `Allow` lists them.
pub const TOKEN_METHODS: &str = "OPTIONS, PUT";
const METADATA_METHODS: &str = "OPTIONS, GET, HEAD";

impl<'r> Request<'r> {
    /// The request of a head.
    pub fn of(head: Head<'r>) -> Request<'r> {
        let target = Target::parse(head.target);
        let is_for_a_token = target.is(&TOKEN_PATH);
        Request { head, target, is_for_a_token }
    }
}

/// Decides a call: every check, in the order in which EC2 makes them. A case fails
/// where two are swapped.
pub fn decide<'i>(call: &Call<'i, '_>) -> Decision<'i> {
    let mut decision = Decision {
        reply: Reply::Refused(Outcome::NotRunning),
        ttl_left: None,
        throttle_state: call.moment.throttle_state,
        fault: None,
    };
    decision.reply = checked(call, &mut decision).unwrap_or_else(Reply::Refused);
    decision
}

/// The answer to a call, or the outcome that refuses it. What holds of a refusal
/// too, it notes on the way.
fn checked<'i>(call: &Call<'i, '_>, noted: &mut Decision<'i>) -> Result<Reply<'i>, Outcome> {
    let Call { now, moment, .. } = *call;
    let facts = &call.phase.facts;
    // DIFFERENCE: on EC2 nothing runs then that could ask.
    if facts.state != InstanceState::Running {
        return Err(Outcome::NotRunning);
    }
    let Request { head, target, is_for_a_token } = call.request.as_ref().map_err(|unreadable| unreadable.outcome())?;
    // A page that a browser loaded from elsewhere is to learn nothing at all,
    // and must not use up what the throttle allows.
    if !call.allowed_hosts.allow(head, target) {
        return Err(Outcome::HostRefused);
    }
    noted.fault = facts.faults.iter().find(|fault| fault.affects(head.method, target, now, moment.request_number));
    if noted.fault.is_some_and(|fault| fault.kind == FaultKind::Refuse) {
        return Err(Outcome::FaultRefused);
    }
    // The agents of containers are other services beside this one: none of its options
    // is theirs, and they have tokens of their own.
    if let Some(answer) = container::answer(&facts.containers, head, target, now) {
        return answer;
    }
    if let Some(rate) = facts.throttle {
        let admitted = rate.admit(moment.throttle_state, now);
        let (Ok(state) | Err(state)) = admitted;
        noted.throttle_state = state;
        admitted.map_err(|_| Outcome::Throttled)?;
    }
    if facts.options.http_endpoint == Enabled::Disabled {
        return Err(Outcome::EndpointDisabled);
    }
    if moment.over_ipv6 && facts.options.http_protocol_ipv6 == Switch::Disabled {
        return Err(Outcome::Ipv6Disabled);
    }
    // On the token path the method comes before authorisation: GET without
    // a token gets 405 even where tokens are required.
    if *is_for_a_token {
        return match head.method {
            "OPTIONS" => {
                // UNRECORDED: a bad token, which is no obstacle where none is needed.
                noted.ttl_left = head.token.and_then(|token| call.token_key.check(token, now).ok());
                Ok(Reply::Methods(TOKEN_METHODS))
            }
            "PUT" => issue_token(call, head),
            _ => Err(Outcome::TokenMethodRefused),
        };
    }
    // The token is checked before method and path, so that a caller
    // without one cannot learn which paths exist.
    match head.token {
        // Reported of proxies: refused when a token is sent, passed without.
        // UNRECORDED: that this comes before the token's own check.
        Some(_) if head.is_forwarded => return Err(Outcome::Forwarded),
        Some(token) => noted.ttl_left = Some(call.token_key.check(token, now).map_err(token_refused)?),
        None if facts.http_tokens == HttpTokens::Required => return Err(Outcome::TokenMissing),
        None => {}
    }
    match head.method {
        "GET" | "HEAD" => {
            let found = call.phase.find(target, now, noted.ttl_left.is_some(), call.signatures);
            // What is asked again with signatures counts then, and once.
            if matches!(found, Some(Err(Outcome::SignaturesWanted))) {
                noted.throttle_state = moment.throttle_state;
            }
            found.unwrap_or(Err(Outcome::NotFound))
        }
        "OPTIONS" => Ok(Reply::Methods(METADATA_METHODS)),
        _ => Err(Outcome::MethodRefused),
    }
}

/// UNRECORDED: which of the two checks comes first.
fn issue_token(call: &Call<'_, '_>, head: &Head<'_>) -> Result<Reply<'static>, Outcome> {
    if head.is_forwarded {
        return Err(Outcome::Forwarded);
    }
    let ttl_seconds = head.token_ttl.and_then(ttl_seconds).ok_or(Outcome::TtlRefused)?;
    Ok(Reply::Token { token: call.token_key.issue(call.now, ttl_seconds, call.moment.entropy), ttl_seconds })
}

fn token_refused(refused: Refused) -> Outcome {
    match refused {
        Refused::Invalid => Outcome::TokenInvalid,
        Refused::Expired => Outcome::TokenExpired,
    }
}

/// The lifetime asked for: digits only, at most six hours. Zero is a lifetime.
///
/// UNRECORDED: leading zeros, which are digits.
fn ttl_seconds(text: &[u8]) -> Option<u32> {
    let digits = core::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok().filter(|seconds| *seconds <= token::TTL_SECONDS_MAX)
}

impl Decision<'_> {
    /// Which version of the service the client used; none where the request was
    /// refused before that was looked at.
    pub fn session_version(&self) -> Option<SessionVersion> {
        if matches!(self.reply, Reply::Agent { .. }) {
            return None;
        }
        let by_token = if self.ttl_left.is_some() { SessionVersion::Two } else { SessionVersion::One };
        match self.reply.outcome() {
            Outcome::TokenIssued
            | Outcome::TokenMethodRefused
            | Outcome::Forwarded
            | Outcome::TtlRefused
            | Outcome::TokenInvalid
            | Outcome::TokenExpired => Some(SessionVersion::Two),
            Outcome::TokenMissing => Some(SessionVersion::One),
            Outcome::Found | Outcome::NotFound | Outcome::MethodRefused | Outcome::SignaturesWanted => Some(by_token),
            // To list the methods of the token path takes no token in version 2 either.
            Outcome::MethodsListed => self.ttl_left.map(|_| SessionVersion::Two),
            Outcome::NotRunning
            | Outcome::HeadUnreadable
            | Outcome::HeadTooLarge
            | Outcome::NoInstance
            | Outcome::FaultRefused
            | Outcome::Throttled
            | Outcome::HostRefused
            | Outcome::EndpointDisabled
            | Outcome::Ipv6Disabled
            | Outcome::CredentialsIdMissing
            | Outcome::CredentialsIdUnknown
            | Outcome::CredentialsNotDelivered
            | Outcome::AuthorizationMissing
            | Outcome::AuthorizationInvalid => None,
        }
    }
}

/// Which version of the service a client used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionVersion {
    /// Without a token.
    One,
    /// With a token, or to get one.
    Two,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instance, Settings};

    const NOW_MS: u64 = 1_790_812_800_000;

    /// What breaks each rule: a piece of a description or of a request.
    #[derive(Clone, Copy, Default)]
    struct Broken {
        description: &'static str,
        method: &'static str,
        target: &'static str,
        fields: &'static str,
        over_ipv6: bool,
    }

    fn outcome(broken: &[Broken]) -> Outcome {
        let pick = |part: fn(&Broken) -> &'static str, otherwise| {
            broken.iter().map(part).find(|part| !part.is_empty()).unwrap_or(otherwise)
        };
        let parts: Vec<&str> = broken.iter().map(|it| it.description).filter(|part| !part.is_empty()).collect();
        let options: Vec<&str> = parts.iter().filter_map(|part| part.strip_prefix("option ")).collect();
        let fields: Vec<&str> = parts.into_iter().filter(|part| !part.starts_with("option ")).collect();
        let description = format!(
            r#"{{"metadata-options": {{{}}}{}}}"#,
            options.join(", "),
            fields.iter().map(|it| format!(", {it}")).collect::<String>()
        );
        let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
        let instance = Instance::open(&description, settings).unwrap_or_else(|problems| panic!("{problems:?}"));
        let head = format!(
            "{} {} HTTP/1.1\r\n{}\r\n",
            pick(|it| it.method, "GET"),
            pick(|it| it.target, "/latest/meta-data/"),
            broken.iter().map(|it| it.fields).collect::<String>()
        );
        let over_ipv6 = broken.iter().any(|it| it.over_ipv6);
        // No throttle admits anybody in this state.
        let throttle_state = (NOW_MS + 5000) * 1000;
        let moment = Moment { now_ms: NOW_MS, over_ipv6, throttle_state, ..Moment::default() };
        instance.answer(head.as_bytes(), moment, None).outcome
    }

    /// Of two broken rules the earlier one decides: so no two can be swapped.
    #[test]
    fn rules_are_checked_in_their_order() {
        let it = Broken::default();
        let rules = [
            (Broken { description: r#""state": "stopped""#, ..it }, Outcome::NotRunning),
            (Broken { fields: "Content-Length: x\r\n", ..it }, Outcome::HeadUnreadable),
            (Broken { fields: "Host: attacker.example\r\n", ..it }, Outcome::HostRefused),
            (Broken { description: r#""faults": [{"kind": "refuse"}]"#, ..it }, Outcome::FaultRefused),
            (Broken { description: r#""request-throttle": {"burst": 1}"#, ..it }, Outcome::Throttled),
            (Broken { description: r#"option "http-endpoint": "disabled""#, ..it }, Outcome::EndpointDisabled),
            (Broken { over_ipv6: true, ..it }, Outcome::Ipv6Disabled),
        ];
        let on_the_token_path = [
            (Broken { target: "/latest/api/token", ..it }, Outcome::TokenMethodRefused),
            (
                Broken { target: "/latest/api/token", method: "PUT", fields: "X-Forwarded-For: 10.0.0.1\r\n", ..it },
                Outcome::Forwarded,
            ),
            (Broken { target: "/latest/api/token", method: "PUT", ..it }, Outcome::TtlRefused),
        ];
        let token = "X-aws-ec2-metadata-token: no-token\r\n";
        let elsewhere = [
            (
                Broken { fields: "X-Forwarded-For: 10.0.0.1\r\nX-aws-ec2-metadata-token: no-token\r\n", ..it },
                Outcome::Forwarded,
            ),
            (Broken { fields: token, ..it }, Outcome::TokenInvalid),
            (Broken { description: r#"option "http-tokens": "required""#, ..it }, Outcome::TokenMissing),
            (Broken { method: "POST", ..it }, Outcome::MethodRefused),
            (Broken { target: "/latest/none", ..it }, Outcome::NotFound),
        ];
        for last in [&on_the_token_path[..], &elsewhere[..]] {
            let all: Vec<_> = rules.iter().chain(last).collect();
            for (index, (rule, expected)) in all.iter().enumerate() {
                assert_eq!(outcome(&[*rule]), *expected, "alone");
                for (later, other) in &all[index + 1..] {
                    // On the token path the method tells the rules apart, so they are not combined.
                    let is_apart = rule.target == later.target && !rule.target.is_empty();
                    // A token that is there is not missing.
                    let is_other = *expected == Outcome::TokenInvalid && *other == Outcome::TokenMissing;
                    if !is_apart && !is_other {
                        assert_eq!(outcome(&[*rule, *later]), *expected, "before {other:?}");
                    }
                }
            }
        }
    }
}
