// `imds run --require-v2`: who asked without a token, and what that makes of the
// command's status.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imds_host::{Answered, Observer, Outcome, SessionVersion, shown};

use super::environment::other_credentials;

/// Counts the requests of a command by version. Clones count together.
#[derive(Clone, Default)]
pub struct RequireV2 {
    // Locked to count one request.
    asked: Arc<Mutex<Asked>>,
}

#[derive(Default)]
struct Asked {
    version_1: HashMap<Request, Times>,
    /// Those for which there was no room above.
    version_1_rest: u64,
    version_2: u64,
    unknown: u64,
}

/// Method and target, and the user agent.
type Request = (String, Option<String>);

#[derive(Clone, Copy, Default)]
struct Times {
    answered: u64,
    rejected: u64,
}

/// So many different requests are told apart; a command that makes up targets
/// must not fill the memory.
const REQUESTS_MAX: usize = 1000;

/// Who has read so many knows enough.
const LINES_MAX: usize = 20;

impl RequireV2 {
    /// What to print once the command has ended with a status, and the status to
    /// end with. Only a command that used version 2, and it alone, passes.
    pub fn verdict(&self, status: u8, is_link_local: bool) -> (String, u8) {
        let asked = self.asked();
        let version_1 = asked.version_1.values().map(|times| times.all()).sum::<u64>() + asked.version_1_rest;
        let mut lines = match (version_1, asked.version_2) {
            (0, 0) => asked.nothing_shown(is_link_local, other_credentials()),
            (0, _) => return (asked.praise(), status),
            (version_1, _) => asked.summary(version_1),
        };
        lines.push(match status {
            0 => "imds: the command ended with 0; for --require-v2 this is 1".to_owned(),
            _ => format!("imds: the command failed too, and its status is kept: {status}"),
        });
        (lines.join("\n"), status.max(1))
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        // Nothing panics while it is locked.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the answer is a refusal. That there is nothing at a path is none.
fn is_refused(status: u16) -> bool {
    status >= 400 && status != 404
}

impl Observer for RequireV2 {
    fn answered(&self, answered: &Answered<'_>) {
        let request = || {
            let line = format!("{} {}", shown::method(answered.head.method()), shown::target(answered.head.target()));
            (line, answered.head.user_agent().map(shown::user_agent))
        };
        match answered.version {
            Some(SessionVersion::One) => {
                let request = request();
                self.asked().count_version_1(request, answered.outcome == Outcome::TokenMissing);
            }
            // One that was refused shows a command that fails where tokens are required.
            Some(SessionVersion::Two) if is_refused(answered.status) => self.asked().unknown += 1,
            Some(SessionVersion::Two) => self.asked().version_2 += 1,
            None => self.asked().unknown += 1,
        }
    }
}

impl Asked {
    fn count_version_1(&mut self, request: Request, is_rejected: bool) {
        if self.version_1.len() >= REQUESTS_MAX && !self.version_1.contains_key(&request) {
            self.version_1_rest += 1;
            return;
        }
        let times = self.version_1.entry(request).or_default();
        *if is_rejected { &mut times.rejected } else { &mut times.answered } += 1;
    }

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
        let nothing = "imds: the command asked the service for nothing, so --require-v2 cannot tell its version";
        vec![nothing.to_owned(), elsewhere, unreached.to_owned()]
    }

    fn summary(&self, version_1: u64) -> Vec<String> {
        let without_token = requests(version_1);
        let mut lines = vec![format!("imds: {without_token} used version 1, {} used version 2:", self.version_2)];
        let mut sorted: Vec<_> = self.version_1.iter().collect();
        sorted.sort_by(|(a, a_times), (b, b_times)| b_times.all().cmp(&a_times.all()).then_with(|| a.cmp(b)));
        let mut left = version_1;
        for ((line, agent), times) in sorted.into_iter().take(LINES_MAX) {
            left -= times.all();
            let agent = agent.as_deref().map_or("no user agent".to_owned(), |agent| format!("by {agent}"));
            lines.push(format!("imds:   {line} ({}), {agent}", times.words()));
        }
        if left > 0 {
            lines.push(format!("imds:   and {left} more"));
        }
        lines
    }
}

impl Times {
    fn all(self) -> u64 {
        self.answered + self.rejected
    }

    fn words(self) -> String {
        match self {
            Self { answered, rejected: 0 } => format!("{answered} answered"),
            Self { answered: 0, rejected } => format!("{rejected} rejected"),
            Self { answered, rejected } => format!("{answered} answered, {rejected} rejected"),
        }
    }
}

fn requests(count: u64) -> String {
    format!("{count} request{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(version_1: impl Iterator<Item = (&'static str, usize)>, version_2: u64, unknown: u64) -> RequireV2 {
        let mut asked = Asked { version_2, unknown, ..Asked::default() };
        for (target, number) in version_1 {
            asked.count_version_1((format!("GET {target}{number:04}"), None), false);
        }
        RequireV2 { asked: Arc::new(Mutex::new(asked)) }
    }

    #[test]
    fn version_2_alone_leaves_the_status_and_says_what_was_seen() {
        for (version_2, unknown, wanted) in [
            (3, 0, "imds: all 3 requests used version 2"),
            (1, 2, "imds: all 1 request used version 2; 2 requests besides were refused, or do not show a version"),
        ] {
            for status in [0, 1, 42] {
                let asked = asked(std::iter::empty(), version_2, unknown);
                assert_eq!(asked.verdict(status, false), (wanted.to_owned(), status));
            }
        }
    }

    #[test]
    fn what_was_never_seen_does_not_pass() {
        for (unknown, wanted) in [
            (0, "imds: the command asked the service for nothing, so --require-v2 cannot tell its version\n"),
            (
                2,
                "imds: none of 2 requests was answered as one of version 2, so nothing shows that the command can use it\n",
            ),
        ] {
            for (status, kept) in [(0, 1), (1, 1), (42, 42)] {
                let (text, ended) = asked(std::iter::empty(), 0, unknown).verdict(status, false);
                assert!(text.starts_with(wanted), "{text}");
                assert_eq!(ended, kept);
            }
        }
        let why = |is_link_local, other: Option<&str>| {
            Asked::default().nothing_shown(is_link_local, other.map(str::to_owned)).join("\n")
        };
        assert!(why(false, None).contains("to serve it there: imds run --link-local --require-v2 -- COMMAND"));
        assert!(!why(true, None).contains("--link-local"));
        assert!(why(true, Some("AWS_PROFILE is set")).contains("from elsewhere: AWS_PROFILE is set"));
    }

    #[test]
    fn a_crowd_of_targets_is_counted_and_its_most_frequent_are_listed() {
        let targets = (0..2000).map(|number| ("/", number));
        let more = [("/", 7), ("/", 7), ("/", 3)].into_iter();
        let (text, status) = asked(targets.chain(more), 1, 0).verdict(0, false);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), status), (1 + LINES_MAX + 2, 1));
        assert_eq!(lines[0], "imds: 2003 requests used version 1, 1 used version 2:");
        assert_eq!(lines[1], "imds:   GET /0007 (3 answered), no user agent");
        assert_eq!(lines[2], "imds:   GET /0003 (2 answered), no user agent");
        assert_eq!(lines[LINES_MAX + 1], "imds:   and 1980 more");
    }
}
