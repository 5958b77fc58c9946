//! What interrupts a conversation: another connection needs its place, or the server
//! stops.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use tokio::sync::watch;

use crate::serve::admission::Seat;

/// Runs a conversation to its end, which is true, or until it has to leave its place.
/// That the server stops it learns from `is_stopping`, and sees for itself what that
/// means where it is.
///
/// A conversation is polled for each read, and waiting for the two others anew each
/// time would take a lock for either. Both leave a mark before they wake the task, so
/// as long as there is none the waker that they have is enough.
pub(super) async fn to_its_end(
    conversation: impl Future<Output = ()>,
    seat: &Seat,
    mut stopped: watch::Receiver<()>,
    is_stopping: &AtomicBool,
) -> bool {
    let marked = stopped.clone();
    let (mut conversation, mut sent_away, mut stop) =
        (pin!(conversation), pin!(seat.sent_away()), pin!(stopped.changed()));
    let mut waker: Option<Waker> = None;
    poll_fn(|cx| {
        loop {
            if conversation.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            let has_waker = waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            let knows_stop = is_stopping.load(Ordering::Relaxed);
            if has_waker && !seat.was_sent_away() && (knows_stop || matches!(marked.has_changed(), Ok(false))) {
                return Poll::Pending;
            }
            if sent_away.as_mut().poll(cx).is_ready() {
                return Poll::Ready(false);
            }
            if knows_stop || stop.as_mut().poll(cx).is_pending() {
                waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            is_stopping.store(true, Ordering::Relaxed);
        }
    })
    .await
}
