// `imds ctl put`.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use imds_host::Error;
use serde_json::Value;

use super::super::options::read_description;
use super::super::values;
use super::Told;
use super::client::{Ask, Client};
use super::edit::{revision, tell_warnings};

/// Describe the instance anew, in the place of all that was; with --instance, add
/// one
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Put {
    /// A description, TOML or JSON; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Put it in the place of this revision and no other
    #[arg(long, value_name = "N", value_parser = values::whole::<u64>, allow_hyphen_values = true)]
    revision: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  imds ctl put instance.toml
  imds ctl --instance 10.0.0.7 put vm-7.toml
  imds ctl --control https://imds.example.com/imds-control --token-file secret --instance vm-7 put vm-7.toml

Relative times that nothing else sets count from now where it goes to an application,
else from when the server opened the instance.";

impl Put {
    pub fn make(self, client: &Client) -> anyhow::Result<Told> {
        let mut description = read_description(&self.file)?;
        if client.is_of_an_application() {
            description.start_at(SystemTime::now());
        }
        let body: Value = serde_json::from_str(&description.to_json())?;
        match client.ask(Ask::put(body).of_revision(self.revision)) {
            Ok(answer) => {
                tell_warnings(&answer);
                Ok(revision(answer))
            }
            Err(error) => Err(match error.downcast() {
                // Told of the file, not of what was sent.
                Ok(Error::Invalid(problems)) => Error::Invalid(description.place_problems(problems.list)).into(),
                Ok(error) => error.into(),
                Err(error) => error,
            }),
        }
    }
}
