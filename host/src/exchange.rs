use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use crate::places::Place;

/// What the answering side of a connection and its sending side tell each
/// other. Both run in one task.
pub(crate) struct Exchange {
    place: Place,
    hop_limit: AtomicU16,
    is_sending: AtomicBool,
}

/// Outside of all hop limits.
const NO_HOP_LIMIT: u16 = u16::MAX;

impl Exchange {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, hop_limit: AtomicU16::new(NO_HOP_LIMIT), is_sending: AtomicBool::new(false) }
    }

    /// A request is there and is answered from now on; ends never where the
    /// connection was sent away before that.
    pub(crate) async fn begin(&self) {
        self.is_sending.store(false, Ordering::Relaxed);
        if !self.place.work() {
            pending().await
        }
    }

    /// An answer is found and about to be sent with this hop limit; none is the
    /// system's default.
    pub(crate) fn send(&self, hop_limit: Option<u8>) {
        self.hop_limit.store(hop_limit.map_or(NO_HOP_LIMIT, u16::from), Ordering::Relaxed);
        self.is_sending.store(true, Ordering::Relaxed);
    }

    /// The hop limit of the answer that is sent.
    pub(crate) fn hop_limit(&self) -> Option<u8> {
        u8::try_from(self.hop_limit.load(Ordering::Relaxed)).ok()
    }

    /// All that there was to send is sent.
    pub(crate) fn sent(&self) {
        if self.is_sending.swap(false, Ordering::Relaxed) {
            self.place.wait();
        }
    }

    /// Ends when the connection has to leave its place to another.
    pub(crate) async fn sent_away(&self) {
        self.place.sent_away().await;
    }
}
