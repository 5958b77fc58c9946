use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::engine::message::{Answer, Moment, Request, Verdict};
use crate::engine::opening::Opening;
use crate::engine::runtime::Runtime;
use crate::engine::worker::{Asked, Counts, ToSign, Told};
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
/// let instance = Runtime::new()?.open(&Default::default())?;
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
    /// By which workers know it.
    id: u64,
    opening: Opening,
    /// Whether the identity document is signed before somebody asks.
    signs_ahead: AtomicBool,
    /// The document that was signed last, and its signatures.
    signed: Mutex<Option<(Box<str>, Arc<Signatures>)>>,
    counted: Arc<Counted>,
}

/// What is counted of an instance's requests, whatever its description is then.
#[derive(Default)]
pub(crate) struct Counted {
    throttle_state: AtomicU64,
    requests: AtomicU64,
}

/// What an instance says of a request.
pub(crate) enum Reply {
    /// The answer was appended; it was asked for with these numbers.
    Answered(Verdict, Counts),
    /// The identity document has to be signed first: then ask again.
    Unsigned(ToSign),
}

const OTHER_SIGNATURES: &str = "the component wants other signatures than those it has";

impl Instance {
    /// The instance that workers know by `id`.
    pub(crate) fn new(runtime: Runtime, id: u64, opening: Opening) -> Self {
        Self::counting(runtime, id, opening, Arc::default())
    }

    /// The instance as it is after an edit: its requests are counted on.
    pub(crate) fn edited(&self, opening: Opening) -> Self {
        let runtime = self.runtime.clone();
        let id = runtime.next_id();
        Self::counting(runtime, id, opening, Arc::clone(&self.shared.counted))
    }

    fn counting(runtime: Runtime, id: u64, opening: Opening, counted: Arc<Counted>) -> Self {
        let shared = Shared { id, opening, signs_ahead: AtomicBool::new(false), signed: Mutex::default(), counted };
        Self { runtime, shared: Arc::new(shared) }
    }

    /// Answers one request as of `moment`. There is always an answer: if the component
    /// fails, it is a 500 with [`Outcome::Failed`](crate::Outcome::Failed).
    ///
    /// Takes microseconds, and on the first use in a worker the time to open the
    /// description. The first request for a signature of the identity document takes a
    /// second if keys have to be made. It does no I/O.
    ///
    /// ```
    /// # use imds_host::{Moment, Request, Runtime};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// let answer = instance.answer(&Request::get("/no-such-version/"), Moment::at(0, 0));
    /// assert_eq!(answer.status, 404);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn answer(&self, request: &Request, moment: Moment) -> Answer {
        let mut bytes = Vec::new();
        let verdict = self.answer_head(&request.head(), moment, &mut bytes);
        Answer::of(bytes, verdict)
    }

    /// Like [`answer`](Self::answer), but returns the error if the component fails. The
    /// next call gets a fresh worker.
    ///
    /// ```
    /// # use imds_host::{Moment, Request, Runtime};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// assert!(instance.try_answer(&Request::get("/"), Moment::at(0, 0)).is_ok());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn try_answer(&self, request: &Request, moment: Moment) -> Result<Answer, Error> {
        let mut bytes = Vec::new();
        let verdict = self.try_answer_head(&request.head(), moment, &mut bytes)?;
        Ok(Answer::of(bytes, verdict))
    }

    /// Answers one request like [`try_answer`](Self::try_answer), but counts nothing:
    /// throttle and faults treat it as the first request, and later requests are not
    /// affected.
    ///
    /// ```
    /// # use imds_host::{Description, Moment, Request, Runtime};
    /// let description = Description::from_toml("throttled.toml", "request-throttle = { burst = 1, per-second = 1 }")?;
    /// let instance = Runtime::new()?.open(&description)?;
    /// let (request, moment) = (Request::get("/"), Moment::at(0, 0));
    /// assert_eq!(instance.peek(&request, moment)?.status, 200);
    /// assert_eq!(instance.peek(&request, moment)?.status, 200);
    /// assert_eq!(instance.answer(&request, moment).status, 200);
    /// assert_eq!(instance.answer(&request, moment).status, 503);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn peek(&self, request: &Request, moment: Moment) -> Result<Answer, Error> {
        let Shared { id, opening, .. } = &*self.shared;
        let (head, mut bytes) = (request.head(), Vec::new());
        let mut signatures = None::<Arc<Signatures>>;
        loop {
            let asked = Asked { head: &head, moment, counts: Counts::default(), signatures: signatures.as_deref() };
            let Told { verdict, to_sign, .. } = self.runtime.answer(*id, opening, asked, &mut bytes)?;
            match (to_sign, &signatures) {
                (None, _) => return Ok(Answer::of(bytes, verdict)),
                (Some(document), None) => signatures = Some(self.sign(&document)?),
                (Some(_), Some(_)) => return Err(Error::identity(OTHER_SIGNATURES)),
            }
            bytes.clear();
        }
    }

    /// Answers the request with this head, all bytes up to and with the first empty
    /// line, and appends the answer to `out` as it goes onto the wire: for callers
    /// with a connection of their own, such as a virtual machine monitor. A head
    /// that does not end is one that the caller cut off at its bounds.
    ///
    /// ```
    /// # use imds_host::{Moment, Runtime};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// let mut out = Vec::new();
    /// let head = b"GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n";
    /// let verdict = instance.answer_head(head, Moment::at(1_764_000_000_000, 0), &mut out);
    /// assert!(out.starts_with(b"HTTP/1.1 200 OK\r\n") && out.ends_with(b"\r\n\r\nt3.micro"));
    /// assert!(!verdict.keep_alive);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn answer_head(&self, head: &[u8], moment: Moment, out: &mut Vec<u8>) -> Verdict {
        self.try_answer_head(head, moment, out).unwrap_or_else(|_| Verdict::failed(moment.now_ms, out))
    }

    /// Like [`answer_head`](Self::answer_head), but returns the error if the component
    /// fails. It then appends nothing.
    ///
    /// ```
    /// # use imds_host::{Moment, Runtime};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// let verdict = instance.try_answer_head(b"GET / HTTP/1.1\r\n\r\n", Moment::at(0, 0), &mut Vec::new())?;
    /// assert_eq!(verdict.status, 200);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn try_answer_head(&self, head: &[u8], moment: Moment, out: &mut Vec<u8>) -> Result<Verdict, Error> {
        match self.ask(head, moment, None, out)? {
            Reply::Answered(verdict, _) => Ok(verdict),
            Reply::Unsigned(document) => {
                let signatures = self.sign(&document)?;
                Ok(self.ask_signed(head, moment, &signatures, out)?.0)
            }
        }
    }

    /// The description as JSON text with the signatures of the identity
    /// document inside, as it is before the first change of its timeline, for
    /// engines that cannot sign.
    ///
    /// ```
    /// # let instance = imds_host::Runtime::new()?.open(&Default::default())?;
    /// assert!(instance.to_signed_json()?.contains(r#""rsa2048":"MIAG"#));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn to_signed_json(&self) -> Result<String, Error> {
        let signatures = self.sign(&self.first_document()?)?;
        self.shared.opening.signed(&signatures)
    }

    /// Starts signing the identity document on its own thread, if keys have to be made
    /// for that, so that the first client that asks for a signature waits less or not
    /// at all: clients of EC2 give up after a second or sooner.
    ///
    /// It does nothing if keys are given, if signing is off, if the description
    /// contains all signatures, or if it was called before. The thread keeps the
    /// instance until it is done and ends with the process. If it fails, the next
    /// request for a signature tries again.
    ///
    /// Fails if the operating system refuses a thread.
    ///
    /// ```
    /// # let instance = imds_host::Runtime::new()?.open(&Default::default())?;
    /// instance.sign_ahead()?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn sign_ahead(&self) -> Result<(), Error> {
        if !self.needs_keys() || self.shared.signs_ahead.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let instance = self.clone();
        let sign = move || {
            let _ = instance.first_document().and_then(|document| instance.sign(&document));
        };
        thread::Builder::new().name("imds-signatures".into()).spawn(sign).map(drop).map_err(Error::System)
    }

    /// Whether somebody can ask for a signature for which a key must be made.
    pub(crate) fn needs_keys(&self) -> bool {
        self.shared.opening.needs_keys()
    }

    /// A number that is unique in the runtime. An edit changes it.
    #[cfg(feature = "ec2")]
    pub(crate) fn id(&self) -> u64 {
        self.shared.id
    }

    /// The item or listing at a path below `latest`: `item` in the contract.
    #[cfg(feature = "ec2")]
    pub(crate) fn item(&self, path: &str, now_ms: u64) -> Result<Option<Vec<u8>>, Error> {
        self.runtime.item(self.shared.id, &self.shared.opening, path, now_ms)
    }

    /// Whose instance it is, where there are instances of others.
    pub(crate) fn scope(&self) -> Option<&str> {
        self.shared.opening.scope()
    }

    /// Its description, JSON text.
    pub(crate) fn document(&self) -> &str {
        &self.shared.opening.document
    }

    /// Asks the component, and again if another thread's request changed the
    /// throttle's state meanwhile. What wants signatures counts when it is asked
    /// anew.
    pub(crate) fn ask(
        &self,
        head: &[u8],
        moment: Moment,
        signatures: Option<&Signatures>,
        out: &mut Vec<u8>,
    ) -> Result<Reply, Error> {
        let Shared { id, opening, counted, .. } = &*self.shared;
        let Counted { throttle_state, requests } = &**counted;
        let start = out.len();
        let request_number = requests.fetch_add(1, Ordering::Relaxed);
        let mut state = throttle_state.load(Ordering::Relaxed);
        loop {
            let counts = Counts { throttle_state: state, request_number };
            let asked = Asked { head, moment, counts, signatures };
            let Told { verdict, throttle_state: next, to_sign } = self.runtime.answer(*id, opening, asked, out)?;
            if let Some(document) = to_sign {
                requests.fetch_sub(1, Ordering::Relaxed);
                out.truncate(start);
                return Ok(Reply::Unsigned(document));
            }
            if next == state {
                return Ok(Reply::Answered(verdict, counts));
            }
            match throttle_state.compare_exchange(state, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(Reply::Answered(verdict, counts)),
                Err(changed) => state = changed,
            }
            out.truncate(start);
        }
    }

    /// Asks with signatures in hand.
    pub(crate) fn ask_signed(
        &self,
        head: &[u8],
        moment: Moment,
        signatures: &Signatures,
        out: &mut Vec<u8>,
    ) -> Result<(Verdict, Counts), Error> {
        match self.ask(head, moment, Some(signatures), out)? {
            Reply::Answered(verdict, counts) => Ok((verdict, counts)),
            Reply::Unsigned(_) => Err(Error::identity(OTHER_SIGNATURES)),
        }
    }

    /// Asks once more with the numbers of another time, which counts nothing.
    pub(crate) fn ask_again(
        &self,
        head: &[u8],
        moment: Moment,
        counts: Counts,
        signatures: Option<&Signatures>,
        out: &mut Vec<u8>,
    ) -> Result<Verdict, Error> {
        let Shared { id, opening, .. } = &*self.shared;
        let asked = Asked { head, moment, counts, signatures };
        Ok(self.runtime.answer(*id, opening, asked, out)?.verdict)
    }

    /// The signatures of a document, if it is the one that was signed last.
    pub(crate) fn signatures_of(&self, document: &ToSign) -> Option<Arc<Signatures>> {
        let signed = self.shared.signed.lock().unwrap_or_else(PoisonError::into_inner);
        signed.as_ref().filter(|(text, _)| **text == *document.text).map(|(_, signatures)| Arc::clone(signatures))
    }

    /// Signs a document, unless it was signed before. Takes a second where keys have
    /// to be made.
    pub(crate) fn sign(&self, document: &ToSign) -> Result<Arc<Signatures>, Error> {
        if let Some(signatures) = self.signatures_of(document) {
            return Ok(signatures);
        }
        let keys = match &self.shared.opening.terms.identity_signing {
            IdentitySigning::With(keys) => Arc::clone(keys),
            IdentitySigning::MadeBy(maker) => maker.keys()?,
            IdentitySigning::AtFirstNeed | IdentitySigning::Never => self.runtime.identity_keys()?,
        };
        let signatures = Arc::new(keys.sign(document.text.as_bytes(), document.signing_time_ms));
        // Signatures are the same whoever makes them: it does not matter who was first.
        *self.shared.signed.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((document.text.as_str().into(), Arc::clone(&signatures)));
        Ok(signatures)
    }

    /// The identity document before the first change of the timeline.
    fn first_document(&self) -> Result<ToSign, Error> {
        let opening = &self.shared.opening;
        let status = self.runtime.status(&opening.document, 0, opening.scope())?;
        // It was valid when the handle was made.
        status.map(|status| status.identity_document.into()).map_err(|_| Error::identity("the description is wrong"))
    }

    /// The runtime in which the instance is open.
    ///
    /// ```
    /// # let instance = imds_host::Runtime::new()?.open(&Default::default())?;
    /// assert!(!instance.runtime().fields_read().is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("id", &self.shared.id).finish_non_exhaustive()
    }
}
