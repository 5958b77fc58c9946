// `imds ctl clock`.

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::failure::WrongUse;
use super::super::values;
use super::Told;
use super::client::{Ask, Client};

/// Show or move the clock by which the instance answers
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Clock {
    /// Set it (2026-10-01T00:00:00Z), move it on (+5m) or back (-5m), let it stand or
    /// run on, or make it the system's again
    #[arg(value_name = "TIME|+5m|-5m|pause|resume|system", allow_hyphen_values = true)]
    change: Option<String>,

    /// How many seconds it shows for each that passes
    #[arg(long, value_name = "N", value_parser = values::speed)]
    speed: Option<f64>,
}

const EXAMPLES: &str = "\
Examples:
  imds ctl clock
  imds ctl clock +2m
  imds ctl clock -5m
  imds ctl clock 2026-10-01T00:00:00Z --speed 60
  imds ctl clock pause

Tokens, credentials and notices follow it.";

impl Clock {
    pub fn make(self, client: &Client) -> anyhow::Result<Told> {
        let change = self.change()?;
        let ask = match change.as_object().is_some_and(Map::is_empty) {
            true => Ask::get("/v1/clock"),
            false => Ask::patch("/v1/clock", change),
        };
        let answer = client.ask(ask)?;
        Ok(Told { text: in_words(&answer.body), raw: answer.raw })
    }

    fn change(&self) -> Result<Value, WrongUse> {
        let mut change = json!({});
        match self.change.as_deref() {
            None => {}
            Some("pause") => change["paused"] = json!(true),
            Some("resume") => change["paused"] = json!(false),
            Some("system") => change["system"] = json!(true),
            // The listener looks at the rest.
            Some(text) if text.starts_with(['+', '-']) && values::span(&text[1..]).is_ok() => {
                change["advance"] = json!(text);
            }
            Some(text) => {
                let expected = "expected a time such as 2026-10-01T00:00:00Z, a way from now such as +5m or -5m, or \
                                pause, resume or system";
                values::time(text).map_err(|wrong| match humantime::parse_rfc3339(text) {
                    Ok(_) => WrongUse(format!("{text}: {wrong}")),
                    Err(_) if values::span(text).is_ok() => WrongUse(format!(
                        "{text} has no sign; write +{text} to move the clock on, -{text} to move it back"
                    )),
                    Err(_) => WrongUse(format!("{text}: {expected}")),
                })?;
                change["now"] = json!(text);
            }
        }
        if let Some(speed) = self.speed {
            change["speed"] = json!(speed);
        }
        Ok(change)
    }
}

/// A clock as the listener tells it: what it shows, and how it runs.
pub fn in_words(clock: &Value) -> String {
    let now = clock["now"].as_str().unwrap_or_default();
    let speed = clock["speed"].as_f64().unwrap_or(1.0);
    let mut words = now.to_owned();
    if clock["system"] == true {
        words += ", the system's";
    }
    if speed != 1.0 {
        words += &format!(", {speed} times as fast");
    }
    if clock["paused"] == true {
        words += ", paused";
    }
    words
}
