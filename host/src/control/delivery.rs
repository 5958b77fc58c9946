//! Real credentials on their way into descriptions.

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::refresher::{CredentialRefresher, CredentialsState, Subscription};
use super::{Control, Present, Shared};
use crate::credentials::{DescribedSource, RoleCredentials, words};
use crate::description::{Description, rfc3339};
use crate::engine::{Clock, Opening};
use crate::error::Error;
use crate::problem::Finding;

/// Credentials with the times that are told of them.
pub(super) struct Delivered {
    pub(super) credentials: RoleCredentials,
    pub(super) updated: SystemTime,
    pub(super) end: SystemTime,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Fields<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    last_updated: &'a str,
    expiration: &'a str,
}

impl Delivered {
    /// The change of a description that brings them; with `of_embedder`, it says that
    /// they come from there.
    fn change(&self, of_embedder: bool) -> Zeroizing<String> {
        let [access_key_id, secret_access_key, session_token] = self.credentials.texts();
        let time = |time: SystemTime| rfc3339((move || time).now_ms());
        let (updated, end) = (time(self.updated), time(self.end));
        let fields =
            Fields { access_key_id, secret_access_key, session_token, last_updated: &updated, expiration: &end };
        let texts: usize = self.credentials.texts().iter().map(|text| text.len()).sum();
        // Enough for escapes too, so that it is in no other place that nobody wipes.
        let mut bytes = Zeroizing::new(Vec::with_capacity(6 * texts + 512));
        bytes.extend_from_slice(br#"{"iam-instance-profile":{"#);
        if of_embedder {
            bytes.extend_from_slice(br#""credentials-source":"#);
            bytes.extend_from_slice(EMBEDDER.as_bytes());
            bytes.push(b',');
        }
        bytes.extend_from_slice(br#""credentials":"#);
        // Texts can always be written.
        let _ = serde_json::to_writer(&mut *bytes, &fields);
        bytes.extend_from_slice(b"}}");
        Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default())
    }
}

/// What a description says of credentials that an embedder delivers.
const EMBEDDER: &str = r#"{"embedder":true}"#;

/// Who delivers the credentials of a [`Control`].
pub(super) struct Attached {
    refresher: CredentialRefresher,
    /// What the description says of the source.
    words: Value,
    /// Ends with this.
    _subscription: Subscription,
}

impl Control {
    /// Takes the credentials of the role from a refresher from now on, and those that
    /// it has at once. Until it has some, and once the last have ended, the role cannot
    /// be assumed: nothing is made up any more.
    ///
    /// A delivery is no edit of an operator's: the revision stays, so that nobody's
    /// edit comes too late. [`replace`](Self::replace) keeps what was delivered, unless
    /// the new description names another source.
    ///
    /// Fails where the component does, and where the role does not take what there is.
    ///
    /// ```
    /// use imds_host::{Control, CredentialRefresher, FunctionSource, Request, RoleCredentials, Runtime};
    ///
    /// let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// let source = FunctionSource::new("the example", || Ok(RoleCredentials::new("ASIAEXAMPLE", "secret", "token")));
    /// let refresher = CredentialRefresher::start(source, control.clock())?;
    /// control.take_credentials_from(&refresher)?;
    /// refresher.wait(std::time::Duration::from_secs(10));
    ///
    /// let role = Request::get("/latest/meta-data/iam/security-credentials/imds");
    /// assert_eq!(control.answer(&role).status, 401, "tokens are required from then on");
    /// assert!(control.credentials().unwrap().end.is_some());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn take_credentials_from(&self, refresher: &CredentialRefresher) -> Result<(), Error> {
        {
            let _alone = self.shared.editing.lock().unwrap_or_else(PoisonError::into_inner);
            let present = self.present();
            let document = present.instance.document();
            if words(document).is_none() && !has_no_profile(document) {
                self.change_quietly(&present, &of_embedder_change())?;
            }
        }
        let words = words(self.present().instance.document()).unwrap_or_else(embedders);
        // Not to be kept by what it keeps.
        let shared = Arc::downgrade(&self.shared);
        let subscription = refresher.subscribe(move |_| match shared.upgrade() {
            Some(shared) => Control { shared }.deliver(),
            None => Ok(()),
        });
        let attached = Attached { refresher: refresher.clone(), words, _subscription: subscription };
        let before = self.shared.lock_attached().replace(Arc::new(attached));
        drop(before);
        // What came before this was attached was nobody's.
        self.deliver()
    }

    /// Takes credentials from no refresher any more. Those that were delivered stay
    /// until they end.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.take_no_credentials();
    /// assert!(control.credentials().is_none());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn take_no_credentials(&self) {
        let before = self.shared.lock_attached().take();
        drop(before);
    }

    /// Where the credentials of the role come from, when they end, and what failed
    /// last; none where they are made up or described.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// assert!(Control::open(&Runtime::new()?, &Default::default())?.credentials().is_none());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn credentials(&self) -> Option<CredentialsState> {
        self.credentials_of(self.present().instance.document())
    }

    /// The same under a description, which may name another source, or none.
    pub(super) fn credentials_of(&self, description: &str) -> Option<CredentialsState> {
        let attached = self.attached()?;
        (words(description).as_ref() == Some(&attached.words)).then(|| attached.refresher.state())
    }

    /// The source of credentials that the description names, from its begin: what its
    /// timeline and edits make of the role counts for nothing here.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime};
    /// let toml = "iam-instance-profile.credentials-source.profile = 'dev'";
    /// let control = Control::open(&Runtime::new()?, &Description::from_toml("web.toml", toml)?)?;
    /// assert_eq!(control.described_source(), DescribedSource::of(&control.description()?));
    /// # use imds_host::DescribedSource;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn described_source(&self) -> Option<DescribedSource> {
        DescribedSource::of_json(self.present().instance.document())
    }

    /// Takes what the refresher has by now, which may be newer than what it said.
    fn deliver(&self) -> Result<(), Error> {
        let _alone = self.shared.editing.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.present();
        let Some(attached) = self.attached() else { return Ok(()) };
        let Some(delivered) = attached.refresher.delivered() else { return Ok(()) };
        if words(present.instance.document()).as_ref() != Some(&attached.words) {
            // Its role was taken away, or another source's description put here.
            return Ok(());
        }
        self.change_quietly(&present, &delivered.change(false))
    }

    /// A description that is to be served, with what was delivered to the one before,
    /// if that is of the same source.
    pub(super) fn with_delivered(&self, opening: Opening) -> Opening {
        let Some(attached) = self.attached() else { return opening };
        let json: &str = &opening.document;
        let of_embedder = attached.words == embedders();
        let is_same = match words(json) {
            Some(words) => words == attached.words,
            None => of_embedder && !has_no_profile(json),
        };
        let change = match attached.refresher.delivered() {
            _ if !is_same => return opening,
            Some(delivered) => delivered.change(of_embedder),
            // So that it gets the first.
            None if of_embedder => Zeroizing::new(of_embedder_change()),
            None => return opening,
        };
        let edited = self.shared.runtime.edit_text(json, &change, None, self.key());
        match edited.map(|edited| edited.map(Zeroizing::new)) {
            Ok(Ok(edited)) => self.opening_of_json(&edited),
            // The next delivery tells.
            Ok(Err(_)) | Err(_) => opening,
        }
    }

    /// Changes what was so from the begin, under the revision that there is: what is to
    /// come stays as it is. To be called by the only editor.
    fn change_quietly(&self, present: &Present, change: &str) -> Result<(), Error> {
        let document = present.instance.document();
        // What it finds may show what was delivered, and no operator wrote it.
        let edited = self.shared.runtime.edit_text(document, change, None, self.key())?;
        let edited = edited.map(Zeroizing::new).map_err(|_| not_taken())?;
        if *edited != *document {
            self.put(self.opening_of_json(&edited), present.revision);
        }
        Ok(())
    }

    fn attached(&self) -> Option<Arc<Attached>> {
        self.shared.lock_attached().clone()
    }
}

impl Shared {
    fn lock_attached(&self) -> std::sync::MutexGuard<'_, Option<Arc<Attached>>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of credentials that a description does not take.
pub(super) fn not_taken() -> Error {
    let message = "the role does not take what its source gave".to_owned();
    let finding =
        Finding { field: "/iam-instance-profile/credentials".to_owned(), in_name: false, message, help: None };
    Error::Invalid(Description::default().locate(vec![finding]))
}

/// The change of a description that says that an embedder delivers.
fn of_embedder_change() -> String {
    format!(r#"{{"iam-instance-profile":{{"credentials-source":{EMBEDDER}}}}}"#)
}

fn embedders() -> Value {
    serde_json::from_str(EMBEDDER).unwrap_or_default()
}

/// Whether a description says that there is no instance profile.
fn has_no_profile(json: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Document<'a> {
        #[serde(borrow, rename = "iam-instance-profile")]
        profile: Option<&'a serde_json::value::RawValue>,
    }
    serde_json::from_str::<Document<'_>>(json)
        .is_ok_and(|document| document.profile.is_some_and(|profile| profile.get() == "false"))
}

impl super::Fleet {
    /// Takes the credentials of the role of one instance from a refresher, as
    /// [`Control::take_credentials_from`] does for the one that it has, for as long as
    /// the subscription lives. Several instances can share a refresher: then there is
    /// one fetch for all of them. The description is to name a source: while another
    /// that names another source is in its place, that instance gets none from here.
    ///
    /// Fails where no request can have the key, and where the component does.
    ///
    /// ```
    /// use imds_host::{CallerKey, CredentialRefresher, Description, Fleet, FunctionSource, RoleCredentials, Runtime, VirtualClock};
    ///
    /// let fleet = Fleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// let toml = "iam-instance-profile.credentials-source.embedder = true";
    /// fleet.insert("10.0.0.7", &Description::from_toml("guest.toml", toml)?)?;
    /// let source = FunctionSource::new("the example", || Ok(RoleCredentials::new("ASIAEXAMPLE", "secret", "token")));
    /// let refresher = CredentialRefresher::start(source, &VirtualClock::system())?;
    /// let _subscription = fleet.take_credentials_from("10.0.0.7", &refresher)?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn take_credentials_from(&self, key: &str, refresher: &CredentialRefresher) -> Result<Subscription, Error> {
        let canonical = self.callers().canonical(key)?;
        let words = self.words(&canonical).unwrap_or_else(embedders);
        let (fleet, own) = (self.downgrade(), (canonical.clone(), words.clone()));
        let subscription = refresher.subscribe(move |delivered| match fleet.upgrade() {
            Some(fleet) => fleet.change_quietly(&own.0, &own.1, &delivered.change(false)),
            None => Ok(()),
        });
        let mut last: Option<Arc<Delivered>> = None;
        // Meanwhile others may come, which are not to be overwritten.
        while let Some(delivered) = refresher.delivered() {
            if last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &delivered)) {
                break;
            }
            self.change_quietly(&canonical, &words, &delivered.change(false))?;
            last = Some(delivered);
        }
        Ok(subscription)
    }
}
