use super::*;

/// A machine whose clocks a test moves; clones are the same machine.
#[derive(Clone)]
struct Hand(Arc<Mutex<(SystemTime, Duration)>>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((start(), Duration::from_secs(77)))))
    }

    /// Time passes.
    fn pass(&self, time: Duration) {
        let mut clocks = self.0.lock().unwrap();
        clocks.0 += time;
        clocks.1 += time;
    }

    /// Somebody sets the system's clock.
    fn adjust(&self, time: SystemTime) {
        self.0.lock().unwrap().0 = time;
    }

    fn clock(&self) -> VirtualClock {
        VirtualClock::new(self.clone(), |_| Course::Source)
    }
}

impl Source for Hand {
    fn state(&self) -> ClockState {
        ClockState { now: self.0.lock().unwrap().0, is_paused: false, speed: 1.0, is_system: true }
    }

    fn steady(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_855_820)
}

#[test]
fn untouched_it_follows_the_system_wherever_that_goes() {
    let hand = Hand::new();
    let clock = hand.clock();
    hand.pass(SECOND);
    assert_eq!(clock.now(), start() + SECOND);
    for adjusted in [start() - 3600 * SECOND, UNIX_EPOCH - SECOND, start() + 99 * SECOND] {
        hand.adjust(adjusted);
        assert_eq!(clock.now(), adjusted);
    }
    // What it does already is no change.
    clock.resume();
    clock.set_speed(1.0).unwrap();
    clock.advance(Duration::ZERO);
    let state = ClockState { now: start() + 99 * SECOND, is_paused: false, speed: 1.0, is_system: true };
    assert_eq!(clock.state(), state);
}

#[test]
fn moved_it_runs_on_whatever_the_system_shows() {
    let hand = Hand::new();
    let clock = hand.clock();
    clock.advance(300 * SECOND);
    hand.adjust(UNIX_EPOCH);
    hand.pass(SECOND);
    let state = ClockState { now: start() + 301 * SECOND, is_paused: false, speed: 1.0, is_system: false };
    assert_eq!(clock.state(), state);
}

#[test]
fn moved_it_can_follow_the_system_again() {
    let hand = Hand::new();
    let clock = hand.clock();
    clock.set(UNIX_EPOCH);
    clock.set_speed(60.0).unwrap();
    clock.pause();
    clock.follow_system();
    hand.pass(SECOND);
    let state = ClockState { now: start() + SECOND, is_paused: false, speed: 1.0, is_system: true };
    assert_eq!(clock.state(), state);
}

#[test]
fn what_is_paused_stands_and_goes_on_from_there() {
    let hand = Hand::new();
    let clock = hand.clock();
    clock.pause();
    hand.pass(10 * SECOND);
    assert_eq!(clock.now(), start());
    clock.advance(5 * SECOND);
    assert_eq!((clock.now(), clock.state().is_paused), (start() + 5 * SECOND, true));
    clock.resume();
    assert_eq!(clock.now(), start() + 5 * SECOND);
    hand.pass(2 * SECOND);
    assert_eq!(clock.now(), start() + 7 * SECOND);
}

#[test]
fn a_clock_that_is_set_goes_on_as_it_did() {
    let hand = Hand::new();
    let clock = hand.clock();
    clock.set_speed(60.0).unwrap();
    clock.set(UNIX_EPOCH);
    hand.pass(SECOND);
    assert_eq!(clock.now(), UNIX_EPOCH + 60 * SECOND);
    clock.pause();
    clock.set(start());
    hand.pass(SECOND);
    assert_eq!(clock.state(), ClockState { now: start(), is_paused: true, speed: 60.0, is_system: false });
    // Even to the time that it has: it was asked to be apart.
    let clock = hand.clock();
    clock.set(clock.now());
    assert!(!clock.state().is_system);
}

#[test]
fn no_change_of_speed_makes_it_jump() {
    let hand = Hand::new();
    let clock = hand.clock();
    let mut wanted = start();
    for speed in [2.0, 0.5, 1_000_000.0, 0.001, 1.0, 60.0] {
        clock.set_speed(speed).unwrap();
        assert_eq!(clock.now(), wanted, "{speed}");
        hand.pass(10 * SECOND);
        wanted += 10 * SECOND.mul_f64(speed);
        assert_eq!(clock.now(), wanted, "{speed}");
        clock.pause();
        hand.pass(SECOND);
        clock.resume();
        assert_eq!(clock.now(), wanted, "{speed}");
    }
}

#[test]
fn a_speed_out_of_bounds_changes_nothing() {
    let clock = Hand::new().clock();
    for speed in [0.0, -1.0, 0.0009, 1_000_000.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let refused = clock.set_speed(speed).unwrap_err().to_string();
        assert!(refused.contains("expected 0.001 to 1000000"), "{refused}");
        assert!(clock.state().is_system, "{speed}");
    }
}

#[test]
fn it_stands_at_the_ends_of_time() {
    let hand = Hand::new();
    let clock = hand.clock();
    let last = UNIX_EPOCH + LAST;
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), last);
    hand.pass(SECOND);
    assert_eq!(clock.now(), last);
    clock.set(last + SECOND);
    assert_eq!(clock.now(), last);
    clock.set(UNIX_EPOCH - SECOND);
    assert_eq!(clock.now(), UNIX_EPOCH);
    clock.set_speed(1_000_000.0).unwrap();
    // Of the steady clock no more is known than that it fits.
    hand.0.lock().unwrap().1 = Duration::MAX;
    assert_eq!(clock.now(), last);
    clock.pause();
    assert_eq!(clock.now(), last);
}

#[test]
fn clones_are_the_same_clock() {
    let clock = VirtualClock::paused_at(start());
    let other = clock.clone();
    other.advance(SECOND);
    assert_eq!(clock.now(), start() + SECOND);
    assert_eq!(clock.now_ms(), 1_790_855_821_000);
    let running = VirtualClock::starting_at(start()).state();
    assert!(running.now >= start() && !running.is_paused && !running.is_system);
}

#[test]
fn one_that_follows_shows_the_same_until_it_is_changed_and_again_after() {
    let hand = Hand::new();
    let leader = hand.clock();
    let clock = VirtualClock::following(&leader);
    assert_eq!(clock.state(), leader.state());
    leader.set_speed(60.0).unwrap();
    leader.pause();
    assert_eq!(clock.state(), leader.state());
    clock.advance(5 * SECOND);
    leader.resume();
    clock.follow_system();
    hand.pass(SECOND);
    assert_eq!(clock.state(), leader.state());
    assert_eq!(clock.now(), start() + 60 * SECOND);
}

#[test]
fn one_that_follows_keeps_its_distance_wherever_the_other_goes() {
    let hand = Hand::new();
    let leader = hand.clock();
    leader.pause();
    let clock = VirtualClock::following(&leader);
    clock.advance(5 * SECOND);
    for moved in [start() + 3600 * SECOND, start(), start() - 3600 * SECOND, start() + SECOND] {
        leader.set(moved);
        assert_eq!(clock.now(), moved + 5 * SECOND);
    }
    assert!(clock.state().is_paused && !clock.state().is_system);
    // With a speed of its own it goes so many times as far, and back.
    clock.set_speed(10.0).unwrap();
    leader.advance(2 * SECOND);
    assert_eq!(clock.now(), start() + 26 * SECOND);
    leader.step_back(3 * SECOND);
    assert_eq!(clock.now(), start() - 4 * SECOND);
    leader.resume();
    leader.set_speed(60.0).unwrap();
    let before = clock.now();
    hand.pass(SECOND);
    assert_eq!((clock.now(), clock.state().speed), (before + 600 * SECOND, 600.0));
    clock.pause();
    hand.pass(SECOND);
    assert_eq!(clock.now(), before + 600 * SECOND);
    assert_eq!(leader.now(), start() + 120 * SECOND);
}

#[test]
fn one_that_follows_ends_where_time_ends() {
    let leader = VirtualClock::paused_at(UNIX_EPOCH + 10 * SECOND);
    let clock = VirtualClock::following(&leader);
    clock.step_back(8 * SECOND);
    leader.set(UNIX_EPOCH);
    assert_eq!(clock.now(), UNIX_EPOCH);
    leader.advance(Duration::MAX);
    assert_eq!(clock.now(), UNIX_EPOCH + LAST - 8 * SECOND);
}

#[test]
fn who_watches_one_that_follows_is_told_of_what_moves_either() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    let leader = VirtualClock::paused_at(start());
    let clock = VirtualClock::following(&leader);
    let told = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&told);
    clock.when_moved(move || counted.fetch_add(1, Ordering::Relaxed) < 2);
    clock.advance(SECOND);
    leader.advance(SECOND);
    assert_eq!(told.load(Ordering::Relaxed), 2);
    // It wants no more, which each of the two hears once.
    for _ in 0..3 {
        leader.set(start());
        clock.follow_system();
    }
    assert_eq!(told.load(Ordering::Relaxed), 4);
}
