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

/// Interrupt the spot instance: the notice, and two minutes later the interruption
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Interrupt {
    /// What becomes of the instance. Before hibernation there is no notice
    #[arg(long, value_name = "terminate|stop|hibernate", value_parser = ["terminate", "stop", "hibernate"], hide_possible_values = true, default_value = "terminate")]
    action: String,

    /// When, from now; the notice comes two minutes before, or now
    #[arg(long = "in", value_name = "TIME", value_parser = values::span)]
    after: Option<Duration>,
}

const EXAMPLES: &str = "\
Examples:
  imds ctl interrupt
  imds ctl interrupt --action stop --in 10m

Its deadline stays, whoever asks and how often. An instance that is not spot
becomes one. To call it off: imds ctl edit 'spot-interruption = false'";

impl Interrupt {
    pub fn make(self, client: &Client) -> anyhow::Result<Told> {
        let Self { action, after } = self;
        let mut interruption = json!({ "action": action });
        if let Some(after) = after {
            interruption["time"] = json!(times::from_now(after));
        }
        let change = json!({ "spot-interruption": interruption });
        let (told, instance) = of_spot(client, "interrupt", change)?;
        let time = &instance["description"]["spot-interruption"]["time"];
        let when = times::relative(time, &instance["clock"]["now"]);
        Ok(told.with(format!("spot interruption: {action} {when}, at {}", time.as_str().unwrap_or_default())))
    }
}

/// A rebalance recommendation, from now on.
pub fn rebalance(client: &Client) -> anyhow::Result<Told> {
    let (told, _) = of_spot(client, "rebalance", json!({ "rebalance-recommendation": {} }))?;
    Ok(told.with("rebalance recommendation: now".to_owned()))
}

/// Another state of the instance.
pub fn state(client: &Client, verb: &str, state: &str) -> anyhow::Result<Told> {
    let answer = change(client, verb, json!({ "state": state }))?;
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
    fn with(self, line: String) -> Self {
        Self { text: format!("{line}\n{}", self.text), ..self }
    }
}
