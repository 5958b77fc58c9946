//! The log, on standard error: collected while a request is answered and written
//! behind the answer, since engines make a request wait until a line is written.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

thread_local! {
    static LINES: RefCell<String> = const { RefCell::new(String::new()) };
    static TOLD: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
    static FLOW: RefCell<Flow> = const { RefCell::new(Flow { since: None, lines: 0, left_out: 0 }) };
}

/// As many as the native runner logs: more refusals in one second tell nothing new.
const REFUSALS_PER_SECOND: u32 = 20;

struct Flow {
    since: Option<Instant>,
    lines: u32,
    left_out: u32,
}

/// A line that the operator should see.
pub fn line(text: impl AsRef<str>) {
    LINES.with_borrow_mut(|lines| {
        lines.push_str("imds: ");
        lines.push_str(text.as_ref());
        lines.push('\n');
    });
}

/// A line that this instance of the adapter writes once, by a name of its own.
pub fn once(name: &'static str, text: impl FnOnce() -> String) {
    if TOLD.with_borrow_mut(|told| told.insert(name)) {
        line(text());
    }
}

/// Lets what was told once be told again.
pub fn again(name: &'static str) -> bool {
    TOLD.with_borrow_mut(|told| told.remove(name))
}

/// A line of a refusal: clients decide how many come, so there is a bound.
pub fn refusal(now: Instant, text: impl FnOnce() -> String) {
    let (permits, left_out) = FLOW.with_borrow_mut(|flow| flow.permits(now));
    if left_out > 0 {
        line(format!("{left_out} more lines left out of the log, which takes {REFUSALS_PER_SECOND} a second"));
    }
    if permits {
        line(text());
    }
}

impl Flow {
    /// Whether a line may be written, and how many were not that nobody was told of.
    fn permits(&mut self, now: Instant) -> (bool, u32) {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            self.since = Some(now);
            self.lines = 0;
        }
        if self.lines >= REFUSALS_PER_SECOND {
            self.left_out = self.left_out.saturating_add(1);
            return (false, 0);
        }
        self.lines += 1;
        (true, std::mem::take(&mut self.left_out))
    }
}

/// Whether there is anything to write.
pub fn is_empty() -> bool {
    LINES.with_borrow(String::is_empty)
}

/// Takes what was collected, for a face that writes it itself.
pub fn take() -> String {
    LINES.take()
}

/// Writes what was collected, all of it in one call.
pub fn write() {
    let lines = take();
    if !lines.is_empty() {
        // Nobody is left to be told that this failed.
        let _ = io::stderr().write_all(lines.as_bytes());
    }
}
