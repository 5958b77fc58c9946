// The log: one line for an answer, for a trouble, and for lines left out.

mod flow;
mod json;
mod lines;
mod reasons;
mod text;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use clap::ValueEnum;
use imds_host::{Answered, CredentialsState, Observer, Outcome, Runtime, Trouble, Warnings};

use self::flow::Flow;
use self::lines::Lines;
use super::print::to_stderr;

/// Which answers are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// None.
    Off,
    /// Those that a client may wonder about.
    Refusals,
    /// All.
    All,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people; without the time, which whoever collects lines adds.
    Text,
    /// An object on each line.
    Json,
}

/// Writes answers to standard error. Clones write to the same log.
#[derive(Clone)]
pub struct Log {
    level: Level,
    format: Format,
    /// Explains outcomes.
    runtime: Runtime,
    shared: Arc<Shared>,
}

struct Shared {
    // Locked for the time of a comparison only.
    flow: Mutex<Flow>,
    faults: Mutex<Flow>,
    throttled: Mutex<Flow>,
    sent_away: Mutex<Flow>,
    lines: Lines,
}

/// More refusals in one second tell nothing new, and would slow the service down.
const REFUSALS_PER_SECOND: u32 = 20;
/// Who wants all lines gets as many as a real instance has answers: EC2 takes
/// 1024 packets a second.
const LINES_PER_SECOND: u32 = 1000;
/// What comes in crowds must not push out other lines.
const CROWD_PER_SECOND: u32 = 1;

impl Log {
    pub fn start(level: Level, format: Format, runtime: Runtime) -> io::Result<Self> {
        let flow = |lines, what| Mutex::new(Flow::new(Instant::now(), lines, what));
        let lines = match level {
            Level::Off | Level::Refusals => REFUSALS_PER_SECOND,
            Level::All => LINES_PER_SECOND,
        };
        let shared = Shared {
            flow: flow(lines, "lines left out of the log, which takes"),
            faults: flow(lines, "requests affected by faults; the log takes"),
            throttled: flow(CROWD_PER_SECOND, "requests throttled; the log takes"),
            sent_away: flow(CROWD_PER_SECOND, "connections closed to make room; the log takes"),
            lines: Lines::start(to_stderr, move |count| {
                format.lost(count, &format!("{count} more lines left out of the log, which nobody read"))
            })?,
        };
        Ok(Self { level, format, runtime, shared: Arc::new(shared) })
    }

    /// How many lines were left out since the start.
    pub fn lost(&self) -> u64 {
        let Shared { lines, .. } = &*self.shared;
        self.flows().map(|flow| lock(flow).lost()).iter().sum::<u64>() + lines.lost()
    }

    /// Writes what is left to say, unless nobody reads it.
    pub fn end(&self) {
        self.end_with(None);
    }

    /// The same, and behind it what the program has to say at its end, for which
    /// nobody waits longer.
    pub fn end_with(&self, last: Option<String>) {
        for flow in self.flows() {
            let left_out = lock(flow).left_out();
            self.hand_in_left_out(left_out);
        }
        last.into_iter().for_each(|lines| self.shared.lines.hand_in(lines));
        self.shared.lines.end();
    }

    fn flows(&self) -> [&Mutex<Flow>; 4] {
        let Shared { flow, faults, throttled, sent_away, .. } = &*self.shared;
        [flow, faults, throttled, sent_away]
    }

    fn write(&self, flow: &Mutex<Flow>, line: impl FnOnce() -> String) {
        let mut flow = lock(flow);
        if flow.permits(Instant::now()) {
            let left_out = flow.left_out();
            drop(flow);
            self.hand_in_left_out(left_out);
            self.shared.lines.hand_in(line());
        }
    }

    fn hand_in_left_out(&self, left_out: Option<(u64, String)>) {
        if let Some((count, sentence)) = left_out {
            self.shared.lines.hand_in(self.format.lost(count, &sentence));
        }
    }
}

fn lock(flow: &Mutex<Flow>) -> MutexGuard<'_, Flow> {
    // A panic elsewhere leaves the numbers whole.
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for Log {
    fn answered(&self, answered: &Answered<'_>) {
        let wanted = match self.level {
            Level::Off => false,
            Level::Refusals => answered.outcome.is_refusal() || answered.fault().is_some(),
            Level::All => true,
        };
        if wanted {
            let Shared { flow, faults, throttled, .. } = &*self.shared;
            let flow = match answered.outcome {
                _ if answered.fault().is_some() => faults,
                Outcome::Throttled => throttled,
                _ => flow,
            };
            self.write(flow, || self.format.answered(answered, &self.runtime));
        }
    }

    fn trouble(&self, trouble: &Trouble) {
        if self.level != Level::Off {
            let Shared { flow, sent_away, .. } = &*self.shared;
            let flow = if matches!(trouble, Trouble::SentAway) { sent_away } else { flow };
            self.write(flow, || self.format.trouble(trouble));
        }
    }
}

impl Format {
    fn answered(self, answered: &Answered<'_>, runtime: &Runtime) -> String {
        match self {
            Self::Text => text::answered(answered, runtime),
            Self::Json => json::answered(answered, runtime, SystemTime::now()),
        }
    }

    fn trouble(self, trouble: &Trouble) -> String {
        match self {
            Self::Text => text::trouble(trouble),
            Self::Json => json::trouble(trouble, SystemTime::now()),
        }
    }

    /// What a description says that cannot be real: a paragraph or a line for each.
    pub fn warnings(self, warnings: &Warnings) -> String {
        match self {
            Self::Text => warnings.to_string(),
            Self::Json => json::warnings(warnings, SystemTime::now()),
        }
    }

    /// How an attempt to get real credentials went.
    pub fn credentials(self, state: &CredentialsState, now: SystemTime) -> String {
        match self {
            Self::Text => text::credentials(state, now),
            Self::Json => json::credentials(state, now, SystemTime::now()),
        }
    }

    /// A line for so many descriptions that have warnings, whose names and numbers
    /// are in `sentence`.
    pub fn many_warnings(self, descriptions: usize, sentence: &str) -> String {
        match self {
            Self::Text => format!("\nimds: warning: {descriptions} descriptions have warnings: {sentence}"),
            Self::Json => json::many_warnings(descriptions, sentence, SystemTime::now()),
        }
    }

    /// A line for so many that were left out, of which `sentence` tells.
    fn lost(self, count: u64, sentence: &str) -> String {
        match self {
            Self::Text => text::lost(sentence),
            Self::Json => json::lost(count, sentence, SystemTime::now()),
        }
    }
}
