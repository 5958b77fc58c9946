// What happens to an instance: `imds ctl interrupt`, `rebalance`, `stop`, `start`
// and `terminate`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::super::values;
use super::Told;
use super::change::{Changed, change};
use super::client::{Ask, Client};
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
        let (state, end) = self.end();
        let Changed { before, answer } = change(client, "interrupt", |before| {
            let mut fields = as_spot(before, json!({ "spot-interruption": self.interruption() }));
            let end = (!self.notice_only).then(|| json!({ "at": times::from_now(end), "state": state }));
            let is_replaced = matches!(Pending::of(before), Pending::WithItsEnd(_));
            match (is_replaced, end) {
                // In the same step, so that there is no moment with two ends or none.
                (true, Some(end)) => fields["timeline"] = json!([false, end]),
                (true, None) => fields["timeline"] = json!(false),
                (false, Some(end)) => fields["timeline"] = json!([end]),
                (false, None) => {}
            }
            fields
        })?;
        let revision_made = answer.body["revision"].clone();
        let mut told = with_lifecycle(revision(answer), &before);
        told = Pending::of(&before).in_words().into_iter().fold(told, Told::with);
        let after = client.ask(Ask::get("/v1/instance"))?.body;
        // Somebody else may have changed it since.
        let interruption = (after["revision"] == revision_made).then_some(after);
        Ok(told.with(self.in_words(interruption.as_ref())))
    }

    fn interruption(&self) -> Value {
        match self.after {
            Some(after) => json!({ "action": self.action, "time": times::from_now(after) }),
            None => json!({ "action": self.action }),
        }
    }

    /// What becomes of the instance, and when from now.
    fn end(&self) -> (&'static str, Duration) {
        match self.action.as_str() {
            "hibernate" => ("stopped", self.time().saturating_add(HIBERNATES)),
            "stop" => ("stopped", self.time()),
            _ => ("terminated", self.time()),
        }
    }

    /// When from now the interruption is.
    fn time(&self) -> Duration {
        self.after.unwrap_or(if self.is_told_before() { NOTICE } else { Duration::ZERO })
    }

    fn is_told_before(&self) -> bool {
        self.action != "hibernate"
    }

    /// What was announced to an instance, as the listener shows it after that.
    fn in_words(&self, instance: Option<&Value>) -> String {
        let at = match instance {
            Some(instance) => {
                let time = &instance["description"]["spot-interruption"]["time"];
                let from_now = times::relative(time, &instance["clock"]["now"]);
                format!("{from_now}, at {}", time.as_str().unwrap_or_default())
            }
            None => format!("in {}", times::in_words(self.time())),
        };
        let to_notice = if self.is_told_before() { self.time().saturating_sub(NOTICE) } else { self.time() };
        let notice = match to_notice.is_zero() {
            true => "notice now".to_owned(),
            false => format!("notice in {}", times::in_words(to_notice)),
        };
        let (state, end) = self.end();
        let end = match self.is_told_before() {
            _ if self.notice_only => format!("{} {at}, which is told only", self.action),
            false => format!("hibernate {at}; stopped in {}", times::in_words(end)),
            true => format!("{state} {at}"),
        };
        format!("spot interruption: {notice}; {end}")
    }
}

/// The interruption of an instance that a new one replaces: one whose time is to
/// come.
enum Pending<'i> {
    None,
    /// All that is to come is its end, which would be too early or too late for the
    /// new one.
    WithItsEnd(&'i Value),
    /// Something else is to come too, or nothing.
    Other {
        time: &'i Value,
        is_last: bool,
    },
}

impl<'i> Pending<'i> {
    fn of(instance: &'i Value) -> Self {
        let description = &instance["description"];
        let time = &description["spot-interruption"]["time"];
        let until = times::later(time, HIBERNATES);
        if !until.is_some_and(|until| times::is_before(&instance["clock"]["now"], &json!(until))) {
            return Self::None;
        }
        match to_come(description) {
            [] => Self::Other { time, is_last: true },
            entries if is_end(entries, time) => Self::WithItsEnd(time),
            _ => Self::Other { time, is_last: false },
        }
    }

    fn in_words(&self) -> Option<String> {
        let (Self::WithItsEnd(time) | Self::Other { time, .. }) = self else { return None };
        let words = format!("it replaces the interruption at {}", time.as_str().unwrap_or_default());
        Some(match self {
            Self::Other { is_last: false, .. } => format!(
                "{words}; what else was to come still comes: imds ctl show lists it, imds ctl edit 'timeline = false' \
                 takes it away"
            ),
            _ => words,
        })
    }
}

fn to_come(description: &Value) -> &[Value] {
    description["timeline"].as_array().map(Vec::as_slice).unwrap_or_default()
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
    let Changed { before, answer } =
        change(client, "rebalance", |before| as_spot(before, json!({ "rebalance-recommendation": {} })))?;
    let told = with_lifecycle(revision(answer), &before);
    Ok(told.with("rebalance recommendation: now".to_owned()))
}

/// Another state of the instance. The one that it has already is no change.
pub fn state(client: &Client, verb: &str, state: &str) -> anyhow::Result<Told> {
    let Changed { before, answer } = change(client, verb, |before| {
        let mut fields = json!({ "state": state });
        // A start ends an interruption: what it was to end with does not come any more.
        let description = &before["description"];
        let entries = to_come(description);
        let starts = state == "running" && before["state"] == "stopped";
        if starts && !entries.is_empty() && is_end(entries, &description["spot-interruption"]["time"]) {
            fields["timeline"] = json!(false);
        }
        fields
    })?;
    let mut words = format!("the instance is {state}");
    if before["state"] == state {
        words += " already; nothing was changed";
    }
    if state == "terminated" {
        words += "; to have it back: imds ctl reload";
    }
    Ok(revision(answer).with(words))
}

/// The same change of an instance that is spot then: others are not interrupted.
fn as_spot(before: &Value, mut fields: Value) -> Value {
    if before["instance-lifecycle"] != "spot" {
        fields["instance-lifecycle"] = json!("spot");
    }
    fields
}

/// Tells of an instance that was not spot before.
fn with_lifecycle(told: Told, before: &Value) -> Told {
    match before["instance-lifecycle"].as_str() {
        Some("spot") | None => told,
        Some(other) => told.with(format!("instance-lifecycle was {other} and is spot now: others are not interrupted")),
    }
}

impl Told {
    /// With a line before the last one.
    pub fn with(self, line: String) -> Self {
        Self { text: format!("{line}\n{}", self.text), ..self }
    }
}
