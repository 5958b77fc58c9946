//! What an instance is at a moment.

use super::{Happening, Timeline, edit, happenings};
use crate::categories::IdentityDocument;
use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::facts::Facts;
use crate::phase::{Phases, Terms};
use crate::time::Time;

/// What an instance is at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its id.
    pub instance_id: String,
    /// `running`, `stopped` or `terminated`.
    pub state: &'static str,
    /// How it was bought: `on-demand`, `spot`, `scheduled` or `capacity-block`.
    pub lifecycle: &'static str,
    /// All of its options, those with their default value too.
    pub metadata_options: MetadataOptions,
    /// Its identity document.
    pub identity_document: IdentityDocument,
    /// What happens to it, in the order of time: the changes of its timeline, the
    /// notice and the time of an interruption, events, and the next delivery and
    /// the end of the credentials in force.
    pub happenings: Vec<Happening>,
    /// Its description from now on: what its timeline did up to now is done, what
    /// is to come is still to come, and no time in it is relative.
    pub description: String,
}

/// The metadata options of an instance, in EC2's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataOptions {
    /// `enabled` or `disabled`.
    pub http_endpoint: &'static str,
    /// `enabled` or `disabled`.
    pub http_protocol_ipv6: &'static str,
    /// 1 to 64.
    pub http_put_response_hop_limit: u8,
    /// `optional` or `required`.
    pub http_tokens: &'static str,
    /// `enabled` or `disabled`.
    pub instance_metadata_tags: &'static str,
}

/// What the instance of a description is as of `now_ms`. `scope` is as in
/// [`Settings`](crate::Settings).
///
/// Fails with the problems of the description, at least one and at most 20.
///
/// ```
/// let spot = r#"{"instance-lifecycle": "spot", "spot-interruption": {"time": "2026-10-01T00:02:00Z"},
///                "timeline": [{"at": "2026-10-01T00:02:00Z", "state": "terminated"}]}"#;
/// let status = imds_core::status(spot, 1_790_812_800_000, None)?;
/// assert_eq!((status.state, status.lifecycle, status.metadata_options.http_tokens), ("running", "spot", "optional"));
/// assert!(status.identity_document.text.contains("i-0123456789abcdef0"));
/// let words = |it: &imds_core::Happening| it.what.clone();
/// assert!(status.happenings.iter().map(words).any(|what| what == "spot notice: terminate at 2026-10-01T00:02:00Z"));
///
/// let over = imds_core::status(spot, 1_790_812_800_000 + 120_000, None)?;
/// assert_eq!(over.state, "terminated");
/// assert!(!over.description.contains("timeline"));
/// # Ok::<(), Vec<imds_core::Problem>>(())
/// ```
pub fn status(description: &str, now_ms: u64, scope: Option<&str>) -> Result<Status, Vec<Problem>> {
    crate::instance::at_most_problems(of(description, Time::from_ms(now_ms), scope))
}

fn of(description: &str, now: Time, scope: Option<&str>) -> Result<Status, Vec<Problem>> {
    let document = Json::parse(description).map_err(|problem| vec![problem])?;
    let phases = Phases::open(document.clone(), Terms { scope, shell_signs: true })?;
    let timeline = Timeline::read(document.clone())?;
    let facts = &phases.at(now).facts;
    Ok(Status {
        instance_id: facts.instance_id.clone(),
        state: facts.state.as_str(),
        lifecycle: facts.lifecycle.as_str(),
        metadata_options: MetadataOptions::of(facts),
        identity_document: IdentityDocument::of(facts),
        happenings: happenings::of(&phases, &timeline, now),
        description: edit::from_now_on(document, now, scope)?.write(),
    })
}

impl MetadataOptions {
    fn of(facts: &Facts) -> MetadataOptions {
        let options = &facts.options;
        MetadataOptions {
            http_endpoint: options.http_endpoint.as_str(),
            http_protocol_ipv6: options.http_protocol_ipv6.as_str(),
            http_put_response_hop_limit: options.http_put_response_hop_limit.0,
            http_tokens: facts.http_tokens.as_str(),
            instance_metadata_tags: options.instance_metadata_tags.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit;

    const NOW_MS: u64 = 1_790_812_800_000;

    fn status_of(description: &str, now_ms: u64) -> Status {
        status(description, now_ms, None).unwrap_or_else(|problems| panic!("{description}: {problems:?}"))
    }

    #[test]
    fn its_description_is_the_one_of_an_edit_that_changes_nothing() {
        let description = r#"{"tags": {"a": "b"}, "spot-interruption": {"time": "+1h"}, "instance-lifecycle": "spot",
            "timeline-start": "2026-10-01T00:00:00Z",
            "timeline": [{"at": "-1s", "tags": {"a": "c"}}, {"at": "+1s", "state": "stopped"}]}"#;
        assert_eq!(edit(description, "{}", Some(NOW_MS), None), Ok(status_of(description, NOW_MS).description));
    }

    #[test]
    fn equal_identity_documents_have_equal_signing_times() {
        let [first, last] = ["2026-10-01T00:00:00.001Z", "2026-10-01T00:00:00.999Z"]
            .map(|time| status_of(&format!(r#"{{"launch-time": "{time}"}}"#), NOW_MS).identity_document);
        assert_eq!(first, last);
        assert_eq!(first.signing_time_ms, NOW_MS + 2000);
    }

    #[test]
    fn an_instance_of_a_scope_is_its_own() {
        let of = |scope| status("{}", NOW_MS, scope).unwrap().instance_id;
        assert_eq!(of(None), "i-0123456789abcdef0");
        assert_ne!(of(Some("vm-1")), of(Some("vm-2")));
    }

    #[test]
    fn its_problems_are_those_of_the_description() {
        let problems = status(r#"{"instance-typ": "t3.micro"}"#, NOW_MS, None).unwrap_err();
        assert_eq!(problems[0].field, "/instance-typ");
    }
}
