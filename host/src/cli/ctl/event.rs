// What happens to an instance: `imds ctl interrupt`, `rebalance`, `stop`, `start`
// and `terminate`.

use std::time::Duration;

use clap::Args;
use imds_host::{Error, Problems};
use serde_json::{Value, json};

use super::super::values;
use super::Told;
use super::client::{Answer, Ask, Client};
use super::edit::revision;
use super::times;

/// Interrupt the spot instance: the notice, and two minutes later the end
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Interrupt {
    /// What becomes of the instance: terminated, or stopped. Before hibernation there
    /// is no notice, and it is stopped ten seconds after its time
    #[arg(long, value_name = "terminate|stop|hibernate", value_parser = ["terminate", "stop", "hibernate"], hide_possible_values = true, default_value = "terminate")]
    action: String,

    /// When, from now; the notice comes two minutes before, or now
    #[arg(long = "in", value_name = "TIME", value_parser = values::span, allow_hyphen_values = true)]
    after: Option<Duration>,

    /// Only tell of it: at its time nothing happens
    #[arg(long)]
    notice_only: bool,
}

const EXAMPLES: &str = "\
Examples:
  imds ctl interrupt
  imds ctl interrupt --action stop --in 10m
  imds ctl interrupt --notice-only

Its deadline stays, whoever asks and how often. An instance that is not spot
becomes one. To call it off, with all that is to come:
  imds ctl edit '{\"spot-interruption\": false, \"timeline\": false}'";

/// From the notice of an interruption to its time.
const NOTICE: Duration = Duration::from_secs(120);

/// For software to see that hibernation begins, as long as memory takes to be
/// written.
const HIBERNATES: Duration = Duration::from_secs(10);

impl Interrupt {
    pub fn make(self, client: &Client) -> anyhow::Result<Told> {
        let Self { action, after, notice_only } = self;
        let before = client.ask(Ask::get("/v1/instance"))?.body;
        let replaced = replace(client, &before)?;
        let mut interruption = json!({ "action": action });
        if let Some(after) = after {
            interruption["time"] = json!(times::from_now(after));
        }
        let (state, end) = match action.as_str() {
            "hibernate" => ("stopped", after.unwrap_or_default().saturating_add(HIBERNATES)),
            "stop" => ("stopped", after.unwrap_or(NOTICE)),
            _ => ("terminated", after.unwrap_or(NOTICE)),
        };
        let mut change = json!({ "spot-interruption": interruption });
        if !notice_only {
            change["timeline"] = json!([{ "at": times::from_now(end), "state": state }]);
        }
        let (mut told, instance) = of_spot(client, "interrupt", change)?;
        told = replaced.into_iter().fold(told, Told::with);

        let now = &instance["clock"]["now"];
        let time = &instance["description"]["spot-interruption"]["time"];
        let at = format!("{}, at {}", times::relative(time, now), time.as_str().unwrap_or_default());
        let to_notice = match action.as_str() {
            "hibernate" => after.unwrap_or_default(),
            _ => after.unwrap_or(NOTICE).saturating_sub(NOTICE),
        };
        let notice = match to_notice.is_zero() {
            true => "notice now".to_owned(),
            false => format!("notice in {}", times::in_words(to_notice)),
        };
        let end = match (action.as_str(), notice_only) {
            (_, true) => format!("{action} {at}, which is told only"),
            ("hibernate", _) => format!("hibernate {at}; stopped in {}", times::in_words(end)),
            _ => format!("{state} {at}"),
        };
        Ok(told.with(format!("spot interruption: {notice}; {end}")))
    }
}

/// Takes away how an interruption ends whose time is to come, so that this one's
/// end does not come too early; tells of it.
fn replace(client: &Client, instance: &Value) -> anyhow::Result<Option<String>> {
    let description = &instance["description"];
    let time = &description["spot-interruption"]["time"];
    let until = times::later(time, HIBERNATES);
    let now = &instance["clock"]["now"];
    if !until.is_some_and(|until| times::is_before(now, &json!(until))) {
        return Ok(None);
    }
    let to_come = description["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
    let told = format!("it replaces the interruption at {}", time.as_str().unwrap_or_default());
    if to_come.is_empty() {
        return Ok(Some(told));
    }
    if !is_end(to_come, time) {
        let help = "what else was to come still comes: imds ctl show lists it, imds ctl edit 'timeline = false' takes \
                    it away";
        return Ok(Some(format!("{told}; {help}")));
    }
    let ask = Ask::patch("/v1/instance", json!({ "timeline": false })).of_revision(instance["revision"].as_u64());
    client.ask(ask).map_err(|error| told_of("interrupt", error))?;
    Ok(Some(told))
}

/// Whether all that is to come is the end of the interruption at this time.
fn is_end(to_come: &[Value], time: &Value) -> bool {
    let Some(until) = times::later(time, HIBERNATES) else { return false };
    to_come.iter().all(|entry| {
        let has_no_more =
            entry.as_object().is_some_and(|fields| fields.keys().all(|name| name == "at" || name == "state"));
        has_no_more && times::is_before(time, &entry["at"]) && times::is_before(&entry["at"], &json!(until))
    })
}

/// A rebalance recommendation, from now on.
pub fn rebalance(client: &Client) -> anyhow::Result<Told> {
    let (told, _) = of_spot(client, "rebalance", json!({ "rebalance-recommendation": {} }))?;
    Ok(told.with("rebalance recommendation: now".to_owned()))
}

/// Another state of the instance.
pub fn state(client: &Client, verb: &str, state: &str) -> anyhow::Result<Told> {
    let mut fields = json!({ "state": state });
    if state == "running" {
        // A start ends an interruption: what it was to end with does not come any more.
        let description = &client.ask(Ask::get("/v1/instance"))?.body["description"];
        let to_come = description["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !to_come.is_empty() && is_end(to_come, &description["spot-interruption"]["time"]) {
            fields["timeline"] = json!(false);
        }
    }
    let answer = change(client, verb, fields)?;
    Ok(revision(answer).with(format!("the instance is {state}")))
}

/// Makes a change that only a spot instance takes; gives what the instance is then.
fn of_spot(client: &Client, verb: &str, mut fields: Value) -> anyhow::Result<(Told, Value)> {
    let before = client.ask(Ask::get("/v1/instance"))?.body;
    let lifecycle = before["instance-lifecycle"].as_str().unwrap_or_default();
    let was_another = lifecycle != "spot";
    if was_another {
        fields["instance-lifecycle"] = json!("spot");
    }
    let mut told = revision(change(client, verb, fields)?);
    if was_another {
        told = told.with(format!("instance-lifecycle was {lifecycle} and is spot now: others are not interrupted"));
    }
    Ok((told, client.ask(Ask::get("/v1/instance"))?.body))
}

/// Nobody typed the change, so what is wrong with it is told of the verb.
fn change(client: &Client, verb: &str, change: Value) -> anyhow::Result<Answer> {
    client.ask(Ask::patch("/v1/instance", change)).map_err(|error| told_of(verb, error))
}

/// The same error of the verb.
pub fn told_of(verb: &str, error: anyhow::Error) -> anyhow::Error {
    match error.downcast() {
        Ok(Error::Invalid(Problems { mut list, .. })) => {
            list.iter_mut().for_each(|problem| problem.place = None);
            Error::Invalid(Problems { source: format!("imds ctl {verb}"), list }).into()
        }
        Ok(error) => error.into(),
        Err(error) => error,
    }
}

impl Told {
    /// With a line before the last one.
    pub fn with(self, line: String) -> Self {
        Self { text: format!("{line}\n{}", self.text), ..self }
    }
}
