// `imds export`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use imds_host::{IdentitySigning, Runtime, Settings};

use super::identity;
use super::options::{read_change, read_description};
use super::print::to_stdout;
use super::scenarios::{ScenarioFlags, combine};
use super::setting::{Setting, schema};
use super::values::time;

/// Print a description as JSON, for engines that read nothing else
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// TOML or JSON; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// A field of the description, over what the file says: instance-type=m7g.large, tags.Name=web-1; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    #[command(flatten)]
    scenarios: ScenarioFlags,

    /// Change the instance, as `imds ctl edit` does: TOML or JSON text, @FILE
    #[arg(long, value_name = "CHANGE")]
    edit: Option<String>,

    /// From when relative times count that nothing else sets. Default: now
    #[arg(long, value_name = "TIME", value_parser = time)]
    start: Option<SystemTime>,

    /// Put the signatures of the identity document inside, made with these
    /// keys; made if the file does not exist
    #[arg(long, value_name = "FILE")]
    identity_keys: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  imds export instance.toml > instance.json
  imds export --set tags.Name=web-1 instance.toml
  spin up --variable instance=@instance.json
  imds export --identity-keys keys.pem instance.toml | redis-cli -x set instance
  imds export --scenario spot-interruption instance.toml | redis-cli -x set instance
  redis-cli get instance | imds export --edit 'tags.Name = \"web-2\"' - | redis-cli -x set instance";

impl Export {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = Runtime::new()?;
        let now = SystemTime::now();
        let mut description = combine(&runtime, read_description(&self.file)?, &self.scenarios.read(&runtime)?)?;
        if !self.set.is_empty() {
            let schema = schema(&runtime)?;
            for setting in Setting::all(&self.set)? {
                setting.set(&schema, &mut description, "--set ");
            }
        }
        if self.start.is_some() || self.edit.is_some() || !self.scenarios.names().is_empty() {
            description.start_at(self.start.unwrap_or(now));
        }
        if let Some(change) = &self.edit {
            description = runtime.edit(&description, &read_change(change)?, now)?;
        }
        let keys = self.identity_keys.as_deref().map(identity::read_or_make).transpose()?;
        let signs = keys.is_some();
        let settings = Settings::default()
            .identity_signing(keys.map_or(IdentitySigning::Never, |keys| IdentitySigning::With(Arc::new(keys))));
        // Opened even where nothing is signed: what is wrong is not passed on.
        let instance = runtime.open_with(&description, &settings)?;
        let json = if signs { instance.to_signed_json()? } else { description.to_json() };
        to_stdout(&format!("{json}\n"), "the description")
    }
}
