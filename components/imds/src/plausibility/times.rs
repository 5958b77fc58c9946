//! What is over, or still to come, and is said to be now.

use super::Judge;
use super::rules::{CREDENTIALS_IN_THE_PAST, EVENT_IN_THE_PAST, INTERRUPTION_IN_THE_PAST, LAUNCH_IN_THE_FUTURE};
use crate::description::json::Json;
use crate::description::problem::{Problem, shown};
use crate::description::value::Span;
use crate::description::{EventState, InstanceState};
use crate::time::Time;

/// Longer than credentials live that say no end.
const LIFE: Span = Span(7 * 3600 * 1000);

/// The end of an event that does not state one.
const EVENT_SECONDS: u64 = 7200;

impl Judge<'_> {
    pub(super) fn times(&mut self) {
        if let Some(now) = self.now_for("/launch-time") {
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
        for field in ["credentials", "credentials-without-token"] {
            let at = |name: &str| format!("/iam-instance-profile/{field}/{name}");
            let (stated, updated) = (self.time(&at("expiration")), self.time(&at("last-updated")));
            let (pointer, end) = match (stated, updated) {
                (Some(end), _) => (at("expiration"), end),
                (None, Some(updated)) => (at("last-updated"), updated.plus_ms(self.life().unwrap_or(LIFE).0)),
                (None, None) => continue,
            };
            if end <= now {
                let message = format!("these credentials ended by {}", end.rfc3339());
                let help = "leave the time out: then they are always in force; `credentials-rotation` makes new ones";
                self.warn(&CREDENTIALS_IN_THE_PAST, Problem::at(pointer, message).help(help));
            }
        }
        let pointer = "/iam-instance-profile/credentials-rotation/until";
        let last = self.time(pointer).map(|until| until.plus_ms(self.life().unwrap_or(LIFE).0));
        if let Some(end) = last.filter(|end| *end <= now) {
            let message = format!("no credentials come after this time, and the last ones ended by {}", end.rfc3339());
            self.warn(&CREDENTIALS_IN_THE_PAST, Problem::at(pointer, message).help("leave `until` out"));
        }
    }

    /// How long credentials live, where that is stated.
    fn life(&self) -> Option<Span> {
        self.text("/iam-instance-profile/credentials-rotation/lifetime")?.parse().ok()
    }

    fn interruption(&mut self, now: Time) {
        let Some(notice) = self.facts.spot_notice.as_ref().filter(|notice| notice.time < now) else { return };
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
            let end = match self.document.at(&at("not-after")) {
                Some(Json::String(text)) => Time::parse(text).unwrap_or(event.not_before),
                Some(_) => event.not_before,
                None => event.not_before.plus_seconds(EVENT_SECONDS),
            };
            if event.state == EventState::Active && end <= now {
                let message = format!("the event {} is active and was over by {}", shown(&event.id), end.rfc3339());
                let pointer = self.stated([at("not-after"), at("not-before")]);
                let help = "set its `state` to \"completed\" or \"canceled\", or give times to come";
                self.warn(&EVENT_IN_THE_PAST, Problem::at(pointer, message).help(help));
            }
        }
    }
}
