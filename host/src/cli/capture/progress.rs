// The progress of a capture, on a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use imds_host::capture::Progress;
use imds_host::shown;

/// A line that is updated.
pub struct Bar {
    is_shown: bool,
    last: Option<Instant>,
}

const INTERVAL: Duration = Duration::from_millis(100);
const WIDTH: u64 = 20;
/// How much of a target is shown, so that it fits one line of a narrow terminal.
const TARGET_CHARACTERS: usize = 40;

impl Bar {
    pub fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal(), last: None }
    }

    pub fn show(&mut self, progress: &Progress) {
        if !self.is_shown || self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        self.last = Some(Instant::now());
        let Progress { requests, expected, target, missing } = progress;
        let bar = expected.map_or_else(String::new, |expected| {
            let done = (requests * WIDTH / expected.max(1)).min(WIDTH);
            let part = |length: u64, with: &str| with.repeat(usize::try_from(length).unwrap_or_default());
            format!("[{}{}] ", part(done, "#"), part(WIDTH - done, "."))
        });
        let missing = if *missing > 0 { format!(", {missing} without an answer") } else { String::new() };
        let target: String = shown::target(target).chars().take(TARGET_CHARACTERS).collect();
        let _ = write!(io::stderr(), "\r\x1b[K{bar}{requests} requests{missing} {target}");
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.last.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
