// `imds export`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use imds_host::{IdentitySigning, Runtime, Settings};

use super::identity;
use super::options::read_description;
use super::print::to_stdout;

/// Print a description as JSON, for engines that read nothing else
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// TOML or JSON; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Put the signatures of the identity document inside, made with these
    /// keys; made if the file does not exist
    #[arg(long, value_name = "FILE")]
    identity_keys: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  imds export instance.toml > instance.json
  spin up --variable instance=@instance.json
  imds export --identity-keys keys.pem instance.toml | redis-cli -x set instance";

impl Export {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let description = read_description(&self.file)?;
        let keys = self.identity_keys.as_deref().map(identity::read_or_make).transpose()?;
        let signs = keys.is_some();
        let settings = Settings {
            identity_signing: keys.map_or(IdentitySigning::Never, |keys| IdentitySigning::With(Arc::new(keys))),
            ..Settings::default()
        };
        // Opened even where nothing is signed: what is wrong is not passed on.
        let instance = Runtime::new()?.open(&description, &settings)?;
        let json = if signs { instance.to_signed_json()? } else { description.to_json() };
        to_stdout(&format!("{json}\n"), "the description")
    }
}
