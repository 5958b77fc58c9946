// `imds run --require-v2`: what the requests without a token make of the command's
// status.

use super::asked::{Counts, Request, Times};
use super::environment::other_credentials;
use super::process::Process;

/// More lines tell a reader nothing new.
const LINES_MAX: usize = 20;

/// What `--require-v2` says of a command.
pub struct Verdict {
    /// Whether it used version 2, and it alone.
    pub passed: bool,
    /// To print, without what becomes of the status.
    lines: Vec<String>,
    /// The status of the command, and that to end with.
    status: u8,
}

impl Verdict {
    /// Judges a command that has ended with a status.
    pub fn of(counts: &Counts, status: u8, is_link_local: bool) -> Self {
        let version_1 = counts.version_1();
        let (passed, lines) = match (version_1, counts.version_2) {
            (0, 0) => (false, counts.nothing_shown(is_link_local, other_credentials())),
            (0, _) => (true, vec![counts.praise()]),
            (version_1, _) => (false, counts.summary(version_1)),
        };
        Self { passed, lines, status }
    }

    /// The status to end with.
    pub fn status(&self) -> u8 {
        if self.passed { self.status } else { self.status.max(1) }
    }

    /// Why it is what it is.
    pub fn why(&self) -> String {
        self.lines.join("\n")
    }

    /// What to print at the end.
    pub fn words(&self) -> String {
        match (self.passed, self.status) {
            (true, _) => self.why(),
            (false, 0) => format!("{}\nimds: the command ended with 0; for --require-v2 this is 1", self.why()),
            (false, status) => {
                format!("{}\nimds: the command failed too, and its status is kept: {status}", self.why())
            }
        }
    }
}

impl Counts {
    /// What there is to say where all that told its version used version 2.
    fn praise(&self) -> String {
        let all = format!("imds: all {} used version 2", requests(self.version_2));
        match self.unknown {
            0 => all,
            unknown => format!("{all}; {} besides were refused, or do not show a version", requests(unknown)),
        }
    }

    /// Why there is nothing to judge, as far as one can tell, and what to do.
    fn nothing_shown(&self, is_link_local: bool, other_credentials: Option<String>) -> Vec<String> {
        if self.unknown > 0 {
            let unknown = requests(self.unknown);
            return vec![format!(
                "imds: none of {unknown} was answered as one of version 2, so nothing shows that the command can use it"
            )];
        }
        let elsewhere = match other_credentials {
            Some(source) => format!("imds:   it may have taken its credentials from elsewhere: {source}"),
            None => "imds:   it may have its credentials from elsewhere: a file of its own, or a cache".to_owned(),
        };
        let unreached = if is_link_local {
            "imds:   it may have ended before it asked, for example because it has no other network here"
        } else {
            "imds:   it may always ask 169.254.169.254, whatever AWS_EC2_METADATA_SERVICE_ENDPOINT says; to serve it \
             there: imds run --link-local --require-v2 -- COMMAND"
        };
        let nothing = "imds: the command made no request, so --require-v2 cannot tell which version it uses";
        vec![nothing.to_owned(), elsewhere, unreached.to_owned()]
    }

    fn summary(&self, version_1: u64) -> Vec<String> {
        let without_token = requests(version_1);
        let mut lines = vec![format!("imds: {without_token} used version 1, {} used version 2:", self.version_2)];
        let mut left = version_1;
        let of_version_1 = self.sorted().into_iter().filter(|(request, _)| request.version == Some(1));
        for (request, times) in of_version_1.take(LINES_MAX) {
            left -= times.all;
            lines.push(format!("imds:   {}", line(request, times)));
        }
        if left > 0 {
            lines.push(format!("imds:   and {left} more"));
        }
        lines
    }
}

/// A line for requests that are alike.
fn line(Request { method, target, user_agent, .. }: &Request, times: &Times) -> String {
    let agent = user_agent.as_deref().map_or("no user agent".to_owned(), |agent| format!("by {agent}"));
    format!("{method} {target} ({}), {agent}{}", times.words(), processes(&times.processes))
}

/// So many are named in a line.
const PROCESSES_MAX: usize = 3;

fn processes(all: &[Process]) -> String {
    let named: String = all.iter().take(PROCESSES_MAX).map(|process| format!(", {process}")).collect();
    named + if all.len() > PROCESSES_MAX { " and others" } else { "" }
}

impl Times {
    fn words(&self) -> String {
        match (self.all - self.rejected, self.rejected) {
            (answered, 0) => format!("{answered} answered"),
            (0, rejected) => format!("{rejected} rejected"),
            (answered, rejected) => format!("{answered} answered, {rejected} rejected"),
        }
    }
}

fn requests(count: u64) -> String {
    format!("{count} request{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, version: Option<u8>) -> Request {
        Request { method: "GET".to_owned(), target: target.to_owned(), user_agent: None, version }
    }

    fn counts(version_1: impl Iterator<Item = usize>, version_2: u64, unknown: u64) -> Counts {
        let mut counts = Counts::default();
        let once = || Times { all: 1, ..Times::default() };
        (0..version_2).for_each(|_| counts.add(request("/", Some(2)), once()));
        (0..unknown).for_each(|_| counts.add(request("/", None), once()));
        version_1.for_each(|number| counts.add(request(&format!("/{number:04}"), Some(1)), once()));
        counts
    }

    fn verdict(counts: &Counts, status: u8) -> (String, u8) {
        let verdict = Verdict::of(counts, status, false);
        (verdict.words(), verdict.status())
    }

    #[test]
    fn version_2_alone_leaves_the_status_and_says_what_was_seen() {
        for (version_2, unknown, wanted) in [
            (3, 0, "imds: all 3 requests used version 2"),
            (1, 2, "imds: all 1 request used version 2; 2 requests besides were refused, or do not show a version"),
        ] {
            for status in [0, 1, 42] {
                let counts = counts(std::iter::empty(), version_2, unknown);
                assert_eq!(verdict(&counts, status), (wanted.to_owned(), status));
            }
        }
    }

    #[test]
    fn what_was_never_seen_does_not_pass() {
        for (unknown, wanted) in [
            (0, "imds: the command made no request, so --require-v2 cannot tell which version it uses\n"),
            (
                2,
                "imds: none of 2 requests was answered as one of version 2, so nothing shows that the command can use it\n",
            ),
        ] {
            for (status, kept) in [(0, 1), (1, 1), (42, 42)] {
                let (text, ended) = verdict(&counts(std::iter::empty(), 0, unknown), status);
                assert!(text.starts_with(wanted), "{text}");
                assert_eq!(ended, kept);
            }
        }
        let why = |is_link_local, other: Option<&str>| {
            Counts::default().nothing_shown(is_link_local, other.map(str::to_owned)).join("\n")
        };
        assert!(why(false, None).contains("to serve it there: imds run --link-local --require-v2 -- COMMAND"));
        assert!(!why(true, None).contains("--link-local"));
        assert!(why(true, Some("AWS_PROFILE is set")).contains("from elsewhere: AWS_PROFILE is set"));
    }

    #[test]
    fn version_2_that_is_refused_shows_nothing() {
        let mut counts = Counts::default();
        counts.add(request("/", Some(2)), Times { all: 1, refused: 1, ..Times::default() });
        assert_eq!((counts.version_2, counts.unknown), (0, 1));
        assert!(!Verdict::of(&counts, 0, false).passed);
    }

    #[test]
    fn a_crowd_of_targets_is_counted_and_its_most_frequent_are_listed() {
        let (text, status) = verdict(&counts((0..2000).chain([7, 7, 3]), 1, 0), 0);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), status), (1 + LINES_MAX + 2, 1));
        assert_eq!(lines[0], "imds: 2003 requests used version 1, 1 used version 2:");
        assert_eq!(lines[1], "imds:   GET /0007 (3 answered), no user agent");
        assert_eq!(lines[2], "imds:   GET /0003 (2 answered), no user agent");
        assert_eq!(lines[LINES_MAX + 1], "imds:   and 1980 more");
    }

    #[test]
    fn the_first_processes_are_named() {
        let all: Vec<_> = (1..=4).map(|pid| Process { pid, command: "curl".to_owned() }).collect();
        assert_eq!(processes(&all[..0]), "");
        assert_eq!(processes(&all[..1]), ", pid 1 (curl)");
        assert_eq!(processes(&all), ", pid 1 (curl), pid 2 (curl), pid 3 (curl) and others");
    }
}
