// What is answered about requests.

use std::time::{Duration, UNIX_EPOCH};

use imds_host::{JournalEntry, Runtime, SessionVersion, Usage};
use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::cli::process::Process;

#[derive(Serialize, ToSchema)]
pub struct Requests {
    /// What to give as `after` to go on.
    pub last: u64,
    pub requests: Vec<Asked>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Request)]
pub struct Asked {
    /// From 1; none comes twice.
    #[schema(minimum = 1)]
    number: u64,
    /// When it was answered, by the service's clock. RFC 3339, to the millisecond.
    #[schema(format = DateTime)]
    time: String,
    /// Missing where the head could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    method: Option<String>,
    /// Likewise; without query, tokens and keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    target: Option<String>,
    /// 1 or 2. Missing where the request was refused before that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 2)]
    version: Option<u8>,
    /// The HTTP status. Missing where nothing was sent: a fault closed or withheld, or the instance does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<u16>,
    /// Why the answer is what it is, for programs.
    outcome: &'static str,
    /// The kind of the fault of the description that affected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^(refuse|delay|close|cut|withhold)$")]
    fault: Option<&'static str>,
    /// The same in a few words.
    reason: String,
    /// Of a refusal, and where a fault affected it: the rule, and what to do; both rules where a fault spoiled a
    /// refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rule: Option<String>,
    /// What the client calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_agent: Option<String>,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    caller: Option<String>,
    /// Microseconds to find the answer.
    duration_us: f64,
}

impl Asked {
    pub fn of(entry: &JournalEntry, runtime: &Runtime) -> Self {
        let explanation = runtime.explain(entry.outcome);
        // Of a head that could not be read, nothing is known.
        let is_readable = !entry.method.is_empty();
        Self {
            number: entry.number,
            time: time(UNIX_EPOCH + Duration::from_millis(entry.time_ms)),
            method: is_readable.then(|| entry.method.clone()),
            target: is_readable.then(|| entry.target.clone()),
            version: entry.version.map(|version| match version {
                SessionVersion::One => 1,
                SessionVersion::Two => 2,
            }),
            status: entry.is_sent().then_some(entry.status),
            outcome: entry.outcome.name(),
            fault: entry.fault,
            reason: explanation.reason.clone(),
            rule: entry.is_refusal().then(|| entry.rule(explanation).to_string()),
            user_agent: entry.user_agent.clone(),
            caller: entry.caller.map(|caller| caller.to_string()),
            duration_us: entry.duration.as_nanos() as f64 / 1000.0,
        }
    }
}

/// Who uses which version of the service.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
pub struct Used {
    /// Requests without a token that were answered, as EC2 counts them.
    #[serde(rename = "MetadataNoToken")]
    no_token: u64,
    /// Requests without a token that were refused, since tokens are required.
    #[serde(rename = "MetadataNoTokenRejected")]
    no_token_rejected: u64,
    totals: Counts,
    /// Those with most requests of version 1 first.
    clients: Vec<Client>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Answered without a token.
    version_1: u64,
    /// Refused without a token.
    version_1_rejected: u64,
    /// With a token or for one.
    version_2: u64,
    /// Refused before that was looked at.
    unknown: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Client {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    caller: Option<String>,
    /// What it calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_agent: Option<String>,
    /// Whether this is the sum of all for which there was no room.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    rest: bool,
    /// Answered without a token.
    version_1: u64,
    /// Refused without a token.
    version_1_rejected: u64,
    /// With a token or for one.
    version_2: u64,
    /// Refused before that was looked at.
    unknown: u64,
    /// The target that was last asked for without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    version_1_target: Option<String>,
    /// Processes on this machine that asked without a token, at most eight, where the system tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    processes: Vec<Process>,
}

impl Used {
    pub fn of(usage: &[Usage], processes: impl Fn(&Usage) -> Vec<Process>) -> Self {
        let sum = |count: fn(&Usage) -> u64| usage.iter().map(count).sum::<u64>();
        let totals = Counts {
            version_1: sum(|usage| usage.version_1),
            version_1_rejected: sum(|usage| usage.version_1_rejected),
            version_2: sum(|usage| usage.version_2),
            unknown: sum(|usage| usage.unknown),
        };
        let client = |usage: &Usage| Client {
            caller: usage.caller.map(|caller| caller.to_string()),
            user_agent: usage.user_agent.clone(),
            rest: usage.is_rest,
            version_1: usage.version_1,
            version_1_rejected: usage.version_1_rejected,
            version_2: usage.version_2,
            unknown: usage.unknown,
            version_1_target: usage.version_1_target.clone(),
            processes: processes(usage),
        };
        Self {
            no_token: totals.version_1,
            no_token_rejected: totals.version_1_rejected,
            totals,
            clients: usage.iter().map(client).collect(),
        }
    }
}
