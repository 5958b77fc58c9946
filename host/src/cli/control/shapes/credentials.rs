// Where real credentials come from, and how that goes.

use imds_host::{CredentialsState, FetchFailure};
use serde::Serialize;
use utoipa::ToSchema;

use super::time;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Credentials {
    /// The source, without the arguments of a command.
    source: String,
    /// When those that are delivered were fetched; missing before the first. RFC 3339, to the millisecond.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    updated: Option<String>,
    /// When they end, or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    end: Option<String>,
    /// When the source is asked again; missing while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    next_fetch: Option<String>,
    /// How many attempts failed since the last that did not.
    failures: u32,
    /// The last attempt that failed, whatever came after it; missing where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_failure: Option<Failed>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FetchFailure)]
pub struct Failed {
    /// When. RFC 3339, to the millisecond.
    #[schema(format = DateTime)]
    at: String,
    /// Why.
    reason: String,
}

impl Credentials {
    pub fn of(state: &CredentialsState) -> Self {
        Self {
            source: state.source.clone(),
            updated: state.updated.map(time),
            end: state.end.map(time),
            next_fetch: state.next_fetch.map(time),
            failures: state.failures,
            last_failure: state.last_failure.as_ref().map(Failed::of),
        }
    }
}

impl Failed {
    fn of(FetchFailure { at, error, .. }: &FetchFailure) -> Self {
        Self { at: time(*at), reason: error.to_string() }
    }
}
