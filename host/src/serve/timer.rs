use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The one timer of a connection. Most waits end long before their time, and the
/// next has a later one: so it is set again only when it fires too early, and not
/// at all where nobody ever waits.
#[derive(Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whom it wakes.
    waker: Option<Waker>,
}

/// A year is as good as for ever, and the clock can count it.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The moment so much later.
pub(crate) fn after(time: Duration) -> Instant {
    later(Instant::now(), time)
}

/// The moment so much later than another.
pub(crate) fn later(moment: Instant, time: Duration) -> Instant {
    moment + time.min(LONGEST)
}

impl Timer {
    /// Ready once `deadline` is past; else it wakes the task then or before.
    pub(crate) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        let is_set = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if is_set && sleep.deadline() <= deadline && !sleep.is_elapsed() {
            // It wakes the task when it fires: to ask it anew takes a lock.
            return Poll::Pending;
        }
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        if !is_set {
            self.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}
