//! EC2's own API over instances that are served here: unmodified clients stop them,
//! tag them, require tokens and launch new ones, and what software inside asks of the
//! metadata service changes with it.
//!
//! This half knows EC2's query protocol and the words of its answers. It reaches
//! instances through their control alone: what a change does to metadata is not
//! decided here, and what an instance is, is read from its metadata.
//!
//! A call is parameters in ([`query`]), an [`xml`] element or a [`failure`] out. The
//! table [`calls::ALL`] has one function for each action.

mod attributes;
mod calls;
mod change;
mod describe;
mod facts;
mod failure;
mod filter;
mod ids;
mod known;
mod machines;
mod page;
mod query;
mod run;
mod state;
mod xml;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::failure::Failure;
use self::machines::Machines;
use self::query::Call;
use self::state::State;
use crate::control::{Control, ControlledFleet};
use crate::description::Description;

/// EC2's API for instances that are served here.
///
/// A handle: clones operate the same instances. It has no listener and looks at no
/// signature: who lets others reach it decides who may.
///
/// ```
/// use imds_host::{Control, Ec2Api, Request, Runtime};
///
/// let control = Control::open(&Runtime::new()?, &Default::default())?;
/// let ec2 = Ec2Api::of_one(control.clone());
///
/// let call = "Action=ModifyInstanceMetadataOptions&Version=2016-11-15\
///             &InstanceId=i-0123456789abcdef0&HttpTokens=required";
/// let answer = ec2.answer(call.as_bytes());
/// assert_eq!(answer.status, 200);
/// assert!(answer.body.contains("<httpTokens>required</httpTokens>"));
///
/// assert_eq!(control.answer(&Request::get("/latest/meta-data/")).status, 401);
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone)]
pub struct Ec2Api {
    shared: Arc<Shared>,
}

struct Shared {
    machines: Machines,
    /// What a new guest is where a call does not say it.
    template: Description,
    state: Mutex<State>,
    /// Held by a call that changes something, from its judgement to its answer: what was
    /// judged stays so, and of two calls with one client token the second finds what the
    /// first launched. Any call holds it while it looks what became of the instances.
    changing: Mutex<()>,
}

/// An answer of [`Ec2Api`].
///
/// ```
/// # use imds_host::{Control, Ec2Api, Runtime};
/// # let ec2 = Ec2Api::of_one(Control::open(&Runtime::new()?, &Default::default())?);
/// let answer = ec2.answer(b"Action=DescribeVpcs&Version=2016-11-15");
/// assert_eq!(answer.status, 400);
/// assert!(answer.body.contains("<Code>UnsupportedOperation</Code>"));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ec2Answer {
    /// The status of the HTTP answer.
    pub status: u16,
    /// An XML document.
    pub body: String,
}

impl Ec2Answer {
    /// The type of the body, for the field of that name.
    ///
    /// ```
    /// assert_eq!(imds_host::Ec2Answer::CONTENT_TYPE, "text/xml;charset=UTF-8");
    /// ```
    pub const CONTENT_TYPE: &str = "text/xml;charset=UTF-8";

    /// The answer to a request that was not signed by anybody, in EC2's words.
    ///
    /// ```
    /// assert_eq!(imds_host::Ec2Answer::unsigned().status, 403);
    /// ```
    pub fn unsigned() -> Self {
        Self::failed("MissingAuthenticationToken", "Request is missing Authentication Token")
    }

    /// The answer to a request that may come from where nobody is to operate instances.
    ///
    /// ```
    /// assert_eq!(imds_host::Ec2Answer::forbidden("Web pages get nothing here.").status, 403);
    /// ```
    pub fn forbidden(message: &str) -> Self {
        Self::failed("AccessDenied", message)
    }

    /// The answer to a request that cannot be served now.
    ///
    /// ```
    /// assert_eq!(imds_host::Ec2Answer::unavailable("Too many calls at once. Try again.").status, 503);
    /// ```
    pub fn unavailable(message: &str) -> Self {
        Self::failed("Unavailable", message)
    }

    /// The answer to a request that is no call at all.
    ///
    /// ```
    /// assert_eq!(imds_host::Ec2Answer::invalid("The body has more than 1 MiB").status, 400);
    /// ```
    pub fn invalid(message: &str) -> Self {
        Self::failed("InvalidRequest", message)
    }

    fn failed(code: &'static str, message: &str) -> Self {
        let failure = Failure::new(code, message);
        Self { status: failure.status(), body: failure.document(&ids::request()) }
    }
}

impl Ec2Api {
    /// For one instance, which calls move. None is launched beside it.
    ///
    /// ```
    /// # use imds_host::{Control, Ec2Api, Runtime};
    /// Ec2Api::of_one(Control::open(&Runtime::new()?, &Default::default())?);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn of_one(control: Control) -> Self {
        Self::new(Machines::One(control), Description::default())
    }

    /// For the instances of a fleet, into which `RunInstances` puts new ones: each is
    /// what `template` says, where the call says nothing else. The template's
    /// metadata options are the defaults of the account.
    ///
    /// ```
    /// use imds_host::{CallerKey, ControlledFleet, Description, Ec2Api, Runtime};
    ///
    /// let fleet = ControlledFleet::new(&Runtime::new()?, CallerKey::ClientAddress)?;
    /// let template = Description::from_toml("template", "metadata-options.http-tokens = 'required'")?;
    /// let ec2 = Ec2Api::of_many(fleet.clone(), template);
    ///
    /// let call = "Action=RunInstances&Version=2016-11-15&ImageId=ami-0abcdef1234567890\
    ///             &MinCount=1&MaxCount=1&PrivateIpAddress=10.0.0.7";
    /// assert_eq!(ec2.answer(call.as_bytes()).status, 200);
    /// assert_eq!(fleet.get("10.0.0.7").expect("a new guest").snapshot()?.state, "running");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn of_many(fleet: ControlledFleet, template: Description) -> Self {
        Self::new(Machines::Many(fleet), template)
    }

    fn new(machines: Machines, template: Description) -> Self {
        Self { shared: Arc::new(Shared { machines, template, state: Mutex::default(), changing: Mutex::default() }) }
    }

    /// Answers a call: a form with `Action`, `Version` and parameters, as it stands in
    /// the body of a `POST` or behind the `?` of a `GET`.
    ///
    /// Takes the time in which the component describes the instances that the call is
    /// about, some hundred microseconds for each.
    ///
    /// ```
    /// # use imds_host::{Control, Ec2Api, Runtime};
    /// # let ec2 = Ec2Api::of_one(Control::open(&Runtime::new()?, &Default::default())?);
    /// let answer = ec2.answer(b"Action=StopInstances&Version=2016-11-15&InstanceId.1=i-0123456789abcdef0");
    /// assert!(answer.body.contains("<name>stopping</name>"));
    /// let answer = ec2.answer(b"Action=DescribeInstances&Version=2016-11-15");
    /// assert!(answer.body.contains("<name>stopped</name>"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn answer(&self, form: &[u8]) -> Ec2Answer {
        let request_id = ids::request();
        let answered = Call::parse(form).and_then(|call| {
            let body = calls::perform(&Context { shared: &self.shared, is_dry_run: call.is_dry_run }, &call)?;
            let root = xml::Element::root(format!("{}Response", call.action));
            Ok(root.text("requestId", &request_id).all_of(body).document())
        });
        match answered {
            Ok(body) => Ec2Answer { status: 200, body },
            Err(failure) => Ec2Answer { status: failure.status(), body: failure.document(&request_id) },
        }
    }
}

impl fmt::Debug for Ec2Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ec2Api").finish_non_exhaustive()
    }
}

/// What a call has at hand.
struct Context<'a> {
    shared: &'a Shared,
    is_dry_run: bool,
}

impl Context<'_> {
    fn machines(&self) -> &Machines {
        &self.shared.machines
    }

    fn template(&self) -> &Description {
        &self.shared.template
    }

    /// What this API remembers of the instances beside them.
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves it whole: nothing in there panics half-way.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be asked when all is judged and nothing changed yet: a dry run ends here.
    fn proceed(&self) -> Result<(), Failure> {
        match self.is_dry_run {
            false => Ok(()),
            true => Err(Failure::new("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")),
        }
    }
}

/// Whether an instance takes a change, before anything is changed.
fn judge(control: &Control, change: &serde_json::Value) -> Result<(), Failure> {
    Ok(control.judge(&Description::from_json("the call", &change.to_string())?)?)
}

/// Changes an instance by a piece of a description.
fn edit(control: &Control, change: &serde_json::Value) -> Result<(), Failure> {
    control.edit(&Description::from_json("the call", &change.to_string())?)?;
    Ok(())
}
