// Lines on their way to standard error, for which nobody waits.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Lines that a thread of their own writes. Who hands one in answers requests
/// and must not wait until standard error is read, which may be never.
pub struct Lines {
    // Locked for as long as it takes to hand in a line, which never waits.
    open: Mutex<Option<Open>>,
    lost: Arc<AtomicU64>,
}

struct Open {
    sender: SyncSender<String>,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

/// What refusals fill in most of a minute, and all answers at the highest rate
/// of the log in a second.
const LINES_MAX: usize = 1024;

/// The program may end without those that are not written by then.
const END_TIME: Duration = Duration::from_millis(500);

impl Lines {
    /// Starts the thread, which calls `write` for each line, and for what `report`
    /// says of so many that were left out.
    pub fn start(
        write: impl Fn(&str) + Send + 'static,
        report: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, lines) = mpsc::sync_channel(LINES_MAX);
        let (end, ended) = mpsc::channel();
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        thread::Builder::new().name("imds-log".into()).spawn(move || {
            write_all(&lines, &counted, write, report);
            drop(end);
        })?;
        Ok(Self { open: Mutex::new(Some(Open { sender, ended })), lost })
    }

    /// How many lines found no room.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Hands in a line. One for which there is no room is counted.
    pub fn hand_in(&self, line: String) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Open { sender, .. }) = &*open else {
            return;
        };
        if let Err(TrySendError::Full(_)) = sender.try_send(line) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits for a short time until all lines are written. More are not taken.
    pub fn end(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Open { sender, ended }) = open {
            drop(sender);
            let _ = ended.recv_timeout(END_TIME);
        }
    }
}

fn write_all(lines: &Receiver<String>, lost: &AtomicU64, write: impl Fn(&str), report: impl Fn(u64) -> String) {
    let mut told = 0;
    let mut report = || {
        let lost = lost.load(Ordering::Relaxed);
        if lost > told {
            write(&report(lost - told));
            told = lost;
        }
    };
    for line in lines {
        write(&line);
        report();
    }
    report();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_do_not_fit_are_counted() {
        let (tell, told) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let write = move |line: &str| {
            tell.send(line.to_owned()).unwrap();
            // Until the sender is dropped.
            let _ = may_go_on.recv();
        };
        let lines = Lines::start(write, |count| format!("{count} lost")).unwrap();
        lines.hand_in("first".into());
        assert_eq!(told.recv().unwrap(), "first");
        for line in 0..LINES_MAX + 3 {
            lines.hand_in(line.to_string());
        }
        drop(go_on);
        lines.end();
        assert_eq!(told.recv().unwrap(), "3 lost");
        assert_eq!(lines.lost(), 3);
        assert_eq!(told.iter().collect::<Vec<_>>(), (0..LINES_MAX).map(|line| line.to_string()).collect::<Vec<_>>());
    }
}
