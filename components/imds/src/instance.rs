//! An instance and its metadata service.

use crate::categories::IdentityDocument;
use crate::decide::{Call, Decision, Request, decide};
use crate::description::json::Json;
use crate::description::problem::{PROBLEMS_MAX, Problem};
use crate::http::answer::{Buffers, Reply};
use crate::http::host::HostNames;
use crate::http::{Answer, Head};
use crate::outcome::Outcome;
use crate::phase::{Phases, Terms};
use crate::time::Time;
use crate::token::TokenKey;

/// One EC2 instance and its metadata service.
///
/// It never changes: an edit makes a new one from a new description. What its
/// description says of times to come is in its answers at those times.
pub struct Instance {
    phases: Phases,
    token_key: TokenKey,
    allowed_hosts: HostNames,
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
    /// Whether the request came over IPv6.
    pub over_ipv6: bool,
    /// Whether the shell would keep the connection open.
    pub keep_alive: bool,
}

/// The signatures of an identity document, each in Base64 without line ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Signatures {
    /// RSA with SHA-256 over the document.
    pub signature: String,
    /// A CMS message with a DSA signature.
    pub pkcs7: String,
    /// A CMS message with an RSA-2048 signature.
    pub rsa2048: String,
}

/// The fewest bytes of a token secret: less could be tried out.
const TOKEN_SECRET_BYTES_MIN: usize = 16;

impl Instance {
    /// Reads a description, JSON text; `{}` is a complete instance.
    ///
    /// Fails with everything that is wrong with it, at least one problem and at
    /// most 20, or with problems of no field if the settings are wrong: a token
    /// secret that is too short, a host name that no `Host` can match.
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
        at_most_problems(Instance::read(description, settings))
    }

    fn read(description: &str, settings: Settings) -> Result<Instance, Vec<Problem>> {
        if settings.token_secret.len() < TOKEN_SECRET_BYTES_MIN {
            let message = format!("the token secret has fewer than {TOKEN_SECRET_BYTES_MIN} bytes");
            return Err(vec![Problem::at("", message)]);
        }
        let allowed_hosts = HostNames::read(settings.allowed_hosts)?;
        let document = Json::parse(description).map_err(|problem| vec![problem])?;
        let scope = settings.scope.as_deref();
        let phases = Phases::open(document, Terms { scope, shell_signs: settings.signs_identity })?;
        let token_key = TokenKey::new(&settings.token_secret, scope, phases.instance_id());
        Ok(Instance { token_key, phases, allowed_hosts })
    }

    /// Answers one request, of which `head` is all up to and with the first empty
    /// line. A refusal is an answer too, so this cannot fail. `signatures` are
    /// those that an answer before this one wanted.
    ///
    /// ```
    /// use imds_core::{Instance, Moment, Outcome, Settings};
    ///
    /// let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
    /// let instance = Instance::open("{}", settings)?;
    /// let answer = instance.answer(b"GET /no-such-version/ HTTP/1.1\r\n\r\n", Moment::default(), None);
    /// assert_eq!((answer.status, answer.outcome), (404, Outcome::NotFound));
    /// # Ok::<(), Vec<imds_core::Problem>>(())
    /// ```
    pub fn answer(&self, head: &[u8], moment: Moment, signatures: Option<&Signatures>) -> Answer<'_> {
        self.answer_with(head, moment, signatures, &mut Buffers::default())
    }

    /// What the service has at a path below `latest` at a time, in milliseconds since
    /// the Unix epoch: an item, a listing, or nothing. No check of requests comes before
    /// it, so that it does not matter whether the instance runs, whether its service is
    /// enabled and whether it asks for tokens.
    ///
    /// ```
    /// use imds_core::{Instance, Settings};
    ///
    /// let description = r#"{"state": "stopped", "metadata-options": {"http-endpoint": "disabled"}}"#;
    /// let instance = Instance::open(description, Settings { token_secret: vec![7; 32], ..Settings::default() })?;
    /// assert_eq!(instance.item("meta-data/local-ipv4", 0).as_deref(), Some(&b"10.0.0.10"[..]));
    /// assert_eq!(instance.item("meta-data/no-such-item", 0), None);
    /// # Ok::<(), Vec<imds_core::Problem>>(())
    /// ```
    pub fn item(&self, path: &str, now_ms: u64) -> Option<Vec<u8>> {
        let now = Time::from_ms(now_ms);
        let found = self.phases.at(now).item(path, now)?;
        Some(found.into_owned())
    }

    /// The same, with what answers before left.
    pub(crate) fn answer_with<'i>(
        &'i self,
        head: &[u8],
        moment: Moment,
        signatures: Option<&Signatures>,
        buffers: &mut Buffers,
    ) -> Answer<'i> {
        let now = Time::from_ms(moment.now_ms);
        let phase = self.phases.at(now);
        Head::read(head, |head| {
            let call = Call {
                phase,
                token_key: &self.token_key,
                allowed_hosts: &self.allowed_hosts,
                request: head.map(Request::of),
                signatures,
                now,
                moment,
            };
            let decision = decide(&call);
            let request = call.request.as_ref().ok();
            let head = request.map(|request| &request.head);
            let mut answer = Answer::write(decision, head, moment.keep_alive, now, buffers);
            if request.is_some_and(|request| request.is_for_a_token && request.head.method == "PUT") {
                answer.hop_limit = Some(phase.facts.options.http_put_response_hop_limit.0);
            }
            if answer.outcome == Outcome::SignaturesWanted {
                answer.to_sign = Some(IdentityDocument::of(&phase.facts));
            }
            answer
        })
    }
}

/// The answer to a caller that has no instance: 403, unless the head cannot be
/// read.
///
/// ```
/// use imds_core::{Moment, refuse_caller};
///
/// assert_eq!(refuse_caller(b"GET / HTTP/1.1\r\n\r\n", Moment::default()).status, 403);
/// assert_eq!(refuse_caller(b"\x16\x03", Moment::default()).status, 400);
/// ```
pub fn refuse_caller(head: &[u8], moment: Moment) -> Answer<'static> {
    Head::read(head, |head| {
        let outcome = match head {
            Ok(_) => Outcome::NoInstance,
            Err(unreadable) => unreadable.outcome(),
        };
        let decision = Decision {
            reply: Reply::Refused(outcome),
            ttl_left: None,
            throttle_state: moment.throttle_state,
            fault: None,
        };
        let now = Time::from_ms(moment.now_ms);
        Answer::write(decision, head.as_ref().ok(), moment.keep_alive, now, &mut Buffers::default())
    })
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

// Whoever has a signature can pass for the instance.
impl core::fmt::Debug for Signatures {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Signatures(redacted)")
    }
}
