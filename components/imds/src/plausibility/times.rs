//! What is over, or still to come, and is said to be now.

use super::Judge;
use super::rules::{CREDENTIALS_IN_THE_PAST, EVENT_IN_THE_PAST, INTERRUPTION_IN_THE_PAST, LAUNCH_IN_THE_FUTURE};
use crate::description::problem::{Problem, shown};
use crate::description::{EventState, InstanceState};
use crate::time::Time;

impl Judge<'_> {
    pub(super) fn times(&mut self) {
        if let Some(now) = self.now_for("/launch-time")
            && self.facts.state == InstanceState::Running
        {
            self.launch(now);
        }
        if let Some(now) = self.now_for("/iam-instance-profile") {
            self.credentials(now);
        }
        if let Some(now) = self.now_for("/events") {
            self.events(now);
        }
        if let Some(now) = self.now_for("/spot-interruption")
            && self.facts.state == InstanceState::Running
        {
            self.interruption(now);
        }
    }

    fn launch(&mut self, now: Time) {
        if let Some(launch) = self.time("/launch-time").filter(|launch| *launch > now) {
            let message = format!("the instance runs and is launched at {}", launch.rfc3339());
            self.warn(
                &LAUNCH_IN_THE_FUTURE,
                Problem::at("/launch-time", message).help("expected a time that has passed"),
            );
        }
    }

    fn credentials(&mut self, now: Time) {
        let facts = self.facts;
        let Some(role) = facts.profile.as_ref().and_then(|profile| profile.role.as_ref()) else { return };
        // A source is asked for others, and what ended is not delivered.
        if role.source_failure.is_some() {
            return;
        }
        for field in ["credentials", "credentials-without-token"] {
            let at = |name: &str| format!("/iam-instance-profile/{field}/{name}");
            let given = if field == "credentials" { &role.credentials } else { &role.credentials_without_token };
            let pointer = match [at("expiration"), at("last-updated")].into_iter().find(|pointer| self.states(pointer))
            {
                Some(pointer) => pointer,
                None => continue,
            };
            let end = role.rotation.ends(given, now);
            if end <= now {
                let message = format!("these credentials ended by {}", end.rfc3339());
                let help = "leave the time out: then they are always in force; `credentials-rotation` makes new ones";
                self.warn(&CREDENTIALS_IN_THE_PAST, Problem::at(pointer, message).help(help));
            }
        }
        let pointer = "/iam-instance-profile/credentials-rotation/until";
        let last = self.time(pointer).map(|_| role.rotation.at(now).expiration);
        if let Some(end) = last.filter(|end| *end <= now) {
            let message = format!("no credentials come after this time, and the last ones ended by {}", end.rfc3339());
            self.warn(&CREDENTIALS_IN_THE_PAST, Problem::at(pointer, message).help("leave `until` out"));
        }
    }

    fn interruption(&mut self, now: Time) {
        let Some(notice) = self.facts.spot_notice.as_ref().filter(|notice| notice.ends() < now) else { return };
        let message = format!(
            "the interruption ({}) was at {}, and the instance runs",
            notice.action.as_str(),
            notice.time.rfc3339()
        );
        let pointer = self.stated(["/spot-interruption/time", "/spot-interruption"].map(str::to_owned));
        let help = "give a time to come, or one that counts from the start, such as \"+5m\"";
        self.warn(&INTERRUPTION_IN_THE_PAST, Problem::at(pointer, message).help(help));
    }

    fn events(&mut self, now: Time) {
        for (index, event) in self.facts.events.iter().enumerate() {
            let at = |name: &str| format!("/events/{index}/{name}");
            // One without an end is never over.
            let Some(end) = event.not_after else { continue };
            if event.state == EventState::Active && end <= now {
                let message = format!("the event {} is active and was over by {}", shown(&event.id), end.rfc3339());
                let pointer = self.stated([at("not-after"), at("not-before")]);
                let help = "set its `state` to \"completed\" or \"canceled\", or give times to come";
                self.warn(&EVENT_IN_THE_PAST, Problem::at(pointer, message).help(help));
            }
        }
    }
}
