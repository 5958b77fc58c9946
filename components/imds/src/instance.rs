//! An instance and its metadata service: the order of checks.

use crate::answer::{Answer, METADATA_METHODS, Outcome, Reply, TOKEN_METHODS};
use crate::description::json::Json;
use crate::description::problem::{PROBLEMS_MAX, Problem};
use crate::description::{Enabled, FaultKind, HttpTokens, InstanceState, Switch};
use crate::faults::{Delivery, Fault};
use crate::host;
use crate::http::{FORWARDED_FOR, HOST, Request, TOKEN, TOKEN_TTL_SECONDS};
use crate::phase::{Phase, Phases, Terms};
use crate::target::Target;
use crate::time::Time;
use crate::token::{self, Refused, TokenKey};

/// One EC2 instance and its metadata service.
///
/// It never changes: an edit makes a new one from a new description. What its
/// description says of times to come is in its answers at those times.
pub struct Instance {
    phases: Phases,
    token_key: TokenKey,
    allowed_hosts: Vec<String>,
}

/// What the operator of a shell decides, as opposed to what the instance is.
#[derive(Clone, Default)]
pub struct Settings {
    /// The secret from which the key of the session tokens is derived; at least
    /// 16 bytes, better 32 from the operating system's entropy.
    pub token_secret: Vec<u8>,
    /// Names that may stand in `Host` besides local ones, without a port; `*`
    /// allows every name.
    pub allowed_hosts: Vec<String>,
    /// Whether the shell can sign identity documents.
    pub signs_identity: bool,
    /// Whose instance it is, where a shell serves many: the caller's key. What the
    /// description does not say of the instance's identity is made from it, so
    /// that no two are alike, and a token of one scope is worth nothing in
    /// another. `None` where the shell serves one.
    pub scope: Option<String>,
}

/// What a shell knows at the moment of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The time, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// A number that should differ from request to request.
    pub entropy: u64,
    /// The `throttle_state` of the answer before, 0 at first.
    pub throttle_state: u64,
    /// How many requests for the instance came before.
    pub request_number: u64,
}

/// What a decision depends on.
struct Call<'i, 'r> {
    request: &'r Request<'r>,
    target: &'r Target<'r>,
    phase: &'i Phase,
    now: Time,
    moment: Moment,
}

/// What a decision leaves besides its outcome.
struct Noted<'i> {
    /// The seconds that a valid token has left: refusals after its check show
    /// them too.
    ttl_left: Option<u32>,
    throttle_state: u64,
    /// The fault that affects the answer.
    fault: Option<&'i Fault>,
}

/// The fewest bytes of a token secret: less could be tried out.
const TOKEN_SECRET_BYTES_MIN: usize = 16;

const TOKEN_PATH: [&str; 3] = ["latest", "api", "token"];

impl Instance {
    /// Reads a description, JSON text; `{}` is a complete instance.
    ///
    /// Fails with everything that is wrong with it, at least one problem and at
    /// most 20, or with one of no field if the token secret is too short.
    ///
    /// ```
    /// use imds_core::{Instance, Settings};
    ///
    /// let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
    /// let problems = Instance::open(r#"{"instance-typ": "t3.micro"}"#, settings).unwrap_err();
    /// assert_eq!(problems[0].field, "/instance-typ");
    /// assert_eq!(problems[0].help.as_deref(), Some("did you mean `instance-type`?"));
    /// ```
    pub fn open(description: &str, settings: Settings) -> Result<Instance, Vec<Problem>> {
        if settings.token_secret.len() < TOKEN_SECRET_BYTES_MIN {
            let message = format!("the token secret has fewer than {TOKEN_SECRET_BYTES_MIN} bytes");
            return Err(vec![Problem::at("", message)]);
        }
        at_most_problems(Instance::read(description, settings))
    }

    fn read(description: &str, settings: Settings) -> Result<Instance, Vec<Problem>> {
        let document = Json::parse(description).map_err(|problem| vec![problem])?;
        let scope = settings.scope.as_deref();
        let phases = Phases::open(document, Terms { scope, shell_signs: settings.signs_identity })?;
        Ok(Instance {
            token_key: TokenKey::new(&settings.token_secret, scope, phases.instance_id()),
            phases,
            allowed_hosts: settings.allowed_hosts,
        })
    }

    /// Answers one request. A refusal is an answer too, so this cannot fail.
    ///
    /// ```
    /// use imds_core::{Instance, Moment, Outcome, Settings, http::Request};
    ///
    /// let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
    /// let instance = Instance::open("{}", settings)?;
    /// let request = Request { method: "GET", target: "/no-such-version/", ..Request::default() };
    /// let answer = instance.answer(&request, Moment::default());
    /// assert_eq!((answer.status, answer.outcome), (404, Outcome::NotFound));
    /// # Ok::<(), Vec<imds_core::Problem>>(())
    /// ```
    pub fn answer(&self, request: &Request<'_>, moment: Moment) -> Answer {
        let now = Time::from_ms(moment.now_ms);
        let target = Target::parse(request.target);
        let phase = self.phases.at(now);
        let call = Call { request, target: &target, phase, now, moment };
        let mut noted = Noted { ttl_left: None, throttle_state: moment.throttle_state, fault: None };
        let reply = self.decide(&call, &mut noted);
        let reply = reply.unwrap_or_else(Reply::Refused);
        let mut answer = Answer::write(reply, request.method, noted.ttl_left, now);
        answer.throttle_state = noted.throttle_state;
        if request.method == "PUT" && target.is(&TOKEN_PATH) {
            answer.hop_limit = Some(phase.facts.options.http_put_response_hop_limit.0);
        }
        answer.delivery = match (answer.outcome, noted.fault) {
            (Outcome::NotRunning, _) => Some(Delivery::Closed),
            (_, None) => None,
            (_, Some(fault)) => answer.struck_by(fault),
        };
        answer
    }

    /// Every check, in the order in which EC2 makes them; swapping two fails a
    /// case. What holds of a refusal too, it notes on the way.
    fn decide<'i>(&'i self, call: &Call<'i, '_>, noted: &mut Noted<'i>) -> Result<Reply, Outcome> {
        let Call { request, target, phase, now, moment } = *call;
        let facts = &phase.facts;
        // DIFFERENCE: on EC2 nothing runs then that could ask.
        if facts.state != InstanceState::Running {
            return Err(Outcome::NotRunning);
        }
        // A page that a browser loaded from elsewhere is to learn nothing at all,
        // and must not use up what the throttle allows.
        if !self.is_host_allowed(request, target) {
            return Err(Outcome::HostRefused);
        }
        noted.fault =
            facts.faults.iter().find(|fault| fault.strikes(request.method, target, now, moment.request_number));
        if noted.fault.is_some_and(|fault| fault.kind == FaultKind::Refuse) {
            return Err(Outcome::FaultRefused);
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
        if request.over_ipv6 && facts.options.http_protocol_ipv6 == Switch::Disabled {
            return Err(Outcome::Ipv6Disabled);
        }
        // On the token path the method comes before authorisation: GET without
        // a token gets 405 even where tokens are required.
        if target.is(&TOKEN_PATH) {
            return match request.method {
                "OPTIONS" => {
                    // UNRECORDED: a bad token, which is no obstacle where none is needed.
                    noted.ttl_left = request.field(TOKEN).and_then(|token| self.token_key.check(token, now).ok());
                    Ok(Reply::Methods(TOKEN_METHODS))
                }
                "PUT" => self.issue_token(request, now, moment.entropy),
                _ => Err(Outcome::TokenMethodRefused),
            };
        }
        // The token is checked before method and path, so that a caller
        // without one cannot learn which paths exist.
        match request.field(TOKEN) {
            // Reported of proxies: refused when a token is sent, passed without.
            // UNRECORDED: that this comes before the token's own check.
            Some(_) if request.field(FORWARDED_FOR).is_some() => return Err(Outcome::Forwarded),
            Some(token) => noted.ttl_left = Some(self.token_key.check(token, now).map_err(token_refused)?),
            None if facts.options.http_tokens == HttpTokens::Required => return Err(Outcome::TokenMissing),
            None => {}
        }
        match request.method {
            "GET" | "HEAD" => phase.find(target, now, noted.ttl_left.is_some()).unwrap_or(Err(Outcome::NotFound)),
            "OPTIONS" => Ok(Reply::Methods(METADATA_METHODS)),
            _ => Err(Outcome::MethodRefused),
        }
    }

    fn is_host_allowed(&self, request: &Request<'_>, target: &Target<'_>) -> bool {
        let is_allowed = |host: &str| host::is_allowed(host, &self.allowed_hosts);
        let hosts = request.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(HOST));
        target.authority().is_none_or(is_allowed)
            && hosts
                .map(|field| core::str::from_utf8(field.value))
                .all(|host| host.is_ok_and(|host| is_allowed(host.trim())))
    }

    /// UNRECORDED: which of the two checks comes first.
    fn issue_token(&self, request: &Request<'_>, now: Time, entropy: u64) -> Result<Reply, Outcome> {
        if request.field(FORWARDED_FOR).is_some() {
            return Err(Outcome::Forwarded);
        }
        let ttl_seconds = request.field(TOKEN_TTL_SECONDS).and_then(ttl_seconds).ok_or(Outcome::TtlRefused)?;
        Ok(Reply::Token { token: self.token_key.issue(now, ttl_seconds, entropy), ttl_seconds })
    }
}

/// Tells what is wrong with a description, if anything is.
pub(crate) fn judge(document: Json, scope: Option<&str>) -> Result<(), Vec<Problem>> {
    Phases::open(document, Terms { scope, shell_signs: true }).map(drop)
}

/// The same with fewer problems than nobody reads.
pub(crate) fn at_most_problems<T>(result: Result<T, Vec<Problem>>) -> Result<T, Vec<Problem>> {
    result.map_err(|mut problems| {
        problems.truncate(PROBLEMS_MAX);
        problems
    })
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

// What an instance serves holds credentials.
impl core::fmt::Debug for Instance {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Instance").field("phases", &self.phases.iter().len()).finish_non_exhaustive()
    }
}

// The token secret is nobody's to read.
impl core::fmt::Debug for Settings {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Settings").field("allowed_hosts", &self.allowed_hosts).finish_non_exhaustive()
    }
}
