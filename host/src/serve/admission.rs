use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Duration, Instant, timeout_at};

/// The places for connections to one service, on all of its listeners.
///
/// When all are taken, a new connection gets the place of the one that has
/// waited longest for its client: who connects and says nothing keeps nobody
/// out. A connection whose request is being answered keeps its place, and one
/// that began to wait only now keeps it for a moment: its client may be about to
/// speak.
///
/// Of each caller's places some are its share. What it has above is served like
/// the rest while places last; then it is the first to leave, without delay. And
/// a caller that has its share gets no place for which one of another's share
/// would have to leave. So one caller cannot push out others, however many
/// connections it makes.
///
/// A kept connection whose client asks again and again never waits for long. So
/// while a new one waits that could have its place, it is closed with its next
/// answer: see [`is_wanted`](Place::is_wanted).
pub(crate) struct Places {
    table: Mutex<Table>,
    // A place became free, or its connection began to wait.
    changed: Notify,
    // For those that wait for one of their own caller's to leave.
    waiting_room: Arc<Semaphore>,
    grace: Duration,
}

/// As many more as open files allow besides the places, by default.
const WAITING_ROOM: usize = 64;

#[derive(Default)]
struct Table {
    taken: usize,
    /// How many of those each caller has.
    callers: HashMap<IpAddr, usize>,
    /// Those that wait for their clients, by their turns to leave.
    waiting: BTreeMap<u64, Waiting>,
    last_turn: u64,
    /// Those that wait for a place: their callers, and the share of each. As many
    /// as there are listeners and room to wait, so that a search is cheap.
    newcomers: Vec<(IpAddr, usize)>,
}

struct Waiting {
    seat: Arc<Seat>,
    caller: IpAddr,
    /// The caller's share.
    share: usize,
    since: Instant,
}

/// How many places there are.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// On all listeners.
    pub(crate) places: usize,
    /// Of those, each caller's share.
    pub(crate) share: usize,
}

/// What the connection in a place and the next one there tell each other.
#[derive(Default)]
struct Seat {
    leave: Notify,
    left: Notify,
    // The turn to leave; 0 while a request is answered. Changes under the lock
    // of the table. Who has a turn and is not in the table was sent away.
    turn: AtomicU64,
}

/// The turns of connections in their caller's share that may still get a request.
const OPEN: u64 = 1 << 63;
/// The turns of those above the share, which come before.
const SURPLUS: u64 = 1 << 62;
/// The turns of those that get no other request come before both.
const ENDED: u64 = 0;

/// What a newcomer finds.
enum Look {
    /// A place, and who leaves it.
    Taken(Place, Option<Arc<Seat>>),
    /// Somebody may leave then, if that is known; whether it is one of the
    /// newcomer's own that must.
    Wait { until: Option<Instant>, for_its_own: bool },
}

/// Who may leave.
enum Leaver {
    Found(Arc<Seat>),
    /// Not before then, unless something changes.
    Soon(Instant),
    Nobody,
}

impl Places {
    /// How long a connection may wait for its client before it is sent away:
    /// clients that speak do so within a round trip. Silent ones that fill all
    /// places make room for thousands a second.
    pub(crate) const GRACE: Duration = Duration::from_millis(100);

    pub(crate) fn new(grace: Duration) -> Self {
        let waiting_room = Arc::new(Semaphore::new(WAITING_ROOM));
        Self { table: Mutex::default(), changed: Notify::new(), waiting_room, grace }
    }

    /// Takes a place for a connection of `caller`, once not all are taken or
    /// somebody can be sent away for it.
    pub(crate) async fn take(self: &Arc<Self>, caller: IpAddr, bounds: Bounds) -> Place {
        loop {
            // Before the look, so that no change after it is missed.
            let changed = self.changed.notified();
            match self.look(caller, bounds) {
                Look::Taken(place, before) => return place.after(before).await,
                Look::Wait { until, .. } => self.wait(caller, bounds, changed, until).await,
            }
        }
    }

    /// Like [`take`](Self::take), but none where a connection of `caller` itself
    /// must leave for it and none can yet: nobody else is to wait behind it.
    pub(crate) async fn take_in_turn(self: &Arc<Self>, caller: IpAddr, bounds: Bounds) -> Option<Place> {
        loop {
            let changed = self.changed.notified();
            match self.look(caller, bounds) {
                Look::Taken(place, before) => return Some(place.after(before).await),
                Look::Wait { for_its_own: true, .. } => return None,
                Look::Wait { until, .. } => self.wait(caller, bounds, changed, until).await,
            }
        }
    }

    /// Room to wait in for one connection above the places; none if that is full
    /// too.
    pub(crate) fn waiting_room(self: &Arc<Self>) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.waiting_room).try_acquire_owned().ok()
    }

    /// Waits for a change, as a newcomer that connections have to be closed for.
    async fn wait(&self, caller: IpAddr, bounds: Bounds, changed: Notified<'_>, until: Option<Instant>) {
        let entry = (caller, bounds.share);
        self.table().newcomers.push(entry);
        let _newcomer = Newcomer { places: self, entry };
        match until {
            Some(until) => {
                let _ = timeout_at(until, changed).await;
            }
            None => changed.await,
        }
    }

    fn look(self: &Arc<Self>, caller: IpAddr, bounds: Bounds) -> Look {
        let mut table = self.table();
        let before = if table.taken < bounds.places {
            table.taken += 1;
            None
        } else {
            let for_its_own = table.of(caller) >= bounds.share;
            match table.leaver(Some((caller, bounds.share)), self.grace) {
                Leaver::Found(before) => Some(before),
                Leaver::Soon(at) => return Look::Wait { until: Some(at), for_its_own },
                Leaver::Nobody => return Look::Wait { until: None, for_its_own },
            }
        };
        let place = self.place(&mut table, caller, bounds.share);
        drop(table);
        // On another listener one of the same caller may have waited for this.
        self.changed.notify_waiters();
        Look::Taken(place, before)
    }

    /// Sends away the one that has waited longest, where the system has no room
    /// for another connection though places are free. False if none can go.
    pub(crate) async fn make_room(self: &Arc<Self>) -> bool {
        let (before, _place) = {
            let mut table = self.table();
            let Leaver::Found(before) = table.leaver(None, self.grace) else {
                return false;
            };
            // Its place is free again when this is dropped.
            (before, self.place(&mut table, IpAddr::from(Ipv4Addr::UNSPECIFIED), 1))
        };
        before.left.notified().await;
        true
    }

    fn place(self: &Arc<Self>, table: &mut Table, caller: IpAddr, share: usize) -> Place {
        *table.callers.entry(caller).or_default() += 1;
        let place = Place { places: Arc::clone(self), seat: Arc::default(), caller, share };
        table.wait(&place, table.turns(caller, share));
        place
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere leaves the table whole: nothing under the lock panics.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that waits for a place, until this is dropped.
struct Newcomer<'p> {
    places: &'p Places,
    entry: (IpAddr, usize),
}

impl Drop for Newcomer<'_> {
    fn drop(&mut self) {
        let mut table = self.places.table();
        if let Some(index) = table.newcomers.iter().position(|entry| *entry == self.entry) {
            table.newcomers.swap_remove(index);
        }
    }
}

impl Table {
    fn wait(&mut self, place: &Place, turns: u64) {
        self.last_turn += 1;
        let turn = turns | self.last_turn;
        let Place { seat, caller, share, .. } = place;
        seat.turn.store(turn, Ordering::Relaxed);
        let waiting = Waiting { seat: Arc::clone(seat), caller: *caller, share: *share, since: Instant::now() };
        self.waiting.insert(turn, waiting);
    }

    /// Takes those out of the surplus that are in their caller's share by now,
    /// since others of it are gone. They keep their age.
    fn promote(&mut self) {
        while let Some(first) = self.waiting.first_entry() {
            let (turn, waiting) = (*first.key(), first.get());
            let count = self.callers.get(&waiting.caller).copied().unwrap_or_default();
            if turn & SURPLUS == 0 || count > waiting.share {
                break;
            }
            let (waiting, turn) = (first.remove(), turn ^ SURPLUS | OPEN);
            waiting.seat.turn.store(turn, Ordering::Relaxed);
            self.waiting.insert(turn, waiting);
        }
    }

    /// The turns for one of the caller's connections.
    fn turns(&self, caller: IpAddr, share: usize) -> u64 {
        if self.of(caller) > share { SURPLUS } else { OPEN }
    }

    fn of(&self, caller: IpAddr) -> usize {
        self.callers.get(&caller).copied().unwrap_or_default()
    }

    fn forget(&mut self, caller: IpAddr) {
        if let Entry::Occupied(mut count) = self.callers.entry(caller) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// The next to leave, who is told, for a connection of the caller with this
    /// share.
    fn leaver(&mut self, newcomer: Option<(IpAddr, usize)>, grace: Duration) -> Leaver {
        self.promote();
        let Some((mut turn, mut first)) = self.waiting.first_key_value() else {
            return Leaver::Nobody;
        };
        if *turn & OPEN != 0 {
            if let Some((caller, share)) = newcomer
                && self.of(caller) >= share
            {
                let Some(own) = self.waiting.iter().find(|(_, waiting)| waiting.caller == caller) else {
                    return Leaver::Nobody;
                };
                (turn, first) = own;
            }
            let at = first.since + grace;
            if at > Instant::now() {
                return Leaver::Soon(at);
            }
        }
        let turn = *turn;
        let Some(Waiting { seat, caller, .. }) = self.waiting.remove(&turn) else {
            return Leaver::Nobody;
        };
        self.forget(caller);
        seat.leave.notify_one();
        Leaver::Found(seat)
    }
}

/// The place of one connection, which waits for its client at first. Dropped
/// after the connection is closed.
pub(crate) struct Place {
    places: Arc<Places>,
    seat: Arc<Seat>,
    caller: IpAddr,
    share: usize,
}

impl Place {
    /// The place, once who had it before has left. Its socket is closed then:
    /// there are never more open than places and waiting room.
    async fn after(self, before: Option<Arc<Seat>>) -> Self {
        if let Some(before) = before {
            before.left.notified().await;
        }
        self
    }

    /// The connection has a request to answer. False if it was sent away
    /// before: then it must not begin.
    pub(crate) fn work(&self) -> bool {
        let mut table = self.places.table();
        let turn = self.seat.turn.load(Ordering::Relaxed);
        let stays = turn == 0 || table.waiting.remove(&turn).is_some();
        if stays {
            self.seat.turn.store(0, Ordering::Relaxed);
        }
        stays
    }

    /// The connection waits for its client again: the answer is sent, or the
    /// client does not take it.
    pub(crate) fn wait(&self) {
        let mut table = self.places.table();
        if self.seat.turn.load(Ordering::Relaxed) == 0 {
            let turns = table.turns(self.caller, self.share);
            table.wait(self, turns);
            drop(table);
            self.places.changed.notify_waiters();
        }
    }

    /// The connection gets no other request: it is the first to leave.
    pub(crate) fn end(&self) {
        let mut table = self.places.table();
        let turn = self.seat.turn.load(Ordering::Relaxed);
        if turn == 0 || table.waiting.remove(&turn).is_some() {
            table.wait(self, ENDED);
            drop(table);
            self.places.changed.notify_waiters();
        }
    }

    /// Whether the connection may still get a request.
    pub(crate) fn is_open(&self) -> bool {
        let turn = self.seat.turn.load(Ordering::Relaxed);
        turn == 0 || turn & (OPEN | SURPLUS) != 0
    }

    /// Whether a newcomer waits that could have this place: any while the caller
    /// has more than its share, else one of the same caller or one whose caller
    /// lacks its share.
    pub(crate) fn is_wanted(&self) -> bool {
        let table = self.places.table();
        let is_surplus = table.of(self.caller) > self.share;
        let could_have_it = |(caller, share): &(IpAddr, usize)| *caller == self.caller || table.of(*caller) < *share;
        table.newcomers.iter().any(|newcomer| is_surplus || could_have_it(newcomer))
    }

    /// Ends when the connection has to leave.
    pub(crate) async fn sent_away(&self) {
        self.seat.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        let turn = self.seat.turn.load(Ordering::Relaxed);
        if turn == 0 || table.waiting.remove(&turn).is_some() {
            table.taken -= 1;
            table.forget(self.caller);
            drop(table);
            self.places.changed.notify_waiters();
        } else {
            // Who sent it away has its place.
            self.seat.left.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
