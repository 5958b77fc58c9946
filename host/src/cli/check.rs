// `imds check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use imds_host::{Description, Runtime, Settings};

use super::failure;
use super::options::{name, read_description};
use super::print::{to_stderr, to_stdout};
use super::scenarios::{ScenarioFlags, Story, combine};

/// Say whether descriptions are valid, and what is wrong where
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// TOML or JSON; - is standard input
    #[arg(required_unless_present = "chosen", value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    scenarios: ScenarioFlags,
}

const EXAMPLES: &str = "\
Examples:
  imds check instance.toml staging/*.json
  imds check --scenario mine.toml                over the default instance
  imds check --scenario mine.toml instance.toml  over this one";

impl Check {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = Runtime::new()?;
        let scenarios = self.scenarios.read(&runtime)?;
        // Without a file, over the default instance.
        let files: Vec<Option<&Path>> = match &self.files[..] {
            [] => vec![None],
            files => files.iter().map(|file| Some(file.as_path())).collect(),
        };
        let mut code = ExitCode::SUCCESS;
        for (index, file) in files.iter().enumerate() {
            match check(&runtime, *file, &scenarios) {
                Ok(()) => {
                    let names: Vec<String> = file.map(name).into_iter().chain(self.scenarios.names()).collect();
                    to_stdout(&format!("{}: valid\n", names.join(" with ")), "what is valid")?;
                }
                Err(error) => {
                    code = failure::report(&error);
                    if index + 1 < files.len() {
                        to_stderr("");
                    }
                }
            }
        }
        Ok(code)
    }
}

fn check(runtime: &Runtime, file: Option<&Path>, scenarios: &[Story]) -> anyhow::Result<()> {
    let description = file.map_or_else(|| Ok(Description::default()), read_description)?;
    runtime.open(&combine(runtime, description, scenarios)?, &Settings::default())?;
    Ok(())
}
