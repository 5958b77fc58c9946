//! What a connection does with its place.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::{Admission, ENDED, LEFT, Seat, WORKS};

/// The place of one connection, which waits for its client at first. Dropped
/// after the connection is closed.
pub(crate) struct Place {
    pub(super) admission: Arc<Admission>,
    pub(super) seat: Arc<Seat>,
}

impl Place {
    /// The place, once who had it before has left. Its socket is closed then:
    /// there are never more open than places and waiting room.
    pub(super) async fn after(self, before: Option<Arc<Seat>>) -> Self {
        if let Some(before) = before {
            before.left.notified().await;
        }
        self
    }

    /// What tells when the connection has to leave.
    pub(crate) fn seat(&self) -> Arc<Seat> {
        Arc::clone(&self.seat)
    }

    /// The connection has a request to answer. False if it was sent away
    /// before: then it must not begin.
    pub(crate) fn work(&self) -> bool {
        self.change(|_| WORKS)
    }

    /// The connection waits for its client again: the answer is sent, or the
    /// client does not take it.
    pub(crate) fn wait(&self) {
        self.wait_from(Instant::now());
    }

    /// The same from a moment on that is now.
    pub(crate) fn wait_from(&self, now: Instant) {
        let since = self.admission.since(now);
        if self.change(|state| if state == WORKS { since } else { state }) {
            self.admission.tell_newcomers();
        }
    }

    /// The connection gets no other request: it is the first to leave.
    pub(crate) fn end(&self) {
        let since = self.admission.since(Instant::now());
        if self.change(|_| ENDED | since) {
            self.admission.tell_newcomers();
        }
    }

    /// Goes to another state, unless it was sent away.
    fn change(&self, to: impl Fn(u64) -> u64) -> bool {
        let next = |state: u64| (state & LEFT == 0).then(|| to(state));
        self.seat.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).is_ok()
    }

    /// Whether the connection may still get a request.
    pub(crate) fn is_open(&self) -> bool {
        self.seat.state.load(Ordering::SeqCst) & ENDED == 0
    }

    /// Whether a newcomer waits that could have this place: any while the caller
    /// has more than its share, else one of the same caller or one whose caller
    /// lacks its share.
    pub(crate) fn is_wanted(&self) -> bool {
        if self.admission.newcomers.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let table = self.admission.table();
        let (own, share) = (self.seat.caller, self.admission.bounds.share);
        let is_surplus = table.of(own) > share;
        let could_have_it = |caller: &IpAddr| *caller == own || table.of(*caller) < share;
        table.newcomers.iter().any(|newcomer| is_surplus || could_have_it(newcomer))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.admission.table();
        if self.seat.state.fetch_or(LEFT, Ordering::SeqCst) & LEFT != 0 {
            // Who sent it away has its place.
            self.seat.left.notify_one();
            return;
        }
        table.remove(&self.seat);
        drop(table);
        self.admission.tell_newcomers();
    }
}
