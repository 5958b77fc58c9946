use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use crate::description::Description;
use crate::error::Error;
use crate::identity::{IdentitySigning, Signatures};
use crate::message::{Answer, Moment, Outcome, Request, RequestRef};
use crate::runtime::Runtime;
use crate::terms::Terms;

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
    /// The same with signatures in its description, once somebody asked for one.
    signed: OnceLock<Opened>,
    /// Whether that was begun before somebody asked.
    signs_ahead: AtomicBool,
    throttle_state: AtomicU64,
}

/// A description under the number by which workers know it.
struct Opened {
    id: u64,
    opening: Arc<Opening>,
}

impl Instance {
    pub(crate) fn new(runtime: Runtime, opening: Opening) -> Self {
        let opened = Opened { id: runtime.next_id(), opening: Arc::new(opening) };
        let shared = Shared {
            opened,
            signed: OnceLock::new(),
            signs_ahead: AtomicBool::new(false),
            throttle_state: AtomicU64::new(0),
        };
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
        let answer = self.ask(request, moment)?;
        if answer.outcome != Outcome::SignaturesWanted {
            return Ok(answer);
        }
        self.sign()?;
        self.ask(request, moment)
    }

    /// The description as JSON text with the signatures of the identity
    /// document inside, for engines that cannot sign. Signs where nobody asked
    /// for a signature yet.
    ///
    /// ```
    /// # let instance = imds_host::Runtime::new()?.open(&Default::default(), &Default::default())?;
    /// assert!(instance.to_signed_json()?.contains(r#""rsa2048":"MIAG"#));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn to_signed_json(&self) -> Result<String, Error> {
        if !self.is_signed() {
            self.sign()?;
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
            let _ = instance.sign();
        };
        thread::Builder::new().name("imds-signatures".into()).spawn(sign).map(drop).map_err(Error::System)
    }

    /// Whether somebody can ask for a signature for which a key must be made.
    pub(crate) fn needs_keys(&self) -> bool {
        self.shared.opened.opening.needs_keys()
    }

    fn opened(&self) -> &Opened {
        self.shared.signed.get().unwrap_or(&self.shared.opened)
    }

    /// Asks the component, and again if another thread's request changed the
    /// throttle's state meanwhile. What wants signatures counts when it is asked
    /// anew.
    pub(crate) fn ask(&self, request: RequestRef<'_>, moment: Moment) -> Result<Answer, Error> {
        let Opened { id, opening } = self.opened();
        let mut state = self.shared.throttle_state.load(Ordering::Relaxed);
        loop {
            let (answer, next) = self.runtime.answer(*id, opening, request, moment, state)?;
            if next == state || answer.outcome == Outcome::SignaturesWanted {
                return Ok(answer);
            }
            let exchanged =
                self.shared.throttle_state.compare_exchange(state, next, Ordering::Relaxed, Ordering::Relaxed);
            match exchanged {
                Ok(_) => return Ok(answer),
                Err(changed) => state = changed,
            }
        }
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.shared.signed.get().is_some()
    }

    /// Signs the identity document and opens the description with the signatures.
    pub(crate) fn sign(&self) -> Result<(), Error> {
        let Opened { id, opening } = &self.shared.opened;
        let keys = match &opening.terms.identity_signing {
            IdentitySigning::With(keys) => Arc::clone(keys),
            IdentitySigning::AtFirstNeed | IdentitySigning::Never => self.runtime.identity_keys()?,
        };
        let (document, signing_time_ms) = self.runtime.identity_document(*id, opening)?;
        let signed = opening.signed(&keys.sign(document.as_bytes(), signing_time_ms))?;
        // Signatures are the same whoever makes them: it does not matter who was first.
        self.shared.signed.get_or_init(|| Opened { id: self.runtime.next_id(), opening: Arc::new(signed) });
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

    /// The secret from which the component derives the key of the tokens. Two
    /// instances that are described alike are still two, as behind Spin's
    /// trigger: with one secret, both accept each other's tokens for a key.
    pub(crate) fn token_secret(&self) -> Cow<'_, [u8]> {
        let secret = self.terms.token_secret.bytes();
        match &self.key {
            None => secret.into(),
            Some(key) => [secret, b"\0instances/", key.as_bytes()].concat().into(),
        }
    }

    pub(crate) fn allowed_hosts(&self) -> &[String] {
        &self.terms.allowed_hosts
    }

    pub(crate) fn signs_identity(&self) -> bool {
        !matches!(self.terms.identity_signing, IdentitySigning::Never)
    }

    /// Whether somebody can ask for a signature for which a key must be made.
    pub(crate) fn needs_keys(&self) -> bool {
        matches!(self.terms.identity_signing, IdentitySigning::AtFirstNeed) && !self.signatures_missing().is_empty()
    }

    /// The fields of the signatures that the description lacks.
    fn signatures_missing(&self) -> Vec<&'static str> {
        let given: serde_json::Value = serde_json::from_str(&self.document).unwrap_or_default();
        SIGNATURES.into_iter().filter(|field| given.pointer(field).is_none()).collect()
    }

    /// The same with `signatures` in the description, but for those that it had.
    fn signed(&self, signatures: &Signatures) -> Result<Self, Error> {
        let missing = self.signatures_missing();
        let mut description = Description::from_json("the description", &self.document)?;
        let Signatures { signature, pkcs7, rsa2048 } = signatures;
        for (field, text) in SIGNATURES.into_iter().zip([signature, pkcs7, rsa2048]) {
            if missing.contains(&field) {
                description.set_text(field, text, "the signer");
            }
        }
        Ok(Self { document: description.to_json().into(), ..self.clone() })
    }
}

/// Where signatures stand in a description.
const SIGNATURES: [&str; 3] =
    ["/identity-signatures/signature", "/identity-signatures/pkcs7", "/identity-signatures/rsa2048"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Secret, Settings};

    #[test]
    fn keys_are_needed_where_a_signature_is_to_be_made_and_none_are_given() {
        let two = "[identity-signatures]\nsignature = 'AAAA'\npkcs7 = 'BBBB'\n";
        let three = format!("{two}rsa2048 = 'CCCC'\n");
        for (toml, identity_signing, needed) in [
            ("", IdentitySigning::AtFirstNeed, true),
            (two, IdentitySigning::AtFirstNeed, true),
            (&three, IdentitySigning::AtFirstNeed, false),
            ("", IdentitySigning::Never, false),
        ] {
            let description = Description::from_toml("test", toml).unwrap();
            let settings = Settings { identity_signing, ..Settings::default() };
            let terms = Arc::new(Terms::new(&settings).unwrap());
            assert_eq!(Opening::new(&description, terms, None).needs_keys(), needed, "{toml}");
        }
    }

    #[test]
    fn the_secret_of_one_of_many_is_that_of_its_key() {
        let settings = Settings { token_secret: Some(Secret::new(b"0123456789abcdef")), ..Settings::default() };
        let terms = Arc::new(Terms::new(&settings).unwrap());
        let secret = |key: Option<&str>| {
            let opening = Opening::new(&Description::default(), Arc::clone(&terms), key.map(Arc::from));
            opening.token_secret().into_owned()
        };
        assert_eq!(secret(None), b"0123456789abcdef");
        assert_eq!(secret(Some("10.0.0.7")), b"0123456789abcdef\0instances/10.0.0.7");
    }
}
