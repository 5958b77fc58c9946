// `/v1/requests` and `/v1/usage`: what the instance was asked, and by whom.

use std::time::{Duration, UNIX_EPOCH};

use hyper::StatusCode;
use imds_host::{Control, Instances as _, Journal, JournalEntry, Runtime, SessionVersion, Usage};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::super::process::Clients;
use super::super::report;
use super::instance::time;
use super::reply::{Reply, error, ok, without_nulls};

/// The longest that a client can wait for a request to come: shorter than what
/// proxies and clients give up after.
pub const WAIT_MAX: Duration = Duration::from_secs(30);

const LIMIT: usize = 100;

/// What the journal keeps.
const LIMIT_MAX: usize = 1000;

/// Entries of the journal.
pub async fn get(control: &Control, query: &str) -> Reply {
    match Asked::read(query) {
        Ok(asked) => ok(&asked.answer(control).await),
        Err(wrong) => error(StatusCode::BAD_REQUEST, wrong),
    }
}

/// Who uses which version of the service.
pub fn usage(journal: &Journal, clients: &Clients) -> Reply {
    let usage = journal.usage();
    let sum = |count: fn(&Usage) -> u64| usage.iter().map(count).sum::<u64>();
    let (version_1, rejected) = (sum(|usage| usage.version_1), sum(|usage| usage.version_1_rejected));
    ok(&json!({
        "MetadataNoToken": version_1,
        "MetadataNoTokenRejected": rejected,
        "totals": {
            "version-1": version_1,
            "version-1-rejected": rejected,
            "version-2": sum(|usage| usage.version_2),
            "unknown": sum(|usage| usage.unknown),
        },
        "clients": usage.iter().map(|usage| client(usage, clients)).collect::<Vec<_>>(),
    }))
}

fn client(usage: &Usage, clients: &Clients) -> Value {
    let processes = clients.of(usage);
    without_nulls([
        ("caller", json!(usage.caller)),
        ("user-agent", json!(usage.user_agent)),
        ("rest", if usage.is_rest { json!(true) } else { Value::Null }),
        ("version-1", json!(usage.version_1)),
        ("version-1-rejected", json!(usage.version_1_rejected)),
        ("version-2", json!(usage.version_2)),
        ("unknown", json!(usage.unknown)),
        ("version-1-target", json!(usage.version_1_target)),
        ("processes", if processes.is_empty() { Value::Null } else { report::processes(&processes) }),
    ])
}

/// What a client wants to know.
#[derive(Debug, PartialEq)]
struct Asked {
    /// Entries above this number, the oldest first; without it the last ones.
    after: Option<u64>,
    limit: usize,
    wait: Duration,
    refusals: bool,
}

impl Asked {
    fn read(query: &str) -> Result<Self, String> {
        let mut asked = Self { after: None, limit: LIMIT, wait: Duration::ZERO, refusals: false };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let number = |range: std::ops::RangeInclusive<u64>| {
                let number = value.parse().ok().filter(|number| range.contains(number));
                number
                    .ok_or_else(|| format!("{name}: expected a whole number from {} to {}", range.start(), range.end()))
            };
            match name {
                "after" => asked.after = Some(number(0..=u64::MAX)?),
                "limit" => asked.limit = usize::try_from(number(1..=LIMIT_MAX as u64)?).unwrap_or(LIMIT_MAX),
                "wait" => asked.wait = Duration::from_secs(number(0..=WAIT_MAX.as_secs())?),
                "refusals" => {
                    asked.refusals = value.parse().map_err(|_| "refusals: expected true or false".to_owned())?;
                }
                _ => {
                    return Err(format!(
                        "no parameter has this name: {name:.60}; expected after, limit, wait, refusals"
                    ));
                }
            }
        }
        Ok(asked)
    }

    async fn answer(&self, control: &Control) -> Value {
        let journal = control.journal();
        let deadline = Instant::now() + self.wait;
        loop {
            // Of an earlier process: all that there is, is newer.
            let after = self.after.filter(|after| *after <= journal.last());
            let (entries, last) = self.find(journal, after);
            let is_over = || Instant::now() >= deadline;
            if !entries.is_empty() || is_over() || timeout_at(deadline, journal.wait(last)).await.is_err() {
                return json!({ "last": last, "requests": entries.iter().map(|it| entry(it, control.runtime())).collect::<Vec<_>>() });
            }
        }
    }

    /// The entries, and the number behind which to go on.
    fn find(&self, journal: &Journal, after: Option<u64>) -> (Vec<JournalEntry>, u64) {
        let limit = self.limit as u64;
        match (after, self.refusals) {
            (Some(after), true) => self.find_refusals(journal, after),
            (None, true) => {
                // Of what comes between these two, all refusals are found.
                let last = journal.last();
                let refusals = journal.refusals(self.limit);
                let last = refusals.last().map_or(last, |entry| entry.number.max(last));
                (refusals, last)
            }
            (after, false) => {
                let after = after.unwrap_or_else(|| journal.last().saturating_sub(limit));
                let entries = journal.entries(after, self.limit);
                let last = entries.last().map_or(after, |entry| entry.number);
                (entries, last)
            }
        }
    }

    /// Those above a number; not all that is kept is copied for it at once.
    fn find_refusals(&self, journal: &Journal, after: u64) -> (Vec<JournalEntry>, u64) {
        let (mut refusals, mut last) = (Vec::new(), after);
        loop {
            let entries = journal.entries(last, LIMIT);
            if entries.is_empty() {
                return (refusals, last);
            }
            for entry in entries {
                last = entry.number;
                if entry.is_refusal() {
                    refusals.push(entry);
                    if refusals.len() == self.limit {
                        return (refusals, last);
                    }
                }
            }
        }
    }
}

fn entry(entry: &JournalEntry, runtime: &Runtime) -> Value {
    let explanation = runtime.explain(entry.outcome);
    let version = entry.version.map(|version| match version {
        SessionVersion::One => 1,
        SessionVersion::Two => 2,
    });
    // Of a head that could not be read, nothing is known.
    let is_readable = !entry.method.is_empty();
    without_nulls([
        ("number", json!(entry.number)),
        ("time", json!(time(UNIX_EPOCH + Duration::from_millis(entry.time_ms)))),
        ("method", json!(is_readable.then_some(&entry.method))),
        ("target", json!(is_readable.then_some(&entry.target))),
        ("version", json!(version)),
        ("status", json!(entry.is_sent().then_some(entry.status))),
        ("outcome", json!(entry.outcome.name())),
        ("fault", json!(entry.fault)),
        ("reason", json!(explanation.reason)),
        ("rule", json!(entry.is_refusal().then(|| entry.rule(explanation)))),
        ("user-agent", json!(entry.user_agent)),
        ("caller", json!(entry.caller)),
        ("duration-us", json!(entry.duration.as_nanos() as f64 / 1000.0)),
    ])
}

#[cfg(test)]
mod tests {
    use imds_host::Request;

    use super::*;

    fn control() -> Control {
        let runtime = Runtime::new().unwrap();
        let description = imds_host::Description::default();
        Control::open(&runtime, &description).unwrap()
    }

    fn numbers(control: &Control, query: &str) -> (Vec<u64>, u64) {
        let asked = Asked::read(query).unwrap();
        let (entries, last) = asked.find(control.journal(), asked.after);
        (entries.iter().map(|entry| entry.number).collect(), last)
    }

    #[test]
    fn who_goes_on_behind_the_last_misses_none() {
        let control = control();
        for method in ["GET", "DELETE", "GET", "DELETE", "GET"] {
            control.answer(&Request { method: method.into(), ..Request::get("/") });
        }
        for (query, wanted) in [
            ("", (vec![1, 2, 3, 4, 5], 5)),
            ("limit=2", (vec![4, 5], 5)),
            ("after=0&limit=2", (vec![1, 2], 2)),
            ("after=2&limit=2", (vec![3, 4], 4)),
            ("after=5", (vec![], 5)),
            ("refusals=true", (vec![2, 4], 5)),
            ("refusals=true&limit=1", (vec![4], 5)),
            ("after=0&refusals=true&limit=1", (vec![2], 2)),
            ("after=4&refusals=true", (vec![], 5)),
        ] {
            assert_eq!(numbers(&control, query), wanted, "{query}");
        }
    }

    #[test]
    fn wrong_parameters_are_told() {
        for query in ["x=1", "after=", "after=-1", "limit=0", "limit=1001", "wait=31", "wait=1s", "refusals=1"] {
            assert!(Asked::read(query).unwrap_err().contains("expected"), "{query}");
        }
    }

    #[tokio::test]
    async fn who_waits_gets_what_comes() {
        let control = control();
        let asked = Asked::read("after=0&wait=30&refusals=true").unwrap();
        let ask = async {
            control.answer(&Request::get("/"));
            control.answer(&Request { method: "DELETE".into(), ..Request::get("/") });
        };
        let (answer, ()) = tokio::join!(asked.answer(&control), ask);
        assert_eq!((&answer["last"], &answer["requests"][0]["number"]), (&json!(2), &json!(2)));
        // One of a process that is gone.
        let asked = Asked::read("after=99&limit=1").unwrap();
        assert_eq!(asked.answer(&control).await["last"], 2);
    }
}
