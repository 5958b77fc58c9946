// What an operator does to an instance: `imds ctl interrupt`, `rebalance`, `stop`,
// `start`, `reboot` and `terminate`. What each comes to, the service says.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::super::values;
use super::change::told_of;
use super::client::{Ask, Client, INSTANCE};
use super::edit::tell_warnings;
use super::{Told, times};

/// Interrupt the spot instance: the notice, and two minutes later the end
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Interrupt {
    /// What becomes of the instance: terminated, or stopped. Before hibernation there
    /// is no notice, and it is stopped ten seconds after its time
    #[arg(long, value_name = "terminate|stop|hibernate")]
    action: Option<String>,

    /// When, from now; the notice comes two minutes before, or now
    #[arg(long = "in", value_name = "TIME", value_parser = values::span, allow_hyphen_values = true)]
    after: Option<Duration>,

    /// Show the notice, but do nothing at the deadline
    #[arg(long)]
    notice_only: bool,
}

const EXAMPLES: &str = "\
Examples:
  imds ctl interrupt
  imds ctl interrupt --action stop --in 10m
  imds ctl interrupt --notice-only

The deadline is fixed, however often clients ask. It takes the place of one that
was to come, and an instance that is not spot becomes one. To call it off, with
all that is to come:
  imds ctl edit '{\"spot-interruption\": false, \"timeline\": false}'";

impl Interrupt {
    pub fn make(self, client: &Client) -> anyhow::Result<Told> {
        let mut interruption = json!({});
        if let Some(action) = self.action {
            interruption["action"] = json!(action);
        }
        if let Some(after) = self.after {
            interruption["time"] = json!(times::from_now(after));
        }
        if self.notice_only {
            interruption["notice-only"] = json!(true);
        }
        operate(client, "interrupt", json!({ "interrupt": interruption }))
    }
}

/// Has the instance do what one word says.
pub fn verb(client: &Client, verb: &str) -> anyhow::Result<Told> {
    operate(client, verb, json!(verb))
}

fn operate(client: &Client, verb: &str, operation: Value) -> anyhow::Result<Told> {
    made(client, verb, json!({ "operation": operation }), |error| told_of(verb, error))
}

/// Makes a change, and looks at the instance before and after it, to tell what came of
/// it. `explained` is the error where the change is wrong.
pub fn made(
    client: &Client,
    verb: &str,
    change: Value,
    explained: impl Fn(anyhow::Error) -> anyhow::Error,
) -> anyhow::Result<Told> {
    let before = client.ask(Ask::get(INSTANCE))?.body;
    let answer = client.ask(Ask::patch(INSTANCE, change)).map_err(explained)?;
    tell_warnings(&answer);
    let after = client.ask(Ask::get(INSTANCE))?.body;
    let back = if client.is_of_an_application() { "imds ctl put" } else { "imds ctl reset" };
    Ok(Told { text: in_words(verb, &before, &answer.body["revision"], &after, back), raw: answer.raw })
}

/// The state of an instance, and what is otherwise than before, as the listener shows
/// it. `back` is the command that undoes a termination.
fn in_words(verb: &str, before: &Value, revision: &Value, after: &Value, back: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!("the instance is {}", text(&after["state"]))];
    if before["revision"] == *revision {
        lines[0] += match verb {
            "reboot" => "; it was rebooted, and no scheduled reboot waited, so its metadata stays as it was",
            _ => "; nothing was changed",
        };
    }
    if after["state"] == "terminated" {
        lines[0] += &format!("; to have it back: {back}");
    }
    let lifecycle = |instance: &Value| text(&instance["instance-lifecycle"]);
    if lifecycle(before) != lifecycle(after) {
        lines.push(format!("instance-lifecycle was {} and is {} now", lifecycle(before), lifecycle(after)));
    }
    let known: Vec<_> = times::happenings(before).collect();
    let new = times::happenings(after).filter(|happening| !known.contains(happening));
    lines.extend(new.map(|happening| times::happening(happening, &after["clock"]["now"])));
    lines.push(format!("revision {revision}"));
    lines.join("\n")
}
