// `imds ctl scenario`.

use clap::Args;
use imds_host::{Description, Error, Runtime};
use serde_json::Value;

use super::super::scenarios::{Chosen, NameOrFile};
use super::super::values::scenario_speed;
use super::Told;
use super::client::Client;
use super::operation::made;

/// Let a scenario happen to the instance, from now
#[derive(Args)]
#[command(name = "scenario", after_help = EXAMPLES)]
pub struct StartScenario {
    /// One that `imds scenarios` lists, or a file like them
    #[arg(value_name = "NAME|FILE", value_parser = NameOrFile)]
    scenario: Chosen,

    /// Let it happen N times as fast, 1 to 1000
    #[arg(long, value_name = "N", value_parser = scenario_speed, allow_negative_numbers = true)]
    speed: Option<f64>,
}

const EXAMPLES: &str = "\
Examples:
  imds ctl scenario spot-interruption
  imds ctl scenario spot-interruption --speed 10
  imds ctl scenario ./mine.toml

To call it off, with all that is to come: imds ctl reset";

impl StartScenario {
    pub fn make(self, client: &Client) -> anyhow::Result<Told> {
        let written = self.scenario.read()?;
        let scenario = match self.speed {
            Some(speed) => Runtime::new()?.speed_up(&written, speed)?,
            None => written.clone(),
        };
        let change: Value = serde_json::from_str(&scenario.to_json())?;
        made(client, "scenario", change, |error| placed(&written, error))
    }
}

/// The same error, told of the scenario's text.
fn placed(scenario: &Description, error: anyhow::Error) -> anyhow::Error {
    match error.downcast() {
        Ok(Error::Invalid(problems)) => Error::Invalid(scenario.place_problems(problems.list)).into(),
        Ok(error) => error.into(),
        Err(error) => error,
    }
}
