use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use serde_json::{Value, json};

use crate::description::{Description, rfc3339};
use crate::engine::message::{Answer, Moment, Request, RequestRef};
use crate::engine::outcome::Outcome;
use crate::engine::runtime::Runtime;
use crate::engine::terms::Terms;
use crate::engine::worker::Counts;
use crate::error::Error;
use crate::identity::{IdentitySigning, Signatures};

/// One EC2 instance and its metadata service, ready to answer.
///
/// A handle: clones answer for the same instance, from any thread. It never
/// changes; to change the instance, open another description.
///
/// ```
/// use imds_host::{Moment, Request, Runtime};
///
/// let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
/// let moment = Moment::at(1_764_000_000_000, 7);
/// let request = Request::get("/latest/meta-data/instance-id");
/// assert_eq!(instance.answer(&request, moment), instance.clone().answer(&request, moment));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone)]
pub struct Instance {
    runtime: Runtime,
    shared: Arc<Shared>,
}

struct Shared {
    opened: Opened,
    /// Whether the identity document is signed before somebody asks.
    signs_ahead: AtomicBool,
    counted: Arc<Counted>,
}

/// A signature that is asked for may be of another document than the one that
/// somebody else is having signed: then that one comes first. No more documents
/// than those of a request and of the start are asked for in one moment.
pub(crate) const SIGNINGS_MAX: usize = 4;

/// As many as there are changes, each of which can bring another document, and
/// no description without end.
const SIGNED_MAX: usize = 128;

/// What is counted of an instance's requests, whatever its description is then.
#[derive(Default)]
pub(crate) struct Counted {
    throttle_state: AtomicU64,
    requests: AtomicU64,
}

/// A description under the number by which workers know it.
struct Opened {
    id: u64,
    opening: Arc<Opening>,
    /// The same with more signatures in it, once somebody asked for one. There
    /// are as many in a row as there are identity documents of which somebody
    /// asked for a signature: a change of the instance can make another.
    signed: OnceLock<Box<Opened>>,
}

impl Opened {
    fn new(runtime: &Runtime, opening: Opening) -> Self {
        Self { id: runtime.next_id(), opening: Arc::new(opening), signed: OnceLock::new() }
    }
}

impl Instance {
    pub(crate) fn new(runtime: Runtime, opening: Opening) -> Self {
        Self::counting(runtime, opening, Arc::default())
    }

    /// The instance as it is after an edit: its requests are counted on.
    pub(crate) fn edited(&self, opening: Opening) -> Self {
        Self::counting(self.runtime.clone(), opening, Arc::clone(&self.shared.counted))
    }

    fn counting(runtime: Runtime, opening: Opening, counted: Arc<Counted>) -> Self {
        let opened = Opened::new(&runtime, opening);
        let shared = Shared { opened, signs_ahead: AtomicBool::new(false), counted };
        Self { runtime, shared: Arc::new(shared) }
    }

    /// Answers one request as of `moment`. There is an answer to everything:
    /// where the component fails, it is a 500 with [`Outcome::Failed`].
    ///
    /// Takes microseconds, and on the first use in a worker the time to open
    /// the description; the first request for a signature of the identity
    /// document takes a second where keys have to be made. Waits for no input or
    /// output.
    ///
    /// ```
    /// # use imds_host::{Moment, Request, Runtime};
    /// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// let answer = instance.answer(&Request::get("/no-such-version/"), Moment::at(0, 0));
    /// assert_eq!(answer.status, 404);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn answer(&self, request: &Request, moment: Moment) -> Answer {
        self.try_answer(request, moment).unwrap_or_else(|_| failed(moment.now_ms))
    }

    /// Like [`answer`](Self::answer), for a caller that wants to know why the
    /// component failed. The next call gets a fresh worker.
    ///
    /// ```
    /// # use imds_host::{Moment, Request, Runtime};
    /// # let instance = Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// assert!(instance.try_answer(&Request::get("/"), Moment::at(0, 0)).is_ok());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn try_answer(&self, request: &Request, moment: Moment) -> Result<Answer, Error> {
        let fields: Vec<_> = request.fields.iter().map(|field| (&*field.name, &*field.value)).collect();
        let request = RequestRef {
            method: &request.method,
            target: &request.target,
            fields: &fields,
            over_ipv6: request.over_ipv6,
        };
        for _ in 0..SIGNINGS_MAX {
            let answer = self.ask(request, moment)?;
            if answer.outcome != Outcome::SignaturesWanted {
                return Ok(answer);
            }
            self.sign(moment.now_ms)?;
        }
        self.ask(request, moment)
    }

    /// The description as JSON text with the signatures of the identity
    /// document inside, as it is before the first change of its timeline, for
    /// engines that cannot sign. Signs where nobody asked for a signature yet.
    ///
    /// ```
    /// # let instance = imds_host::Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// assert!(instance.to_signed_json()?.contains(r#""rsa2048":"MIAG"#));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn to_signed_json(&self) -> Result<String, Error> {
        if self.signed_times() == 0 {
            self.sign(0)?;
        }
        Ok(self.opened().opening.document.to_string())
    }

    /// Begins to sign the identity document on a thread of its own, where keys
    /// have to be made for that, so that the first to ask for a signature waits
    /// less or not at all: clients of EC2 give up after a second or sooner.
    ///
    /// Else it does nothing: where keys are given, where nobody signs, where the
    /// description brings all signatures, and where it was called before. The
    /// thread holds the instance until it is done and ends with the process. What
    /// fails there is tried again when a signature is asked for.
    ///
    /// Fails where the operating system refuses a thread.
    ///
    /// ```
    /// # let instance = imds_host::Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// instance.sign_ahead()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn sign_ahead(&self) -> Result<(), Error> {
        if !self.needs_keys() || self.shared.signs_ahead.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let instance = self.clone();
        let sign = move || {
            let _ = instance.sign(0);
        };
        thread::Builder::new().name("imds-signatures".into()).spawn(sign).map(drop).map_err(Error::System)
    }

    /// Whether somebody can ask for a signature for which a key must be made.
    pub(crate) fn needs_keys(&self) -> bool {
        self.shared.opened.opening.needs_keys()
    }

    fn opened(&self) -> &Opened {
        let mut opened = &self.shared.opened;
        while let Some(signed) = opened.signed.get() {
            opened = signed;
        }
        opened
    }

    /// Asks the component, and again if another thread's request changed the
    /// throttle's state meanwhile. What wants signatures counts when it is asked
    /// anew.
    pub(crate) fn ask(&self, request: RequestRef<'_>, moment: Moment) -> Result<Answer, Error> {
        let Opened { id, opening, .. } = self.opened();
        let Counted { throttle_state, requests } = &*self.shared.counted;
        let request_number = requests.fetch_add(1, Ordering::Relaxed);
        let mut state = throttle_state.load(Ordering::Relaxed);
        loop {
            let counts = Counts { throttle_state: state, request_number };
            let (answer, next) = self.runtime.answer(*id, opening, request, moment, counts)?;
            if answer.outcome == Outcome::SignaturesWanted {
                requests.fetch_sub(1, Ordering::Relaxed);
                return Ok(answer);
            }
            if next == state {
                return Ok(answer);
            }
            match throttle_state.compare_exchange(state, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(answer),
                Err(changed) => state = changed,
            }
        }
    }

    /// The text of the identity document as of `now_ms`.
    pub(crate) fn identity_document(&self, now_ms: u64) -> Result<String, Error> {
        let Opened { id, opening, .. } = self.opened();
        Ok(self.runtime.identity_document(*id, opening, now_ms)?.text)
    }

    /// How often identity documents were signed.
    pub(crate) fn signed_times(&self) -> usize {
        std::iter::successors(self.shared.opened.signed.get(), |opened| opened.signed.get()).count()
    }

    /// Signs the identity document as of `now_ms` and opens the description with
    /// the signatures.
    pub(crate) fn sign(&self, now_ms: u64) -> Result<(), Error> {
        // Whoever asks again and again for what is taken away again gets no more.
        if self.signed_times() >= SIGNED_MAX {
            return Err(Error::identity("too many identity documents were signed"));
        }
        let Opened { id, opening, signed } = self.opened();
        let keys = match &opening.terms.identity_signing {
            IdentitySigning::With(keys) => Arc::clone(keys),
            IdentitySigning::MadeBy(maker) => maker.keys()?,
            IdentitySigning::AtFirstNeed | IdentitySigning::Never => self.runtime.identity_keys()?,
        };
        let document = self.runtime.identity_document(*id, opening, now_ms)?;
        let signatures = keys.sign(document.text.as_bytes(), document.signing_time_ms);
        let opening = match document.since_ms {
            0 => opening.signed(&signatures)?,
            since_ms => {
                let then = self.runtime.edit_text(&opening.document, "{}", Some(since_ms))?;
                let then = then.map_err(|_| Error::identity("the description cannot be read"))?;
                opening.signed_since(&signatures, since_ms, &then)?
            }
        };
        self.runtime.try_open(&opening)?.map_err(|_| Error::identity("the description has no room for signatures"))?;
        // Signatures are the same whoever makes them: it does not matter who was first.
        // Those of another time are lost then, and made when they are asked for again.
        signed.get_or_init(|| Box::new(Opened::new(&self.runtime, opening)));
        Ok(())
    }

    /// The runtime in which the instance is open.
    ///
    /// ```
    /// # let instance = imds_host::Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// assert!(!instance.runtime().fields_read().is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("id", &self.opened().id).finish_non_exhaustive()
    }
}

/// The answer in place of one that the component failed to give.
pub(crate) fn failed(now_ms: u64) -> Answer {
    Answer::without_body(500, "Internal Server Error", Outcome::Failed, now_ms)
}

/// What a worker needs to open the instance. Of many instances each has one, so
/// it is small.
#[derive(Clone)]
pub(crate) struct Opening {
    pub(crate) document: Box<str>,
    terms: Arc<Terms>,
    /// Whose instance it is, where there are instances of others.
    key: Option<Arc<str>>,
}

impl Opening {
    pub(crate) fn new(description: &Description, terms: Arc<Terms>, key: Option<Arc<str>>) -> Self {
        Self { document: description.to_json().into(), terms, key }
    }

    /// The secret from which the component derives the key of the tokens.
    pub(crate) fn token_secret(&self) -> &[u8] {
        self.terms.token_secret.bytes()
    }

    /// Whose instance it is, where there are instances of others.
    pub(crate) fn scope(&self) -> Option<&str> {
        self.key.as_deref()
    }

    pub(crate) fn allowed_hosts(&self) -> &[String] {
        &self.terms.allowed_hosts
    }

    pub(crate) fn signs_identity(&self) -> bool {
        !matches!(self.terms.identity_signing, IdentitySigning::Never)
    }

    /// Whether somebody can ask for a signature for which a key must be made.
    pub(crate) fn needs_keys(&self) -> bool {
        let makes_keys =
            matches!(self.terms.identity_signing, IdentitySigning::AtFirstNeed | IdentitySigning::MadeBy(_));
        makes_keys && !self.signatures_missing().is_empty()
    }

    /// The fields of the signatures that the description lacks.
    fn signatures_missing(&self) -> Vec<&'static str> {
        let given: Value = serde_json::from_str(&self.document).unwrap_or_default();
        SIGNATURES.into_iter().filter(|field| given.pointer(field).is_none()).collect()
    }

    /// The same with `signatures` in the description, but for those that it had.
    fn signed(&self, signatures: &Signatures) -> Result<Self, Error> {
        let missing = self.signatures_missing();
        let mut description = Description::from_json("the description", &self.document)?;
        for (field, text) in SIGNATURES.into_iter().zip(in_their_order(signatures)) {
            if missing.contains(&field) {
                description.set_text(field, text, "the signer");
            }
        }
        Ok(Self { document: description.to_json().into(), ..self.clone() })
    }

    /// The same with one more change: `signatures` from `since_ms` on, but for
    /// those that the description has `then`.
    fn signed_since(&self, signatures: &Signatures, since_ms: u64, then: &str) -> Result<Self, Error> {
        let then: Value = serde_json::from_str(then).map_err(Error::identity)?;
        let mut change = json!({ "at": rfc3339(since_ms) });
        for (field, text) in SIGNATURES.into_iter().zip(in_their_order(signatures)) {
            if then.pointer(field).is_none()
                && let Some(name) = field.strip_prefix("/identity-signatures/")
            {
                change["identity-signatures"][name] = text.as_str().into();
            }
        }
        let mut document: Value = serde_json::from_str(&self.document).map_err(Error::identity)?;
        match document.get_mut("timeline") {
            Some(Value::Array(changes)) => changes.push(change),
            _ => document["timeline"] = json!([change]),
        }
        Ok(Self { document: document.to_string().into(), ..self.clone() })
    }
}

fn in_their_order(Signatures { signature, pkcs7, rsa2048 }: &Signatures) -> [&String; 3] {
    [signature, pkcs7, rsa2048]
}

/// Where signatures stand in a description.
const SIGNATURES: [&str; 3] =
    ["/identity-signatures/signature", "/identity-signatures/pkcs7", "/identity-signatures/rsa2048"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::Settings;
    use crate::identity::{IdentityKeys, KeyMaker};

    #[test]
    fn keys_are_needed_where_a_signature_is_to_be_made_and_none_are_given() {
        let two = "[identity-signatures]\nsignature = 'AAAA'\npkcs7 = 'BBBB'\n";
        let three = format!("{two}rsa2048 = 'CCCC'\n");
        for (toml, identity_signing, needed) in [
            ("", IdentitySigning::AtFirstNeed, true),
            (two, IdentitySigning::AtFirstNeed, true),
            (&three, IdentitySigning::AtFirstNeed, false),
            (two, IdentitySigning::MadeBy(KeyMaker::new(IdentityKeys::generate)), true),
            (&three, IdentitySigning::MadeBy(KeyMaker::new(IdentityKeys::generate)), false),
            ("", IdentitySigning::Never, false),
        ] {
            let description = Description::from_toml("test", toml).unwrap();
            let settings = Settings { identity_signing, ..Settings::default() };
            let terms = Arc::new(Terms::new(&settings).unwrap());
            assert_eq!(Opening::new(&description, terms, None).needs_keys(), needed, "{toml}");
        }
    }
}
