// What is answered. The document that describes the listener is made of these types.

mod credentials;
mod item;
mod requests;

use std::time::SystemTime;

use imds_host::{ClockState, Happening, Problem, Problems, Snapshot};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use self::credentials::Credentials;
pub use self::item::Item;
pub use self::requests::{Asked, Requests, Used};
use crate::cli::problems::Found;

/// As all times are told here: RFC 3339 to the millisecond.
pub fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Error {
    /// What is wrong and what to do.
    pub error: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Paths {
    pub paths: Vec<String>,
    /// Where this document is.
    pub described_by: &'static str,
}

#[derive(Serialize, ToSchema)]
pub struct Health {
    #[schema(pattern = "^(ok)$")]
    pub status: &'static str,
}

/// What an instance is, all of one moment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Instance {
    /// How often the description was opened.
    #[schema(minimum = 1)]
    revision: u64,
    /// Whether it runs.
    #[schema(pattern = "^(running|stopped|terminated)$")]
    state: String,
    /// How it was bought.
    #[schema(pattern = "^(on-demand|spot|scheduled|capacity-block)$")]
    instance_lifecycle: String,
    clock: Clock,
    metadata_options: MetadataOptions,
    /// The identity document.
    #[schema(value_type = Object)]
    identity: Value,
    timeline: Timeline,
    /// Where the credentials of the role come from, if they are real; missing where they are made up or described.
    /// No secret is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credentials: Option<Credentials>,
    /// The faults of the description.
    #[schema(value_type = Vec<Object>)]
    faults: Value,
    /// What was described and edited, as of now. What may be a secret stands as (hidden).
    #[schema(value_type = Object)]
    description: Value,
}

/// By EC2's names.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MetadataOptions {
    #[schema(pattern = "^(enabled|disabled)$")]
    http_endpoint: String,
    #[schema(pattern = "^(enabled|disabled)$")]
    http_protocol_ipv6: String,
    #[schema(minimum = 1, maximum = 64)]
    http_put_response_hop_limit: u8,
    #[schema(pattern = "^(optional|required)$")]
    http_tokens: String,
    #[schema(pattern = "^(enabled|disabled)$")]
    instance_metadata_tags: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Timeline {
    past: Vec<Happened>,
    to_come: Vec<Happened>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Happening)]
pub struct Happened {
    /// When. RFC 3339, to the millisecond.
    #[schema(format = DateTime)]
    at: String,
    /// What, in a few words.
    what: String,
}

impl Happened {
    fn of(happening: &Happening) -> Self {
        Self { at: time(happening.at()), what: happening.what.clone() }
    }
}

impl Instance {
    /// What a control tells, without its secrets.
    pub fn of(snapshot: &Snapshot) -> anyhow::Result<Self> {
        let description: Value = serde_json::from_str(&snapshot.description.to_json_without_secrets())?;
        let (past, to_come): (Vec<_>, Vec<_>) =
            snapshot.timeline.iter().partition(|happening| happening.at() <= snapshot.clock.now);
        let options = &snapshot.metadata_options;
        Ok(Self {
            revision: snapshot.revision,
            state: snapshot.state.clone(),
            instance_lifecycle: snapshot.lifecycle.clone(),
            clock: Clock::of(&snapshot.clock),
            metadata_options: MetadataOptions {
                http_endpoint: options.http_endpoint.clone(),
                http_protocol_ipv6: options.http_protocol_ipv6.clone(),
                http_put_response_hop_limit: options.http_put_response_hop_limit,
                http_tokens: options.http_tokens.clone(),
                instance_metadata_tags: options.instance_metadata_tags.clone(),
            },
            identity: serde_json::from_str(&snapshot.identity_document)?,
            timeline: Timeline {
                past: past.into_iter().map(Happened::of).collect(),
                to_come: to_come.into_iter().map(Happened::of).collect(),
            },
            credentials: snapshot.credentials.as_ref().map(Credentials::of),
            faults: description.get("faults").cloned().unwrap_or_else(|| Value::Array(Vec::new())),
            description,
        })
    }
}

/// A page of the instances that there are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Page {
    /// How many there are.
    pub all: usize,
    /// Whether each caller has one, so that others can be added and removed.
    pub many: bool,
    /// In the order of their keys.
    pub instances: Vec<Listed>,
    /// What to give as `after` to go on, where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Listed {
    /// What `--caller` makes of a request; of the one instance of all callers, its id.
    pub key: String,
    /// How often the description was opened.
    #[schema(minimum = 1)]
    pub revision: u64,
    /// Of the description as of now.
    pub bytes: usize,
    pub instance_id: String,
    pub instance_type: String,
    /// Whether it runs.
    #[schema(pattern = "^(running|stopped|terminated)$")]
    pub state: String,
}

impl Listed {
    pub fn of(key: String, snapshot: &Snapshot) -> anyhow::Result<Self> {
        let identity: Value = serde_json::from_str(&snapshot.identity_document)?;
        Ok(Self {
            key,
            revision: snapshot.revision,
            bytes: snapshot.description.to_json().len(),
            instance_id: snapshot.instance_id.clone(),
            instance_type: identity["instanceType"].as_str().unwrap_or_default().to_owned(),
            state: snapshot.state.clone(),
        })
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Removed {
    /// The key whose instance it was.
    pub removed: String,
    /// The revision that it had.
    #[schema(minimum = 1)]
    pub revision: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Revision {
    /// The number of the description that is served: 1 at first, one more with each change. Missing where many
    /// instances were read again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    pub revision: Option<u64>,
    /// Of a reload: what was read, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub done: Option<String>,
    /// What the instance is described as since this change and was not before, and that cannot be real.
    /// docs/warnings.md lists all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub warnings: Vec<Warned>,
}

impl Revision {
    pub fn new(revision: u64, warnings: &imds_host::Warnings) -> Self {
        let warnings = warnings.list.iter().map(Warned::of).collect();
        Self { revision: Some(revision), done: None, warnings }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Warning)]
pub struct Warned {
    /// The name of the rule, by which allow-warnings silences it.
    name: String,
    /// The field, as a JSON Pointer into the description.
    field: String,
    /// What is said that cannot be real.
    message: String,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    help: Option<String>,
}

impl Warned {
    fn of(imds_host::Warning { name, problem }: &imds_host::Warning) -> Self {
        let Problem { field, message, help, .. } = problem;
        Self { name: name.clone(), field: field.clone(), message: message.clone(), help: help.clone() }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Conflict {
    /// What is wrong and what to do.
    pub error: String,
    /// The one that it has; missing where there is no such instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    pub revision: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Problems)]
pub struct Wrong {
    /// How many there are, or that it cannot be read.
    pub error: String,
    /// What is wrong: a file, or the request. Missing where a message says it all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub problems: Option<Vec<Found>>,
}

impl Wrong {
    /// Without the lines of the text, which the client has.
    pub fn of(problems: &Problems) -> Self {
        let number = problems.list.len();
        let counted =
            if number == 1 { "there is 1 problem".to_owned() } else { format!("there are {number} problems") };
        Self {
            error: format!("{counted}; nothing was changed"),
            source: Some(problems.source.clone()),
            problems: Some(problems.list.iter().map(Found::of).collect()),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Clock {
    /// What it shows. RFC 3339, to the millisecond.
    #[schema(format = DateTime)]
    now: String,
    /// Whether it stands.
    paused: bool,
    /// Seconds that it shows for each that passes.
    speed: f64,
    /// Whether it is the system's clock.
    system: bool,
}

impl Clock {
    pub fn of(state: &ClockState) -> Self {
        Self { now: time(state.now), paused: state.is_paused, speed: state.speed, system: state.is_system }
    }
}
