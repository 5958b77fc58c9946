//! What an operator does to an instance, turned into a change: one atomic step, under
//! the rules of EC2's API.

use super::change::{self, action_of};
use super::{Change, relative};
use crate::description::json::Json;
use crate::description::operation::{FIELD, Interruption, Operation, Verb};
use crate::description::problem::{Problem, pointer_step};
use crate::description::{EventCode, EventState, InstanceLifecycle, InstanceState, SpotAction};
use crate::facts::{HIBERNATION_SECONDS, warning_seconds};
use crate::time::Time;

const PLACE: &str = "/operation";

/// What an operation comes to.
#[derive(Default)]
pub struct Step {
    /// The fields that it changes.
    pub fields: Vec<(&'static str, Json)>,
    /// The end of the instance that it brings later.
    pub end: Option<Change>,
    /// Which interruptions that were to come do not.
    pub calls_off: CallsOff,
}

/// Which interruptions a step calls off.
#[derive(Default, PartialEq, Eq)]
pub enum CallsOff {
    /// None.
    #[default]
    Nothing,
    /// The one that was announced.
    Announced,
    /// That one, and those that a timeline would announce later.
    AllToCome,
}

impl Step {
    /// The operation that a change asks for, on the instance of a document, which
    /// has this id where it does not say. A change without one comes to nothing.
    pub fn of(change: &mut Json, document: &Json, now: Time, instance_id: &str) -> Result<Step, Vec<Problem>> {
        let Some(operation) = change.take(FIELD) else { return Ok(Step::default()) };
        let operation = Operation::read(operation)?;
        allowed(&operation, change::state(document)).map_err(|problem| vec![problem])?;
        let step = match operation {
            Operation::Verb(Verb::Stop) => Step::to(InstanceState::Stopped),
            Operation::Verb(Verb::Terminate) => Step::to(InstanceState::Terminated),
            // A start ends an interruption: what it was to end with does not come any more.
            Operation::Verb(Verb::Start) => {
                let starts = change::state(document) == InstanceState::Stopped.as_str();
                let calls_off = if starts { CallsOff::Announced } else { CallsOff::Nothing };
                Step { calls_off, ..Step::to(InstanceState::Running) }
            }
            Operation::Verb(Verb::Reboot) => reboot(document, instance_id),
            Operation::Verb(Verb::Rebalance) => {
                let recommendation = ("rebalance-recommendation", Json::Object(Vec::new()));
                Step { fields: as_spot(document, recommendation), ..Step::default() }
            }
            Operation::Interrupt(interruption) => interrupt(document, &interruption, now)?,
        };
        let stated = step.fields.iter().map(|(name, _)| pointer_step(name)).filter(|place| change.at(place).is_some());
        let twice: Vec<Problem> = stated.map(|place| stated_twice(&place)).collect();
        if twice.is_empty() { Ok(step) } else { Err(twice) }
    }

    fn to(state: InstanceState) -> Step {
        Step { fields: vec![("state", word(state.as_str()))], ..Step::default() }
    }

    /// Takes the interruptions that are called off, with the end that each brings, out
    /// of what is to come. What else comes with them stays. `document` tells of the one
    /// that was announced.
    pub fn call_off(&self, document: &Json, to_come: &mut Vec<Change>) {
        let mut times = Vec::new();
        if self.calls_off != CallsOff::Nothing {
            times.extend(interruption_of(document, relative::start_of(document)));
        }
        if self.calls_off == CallsOff::AllToCome {
            for change in &mut *to_come {
                if let Some(time) = interruption_of(&change.fields, change.at) {
                    times.push(time);
                    change.fields.take("spot-interruption");
                }
            }
        }
        for time in times {
            let until = time.plus_seconds(HIBERNATION_SECONDS);
            let ends = |change: &Change| {
                let state = change.fields.at("/state").and_then(Json::text);
                (time..=until).contains(&change.at) && matches!(state, Some("stopped" | "terminated"))
            };
            for change in to_come.iter_mut().filter(|change| ends(change)) {
                change.fields.take("state");
            }
        }
        to_come.retain(|change| !change.fields.fields().is_empty());
    }
}

/// Whether EC2's API takes an operation on an instance in this state.
fn allowed(operation: &Operation, state: &str) -> Result<(), Problem> {
    let needs_running = matches!(operation, Operation::Interrupt(_) | Operation::Verb(Verb::Reboot | Verb::Rebalance));
    match (state, operation) {
        // It is so already.
        ("terminated", Operation::Verb(Verb::Terminate)) => Ok(()),
        ("terminated", _) => Err(change::nothing_changes(PLACE)),
        ("stopped", _) if needs_running => {
            let message = "the instance is stopped, and only a running one is interrupted, rebooted or rebalanced";
            Err(Problem::at(PLACE, message).help("start it first: imds ctl start, or {\"operation\": \"start\"}"))
        }
        _ => Ok(()),
    }
}

fn stated_twice(place: &str) -> Problem {
    let message = "the operation of this change sets this field too";
    Problem::at(place, message).help("leave out one of the two")
}

/// The fields that make an instance a spot instance, for others are not interrupted,
/// and one more.
fn as_spot(document: &Json, field: (&'static str, Json)) -> Vec<(&'static str, Json)> {
    let spot = InstanceLifecycle::Spot.as_str();
    let is_spot = document.at("/instance-lifecycle").and_then(Json::text) == Some(spot);
    let lifecycle = (!is_spot).then(|| ("instance-lifecycle", word(spot)));
    lifecycle.into_iter().chain([field]).collect()
}

/// The notice, which is given now or as long before the time as it always is, and
/// the end of the instance.
fn interrupt(document: &Json, interruption: &Interruption, now: Time) -> Result<Step, Vec<Problem>> {
    let Interruption { action, time, notice_only } = *interruption;
    if time.is_some_and(|time| time < now) {
        let message = format!("expected a time that is to come: it is {}", now.rfc3339());
        return Err(vec![Problem::at(format!("{PLACE}/interrupt/time"), message)]);
    }
    let time = time.unwrap_or(now.plus_seconds(warning_seconds(action)));
    let notice = Json::Object(vec![("action".to_owned(), word(action.as_str())), ("time".to_owned(), written(time))]);
    let mut fields = as_spot(document, ("spot-interruption", notice));
    let (state, at) = match action {
        SpotAction::Terminate => (InstanceState::Terminated, time),
        SpotAction::Stop => (InstanceState::Stopped, time),
        SpotAction::Hibernate => (InstanceState::Stopped, time.plus_seconds(HIBERNATION_SECONDS)),
    };
    let mut end = None;
    match (notice_only, at <= now) {
        (true, _) => {}
        (false, true) => fields.push(("state", word(state.as_str()))),
        (false, false) => {
            let fields = Json::Object(vec![("state".to_owned(), word(state.as_str()))]);
            end = Some(Change { at, pointer: PLACE.to_owned(), fields });
        }
    }
    Ok(Step { fields, end, calls_off: CallsOff::AllToCome })
}

/// When the interruption of which fields tell is, if they tell of one. Without a time
/// it is told at `told`.
fn interruption_of(fields: &Json, told: Time) -> Option<Time> {
    let interruption = fields.at("/spot-interruption").filter(|it| matches!(it, Json::Object(_)))?;
    let stated = |name| interruption.at(name).and_then(Json::text).and_then(Time::parse);
    let told = || stated("/notice-time").unwrap_or(told);
    Some(stated("/time").unwrap_or_else(|| told().plus_seconds(warning_seconds(action_of(interruption)))))
}

/// The reboots that were scheduled are completed.
///
/// DIFFERENCE: with a `system-reboot` EC2 reboots the host, which no operator can do
/// in its place. Here no host is to be maintained, and software sees what it sees
/// after either.
fn reboot(document: &Json, instance_id: &str) -> Step {
    let Some(Json::Array(events)) = document.at("/events") else { return Step::default() };
    let is_or_default = |event: &Json, name: &str, words: &[&str]| {
        event.at(name).is_none_or(|word| word.text().is_some_and(|word| words.contains(&word)))
    };
    let is_scheduled = |event: &Json| {
        let reboots = [EventCode::SystemReboot.as_str(), EventCode::InstanceReboot.as_str()];
        is_or_default(event, "/code", &reboots) && is_or_default(event, "/state", &[EventState::Active.as_str()])
    };
    let ids = change::event_ids(events, change::instance_id_of(document, instance_id));
    let completed: Vec<Json> = core::iter::zip(events, ids)
        .filter(|(event, _)| is_scheduled(event))
        .map(|(_, id)| {
            let state = word(EventState::Completed.as_str());
            Json::Object(vec![("instance-event-id".to_owned(), Json::String(id)), ("state".to_owned(), state)])
        })
        .collect();
    match completed.is_empty() {
        true => Step::default(),
        false => Step { fields: vec![("events", Json::Array(completed))], ..Step::default() },
    }
}

fn word(word: &str) -> Json {
    Json::String(word.to_owned())
}

fn written(time: Time) -> Json {
    Json::String(time.rfc3339_exact())
}

#[cfg(test)]
mod tests;
