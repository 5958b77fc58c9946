use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use crate::serve::admission::Place;

/// What the answering side of a connection and its sending side tell each
/// other. Both run in one task.
pub(crate) struct Exchange {
    place: Place,
    hop_limit: AtomicU16,
    is_answering: AtomicBool,
    is_held_back: AtomicBool,
    is_sending: AtomicBool,
    is_stalled: AtomicBool,
}

/// Outside of all hop limits.
const NO_HOP_LIMIT: u16 = u16::MAX;

impl Exchange {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            hop_limit: AtomicU16::new(NO_HOP_LIMIT),
            is_answering: AtomicBool::new(false),
            is_held_back: AtomicBool::new(false),
            is_sending: AtomicBool::new(false),
            is_stalled: AtomicBool::new(false),
        }
    }

    /// The head of a request is there: what is sent from now on belongs to its
    /// answer.
    pub(crate) fn receive(&self) {
        self.is_answering.store(true, Ordering::Relaxed);
    }

    /// Whether what is sent belongs to an answer.
    pub(crate) fn is_answering(&self) -> bool {
        self.is_answering.load(Ordering::Relaxed)
    }

    /// The whole request is there and is answered from now on. Never returns
    /// where the connection was sent away before.
    pub(crate) async fn begin(&self) {
        self.is_held_back.store(false, Ordering::Relaxed);
        self.is_sending.store(false, Ordering::Relaxed);
        if !self.place.work() {
            pending().await
        }
    }

    /// An answer is found and not sent for now: the connection waits, and may have
    /// to leave meanwhile.
    pub(crate) fn hold_back(&self) {
        self.is_held_back.store(true, Ordering::Relaxed);
        self.place.wait();
    }

    /// Whether an answer is not sent for now.
    pub(crate) fn is_held_back(&self) -> bool {
        self.is_held_back.load(Ordering::Relaxed)
    }

    /// An answer is found and about to be sent, with this hop limit if it needs
    /// one.
    pub(crate) fn send(&self, hop_limit: Option<u8>) {
        // Never raised: what was sent before may have to be sent again, and then
        // the limit of the whole connection is what counts.
        self.hop_limit.fetch_min(hop_limit.map_or(NO_HOP_LIMIT, u16::from), Ordering::Relaxed);
        self.is_sending.store(true, Ordering::Relaxed);
    }

    /// The lowest hop limit of all answers, which holds for what is sent.
    pub(crate) fn hop_limit(&self) -> Option<u8> {
        u8::try_from(self.hop_limit.load(Ordering::Relaxed)).ok()
    }

    /// The client does not take what is sent: the connection waits for it, and may
    /// have to leave meanwhile.
    pub(crate) fn stall(&self) {
        self.is_stalled.store(true, Ordering::Relaxed);
        self.place.wait();
    }

    /// All that there was to send is sent. Hyper reads no other head before: so
    /// what is sent until then is the answer's.
    pub(crate) fn sent(&self) {
        if self.is_sending.swap(false, Ordering::Relaxed) {
            self.is_answering.store(false, Ordering::Relaxed);
            // Its wait for the client begins anew, unless it was sent away.
            if !self.is_stalled.swap(false, Ordering::Relaxed) || self.place.work() {
                self.place.wait();
            }
        }
    }

    /// The connection gets no other request: it is the first that has to leave.
    pub(crate) fn end(&self) {
        self.place.end();
    }

    /// Whether the connection may still get a request.
    pub(crate) fn is_open(&self) -> bool {
        self.place.is_open()
    }

    /// Whether a new connection waits that could have the place of this one: then
    /// this one is not kept for more requests.
    pub(crate) fn is_wanted(&self) -> bool {
        self.place.is_wanted()
    }

    /// Ends when the connection has to leave its place to another.
    pub(crate) async fn sent_away(&self) {
        self.place.sent_away().await;
    }
}
