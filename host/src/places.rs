use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The places for connections to one service, on all of its listeners.
///
/// When all are taken, a new connection gets the place of the one that has
/// waited longest for its client: who connects and says nothing keeps nobody
/// out. A connection whose request is being answered keeps its place.
#[derive(Default)]
pub(crate) struct Places {
    table: Mutex<Table>,
    // A place became free, or its connection began to wait.
    changed: Notify,
}

#[derive(Default)]
struct Table {
    taken: usize,
    /// Those that wait for their clients, by their turns to leave.
    waiting: BTreeMap<u64, Arc<Seat>>,
    last_turn: u64,
}

/// What the connection in a place and the next one there tell each other.
#[derive(Default)]
struct Seat {
    leave: Notify,
    left: Notify,
}

impl Places {
    /// Takes a place, once fewer than `max` are taken or somebody can be sent
    /// away for it.
    pub(crate) async fn take(self: &Arc<Self>, max: usize) -> Place {
        loop {
            // Before the look, so that no change after it is missed.
            let changed = self.changed.notified();
            if let Some((place, before)) = self.try_take(max) {
                if let Some(before) = before {
                    // Its socket is closed then: there are never more open than places.
                    before.left.notified().await;
                }
                return place;
            }
            changed.await;
        }
    }

    /// A place, and who was sent away for it.
    fn try_take(self: &Arc<Self>, max: usize) -> Option<(Place, Option<Arc<Seat>>)> {
        let mut table = self.table();
        let before = if table.taken < max {
            table.taken += 1;
            None
        } else {
            let (_, before) = table.waiting.pop_first()?;
            before.leave.notify_one();
            Some(before)
        };
        let seat = Arc::default();
        let turn = AtomicU64::new(table.wait(&seat));
        Some((Place { places: Arc::clone(self), seat, turn }, before))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere leaves the table whole: nothing under the lock panics.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn wait(&mut self, seat: &Arc<Seat>) -> u64 {
        self.last_turn += 1;
        self.waiting.insert(self.last_turn, Arc::clone(seat));
        self.last_turn
    }
}

/// The place of one connection, which waits for its client at first. Dropped
/// after the connection is closed.
pub(crate) struct Place {
    places: Arc<Places>,
    seat: Arc<Seat>,
    // The turn to leave; 0 while a request is answered. Changes under the lock
    // of the table. Who has a turn and is not in the table was sent away.
    turn: AtomicU64,
}

impl Place {
    /// The connection has a request to answer. False if it was sent away
    /// before: then it must not begin.
    pub(crate) fn work(&self) -> bool {
        let mut table = self.places.table();
        let turn = self.turn.load(Ordering::Relaxed);
        let stays = turn == 0 || table.waiting.remove(&turn).is_some();
        if stays {
            self.turn.store(0, Ordering::Relaxed);
        }
        stays
    }

    /// The answer is sent, and the connection waits for its client again.
    pub(crate) fn wait(&self) {
        let mut table = self.places.table();
        if self.turn.load(Ordering::Relaxed) == 0 {
            self.turn.store(table.wait(&self.seat), Ordering::Relaxed);
            drop(table);
            self.places.changed.notify_waiters();
        }
    }

    /// Ends when the connection has to leave.
    pub(crate) async fn sent_away(&self) {
        self.seat.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        let turn = *self.turn.get_mut();
        if turn == 0 || table.waiting.remove(&turn).is_some() {
            table.taken -= 1;
            drop(table);
            self.places.changed.notify_waiters();
        } else {
            // Who sent it away has its place.
            self.seat.left.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    fn take(places: &Arc<Places>, max: usize) -> Option<Place> {
        poll(pin!(places.take(max)))
    }

    fn is_sent_away(place: &Place) -> bool {
        poll(pin!(place.sent_away())).is_some()
    }

    #[test]
    fn the_one_that_waited_longest_leaves() {
        let places = Arc::default();
        let [first, second, third] = [(); 3].map(|()| take(&places, 3).unwrap());
        // It was answered and waits since then.
        assert!(first.work());
        first.wait();
        let mut fourth = pin!(places.take(3));
        assert!(poll(fourth.as_mut()).is_none(), "the second has not left yet");
        assert_eq!([&first, &second, &third].map(is_sent_away), [false, true, false]);
        drop(second);
        assert!(poll(fourth).is_some());
    }

    #[test]
    fn one_that_works_stays_until_it_waits() {
        let places = Arc::default();
        let first = take(&places, 1).unwrap();
        assert!(first.work());
        let mut second = pin!(places.take(1));
        assert!(poll(second.as_mut()).is_none());
        assert!(!is_sent_away(&first));
        first.wait();
        assert!(poll(second.as_mut()).is_none());
        assert!(is_sent_away(&first));
        assert!(!first.work(), "a request that comes too late is not answered");
        first.wait();
        drop(first);
        assert!(poll(second).is_some());
    }

    #[test]
    fn a_place_that_nobody_has_is_free() {
        let places = Arc::default();
        let [first, second] = [(); 2].map(|()| take(&places, 2).unwrap());
        assert!(first.work() && second.work());
        let mut third = pin!(places.take(2));
        assert!(poll(third.as_mut()).is_none());
        drop(first);
        let third = poll(third).unwrap();
        drop((second, third));
        assert_eq!(places.table().taken, 0);
        assert!(places.table().waiting.is_empty());
    }

    #[test]
    fn a_place_is_free_again_if_who_wanted_it_went_meanwhile() {
        let places = Arc::default();
        let first = take(&places, 1).unwrap();
        {
            let mut second = pin!(places.take(1));
            assert!(poll(second.as_mut()).is_none());
        }
        assert!(is_sent_away(&first));
        drop(first);
        assert_eq!(places.table().taken, 0);
    }
}
