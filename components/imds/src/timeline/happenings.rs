//! What happens to an instance when.

use std::collections::BTreeSet;

use super::{Timeline, words};
use crate::description::{EventState, InstanceState};
use crate::facts::{Facts, Role};
use crate::phase::Phases;
use crate::time::Time;

/// Something that happens to an instance at a time of its description.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happening {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What, in a few words for people, without what may be a secret.
    pub what: String,
}

/// What happens to an instance of these phases and this timeline, in the order of
/// time; of its credentials, what comes next after `now`.
pub(super) fn of(phases: &Phases, timeline: &Timeline, now: Time) -> Vec<Happening> {
    let mut happenings = BTreeSet::new();
    let mut add = |at: Time, what: String| {
        happenings.insert(Happening { at_ms: at.as_ms(), what });
    };
    let changes: Vec<(Time, String)> =
        timeline.changes.iter().map(|change| (change.at, words::in_words(&change.fields))).collect();
    let chapters: Vec<(Time, &Facts)> = phases.iter().map(|phase| (phase.since, &phase.facts)).collect();
    // Behind its termination nothing happens to an instance.
    let over = chapters.iter().find(|(_, facts)| facts.state == InstanceState::Terminated).map(|(since, _)| *since);
    for (at, what) in changes {
        if !what.is_empty() && over.is_none_or(|over| at <= over) {
            add(at, what);
        }
    }
    let mut in_force = None;
    let (mut spot_told, mut rebalance_told) = (None, None);
    let ends = chapters.iter().skip(1).map(|(since, _)| Some(*since)).chain([None]);
    for ((since, facts), end) in chapters.iter().zip(ends) {
        // What a later change calls off or moves does not happen.
        let mut add_here = |at: Time, what: String| {
            if *since <= at && end.is_none_or(|end| at < end) && over.is_none_or(|over| at <= over) {
                add(at, what);
            }
        };
        if let Some(notice) = &facts.spot_notice {
            let (action, time) = (notice.action.as_str(), notice.time.rfc3339());
            // One of before is told with the change that brings it.
            let is_new = spot_told.replace(*notice) != Some(*notice);
            let told = if is_new { notice.notice_time.max(*since) } else { notice.notice_time };
            add_here(told, format!("spot notice: {action} at {time}"));
            add_here(notice.time, format!("spot interruption: {action}"));
        }
        if let Some(time) = facts.rebalance_notice {
            let is_new = rebalance_told.replace(time) != Some(time);
            let told = if is_new { time.max(*since) } else { time };
            add_here(told, "rebalance recommendation".to_owned());
        }
        if let Some(role) = facts.profile.as_ref().and_then(|profile| profile.role.as_ref())
            && role.from > Time::EPOCH
        {
            add_here(role.from, format!("the role {} is associated", role.name));
        }
        for event in facts.events.iter().filter(|event| event.state == EventState::Active) {
            add_here(event.not_before, format!("event {}: {} begins", event.id, event.code));
        }
        if *since <= now || in_force.is_none() {
            in_force = Some(*facts);
        }
    }
    let role = in_force.and_then(|facts| facts.profile.as_ref()?.role.as_ref());
    // Of a source's credentials nothing is known before they are delivered.
    let is_told = |role: &&Role| {
        role.failure.is_none() && (role.source_failure.is_none() || role.credentials.access_key_id.is_some())
    };
    if let Some(role) = role.filter(is_told) {
        let is_made_up = role.credentials.access_key_id.is_none();
        if let Some(next) = role.rotation.at(now).next.filter(|next| is_made_up && over.is_none_or(|over| *next < over))
        {
            add(next, "new credentials".to_owned());
        }
        let ends = role.rotation.ends(&role.credentials, now);
        // Before the role is there, none are in force.
        if role.from <= now && over.is_none_or(|over| ends < over) {
            add(ends, "the credentials in force end".to_owned());
        }
    }
    happenings.into_iter().collect()
}
