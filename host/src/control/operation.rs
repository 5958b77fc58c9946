//! What an operator does to an instance, each in one step over an edit. The rules
//! are the component's: `operation` in a change, as `wit/imds.wit` tells.

use std::time::Duration;

use serde_json::{Value, json};

use super::Control;
use crate::description::Description;
use crate::error::Error;

/// The interruption of a spot instance, for [`Control::interrupt`].
///
/// ```
/// use std::time::Duration;
/// use imds_host::{Interruption, InterruptionAction};
///
/// let interruption = Interruption::default().action(InterruptionAction::Stop).after(Duration::from_secs(600));
/// assert!(!interruption.notice_only);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interruption {
    /// What happens to the instance.
    pub action: InterruptionAction,
    /// The time until it, to the millisecond. `None` is as soon as EC2 interrupts: two
    /// minutes after the notice, and at once for a hibernation.
    pub after: Option<Duration>,
    /// Whether there is only a notice, and nothing happens at its time.
    pub notice_only: bool,
}

/// What an interruption does to the instance.
///
/// ```
/// assert_eq!(imds_host::InterruptionAction::default(), imds_host::InterruptionAction::Terminate);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InterruptionAction {
    /// It is terminated.
    #[default]
    Terminate,
    /// It is stopped.
    Stop,
    /// It is stopped, ten seconds after the time of the interruption. There is no
    /// earlier notice.
    Hibernate,
}

/// Each method returns the interruption with one field changed.
impl Interruption {
    /// Sets what happens to the instance.
    #[must_use]
    pub const fn action(self, action: InterruptionAction) -> Self {
        Self { action, ..self }
    }

    /// Sets the time until the interruption.
    #[must_use]
    pub const fn after(self, after: Duration) -> Self {
        Self { after: Some(after), ..self }
    }

    /// Sets whether there is only a notice.
    #[must_use]
    pub const fn notice_only(self, notice_only: bool) -> Self {
        Self { notice_only, ..self }
    }
}

/// The operations of EC2's API. Each returns the new revision, as
/// [`edit`](Control::edit) does, and fails with [`Error::Invalid`] if EC2 would refuse
/// it.
impl Control {
    /// Interrupts the instance: the notice now, and the end at its time. The instance
    /// becomes a spot instance. A new interruption replaces a future one.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use imds_host::{Control, Interruption, Runtime, Settings, VirtualClock};
    ///
    /// let clock = VirtualClock::paused_at(UNIX_EPOCH + Duration::from_secs(1_790_812_800));
    /// let control = Control::open_with(&Runtime::new()?, &Default::default(), &Settings::default(), clock)?;
    /// control.interrupt(Interruption::default())?;
    /// control.clock().advance(Duration::from_secs(120));
    /// assert_eq!(control.snapshot()?.state, "terminated");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn interrupt(&self, interruption: Interruption) -> Result<u64, Error> {
        let Interruption { action, after, notice_only } = interruption;
        let action = match action {
            InterruptionAction::Terminate => "terminate",
            InterruptionAction::Stop => "stop",
            InterruptionAction::Hibernate => "hibernate",
        };
        let mut fields = json!({ "action": action, "notice-only": notice_only });
        if let Some(after) = after {
            fields["time"] = json!(format!("+{}ms", after.as_millis()));
        }
        self.operate(&json!({ "interrupt": fields }))
    }

    /// Recommends moving the work of the instance elsewhere. The instance becomes a
    /// spot instance.
    ///
    /// ```
    /// # use imds_host::{Control, Request, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.rebalance()?;
    /// let recommendation = Request::get("/latest/meta-data/events/recommendations/rebalance");
    /// assert_eq!(control.answer(&recommendation).status, 200);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn rebalance(&self) -> Result<u64, Error> {
        self.operate(&json!("rebalance"))
    }

    /// Stops the instance: nothing answers until it is started.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.stop()?;
    /// assert_eq!(control.snapshot()?.state, "stopped");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn stop(&self) -> Result<u64, Error> {
        self.operate(&json!("stop"))
    }

    /// Starts it again: it gets a new launch time, public address and credentials, and
    /// its interruption ends.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.stop()?;
    /// control.start()?;
    /// assert_eq!(control.snapshot()?.state, "running");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn start(&self) -> Result<u64, Error> {
        self.operate(&json!("start"))
    }

    /// Reboots it, which completes the scheduled reboots.
    ///
    /// ```
    /// # use imds_host::{Control, Description, Runtime};
    /// # let description = Description::from_toml("a", "events = [{ code = 'system-reboot', not-before = '+1h' }]")?;
    /// # let control = Control::open(&Runtime::new()?, &description)?;
    /// control.reboot()?;
    /// assert!(control.description()?.to_json().contains("completed"));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn reboot(&self) -> Result<u64, Error> {
        self.operate(&json!("reboot"))
    }

    /// Terminates it for good; only [`replace`](Self::replace) brings another instance.
    ///
    /// ```
    /// # use imds_host::{Control, Error, Runtime};
    /// # let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// control.terminate()?;
    /// assert!(matches!(control.start(), Err(Error::Invalid(_))));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn terminate(&self) -> Result<u64, Error> {
        self.operate(&json!("terminate"))
    }

    fn operate(&self, operation: &Value) -> Result<u64, Error> {
        let change = json!({ "operation": operation }).to_string();
        self.edit(&Description::from_json("the operation", &change)?)
    }
}
