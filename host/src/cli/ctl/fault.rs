// `imds ctl fault`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::super::failure::WrongUse;
use super::super::values;
use super::Told;
use super::change::{change, told_of};
use super::client::{Answer, Ask, Client, INSTANCE};
use super::edit::tell_warnings;
use super::times;

/// Let requests fail, to see what clients do; without a kind, list what does so
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Fault {
    /// What happens to an affected request; `off` removes all faults, `remove` one
    #[arg(value_name = "refuse|delay|close|cut|withhold|throttle|off|remove", value_parser = KINDS, hide_possible_values = true)]
    kind: Option<String>,

    /// With remove: which one, by its number in the list
    #[arg(value_name = "N", value_parser = values::whole::<u16>)]
    number: Option<u16>,

    /// The share of requests to affect, 0 to 1; all by default
    #[arg(long, value_name = "SHARE", value_parser = values::share, allow_hyphen_values = true)]
    share: Option<f64>,

    /// Those for this path and below it, where * stands for any one name;
    /// repeatable
    #[arg(long, value_name = "PATH")]
    path: Vec<String>,

    /// Those with this method; repeatable
    #[arg(long, value_name = "METHOD")]
    method: Vec<String>,

    /// For how long, from now
    #[arg(long = "for", value_name = "TIME", value_parser = values::span, allow_hyphen_values = true)]
    lasting: Option<Duration>,

    /// With delay: how late the answer comes, up to 60s
    #[arg(long, value_name = "TIME", value_parser = values::span, allow_hyphen_values = true)]
    delay: Option<Duration>,

    /// Selects which requests are affected
    #[arg(long, value_name = "N", value_parser = values::whole::<u32>, allow_hyphen_values = true)]
    seed: Option<u32>,

    /// With throttle: requests that may come at once
    #[arg(long, value_name = "N", value_parser = values::whole::<u16>, allow_hyphen_values = true)]
    burst: Option<u16>,

    /// With throttle: requests regained a second
    #[arg(long, value_name = "N", value_parser = values::whole::<u16>, allow_hyphen_values = true)]
    per_second: Option<u16>,
}

const KINDS: [&str; 8] = ["refuse", "delay", "close", "cut", "withhold", "throttle", "off", "remove"];

/// The flags that say something of a fault.
const FLAGS: [&str; 8] = ["share", "path", "method", "for", "delay", "seed", "burst", "per-second"];

const EXAMPLES: &str = "\
Kinds:
  refuse    503            close     no answer, the connection ends
  delay     a late answer  cut       half of the body
  throttle  503 above --burst and --per-second      withhold  never an answer

Examples:
  imds ctl fault refuse --share 0.3
  imds ctl fault withhold --path /latest/api/token --method PUT --for 30s
  imds ctl fault delay --delay 2s --path '/*/meta-data/iam'
  imds ctl fault throttle --burst 5 --per-second 1
  imds ctl fault
  imds ctl fault remove 1
  imds ctl fault off";

impl Fault {
    pub fn make(self, client: &Client) -> anyhow::Result<Told> {
        if self.kind.as_deref() != Some("remove") && self.number.is_some() {
            return Err(WrongUse("a number is for remove: imds ctl fault remove N".to_owned()).into());
        }
        let changes = match self.kind.as_deref() {
            None => {
                self.refuse_flags("list", &FLAGS)?;
                None
            }
            Some("off") => {
                self.refuse_flags("off", &FLAGS)?;
                Some(self.set(client, json!({ "faults": null, "request-throttle": null }))?)
            }
            Some("remove") => {
                self.refuse_flags("remove", &FLAGS)?;
                Some(self.remove(client)?)
            }
            Some("throttle") => {
                self.refuse_flags("throttle", &["share", "path", "method", "for", "delay", "seed"])?;
                Some(self.set(client, json!({ "request-throttle": self.throttle() }))?)
            }
            Some(kind) => {
                self.refuse_flags(kind, &["burst", "per-second"])?;
                Some(self.add(client, kind)?)
            }
        };
        changes.iter().for_each(tell_warnings);
        let instance = client.ask(Ask::get(INSTANCE))?;
        let lines = in_words(&instance.body);
        let numbered: Vec<_> = lines.iter().zip(1..).map(|(line, number)| format!("{number}  {line}")).collect();
        let text = if lines.is_empty() { "no faults".to_owned() } else { numbered.join("\n") };
        Ok(Told { text, raw: changes.unwrap_or(instance).raw })
    }

    /// Adds one to those that are there, less those whose time is over.
    fn add(&self, client: &Client, kind: &str) -> anyhow::Result<Answer> {
        let with_this_one = |instance: &Value| {
            let now = &instance["clock"]["now"];
            let is_over = |fault: &Value| times::is_before(&fault["until"], now);
            let mut faults: Vec<_> = instance["faults"].as_array().cloned().unwrap_or_default();
            faults.retain(|fault| !is_over(fault));
            faults.push(self.fault(kind));
            json!({ "faults": faults })
        };
        change(client, &self.verb(), with_this_one)
    }

    /// Removes one by its number in the list, in which the throttle comes last.
    fn remove(&self, client: &Client) -> anyhow::Result<Answer> {
        let Some(index) = self.number.and_then(|number| usize::from(number).checked_sub(1)) else {
            return Err(WrongUse("which one? imds ctl fault lists them: imds ctl fault remove N".to_owned()).into());
        };
        let instance = client.ask(Ask::get(INSTANCE))?.body;
        let number = in_words(&instance).len();
        if index >= number {
            return Err(WrongUse(format!("there are {number} faults; imds ctl fault lists them")).into());
        }
        let mut faults: Vec<_> = instance["faults"].as_array().cloned().unwrap_or_default();
        let fields = if index < faults.len() {
            faults.remove(index);
            json!({ "faults": faults })
        } else {
            json!({ "request-throttle": null })
        };
        let ask = Ask::patch(INSTANCE, fields).of_revision(instance["revision"].as_u64());
        client.ask(ask).map_err(|error| told_of("fault remove", error))
    }

    fn set(&self, client: &Client, fields: Value) -> anyhow::Result<Answer> {
        client.ask(Ask::patch(INSTANCE, fields)).map_err(|error| told_of(&self.verb(), error))
    }

    fn verb(&self) -> String {
        format!("fault {}", self.kind.as_deref().unwrap_or_default())
    }

    fn fault(&self, kind: &str) -> Value {
        let Self { share, path, method, lasting, delay, seed, .. } = self;
        let mut fault = json!({ "kind": kind });
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fault[name] = value;
            }
        };
        set("share", share.map(|share| json!(share)));
        set("paths", (!path.is_empty()).then(|| json!(path)));
        set("methods", (!method.is_empty()).then(|| json!(method)));
        set("until", lasting.map(|time| json!(times::from_now(time))));
        set("delay", delay.map(|time| json!(times::span(time))));
        set("seed", seed.map(|seed| json!(seed)));
        fault
    }

    fn throttle(&self) -> Value {
        let mut throttle = json!({});
        for (name, value) in [("burst", self.burst), ("per-second", self.per_second)] {
            if let Some(value) = value {
                throttle[name] = json!(value);
            }
        }
        throttle
    }

    fn refuse_flags(&self, kind: &str, refused: &[&str]) -> Result<(), WrongUse> {
        let given = [
            ("share", self.share.is_some()),
            ("path", !self.path.is_empty()),
            ("method", !self.method.is_empty()),
            ("for", self.lasting.is_some()),
            ("delay", self.delay.is_some()),
            ("seed", self.seed.is_some()),
            ("burst", self.burst.is_some()),
            ("per-second", self.per_second.is_some()),
        ];
        match given.iter().find(|(name, is_given)| *is_given && refused.contains(name)) {
            Some((name, _)) if kind == "list" => {
                Err(WrongUse(format!("--{name} takes a kind of fault before it: imds ctl fault KIND --{name} …")))
            }
            Some((name, _)) => {
                Err(WrongUse(format!("{kind} takes no --{name}; imds ctl fault --help tells what it takes")))
            }
            None => Ok(()),
        }
    }
}

/// A line for each fault of an instance as the listener tells it.
pub fn in_words(instance: &Value) -> Vec<String> {
    let now = &instance["clock"]["now"];
    let mut lines: Vec<_> =
        instance["faults"].as_array().into_iter().flatten().map(|fault| one_in_words(fault, now)).collect();
    let throttle = &instance["description"]["request-throttle"];
    if throttle.is_object() {
        let of = |name: &str, words: &str| throttle[name].as_u64().map(|number| format!("{number} {words}"));
        let stated: Vec<_> = [of("burst", "at once"), of("per-second", "a second")].into_iter().flatten().collect();
        lines.push(match stated.is_empty() {
            true => "throttle".to_owned(),
            false => format!("throttle above {}", stated.join(" and ")),
        });
    }
    lines
}

fn one_in_words(fault: &Value, now: &Value) -> String {
    let text = |name: &str| fault[name].as_str();
    let list = |name: &str| {
        let items = fault[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        (!items.is_empty()).then(|| items.join(", "))
    };
    let mut words = text("kind").unwrap_or_default().to_owned();
    words.extend(text("delay").map(|delay| format!(" by {delay}")));
    words.extend(fault["share"].as_f64().map(|share| format!(" {}% of requests", share * 100.0)));
    words.extend(list("methods").map(|methods| format!(", {methods}")));
    words.extend(list("paths").map(|paths| format!(", {paths}")));
    words.extend(text("from").map(|_| format!(", from {}", times::relative(&fault["from"], now))));
    words.extend(text("until").map(|_| match times::is_before(&fault["until"], now) {
        true => ", over".to_owned(),
        false => format!(", ends {}", times::relative(&fault["until"], now)),
    }));
    words
}
