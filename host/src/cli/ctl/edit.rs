// `imds ctl edit` and `imds ctl reset`.

use clap::Args;
use imds_host::{Error, Problem, Runtime, Warning, Warnings};
use serde_json::Value;

use super::super::failure::WrongUse;
use super::super::log::Format;
use super::super::setting::change;
use super::super::values;
use super::super::warnings;
use super::Told;
use super::client::{Answer, Ask, Client, INSTANCE};

/// Change the instance by a piece of a description
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Edit {
    /// The fields that change: KEY=VALUE each, or TOML or JSON text; @FILE for those in
    /// a file, - for standard input
    #[arg(value_name = "CHANGE", required = true)]
    change: Vec<String>,

    /// Change this revision and no other, so that nobody's change is lost
    #[arg(long, value_name = "N", value_parser = values::whole::<u64>, allow_hyphen_values = true)]
    revision: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  imds ctl edit tags.Name=web-1 metadata-options.http-tokens=required
  imds ctl edit 'metadata-options.http-tokens = \"required\"'
  imds ctl edit '{\"tags\": {\"Name\": \"web-1\", \"Old\": null}}'
  imds ctl edit 'timeline = [{ at = \"+5m\", state = \"stopped\" }]'
  imds ctl edit @change.toml --revision 7

It is merged into what there is; null in JSON takes a field back to its default.
`imds schema` prints all fields. All of a change is done, or nothing.";

impl Edit {
    pub fn make(self, client: &Client) -> anyhow::Result<Told> {
        let change = change(&self.change, &Runtime::new()?)?;
        if change.to_json() == "{}" {
            let wrong = "the change has no fields, so it changes nothing; imds ctl edit --help has examples";
            return Err(WrongUse(wrong.to_owned()).into());
        }
        let body: Value = serde_json::from_str(&change.to_json())?;
        match client.ask(Ask::patch(INSTANCE, body).of_revision(self.revision)) {
            Ok(answer) => {
                tell_warnings(&answer);
                Ok(revision(answer))
            }
            Err(error) => Err(match error.downcast() {
                // Told of what was typed, not of what was sent.
                Ok(Error::Invalid(problems)) => Error::Invalid(change.place_problems(problems.list)).into(),
                Ok(error) => error.into(),
                Err(error) => error,
            }),
        }
    }
}

pub fn reset(client: &Client) -> anyhow::Result<Told> {
    let answer = client.ask(Ask::post("/v1/reload"))?;
    tell_warnings(&answer);
    let done = answer.body["done"].as_str().unwrap_or("read again").to_owned();
    // Of many there is none.
    if answer.body["revision"].is_null() {
        return Ok(Told { text: format!("{done}; imds ctl list shows the instances"), raw: answer.raw });
    }
    let Told { mut text, raw } = revision(answer);
    if client.ask(Ask::get("/v1/instance"))?.body["state"] == "terminated" {
        text += "\nits timeline terminated it: move the clock back before that, imds ctl clock -5m";
    }
    Ok(Told { text: format!("{done}; edits are undone\n{text}"), raw })
}

/// Prints what a change says that cannot be real, to standard error.
pub fn tell_warnings(answer: &Answer) {
    let text = |warning: &Value, name: &str| warning[name].as_str().map(str::to_owned);
    let warning = |warning: &Value| Warning {
        name: text(warning, "name").unwrap_or_default(),
        problem: Problem {
            field: text(warning, "field").unwrap_or_default(),
            in_name: false,
            message: text(warning, "message").unwrap_or_default(),
            help: text(warning, "help"),
            place: None,
            set_by: None,
        },
    };
    let list = answer.body["warnings"].as_array().into_iter().flatten().map(warning).collect();
    warnings::tell(&Warnings { source: "the instance".to_owned(), list }, Format::Text);
}

/// Tells the revision that an answer has.
pub fn revision(answer: Answer) -> Told {
    Told { text: format!("revision {}", answer.body["revision"]), raw: answer.raw }
}
