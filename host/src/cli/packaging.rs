// `imds completions` and `imds man`: what a package of the program brings along.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

use super::print::to_stdout;

/// Print the completions of a shell
#[derive(Args)]
#[command(after_help = "Example:\n  imds completions bash > ~/.local/share/bash-completion/completions/imds")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Write the manual pages to a folder: one for the program, and one for each command
#[derive(Args)]
#[command(after_help = "Example:\n  imds man ~/.local/share/man/man1")]
pub struct Man {
    /// The folder, made if missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Completions {
    pub fn run(self, mut command: Command) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "imds", &mut script);
        to_stdout(&String::from_utf8(script)?, "the completions")
    }
}

impl Man {
    pub fn run(self, command: Command) -> anyhow::Result<ExitCode> {
        let folder = &self.folder;
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
