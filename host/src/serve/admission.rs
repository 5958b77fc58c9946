mod place;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Duration, Instant, timeout_at};

pub(crate) use self::place::Place;

/// Who gets one of the places for connections to one server, on all of its
/// listeners.
///
/// When all are taken, a new connection gets the place of the one that has
/// waited longest for its client: who connects and says nothing keeps nobody
/// out. A connection whose request is being answered keeps its place, and one
/// that began to wait only now keeps it for a moment: its client may be about to
/// speak.
///
/// Of each caller's places some are its share. What it has above is served like
/// the rest while places last; then it is the first to leave, and without delay for
/// a caller that lacks its share. A caller that has its share waits like everybody,
/// so that none of its connections loses its place to another before its request
/// has had the time to come. And it gets no place for which one of another's share
/// would have to leave. So one caller cannot push out others, however many
/// connections it makes.
///
/// A kept connection whose client asks again and again never waits for long. So
/// while a new one waits that could have its place, it is closed with its next
/// answer: see [`is_wanted`](Place::is_wanted).
///
/// What a connection tells of each request is one atomic of its own. Only a
/// newcomer that finds all places taken looks at those of the others.
pub(crate) struct Admission {
    bounds: Bounds,
    table: Mutex<Table>,
    /// How many newcomers wait: while none does, nobody has to be told of anything.
    newcomers: AtomicUsize,
    // A place became free, or its connection began to wait.
    changed: Notify,
    // For those that wait for one of their own caller's to leave.
    waiting_room: Arc<Semaphore>,
    grace: Duration,
    /// From when on waits are counted.
    start: Instant,
}

/// As many more as open files allow besides the places, by default.
const WAITING_ROOM: usize = 64;

#[derive(Default)]
struct Table {
    /// The seats that are taken, in no order.
    seats: Vec<Arc<Seat>>,
    /// How many of those each caller has.
    callers: HashMap<IpAddr, usize>,
    /// The callers of those that wait for a place. As many as there are listeners and
    /// room to wait, so that a search is cheap.
    newcomers: Vec<IpAddr>,
    /// The lines in which each caller's stand that wait apart.
    lines: HashMap<IpAddr, Weak<Line>>,
}

/// Who is first in it has the lock.
type Line = tokio::sync::Mutex<()>;

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// On all listeners.
    pub(crate) places: usize,
    /// Of those, each caller's share.
    pub(crate) share: usize,
}

/// What the connection in a place and the next one there tell each other.
pub(crate) struct Seat {
    caller: IpAddr,
    /// Whether it was above the share when it was taken. It is surplus for as long as
    /// the caller has more than its share.
    is_above: bool,
    /// One of the states below.
    state: AtomicU64,
    /// Where it stands in the table; changes under the lock.
    index: AtomicUsize,
    leave: Notify,
    left: Notify,
}

/// A request is answered. In other states the connection waits, since so many
/// nanoseconds from 1 on.
const WORKS: u64 = 0;
const SINCE: u64 = ENDED - 1;
/// It gets no other request.
const ENDED: u64 = 1 << 62;
/// It was sent away: another has its place.
const LEFT: u64 = 1 << 63;

/// What a newcomer finds.
enum Look {
    /// A place, and who leaves it.
    Taken(Place, Option<Arc<Seat>>),
    /// All are taken, and nobody may leave yet; whether it is one of the newcomer's
    /// own that must.
    Wait { for_its_own: bool },
}

/// Who may leave.
enum Leaver {
    Found(Arc<Seat>),
    /// Not before then, unless something changes.
    Soon(Instant),
    Nobody,
}

impl Admission {
    /// How long a connection may wait for its client before it is sent away:
    /// clients that speak do so within a round trip. Silent ones that fill all
    /// places make room for thousands a second.
    pub(crate) const GRACE: Duration = Duration::from_millis(100);

    pub(crate) fn new(bounds: Bounds, grace: Duration) -> Self {
        Self {
            bounds,
            table: Mutex::default(),
            newcomers: AtomicUsize::new(0),
            changed: Notify::new(),
            waiting_room: Arc::new(Semaphore::new(WAITING_ROOM)),
            grace,
            start: Instant::now(),
        }
    }

    /// Takes a place for a connection of `caller`, once not all are taken or
    /// somebody can be sent away for it.
    pub(crate) async fn take(self: &Arc<Self>, caller: IpAddr) -> Place {
        loop {
            match self.look(caller) {
                Look::Taken(place, before) => return place.after(before).await,
                Look::Wait { .. } => self.wait(caller).await,
            }
        }
    }

    /// Like [`take`](Self::take), for one that waits apart. Those of one caller stand in
    /// line: all would wait for the same place, and each look at all of them.
    pub(crate) async fn take_in_line(self: &Arc<Self>, caller: IpAddr) -> Place {
        let line = self.table().line(caller);
        let _first = line.lock().await;
        self.take(caller).await
    }

    /// Like [`take`](Self::take), but none where a connection of `caller` itself
    /// must leave for it and none can yet: nobody else is to wait behind it.
    pub(crate) async fn take_in_turn(self: &Arc<Self>, caller: IpAddr) -> Option<Place> {
        loop {
            match self.look(caller) {
                Look::Taken(place, before) => return Some(place.after(before).await),
                Look::Wait { for_its_own: true, .. } => return None,
                Look::Wait { .. } => self.wait(caller).await,
            }
        }
    }

    /// Room to wait in for one connection above the places; none if that is full
    /// too.
    pub(crate) fn waiting_room(self: &Arc<Self>) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.waiting_room).try_acquire_owned().ok()
    }

    /// Waits for a change, as a newcomer that connections have to be closed for.
    async fn wait(self: &Arc<Self>, caller: IpAddr) {
        self.table().newcomers.push(caller);
        // From here on it is told of every change, and what changed before it sees.
        self.newcomers.fetch_add(1, Ordering::SeqCst);
        let _newcomer = Newcomer { admission: self, caller };
        let changed = self.changed.notified();
        match self.could_take(caller) {
            Some(None) => changed.await,
            Some(Some(until)) => {
                let _ = timeout_at(until, changed).await;
            }
            None => {}
        }
    }

    /// When a newcomer may get a place, if that is known: now is `None`.
    fn could_take(&self, caller: IpAddr) -> Option<Option<Instant>> {
        let table = self.table();
        if table.seats.len() < self.bounds.places {
            return None;
        }
        match self.leaver(&table, Some(caller)) {
            Leaver::Found(_) => None,
            Leaver::Soon(at) => Some(Some(at)),
            Leaver::Nobody => Some(None),
        }
    }

    fn look(self: &Arc<Self>, caller: IpAddr) -> Look {
        let mut table = self.table();
        let before = loop {
            if table.seats.len() < self.bounds.places {
                break None;
            }
            let for_its_own = table.of(caller) >= self.bounds.share;
            match self.leaver(&table, Some(caller)) {
                Leaver::Found(before) => {
                    if table.send_away(&before) {
                        break Some(before);
                    }
                }
                Leaver::Soon(_) | Leaver::Nobody => return Look::Wait { for_its_own },
            }
        };
        let place = self.place(&mut table, caller);
        drop(table);
        // On another listener one of the same caller may have waited for this.
        self.tell_newcomers();
        Look::Taken(place, before)
    }

    /// Sends away the one that has waited longest, where the system has no room
    /// for another connection though places are free. False if none can go.
    pub(crate) async fn make_room(self: &Arc<Self>) -> bool {
        let (before, _place) = {
            let mut table = self.table();
            let Leaver::Found(before) = self.leaver(&table, None) else {
                return false;
            };
            if !table.send_away(&before) {
                return false;
            }
            // Its place is free again when this is dropped.
            (before, self.place(&mut table, IpAddr::from(Ipv4Addr::UNSPECIFIED)))
        };
        before.left.notified().await;
        true
    }

    fn place(self: &Arc<Self>, table: &mut Table, caller: IpAddr) -> Place {
        let count = table.callers.entry(caller).or_default();
        *count += 1;
        let seat = Arc::new(Seat {
            caller,
            is_above: *count > self.bounds.share,
            state: AtomicU64::new(self.since(Instant::now())),
            index: AtomicUsize::new(table.seats.len()),
            leave: Notify::new(),
            left: Notify::new(),
        });
        table.seats.push(Arc::clone(&seat));
        Place { admission: Arc::clone(self), seat }
    }

    /// The next to leave for a connection of this caller: one that ended, else, where the
    /// caller lacks its share, one above its caller's. Else the one that waited longest: of
    /// all, or of the caller's own and those above a share where it has its own.
    fn leaver(&self, table: &Table, newcomer: Option<IpAddr>) -> Leaver {
        let has_share = newcomer.filter(|caller| table.of(*caller) >= self.bounds.share);
        let is_surplus = |seat: &Seat| seat.is_above && table.of(seat.caller) > self.bounds.share;
        let turn = |seat: &Seat| {
            let state = seat.state.load(Ordering::SeqCst);
            let since = state & SINCE;
            match (state, has_share) {
                (WORKS, _) => None,
                _ if state & ENDED != 0 => Some((0, since)),
                (_, None) => Some((if is_surplus(seat) { 1 } else { 2 }, since)),
                (_, Some(own)) => (own == seat.caller || is_surplus(seat)).then_some((2, since)),
            }
        };
        let waiting = table.seats.iter().filter_map(|seat| Some((turn(seat)?, seat)));
        match waiting.min_by_key(|(turn, _)| *turn) {
            None => Leaver::Nobody,
            Some(((2, since), seat)) => {
                let at = self.start + Duration::from_nanos(since) + self.grace;
                if at > Instant::now() { Leaver::Soon(at) } else { Leaver::Found(Arc::clone(seat)) }
            }
            Some((_, seat)) => Leaver::Found(Arc::clone(seat)),
        }
    }

    /// A wait that begins at this moment.
    fn since(&self, now: Instant) -> u64 {
        let waited = u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(SINCE);
        waited.clamp(1, SINCE)
    }

    fn tell_newcomers(&self) {
        if self.newcomers.load(Ordering::SeqCst) > 0 {
            self.changed.notify_waiters();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic elsewhere leaves the table whole: nothing under the lock panics.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that waits for a place, until this is dropped.
struct Newcomer<'a> {
    admission: &'a Admission,
    caller: IpAddr,
}

impl Drop for Newcomer<'_> {
    fn drop(&mut self) {
        let mut table = self.admission.table();
        if let Some(index) = table.newcomers.iter().position(|caller| *caller == self.caller) {
            table.newcomers.swap_remove(index);
        }
        self.admission.newcomers.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Table {
    /// Where those of a caller stand that wait apart; it goes with the last of them.
    fn line(&mut self, caller: IpAddr) -> Arc<Line> {
        self.lines.retain(|_, line| line.strong_count() > 0);
        if let Some(line) = self.lines.get(&caller).and_then(Weak::upgrade) {
            return line;
        }
        let line = Arc::default();
        self.lines.insert(caller, Arc::downgrade(&line));
        line
    }

    fn of(&self, caller: IpAddr) -> usize {
        self.callers.get(&caller).copied().unwrap_or_default()
    }

    /// Sends a connection away, unless it began to work meanwhile.
    fn send_away(&mut self, seat: &Arc<Seat>) -> bool {
        let left = |state: u64| (state != WORKS).then_some(state | LEFT);
        if seat.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            return false;
        }
        self.remove(seat);
        seat.leave.notify_one();
        true
    }

    fn remove(&mut self, seat: &Seat) {
        let index = seat.index.load(Ordering::Relaxed);
        self.seats.swap_remove(index);
        if let Some(moved) = self.seats.get(index) {
            moved.index.store(index, Ordering::Relaxed);
        }
        if let Entry::Occupied(mut count) = self.callers.entry(seat.caller) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

impl Seat {
    /// Ends when the connection has to leave.
    pub(crate) async fn sent_away(&self) {
        self.leave.notified().await;
    }

    /// Whether the connection has to leave, which it is told of right after.
    pub(crate) fn was_sent_away(&self) -> bool {
        self.state.load(Ordering::SeqCst) & LEFT != 0
    }
}

#[cfg(test)]
mod tests;
