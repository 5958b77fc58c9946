// `/v1/requests` and `/v1/usage`, and those of one of many: what an instance was
// asked, and by whom.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use hyper::StatusCode;
use imds_host::{Control, Instances as _, Journal, JournalEntry};
use tokio::time::{Instant, timeout_at};

use super::super::process::Clients;
use super::body::Name;
use super::document::{Key, NoInstance, Refused, Slow, WrongRequest};
use super::reply::{Refusal, Reply, error, ok};
use super::routes::Shared;
use super::shapes::{self, Requests, Used};

/// The longest that a client can wait for a request to come: shorter than what
/// proxies and clients give up after.
pub const WAIT_MAX: Duration = Duration::from_secs(30);

const LIMIT: usize = 100;

/// What the journal keeps.
const LIMIT_MAX: usize = 1000;

/// What was asked lately
#[utoipa::path(get, path = "/v1/requests",
    params(
        ("after" = Option<u64>, Query, nullable = false, description = "Entries above this number, the oldest first. Without it, the last ones."),
        ("limit" = Option<u64>, Query, nullable = false, minimum = 1, maximum = 1000, description = "So many entries at most; 100 without it."),
        ("wait" = Option<u64>, Query, nullable = false, maximum = 30, description = "So many seconds to wait where there is none yet."),
        ("refusals" = Option<bool>, Query, nullable = false, description = "Only requests that were refused or that a fault affected."),
    ),
    responses(
        (status = 200, body = Requests, description = "Entries of the journal, which keeps 1000."),
        Refused, WrongRequest, NoInstance,
    ))]
pub async fn get_requests(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Result<Reply, Refusal> {
    get(&shared.operated.operands.only()?, query).await
}

/// Who still uses version 1
#[utoipa::path(get, path = "/v1/usage", responses(
    (status = 200, body = Used, description = "Since the start."),
    Refused, NoInstance,
))]
pub async fn get_usage(State(shared): State<Shared>) -> Result<Reply, Refusal> {
    Ok(usage(shared.operated.operands.only()?.journal(), &shared.operated.clients))
}

/// What one of the instances was asked lately
#[utoipa::path(get, path = "/v1/instances/{key}/requests",
    params(
        Key,
        ("after" = Option<u64>, Query, nullable = false, description = "Entries above this number, the oldest first. Without it, the last ones."),
        ("limit" = Option<u64>, Query, nullable = false, minimum = 1, maximum = 1000, description = "So many entries at most; 100 without it."),
        ("wait" = Option<u64>, Query, nullable = false, maximum = 30, description = "So many seconds to wait where there is none yet."),
        ("refusals" = Option<bool>, Query, nullable = false, description = "Only requests that were refused or that a fault affected."),
    ),
    responses(
        (status = 200, body = Requests, description = "Entries of its journal, which keeps 100."),
        Refused, WrongRequest, NoInstance, Slow,
    ))]
pub async fn get_requests_of_one(
    State(shared): State<Shared>,
    Name(name): Name,
    RawQuery(query): RawQuery,
) -> Result<Reply, Refusal> {
    get(&shared.named(name).await?, query).await
}

/// Who still uses version 1 with one of the instances
#[utoipa::path(get, path = "/v1/instances/{key}/usage", params(Key), responses(
    (status = 200, body = Used, description = "Since it was opened."),
    Refused, WrongRequest, NoInstance, Slow,
))]
pub async fn get_usage_of_one(State(shared): State<Shared>, Name(name): Name) -> Result<Reply, Refusal> {
    Ok(usage(shared.named(name).await?.journal(), &shared.operated.clients))
}

/// Entries of the journal.
async fn get(control: &Control, query: Option<String>) -> Result<Reply, Refusal> {
    let asked = Asked::read(query.as_deref().unwrap_or_default());
    let asked = asked.map_err(|wrong| error(StatusCode::BAD_REQUEST, wrong))?;
    Ok(ok(&asked.answer(control).await))
}

/// Who uses which version of the service, and by which processes.
fn usage(journal: &Journal, clients: &Clients) -> Reply {
    ok(&Used::of(&journal.usage(), |usage| clients.of(usage)))
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

    async fn answer(&self, control: &Control) -> Requests {
        let journal = control.journal();
        let deadline = Instant::now() + self.wait;
        loop {
            // Of an earlier process: all that there is, is newer.
            let after = self.after.filter(|after| *after <= journal.last());
            let (entries, last) = self.find(journal, after);
            let is_over = || Instant::now() >= deadline;
            if !entries.is_empty() || is_over() || timeout_at(deadline, journal.wait(last)).await.is_err() {
                let requests = entries.iter().map(|it| shapes::Asked::of(it, control.runtime())).collect();
                return Requests { last, requests };
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

#[cfg(test)]
mod tests {
    use imds_host::{Request, Runtime};
    use serde_json::json;

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
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!((&answer["last"], &answer["requests"][0]["number"]), (&json!(2), &json!(2)));
        // One of a process that is gone.
        let asked = Asked::read("after=99&limit=1").unwrap();
        assert_eq!(asked.answer(&control).await.last, 2);
    }
}
