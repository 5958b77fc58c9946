// `imds ctl`: a client of the control listener, and of the control of applications
// that Spin serves.

mod change;
mod client;
mod clock;
mod edit;
mod explain;
mod fault;
mod follow;
mod get;
mod many;
mod operation;
mod put;
mod scenario;
mod show;
mod target;
mod times;
mod tls;
mod usage;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use imds_host::shown;

use self::client::Client;
use self::target::Target;
use super::control::{DEFAULT, Place, VARIABLE};
use super::failure::WrongUse;
use super::file;
use super::print::to_stdout;
use super::secret_file::warn_of_others;

/// Look at an instance that is served, change it, move its clock
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Ctl {
    /// Where the instance takes orders; a URL is that of a Spin application's
    /// control. Without it what IMDS_CONTROL says, else 127.0.0.1:1340
    // A name of its own, since `imds` alone has the flag of `imds serve`.
    #[arg(id = "listener", long = "control", global = true, value_name = "ADDR:PORT|PATH|URL", value_parser = Target::parse)]
    control: Option<Target>,

    /// At a URL: a file with the secret, the application's variable control_secret.
    /// Without it the file that IMDS_CONTROL_TOKEN_FILE names
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Which of many instances, by the key of its callers or, at a listener, by its instance id. Without it the
    /// only one
    #[arg(id = "key", long = "instance", global = true, value_name = "KEY|ID")]
    key: Option<String>,

    /// At a URL: certificates in PEM that vouch for it, in the place of this machine's
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Print the answer as it comes, in JSON; a refusal too
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  imds serve --control                               serve an instance that takes orders
  imds ctl show                                      what it is now
  imds ctl interrupt                                 a spot notice; terminated in 2 minutes
  imds ctl clock +90s                                move its clock
  imds ctl edit 'metadata-options.http-tokens = \"required\"'
  imds ctl follow                                    its requests as they come
  imds ctl --instance 10.0.0.7 stop                  one of many, of imds serve --instances
  imds run --control -- sh -c './my-agent & imds ctl interrupt; wait'
  imds ctl --control https://imds.example.com/imds-control --token-file secret list

Exit status: 0; 1 where the listener refuses or cannot be reached; 2 for wrong
use or a wrong change, which changes nothing.";

#[derive(Subcommand)]
enum Verb {
    /// Show what the instance is: options, clock, timeline, faults, revision
    #[command(after_help = "Example:\n  imds ctl show --json")]
    Show,
    Get(get::Item),
    Edit(edit::Edit),
    Scenario(scenario::StartScenario),
    Interrupt(operation::Interrupt),
    /// Recommend to move the work of the spot instance elsewhere
    #[command(after_help = "Example:\n  imds ctl rebalance")]
    Rebalance,
    /// Stop the instance: nothing answers until it is started
    #[command(after_help = "Example:\n  imds ctl stop")]
    Stop,
    /// Start the instance again: it gets a new launch time, public address and
    /// credentials
    #[command(after_help = "Example:\n  imds ctl start")]
    Start,
    /// Reboot the instance: the reboots that were scheduled are completed
    #[command(after_help = "Example:\n  imds ctl reboot")]
    Reboot,
    /// Terminate the instance, for good
    #[command(after_help = "Example:\n  imds ctl terminate")]
    Terminate,
    Clock(clock::Clock),
    Fault(fault::Fault),
    Follow(follow::Follow),
    /// Say why the last requests were refused, or which fault affected them, and
    /// what to do
    #[command(after_help = "Example:\n  imds ctl explain")]
    Explain,
    /// Show who still asks without a token (version 1)
    #[command(after_help = "Example:\n  imds ctl usage")]
    Usage,
    Put(put::Put),
    /// List the instances
    #[command(
        after_help = "Examples:\n  imds ctl list\n  imds ctl --control https://imds.example.com/imds-control --token-file secret list"
    )]
    List,
    /// Remove the instance that --instance names
    #[command(
        after_help = "Examples:\n  imds ctl --instance 10.0.0.7 remove\n  imds ctl --control https://imds.example.com/imds-control --token-file secret --instance vm-7 remove"
    )]
    Remove,
    /// Take all changes back: the instance is again what its file and the flags say,
    /// which are read again, as SIGHUP does
    #[command(alias = "reload", after_help = "Example:\n  imds ctl reset")]
    Reset,
}

/// The variable that names the file of the secret.
const TOKEN_FILE: &str = "IMDS_CONTROL_TOKEN_FILE";

/// How an application is asked.
struct Access {
    /// Its secret.
    token: Option<String>,
    /// Which of its instances.
    key: Option<String>,
    /// Who vouches for it.
    ca_file: Option<PathBuf>,
}

/// What a verb has to tell.
struct Told {
    /// The answer as it came.
    raw: String,
    /// For people.
    text: String,
}

impl Ctl {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let target = match self.control {
            Some(target) => target,
            None => from_environment()?,
        };
        let flags = [("token-file", self.token_file.is_some()), ("ca-file", self.ca_file.is_some())];
        let given = flags.iter().find(|(_, is_given)| *is_given);
        if let (Target::Listener(place, _), Some((flag, _))) = (&target, given) {
            return Err(WrongUse(format!(
                "--{flag} is for the control of a Spin application, at a URL; {place} is a listener of imds serve"
            ))
            .into());
        }
        let token = match &target {
            Target::Listener(..) => None,
            Target::Application(_) => Some(token(self.token_file)?),
        };
        let client = Client::new(target, Access { token, key: self.key, ca_file: self.ca_file })?;
        let told = match self.verb {
            Verb::Show => show::show(&client),
            Verb::Get(get) => return get.print(&client, self.json),
            Verb::Edit(edit) => edit.make(&client),
            Verb::Scenario(scenario) => scenario.make(&client),
            Verb::Interrupt(interrupt) => interrupt.make(&client),
            Verb::Rebalance => operation::verb(&client, "rebalance"),
            Verb::Stop => operation::verb(&client, "stop"),
            Verb::Start => operation::verb(&client, "start"),
            Verb::Reboot => operation::verb(&client, "reboot"),
            Verb::Terminate => operation::verb(&client, "terminate"),
            Verb::Clock(clock) => clock.make(&client),
            Verb::Fault(fault) => fault.make(&client),
            Verb::Follow(follow) => return follow.print(&client, self.json),
            Verb::Explain => explain::explain(&client),
            Verb::Usage => usage::usage(&client),
            Verb::Put(put) => put.make(&client),
            Verb::List => many::list(&client),
            Verb::Remove => many::remove(&client),
            Verb::Reset => edit::reset(&client),
        };
        let told = match told {
            Ok(told) => told,
            Err(error) => {
                if let Some(refusal) = client.refusal().filter(|_| self.json) {
                    to_stdout(&refusal, "the answer")?;
                }
                return Err(error);
            }
        };
        let text = if self.json { told.raw } else { format!("{}\n", shown::lines(&told.text)) };
        to_stdout(&text, "the answer")
    }
}

fn from_environment() -> anyhow::Result<Target> {
    let text = env::var(VARIABLE).unwrap_or_default();
    if text.is_empty() {
        return Ok(Target::Listener(Place::Tcp(DEFAULT), false));
    }
    Target::parse(&text).map_err(|wrong| WrongUse(format!("{VARIABLE} is {text:?}: {wrong}")).into())
}

/// The secret in the file of the flag, else in that of the environment.
fn token(file: Option<PathBuf>) -> anyhow::Result<String> {
    let named = || env::var_os(TOKEN_FILE).filter(|name| !name.is_empty()).map(PathBuf::from);
    let Some(file) = file.or_else(named) else {
        let wrong = format!(
            "the control of an application wants its secret; put it into a file: imds ctl --token-file FILE, or {TOKEN_FILE}"
        );
        return Err(WrongUse(wrong).into());
    };
    let bytes = file::read(&file).with_context(|| WrongUse(format!("cannot read {}", file.display())))?;
    warn_of_others(&file);
    let token = bytes.trim_ascii();
    if token.is_empty() || !token.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(WrongUse(format!("{} holds no line of printable ASCII, as a secret is", file.display())).into());
    }
    Ok(String::from_utf8_lossy(token).into_owned())
}
