// The progress of a run, on a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use imds_host::conform::Judged;

/// A line on standard error that is updated; nothing if that is not a terminal.
pub struct Progress {
    is_shown: bool,
    done: usize,
    all: usize,
}

impl Progress {
    pub fn start(all: usize) -> Self {
        Self { is_shown: io::stderr().is_terminal(), done: 0, all }
    }

    pub fn done(&mut self, judged: &Judged) {
        self.done += 1;
        self.show(&format!("{}/{} {}", self.done, self.all, judged.check().id()));
    }

    fn show(&self, text: &str) {
        if self.is_shown {
            // Go to the start of the line, write the text, and clear the rest.
            let _ = io::stderr().write_all(format!("\r{text:.78}\u{1b}[K").as_bytes());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show("");
    }
}
