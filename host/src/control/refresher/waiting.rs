//! Waiting for a future on a thread of its own, and no longer than it may take.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

struct Unparks(Thread);

impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What a future gives; none where it takes longer than `limit`, and is dropped.
pub(super) fn wait<T>(future: impl Future<Output = T>, limit: Duration) -> Option<T> {
    let until = Instant::now().checked_add(limit);
    let waker = Waker::from(Arc::new(Unparks(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
        // A limit that no clock reaches is none.
        let left = until.map_or(limit, |until| until.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_is_waited_for_and_no_longer_than_it_may_take() {
        let hour = Duration::from_secs(3600);
        assert_eq!(wait(async { 7 }, hour), Some(7));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let other = thread::spawn(move || sender.send(7));
        assert_eq!(wait(receiver, hour), Some(Ok(7)));
        other.join().unwrap().unwrap();
        assert_eq!(wait(std::future::pending::<()>(), Duration::from_millis(20)), None);
    }
}
