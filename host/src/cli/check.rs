// `imds check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use imds_host::{Runtime, Settings};

use super::failure;
use super::options::{name, read_description};
use super::print::{to_stderr, to_stdout};

/// Say whether descriptions are valid, and what is wrong where
#[derive(Args)]
#[command(after_help = "Example:\n  imds check instance.toml staging/*.json")]
pub struct Check {
    /// TOML or JSON; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Check {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = Runtime::new()?;
        let mut code = ExitCode::SUCCESS;
        for (index, file) in self.files.iter().enumerate() {
            match check(&runtime, file) {
                Ok(()) => {
                    to_stdout(&format!("{}: valid\n", name(file)), "what is valid")?;
                }
                Err(error) => {
                    code = failure::report(&error);
                    if index + 1 < self.files.len() {
                        to_stderr("");
                    }
                }
            }
        }
        Ok(code)
    }
}

fn check(runtime: &Runtime, file: &Path) -> anyhow::Result<()> {
    runtime.open(&read_description(file)?, &Settings::default())?;
    Ok(())
}
