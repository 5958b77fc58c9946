use std::fmt;
use std::time::Duration;

/// What a server does instead of sending an answer whole and at once: a fault of the
/// description affects it, or the instance is not running.
///
/// [`serve`](crate::serve) does it. Your own server finds it in the response's
/// extensions; if it cannot do it, the nearest is a 503 without a body in place of all
/// but [`Delayed`](Self::Delayed).
///
/// ```
/// use imds_host::{Delivery, Description, Moment, Request, Runtime};
///
/// let description = Description::from_toml("slow.toml", r#"faults = [{ kind = "delay", delay = "250ms" }]"#)?;
/// let instance = Runtime::new()?.open(&description)?;
/// let answer = instance.answer(&Request::get("/"), Moment::at(0, 0));
/// assert_eq!(answer.verdict.delivery, Some(Delivery::Delayed(std::time::Duration::from_millis(250))));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// Sends it after this delay, a minute at most.
    Delayed(Duration),
    /// Closes the connection and sends nothing.
    Closed,
    /// Sends head and body, which is shorter than the head says, and closes.
    Cut,
    /// Sends nothing and leaves the connection open until the client gives up.
    Withheld,
}

impl Delivery {
    /// Whether the client gets anything.
    ///
    /// ```
    /// use imds_host::Delivery;
    ///
    /// assert!(Delivery::Cut.is_sent() && !Delivery::Withheld.is_sent());
    /// ```
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Delayed(_) | Self::Cut)
    }

    /// The longest delay.
    pub(crate) const DELAY_MAX: Duration = Duration::from_secs(60);
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delayed(delay) => write!(f, "answered after {delay:?}"),
            Self::Closed => f.write_str("closed without an answer"),
            Self::Cut => f.write_str("answered with half of the body"),
            Self::Withheld => f.write_str("never answered"),
        }
    }
}
