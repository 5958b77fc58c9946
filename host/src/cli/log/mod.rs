// The log: one line for an answer, without the time, which whoever collects
// lines adds.

use std::error::Error;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use imds_host::{Answered, Observer, Outcome, Trouble};

use super::lines::Lines;
use super::print::to_stderr;
use super::values::host_name;

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

/// Writes answers to standard error. Clones write to the same log.
#[derive(Clone)]
pub struct Log {
    level: Level,
    shared: Arc<Shared>,
}

struct Shared {
    // Locked for the time of a comparison only.
    flow: Mutex<Flow>,
    throttled: Mutex<Flow>,
    lines: Lines,
}

/// More lines in one second tell nothing new, and would slow the service down.
const LINES_PER_SECOND: u32 = 20;
/// Requests above a limit come in crowds that must not push out other lines.
const THROTTLED_PER_SECOND: u32 = 1;
/// Room for every path of the service.
const TARGET_CHARACTERS: usize = 160;
/// Room for every method that is registered.
const METHOD_CHARACTERS: usize = 20;
/// Room for the first functions of a component's backtrace.
const ERROR_CHARACTERS: usize = 600;

impl Log {
    pub fn start(level: Level) -> io::Result<Self> {
        let flow = |lines, what| Mutex::new(Flow::new(Instant::now(), lines, what));
        let shared = Shared {
            flow: flow(LINES_PER_SECOND, "lines left out of the log, which takes"),
            throttled: flow(THROTTLED_PER_SECOND, "requests throttled; the log takes"),
            lines: Lines::start(to_stderr)?,
        };
        Ok(Self { level, shared: Arc::new(shared) })
    }

    /// Writes what is left to say, unless nobody reads it.
    pub fn end(&self) {
        let Shared { flow, throttled, lines } = &*self.shared;
        for flow in [flow, throttled] {
            let mut flow = flow.lock().unwrap_or_else(PoisonError::into_inner);
            flow.left_out().into_iter().for_each(|left_out| lines.hand_in(left_out));
        }
        lines.end();
    }

    fn write(&self, flow: &Mutex<Flow>, line: impl FnOnce() -> String) {
        let mut flow = flow.lock().unwrap_or_else(PoisonError::into_inner);
        if flow.permits(Instant::now()) {
            let left_out = flow.left_out();
            drop(flow);
            left_out.into_iter().for_each(|left_out| self.shared.lines.hand_in(left_out));
            self.shared.lines.hand_in(line());
        }
    }
}

impl Observer for Log {
    fn answered(&self, answered: &Answered<'_>) {
        let wanted = match self.level {
            Level::Off => false,
            Level::Refusals => answered.outcome.is_refusal(),
            Level::All => true,
        };
        if wanted {
            let Shared { flow, throttled, .. } = &*self.shared;
            let flow = if answered.outcome == Outcome::Throttled { throttled } else { flow };
            self.write(flow, || line(answered));
        }
    }

    fn trouble(&self, trouble: &Trouble) {
        if self.level != Level::Off {
            self.write(&self.shared.flow, || format!("imds: {trouble}"));
        }
    }
}

fn line(answered: &Answered<'_>) -> String {
    let request = match answered.method {
        "" => "unreadable request".to_owned(),
        method => format!("{} {}", printable(method, METHOD_CHARACTERS), shown_target(answered.target)),
    };
    let peer = answered.peer.map(shown_peer).unwrap_or_default();
    let (status, outcome) = (answered.status, answered.outcome);
    let mut line = format!("imds: {status} {request}{peer}: ");
    let Some(error) = answered.error else {
        line.push_str(&outcome.to_string());
        match outcome {
            Outcome::HostRefused => line.push_str(&how_to_allow(answered.host)),
            Outcome::Ipv6Disabled => line.push_str("; to allow it: --http-protocol-ipv6 enabled"),
            _ => {}
        }
        return line;
    };
    line.push_str(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&printable(&error.to_string(), ERROR_CHARACTERS));
        cause = error.source();
    }
    line
}

fn shown_peer(peer: SocketAddr) -> String {
    format!(" from {peer}")
}

/// The target without its query and without credentials before a host: a
/// client may have put anything there.
fn shown_target(target: &str) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, _)) => (path, "?…"),
        None => (target, ""),
    };
    let path = match path.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        // `CONNECT` asks for an authority alone.
        None if !path.starts_with('/') => path.rsplit('@').next().unwrap_or_default().to_owned(),
        None => path.to_owned(),
    };
    printable(&path, TARGET_CHARACTERS) + query
}

/// Says how to allow the host, if that can be; its name only where it is known
/// and can be pasted into a shell without harm.
fn how_to_allow(host: Option<&str>) -> String {
    let name = host.map(|host| match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host_name(name),
        _ => host_name(host),
    });
    let name = match name {
        Some(Ok(name)) if name != "*" => Some(name),
        // The service refuses what has another form whatever is allowed.
        Some(_) => return "; it is no name that could be allowed".to_owned(),
        None => None,
    };
    let name = name.filter(|name| !name.starts_with('-') && name.len() <= 253);
    format!("; if the name is yours, allow it: --allow-host {}", name.as_deref().unwrap_or("NAME"))
}

/// A text of the client's, without what a terminal would obey, and not too long.
fn printable(text: &str, characters: usize) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == characters {
            shown.push('…');
            break;
        }
        match c {
            ' '..='~' => shown.push(c),
            _ => shown.extend(c.escape_default()),
        }
    }
    shown
}

/// Counts the lines of one second.
struct Flow {
    since: Instant,
    lines: u32,
    lines_max: u32,
    dropped: u64,
    /// What those dropped are.
    what: &'static str,
}

impl Flow {
    fn new(now: Instant, lines_max: u32, what: &'static str) -> Self {
        Self { since: now, lines: 0, lines_max, dropped: 0, what }
    }

    /// The line that stands for those dropped, if any were.
    fn left_out(&mut self) -> Option<String> {
        let dropped = mem::take(&mut self.dropped);
        let Self { what, lines_max, .. } = self;
        (dropped > 0).then(|| format!("imds: {dropped} more {what} {lines_max} a second"))
    }

    /// Whether a line may be written at `now`.
    fn permits(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            self.since = now;
            self.lines = 0;
        }
        let permits = self.lines < self.lines_max;
        if permits {
            self.lines += 1;
        } else {
            self.dropped += 1;
        }
        permits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_credentials_in_targets_are_not_shown() {
        assert_eq!(shown_target("/latest/?token=AQAE"), "/latest/?…");
        assert_eq!(shown_target("http://me:pw@host/latest/"), "http://host/latest/");
        assert_eq!(shown_target("me:pw@host:80"), "host:80");
        assert_eq!(shown_target("/latest/a@b"), "/latest/a@b");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(printable("a\u{1b}[2J\u{202e}", 20), "a\\u{1b}[2J\\u{202e}");
        assert_eq!(printable("abcdef", 3), "abc…");
    }

    #[test]
    fn names_that_can_be_allowed_are_suggested() {
        for (host, name) in [
            (Some("imds.example.com"), "imds.example.com"),
            (Some("imds.example.com.:80"), "imds.example.com"),
            (Some("--keep-alive.example.com"), "NAME"),
            (None, "NAME"),
        ] {
            let advice = how_to_allow(host);
            assert!(advice.ends_with(&format!(": --allow-host {name}")), "{host:?}: {advice}");
        }
        for host in [
            "$(reboot).example.com",
            "user:word@example.com",
            "[::1]example.com",
            "[::1%25lo]:80",
            "example.com:x",
            "a..b",
            "*",
            "",
        ] {
            assert_eq!(how_to_allow(Some(host)), "; it is no name that could be allowed", "{host}");
        }
    }

    #[test]
    fn lines_above_the_rate_are_counted() {
        let start = Instant::now();
        let mut flow = Flow::new(start, LINES_PER_SECOND, "lines");
        for _ in 0..LINES_PER_SECOND {
            assert!(flow.permits(start));
        }
        assert_eq!(flow.left_out(), None);
        assert!(!flow.permits(start));
        assert!(!flow.permits(start));
        assert!(flow.permits(start + Duration::from_secs(1)));
        assert_eq!(flow.left_out().as_deref(), Some("imds: 2 more lines 20 a second"));
    }
}
