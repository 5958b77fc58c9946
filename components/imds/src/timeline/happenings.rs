//! What happens to an instance when.

use std::collections::BTreeSet;

use super::{Timeline, change};
use crate::credentials::Delivery;
use crate::description::json::Json;
use crate::description::problem::Problem;
use crate::description::{Description, EventState};
use crate::facts::Facts;
use crate::time::Time;

/// Something that happens to an instance at a time of its description.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happening {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What, in a few words for people, without what may be a secret.
    pub what: String,
}

/// What happens to an instance, in the order of time; of its credentials, what
/// comes next after `now_ms`.
///
/// Fails with the problems of the description.
///
/// ```
/// let spot = r#"{"instance-lifecycle": "spot", "spot-interruption": {"time": "2026-10-01T00:02:00Z"}}"#;
/// let happenings = imds_core::timeline(spot, 0)?;
/// let notice = &happenings[happenings.len() - 2];
/// assert_eq!((notice.at_ms, &*notice.what), (1_790_812_800_000, "spot notice: terminate at 2026-10-01T00:02:00Z"));
/// # Ok::<(), Vec<imds_core::Problem>>(())
/// ```
pub fn timeline(description: &str, now_ms: u64) -> Result<Vec<Happening>, Vec<Problem>> {
    crate::instance::at_most_problems(happenings(description, Time::from_ms(now_ms)))
}

fn happenings(description: &str, now: Time) -> Result<Vec<Happening>, Vec<Problem>> {
    let document = Json::parse(description).map_err(|problem| vec![problem])?;
    crate::instance::judge(document.clone())?;
    let timeline = Timeline::read(document)?;
    let mut happenings = BTreeSet::new();
    let mut add = |at: Time, what: String| {
        happenings.insert(Happening { at_ms: at.as_ms(), what });
    };
    for change in &timeline.changes {
        let what = change::in_words(&change.fields);
        if !what.is_empty() {
            add(change.at, what);
        }
    }
    let (chapters, _) = timeline
        .chapters(|chapter| Ok((chapter.since, Facts::of(Description::of_document(chapter.document.clone())?)?)))?;
    let mut in_force = None;
    let ends = chapters.iter().skip(1).map(|(since, _)| Some(*since)).chain([None]);
    for ((since, facts), end) in chapters.iter().zip(ends) {
        // What a later change calls off or moves does not happen.
        let mut add_here = |at: Time, what: String| {
            if *since <= at && end.is_none_or(|end| at < end) {
                add(at, what);
            }
        };
        if let Some(notice) = &facts.spot_notice {
            let (action, time) = (notice.action.as_str(), notice.time.rfc3339());
            add_here(notice.notice_time, format!("spot notice: {action} at {time}"));
            add_here(notice.time, format!("spot interruption: {action}"));
        }
        if let Some(time) = facts.rebalance_notice {
            add_here(time, "rebalance recommendation".to_owned());
        }
        for event in facts.events.iter().filter(|event| event.state == EventState::Active) {
            add_here(event.not_before, format!("event {}: {} begins", event.id, event.code));
        }
        if *since <= now || in_force.is_none() {
            in_force = Some(facts);
        }
    }
    let role = in_force.and_then(|facts| facts.profile.as_ref()?.role.as_ref());
    if let Some(role) = role {
        let Delivery { next, expiration, .. } = role.rotation.at(now);
        if let Some(next) = next {
            add(next, "new credentials".to_owned());
        }
        add(role.credentials.expiration.unwrap_or(expiration), "the credentials in force end".to_owned());
    }
    Ok(happenings.into_iter().collect())
}
