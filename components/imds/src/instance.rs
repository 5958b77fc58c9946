//! An instance and its metadata service: the order of checks.

use std::collections::BTreeMap;

use crate::answer::{Answer, METADATA_METHODS, Outcome, Reply, TOKEN_METHODS};
use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::description::{Description, Enabled, FaultKind, HttpTokens, InstanceState, MetadataOptions, Switch};
use crate::facts::Facts;
use crate::faults::{Delivery, Fault};
use crate::http::{FORWARDED_FOR, HOST, Request, TOKEN, TOKEN_TTL_SECONDS};
use crate::target::Target;
use crate::throttle::Rate;
use crate::time::Time;
use crate::timeline::{Chapter, Timeline};
use crate::token::{self, Refused, TokenKey};
use crate::tree::{Folder, Node, View};
use crate::version::{DATED, Version};
use crate::{categories, host};

/// One EC2 instance and its metadata service.
///
/// It never changes: an edit makes a new one from a new description. What its
/// description says of times to come is in its answers at those times.
pub struct Instance {
    /// What it is from when on, in the order of time; the first from the epoch.
    phases: Vec<Phase>,
    token_key: TokenKey,
    allowed_hosts: Vec<String>,
}

/// What an instance is between two changes of its description.
struct Phase {
    since: Time,
    identity_since: Time,
    state: InstanceState,
    faults: Vec<Fault>,
    options: MetadataOptions,
    throttle: Option<Rate>,
    launch_time: Time,
    identity_document: String,
    tree: Folder,
    /// Entries that the operator added to one version, by version and path.
    version_entries: BTreeMap<(Version, String), String>,
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

/// What the signatures of the identity document are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityDocument {
    /// The document.
    pub text: String,
    /// The signing time that the signatures tell, in milliseconds since the epoch.
    pub signing_time_ms: u64,
    /// Since when it is this one, in milliseconds since the epoch; 0 for always.
    pub since_ms: u64,
}

/// Recorded: the signing time falls seconds after the launch.
const SIGNED_SECONDS_AFTER_LAUNCH: u64 = 2;

/// The fewest bytes of a token secret: less could be tried out.
const TOKEN_SECRET_BYTES_MIN: usize = 16;

/// The most problems of a description that are told at once.
const PROBLEMS_MAX: usize = 20;

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
        let (phases, instance_id) = phases(document, settings.signs_identity)?;
        Ok(Instance {
            phases,
            token_key: TokenKey::new(&settings.token_secret, &instance_id),
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
        let phase = self.phase(now);
        let mut ttl_left = None;
        let admitted = phase.throttle.map_or(Ok(moment.throttle_state), |rate| rate.admit(moment.throttle_state, now));
        let mut struck =
            phase.faults.iter().filter(|fault| fault.strikes(request.method, &target, now, moment.request_number));
        let fault = struck.next();
        // DIFFERENCE: on EC2 nothing runs then that could ask.
        let reply = match (phase.state, fault, admitted) {
            (InstanceState::Stopped | InstanceState::Terminated, ..) => Err(Outcome::NotRunning),
            (InstanceState::Running, Some(fault), _) if fault.kind == FaultKind::Refuse => Err(Outcome::FaultRefused),
            (InstanceState::Running, _, Err(_)) => Err(Outcome::Throttled),
            (InstanceState::Running, _, Ok(_)) => {
                self.decide(phase, request, &target, now, moment.entropy, &mut ttl_left)
            }
        };
        let mut answer = Answer::write(reply.unwrap_or_else(Reply::Refused), request.method, ttl_left, now);
        let (Ok(throttle_state) | Err(throttle_state)) = admitted;
        answer.throttle_state = throttle_state;
        if request.method == "PUT" && target.is(&TOKEN_PATH) {
            answer.hop_limit = Some(phase.options.http_put_response_hop_limit.0);
        }
        answer.delivery = match (phase.state, fault) {
            (InstanceState::Stopped | InstanceState::Terminated, _) => Some(Delivery::Closed),
            (InstanceState::Running, None) => None,
            (InstanceState::Running, Some(fault)) => answer.struck_by(fault),
        };
        answer
    }

    /// What a shell that signs must sign, as of `now_ms`. The signatures go into
    /// the description as `identity-signatures`; where `since_ms` is not 0, into
    /// an entry of its `timeline` of that time, behind all others of it.
    ///
    /// ```
    /// # use imds_core::{Instance, Settings};
    /// # let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
    /// let instance = Instance::open("{}", settings)?;
    /// let document = instance.identity_document(1_790_800_000_000);
    /// assert!(document.text.contains("i-0123456789abcdef0") && document.since_ms == 0);
    /// # Ok::<(), Vec<imds_core::Problem>>(())
    /// ```
    pub fn identity_document(&self, now_ms: u64) -> IdentityDocument {
        let phase = self.phase(Time::from_ms(now_ms));
        IdentityDocument {
            text: phase.identity_document.clone(),
            signing_time_ms: phase.launch_time.plus_seconds(SIGNED_SECONDS_AFTER_LAUNCH).as_ms(),
            since_ms: phase.identity_since.as_ms(),
        }
    }

    /// What the instance is at a time.
    fn phase(&self, now: Time) -> &Phase {
        let begun = self.phases.partition_point(|phase| phase.since <= now);
        // The first begins with the epoch.
        &self.phases[begun.saturating_sub(1)]
    }

    /// Every check, in the order in which EC2 makes them; swapping two fails a
    /// case. `ttl_left` is set as soon as a token proves valid, since refusals
    /// after that tell it too.
    fn decide(
        &self,
        phase: &Phase,
        request: &Request<'_>,
        target: &Target<'_>,
        now: Time,
        entropy: u64,
        ttl_left: &mut Option<u32>,
    ) -> Result<Reply, Outcome> {
        // A page that a browser loaded from elsewhere is to learn nothing at all.
        if !self.is_host_allowed(request, target) {
            return Err(Outcome::HostRefused);
        }
        if phase.options.http_endpoint == Enabled::Disabled {
            return Err(Outcome::EndpointDisabled);
        }
        if request.over_ipv6 && phase.options.http_protocol_ipv6 == Switch::Disabled {
            return Err(Outcome::Ipv6Disabled);
        }
        // On the token path the method comes before authorisation: GET without
        // a token gets 405 even where tokens are required.
        if target.is(&TOKEN_PATH) {
            return match request.method {
                "OPTIONS" => {
                    // UNRECORDED: a bad token, which is no obstacle where none is needed.
                    *ttl_left = request.field(TOKEN).and_then(|token| self.token_key.check(token, now).ok());
                    Ok(Reply::Methods(TOKEN_METHODS))
                }
                "PUT" => self.issue_token(request, now, entropy),
                _ => Err(Outcome::TokenMethodRefused),
            };
        }
        // The token is checked before method and path, so that a caller
        // without one cannot learn which paths exist.
        match request.field(TOKEN) {
            // Reported of proxies: refused when a token is sent, passed without.
            // UNRECORDED: that this comes before the token's own check.
            Some(_) if request.field(FORWARDED_FOR).is_some() => return Err(Outcome::Forwarded),
            Some(token) => *ttl_left = Some(self.token_key.check(token, now).map_err(token_refused)?),
            None if phase.options.http_tokens == HttpTokens::Required => return Err(Outcome::TokenMissing),
            None => {}
        }
        match request.method {
            "GET" | "HEAD" => phase.find(target, now, ttl_left.is_some()).unwrap_or(Err(Outcome::NotFound)),
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

impl Phase {
    /// What a chapter's document says.
    fn open(chapter: &Chapter, signs_identity: bool) -> Result<(Phase, String), Vec<Problem>> {
        let facts = Facts::of(Description::of_document(chapter.document.clone())?)?;
        let phase = Phase {
            since: chapter.since,
            identity_since: chapter.identity_since,
            state: facts.state,
            tree: categories::tree(&facts, signs_identity)?,
            identity_document: categories::identity_document(&facts),
            throttle: facts.throttle,
            faults: facts.faults,
            version_entries: facts
                .extra_entries
                .into_iter()
                .filter_map(|entry| Some(((entry.version?, entry.path), entry.text)))
                .collect(),
            options: facts.options,
            launch_time: facts.launch_time,
        };
        Ok((phase, facts.instance_id))
    }

    /// The item or listing at a path, if the path is there.
    fn find(&self, target: &Target<'_>, now: Time, with_token: bool) -> Option<Result<Reply, Outcome>> {
        let text = |body: String| {
            Ok(Reply::Item { media_type: "text/plain", modified: self.launch_time, body: body.into_bytes() })
        };
        let mut segments = target.segments();
        let Some(version) = segments.next() else {
            return Some(text(format!("{}\nlatest", DATED.join("\n"))));
        };
        let view = View { version: Version::named(version)?, now, with_token };
        if let Some(body) = self.version_entry(view.version, segments.clone()) {
            return Some(text(body));
        }
        let node = match segments.clone().next() {
            None => return self.tree.listing(view).map(text),
            Some(_) => self.tree.look_up(segments)?,
        };
        match node {
            Node::Folder(folder) => folder.listing(view).map(|body| {
                let modified = folder.modified(now).unwrap_or(self.launch_time);
                Ok(Reply::Item { media_type: "text/plain", modified, body: body.into_bytes() })
            }),
            Node::Leaf(_) if !node.is_shown(view) => None,
            Node::Leaf(leaf) => Some(match leaf.content.body(view) {
                None => Err(Outcome::SignaturesWanted),
                Some(body) => Ok(Reply::Item {
                    media_type: leaf.content.media_type(),
                    modified: leaf.content.modified(view).unwrap_or(self.launch_time),
                    body,
                }),
            }),
        }
    }

    /// What the operator added to one version.
    ///
    /// DIFFERENCE: it answers and is not listed. For clients that ask an old
    /// version for what only newer ones have; those that crawl see EC2's lists.
    fn version_entry<'p>(&self, version: Version, path: impl Iterator<Item = &'p str>) -> Option<String> {
        if self.version_entries.is_empty() {
            return None;
        }
        let path: Vec<&str> = path.collect();
        self.version_entries.get(&(version, path.join("/"))).cloned()
    }
}

/// What an instance is, phase by phase, and its id, which is the same in all.
fn phases(document: Json, signs_identity: bool) -> Result<(Vec<Phase>, String), Vec<Problem>> {
    let (phases, _) = Timeline::read(document)?.chapters(|chapter| Phase::open(chapter, signs_identity))?;
    let (phases, mut ids): (Vec<_>, Vec<_>) = phases.into_iter().unzip();
    Ok((phases, ids.pop().unwrap_or_default()))
}

/// Tells what is wrong with a description, if anything is.
pub(crate) fn judge(document: Json) -> Result<(), Vec<Problem>> {
    phases(document, true).map(drop)
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
        f.debug_struct("Instance").field("phases", &self.phases.len()).finish_non_exhaustive()
    }
}

// The token secret is nobody's to read.
impl core::fmt::Debug for Settings {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Settings").field("allowed_hosts", &self.allowed_hosts).finish_non_exhaustive()
    }
}
