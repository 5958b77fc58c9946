//! What becomes of an instance: interruption, rebalance, maintenance.
//!
//! DIFFERENCE: what is told here is all that comes of it. EC2 ends the instance
//! at the time of the notice; here that is a change of `state` of its own, so
//! that a description with a time gone by is still served.

use super::{Check, made};
use crate::description as written;
use crate::description::part::Part;
use crate::description::problem::Problem;
use crate::time::Time;

/// More than any instance has, past ones among them.
const EVENTS_MAX: usize = 128;

/// The notice that a spot instance will be interrupted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SpotNotice {
    pub action: written::SpotAction,
    pub time: Time,
    pub notice_time: Time,
}

impl SpotNotice {
    /// When the instance no longer runs.
    pub fn ends(&self) -> Time {
        match self.action {
            written::SpotAction::Terminate | written::SpotAction::Stop => self.time,
            written::SpotAction::Hibernate => self.time.plus_seconds(HIBERNATION_SECONDS),
        }
    }
}

/// For software to see that hibernation begins, as long as memory takes to be
/// written.
pub const HIBERNATION_SECONDS: u64 = 10;

/// How long before an interruption its notice is given.
pub fn warning_seconds(action: written::SpotAction) -> u64 {
    match action {
        written::SpotAction::Terminate | written::SpotAction::Stop => 120,
        // A hibernation begins at once.
        written::SpotAction::Hibernate => 0,
    }
}

/// A maintenance event.
pub struct Event {
    pub id: String,
    pub code: &'static str,
    pub description: String,
    pub not_before: Time,
    /// None for an event without an end.
    pub not_after: Option<Time>,
    pub state: written::EventState,
}

impl Check {
    pub(super) fn spot_notice(
        &mut self,
        interruption: Part<written::SpotInterruption>,
        lifecycle: written::InstanceLifecycle,
        start: Time,
    ) -> Option<SpotNotice> {
        let written::SpotInterruption { action, time, notice_time } = interruption.or_default(|| None)?;
        self.spot_only("/spot-interruption", lifecycle);
        let warning_seconds = warning_seconds(action);
        let time = time.unwrap_or(notice_time.unwrap_or(start).plus_seconds(warning_seconds));
        let notice_time = notice_time.unwrap_or(time.minus_seconds(warning_seconds));
        if notice_time > time {
            self.wrong("/spot-interruption/notice-time", "expected a time not after `time`");
        }
        Some(SpotNotice { action, time, notice_time })
    }

    pub(super) fn rebalance_notice(
        &mut self,
        recommendation: Part<written::RebalanceRecommendation>,
        lifecycle: written::InstanceLifecycle,
        start: Time,
    ) -> Option<Time> {
        let recommendation = recommendation.or_default(|| None)?;
        self.spot_only("/rebalance-recommendation", lifecycle);
        Some(recommendation.notice_time.unwrap_or(start))
    }

    fn spot_only(&mut self, pointer: &str, lifecycle: written::InstanceLifecycle) {
        if lifecycle != written::InstanceLifecycle::Spot {
            let problem = Problem::at(pointer, "only a spot instance has this");
            self.problems.push(problem.help("set `instance-lifecycle` to \"spot\""));
        }
    }

    pub(super) fn events(&mut self, events: Vec<written::Event>, instance_id: &str) -> Vec<Event> {
        if events.len() > EVENTS_MAX {
            self.wrong("/events", format!("expected at most {EVENTS_MAX} events, found {}", events.len()));
            return Vec::new();
        }
        let mut complete = Vec::new();
        for (index, event) in events.into_iter().enumerate() {
            let Some(not_before) = event.not_before else {
                let problem = Problem::at(format!("/events/{index}"), "field `not-before` is missing here");
                let help = "an event needs it, but for the change of one whose `instance-event-id` it gives";
                self.problems.push(problem.help(help));
                continue;
            };
            let not_after = event.not_after.or_default(|| ends(event.code).then(|| not_before.plus_seconds(7200)));
            if not_after.is_some_and(|not_after| not_after < not_before) {
                self.wrong(format!("/events/{index}/not-after"), "expected a time not before `not-before`");
            }
            complete.push(Event {
                id: event.instance_event_id.map_or_else(|| made::event_id(instance_id, index), String::from),
                description: event.description.map_or_else(|| describe(event.code).into(), String::from),
                code: event.code.as_str(),
                not_before,
                not_after,
                state: event.state,
            });
        }
        complete
    }
}

/// Whether an event of which nothing else is stated has an end. Recorded in
/// 2020: an `instance-stop` without one. The EC2 user guide's example of a
/// retirement has none either, those of reboots and maintenance have one.
fn ends(code: written::EventCode) -> bool {
    match code {
        written::EventCode::SystemReboot
        | written::EventCode::InstanceReboot
        | written::EventCode::SystemMaintenance => true,
        written::EventCode::InstanceStop | written::EventCode::InstanceRetirement => false,
    }
}

fn describe(code: written::EventCode) -> &'static str {
    match code {
        written::EventCode::SystemReboot => "scheduled reboot",
        written::EventCode::InstanceReboot => "The instance is scheduled for a reboot",
        written::EventCode::InstanceStop => "The instance is running on degraded hardware",
        written::EventCode::InstanceRetirement => "The instance is running on degraded hardware",
        written::EventCode::SystemMaintenance => "The instance is scheduled for network maintenance",
    }
}
