mod source;
mod speed;
mod watchers;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::source::{Leader, Machine, Source};
pub use self::speed::WrongSpeed;
use self::speed::{SPEED_MAX, SPEED_MIN};
use self::watchers::{Watcher, Watchers};
use crate::description::LAST_MS;
use crate::engine::Clock;

/// A [`Clock`] that you can set, pause, advance and speed up. Clones are the same
/// clock, so you keep one while a [`Service`](crate::Service) has another.
///
/// At first it is the system's clock, with all its adjustments. The first change
/// separates them: from then on it follows the machine's monotonic clock, which has no
/// adjustments and, on Linux, stops while the machine sleeps.
///
/// It shows times from 1970 to the end of the year 9998, which the service can write,
/// and stops at the last one. It never jumps when you pause it, resume it or change its
/// speed.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use imds_host::{Clock, Runtime, Service, VirtualClock};
///
/// let clock = VirtualClock::paused_at(UNIX_EPOCH + Duration::from_secs(1_790_855_820));
/// let instance = Runtime::new()?.open(&Default::default())?;
/// let service = Service::new(instance).clock(clock.clone());
/// let date = || service.respond(hyper::Request::get("/").body(()).unwrap()).headers()["date"].clone();
///
/// assert_eq!(date(), "Thu, 01 Oct 2026 11:57:00 GMT");
/// clock.advance(Duration::from_secs(120));
/// assert_eq!(date(), "Thu, 01 Oct 2026 11:59:00 GMT");
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone)]
pub struct VirtualClock {
    shared: Arc<Shared>,
}

/// What a [`VirtualClock`] shows and how it runs.
///
/// ```
/// let state = imds_host::VirtualClock::system().state();
/// assert!(state.is_system && !state.is_paused);
/// assert_eq!(state.speed, 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClockState {
    /// The time.
    pub now: SystemTime,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Its seconds for each second of real time, while it is not paused.
    pub speed: f64,
    /// Whether it is still the system's clock, without any change of it or of a clock that
    /// it follows.
    pub is_system: bool,
}

/// Where it stops: later, nothing can be written.
const LAST: Duration = Duration::from_millis(LAST_MS);

struct Shared {
    source: Box<dyn Source>,
    // Locked for some arithmetic only.
    course: Mutex<Course>,
    watchers: Watchers,
}

#[derive(Clone, Copy)]
enum Course {
    Source,
    Moved(Moved),
}

#[derive(Clone, Copy)]
struct Moved {
    /// What it showed, since 1970, when the steady clock showed `since`.
    shown: Duration,
    since: Duration,
    speed: f64,
    is_paused: bool,
}

impl VirtualClock {
    /// The system's clock, until it is changed.
    ///
    /// ```
    /// use imds_host::{Clock, SystemClock, VirtualClock};
    ///
    /// let clock = VirtualClock::system();
    /// assert!(SystemClock.now() <= clock.now());
    /// ```
    pub fn system() -> Self {
        Self::new(Machine::new(), |_| Course::Source)
    }

    /// A clock that starts at the given time and runs.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    /// use imds_host::{Clock, VirtualClock};
    ///
    /// let clock = VirtualClock::starting_at(UNIX_EPOCH);
    /// assert!(clock.now() < UNIX_EPOCH + std::time::Duration::from_secs(3600));
    /// ```
    pub fn starting_at(time: SystemTime) -> Self {
        Self::new(Machine::new(), |steady| Course::Moved(Moved::at(time, steady)))
    }

    /// A clock that is paused at the given time, for tests that move it.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    /// use imds_host::{Clock, VirtualClock};
    ///
    /// assert_eq!(VirtualClock::paused_at(UNIX_EPOCH).now(), UNIX_EPOCH);
    /// ```
    pub fn paused_at(time: SystemTime) -> Self {
        let course = |steady| Course::Moved(Moved { is_paused: true, ..Moved::at(time, steady) });
        Self::new(Machine::new(), course)
    }

    /// A clock of one among many. It shows what `leader` shows until it is changed;
    /// from then on it keeps its distance: what moves `leader` moves it as far, and
    /// it stands while `leader` does.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use imds_host::{Clock, VirtualClock};
    ///
    /// let leader = VirtualClock::paused_at(UNIX_EPOCH);
    /// let clock = VirtualClock::following(&leader);
    /// clock.advance(Duration::from_secs(5));
    /// leader.advance(Duration::from_secs(60));
    /// assert_eq!((leader.now_ms(), clock.now_ms()), (60_000, 65_000));
    /// ```
    pub fn following(leader: &Self) -> Self {
        Self::new(Leader::new(leader.clone()), |_| Course::Source)
    }

    /// Pauses it.
    ///
    /// ```
    /// use imds_host::{Clock, VirtualClock};
    ///
    /// let clock = VirtualClock::system();
    /// clock.pause();
    /// assert_eq!(clock.now(), clock.now());
    /// ```
    pub fn pause(&self) {
        self.change(|moved| moved.is_paused = true);
    }

    /// Resumes it, at its speed.
    ///
    /// ```
    /// use imds_host::VirtualClock;
    ///
    /// let clock = VirtualClock::paused_at(std::time::UNIX_EPOCH);
    /// clock.resume();
    /// assert!(!clock.state().is_paused);
    /// ```
    pub fn resume(&self) {
        self.change(|moved| moved.is_paused = false);
    }

    /// Advances it at once, whether it is paused or not.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use imds_host::{Clock, VirtualClock};
    ///
    /// let clock = VirtualClock::paused_at(UNIX_EPOCH);
    /// clock.advance(Duration::from_secs(5));
    /// assert_eq!(clock.now_ms(), 5000);
    /// ```
    pub fn advance(&self, time: Duration) {
        self.change(|moved| moved.shown = moved.shown.saturating_add(time).min(LAST));
    }

    /// Moves it back at once, whether it is paused or not, to 1970 at most.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use imds_host::{Clock, VirtualClock};
    ///
    /// let clock = VirtualClock::paused_at(UNIX_EPOCH + Duration::from_secs(60));
    /// clock.step_back(Duration::from_secs(5));
    /// assert_eq!(clock.now_ms(), 55_000);
    /// ```
    pub fn step_back(&self, time: Duration) {
        self.change(|moved| moved.shown = moved.shown.saturating_sub(time));
    }

    /// Sets it to a time, forward or back. It stays paused, or keeps its speed.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    /// use imds_host::{Clock, VirtualClock};
    ///
    /// let clock = VirtualClock::system();
    /// clock.pause();
    /// clock.set(UNIX_EPOCH);
    /// assert_eq!(clock.now(), UNIX_EPOCH);
    /// ```
    pub fn set(&self, time: SystemTime) {
        let mut course = self.course();
        let mut moved = self.moved(*course);
        moved.shown = since_1970(time);
        *course = Course::Moved(moved);
        drop(course);
        self.shared.watchers.tell();
    }

    /// Sets its speed, as a multiple of real time. A paused clock stays paused.
    ///
    /// Fails below 0.001, above 1,000,000 and if the speed is not a number; the clock
    /// then keeps its speed.
    ///
    /// ```
    /// use imds_host::VirtualClock;
    ///
    /// let clock = VirtualClock::system();
    /// clock.set_speed(60.0)?;
    /// assert_eq!(clock.state().speed, 60.0);
    /// # Ok::<_, imds_host::WrongSpeed>(())
    /// ```
    pub fn set_speed(&self, speed: f64) -> Result<(), WrongSpeed> {
        if !(SPEED_MIN..=SPEED_MAX).contains(&speed) {
            return Err(WrongSpeed::new(speed));
        }
        self.change(|moved| moved.speed = speed);
        Ok(())
    }

    /// Makes it the system's clock again, running and at its speed; or, if it follows
    /// another clock, equal to that one.
    ///
    /// ```
    /// use imds_host::VirtualClock;
    ///
    /// let clock = VirtualClock::paused_at(std::time::UNIX_EPOCH);
    /// clock.follow_system();
    /// assert!(clock.state().is_system);
    /// ```
    pub fn follow_system(&self) {
        *self.course() = Course::Source;
        self.shared.watchers.tell();
    }

    /// Its time and how it runs, at one moment.
    ///
    /// ```
    /// use imds_host::VirtualClock;
    ///
    /// let state = VirtualClock::paused_at(std::time::UNIX_EPOCH).state();
    /// assert!(state.is_paused && !state.is_system);
    /// assert_eq!(state.now, std::time::UNIX_EPOCH);
    /// ```
    pub fn state(&self) -> ClockState {
        let course = self.course();
        match *course {
            Course::Source => self.shared.source.state(),
            Course::Moved(moved) => {
                let (steady, source) = (self.shared.source.steady(), self.shared.source.state());
                ClockState {
                    now: UNIX_EPOCH + moved.shown_at(steady),
                    is_paused: moved.is_paused || source.is_paused,
                    speed: moved.speed * source.speed,
                    is_system: false,
                }
            }
        }
    }

    fn new(source: impl Source + 'static, course: impl FnOnce(Duration) -> Course) -> Self {
        let course = Mutex::new(course(source.steady()));
        Self { shared: Arc::new(Shared { source: Box::new(source), course, watchers: Watchers::default() }) }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        // A panic elsewhere leaves it whole: it is written in one piece.
        self.shared.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is now, apart from its source.
    fn moved(&self, course: Course) -> Moved {
        let steady = self.shared.source.steady();
        match course {
            Course::Source => Moved::at(self.shared.source.state().now, steady),
            Course::Moved(moved) => Moved { shown: moved.shown_at(steady), since: steady, ..moved },
        }
    }

    /// Changes how it goes on from here. What changes nothing does not part it
    /// from its source.
    fn change(&self, change: impl FnOnce(&mut Moved)) {
        let mut course = self.course();
        let before = self.moved(*course);
        let mut after = before;
        change(&mut after);
        if (after.shown, after.speed, after.is_paused) != (before.shown, before.speed, before.is_paused) {
            *course = Course::Moved(after);
            drop(course);
            self.shared.watchers.tell();
        }
    }

    /// Has `watcher` called whenever it was changed, or a clock that it follows, until
    /// that says false. It must not change the clock.
    pub(super) fn when_moved(&self, watcher: impl Fn() -> bool + Send + Sync + 'static) {
        self.watch(Arc::new(watcher));
    }

    fn watch(&self, watcher: Arc<Watcher>) {
        self.shared.source.when_moved(Arc::clone(&watcher));
        self.shared.watchers.add(watcher);
    }
}

impl Moved {
    fn at(time: SystemTime, steady: Duration) -> Self {
        Self { shown: since_1970(time), since: steady, speed: 1.0, is_paused: false }
    }

    fn shown_at(&self, steady: Duration) -> Duration {
        if self.is_paused {
            return self.shown;
        }
        let at_speed = |passed: Duration| match self.speed {
            // Without what rounding would take.
            1.0 => passed,
            speed => Duration::try_from_secs_f64(passed.as_secs_f64() * speed).unwrap_or(LAST),
        };
        match steady.checked_sub(self.since) {
            Some(passed) => self.shown.saturating_add(at_speed(passed)).min(LAST),
            // The clock that it follows was moved back.
            None => self.shown.saturating_sub(at_speed(self.since - steady)),
        }
    }
}

/// The nearest time that can be told.
fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().min(LAST)
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::system()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> SystemTime {
        self.state().now
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock").field("state", &self.state()).finish()
    }
}

#[cfg(test)]
mod tests;
