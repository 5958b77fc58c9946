// `imds ctl`: a client of the control listener.

mod change;
mod client;
mod clock;
mod edit;
mod explain;
mod fault;
mod follow;
mod operation;
mod show;
mod times;
mod usage;

use std::env;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use imds_host::shown;

use self::client::Client;
use super::control::{DEFAULT, Place, VARIABLE};
use super::failure::WrongUse;
use super::print::to_stdout;

/// Look at an instance that is served, change it, move its clock
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Ctl {
    /// Where the instance takes orders. Without it what IMDS_CONTROL says, else
    /// 127.0.0.1:1340
    // A name of its own, since `imds` alone has the flag of `imds serve`.
    #[arg(id = "listener", long = "control", global = true, value_name = "ADDR:PORT|PATH", value_parser = Place::parse)]
    control: Option<Place>,

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
  imds run --control -- sh -c './my-agent & imds ctl interrupt; wait'

Exit status: 0; 1 where the listener refuses or cannot be reached; 2 for wrong
use or a wrong change, which changes nothing.";

#[derive(Subcommand)]
enum Verb {
    /// Show what the instance is: options, clock, timeline, faults, revision
    #[command(after_help = "Example:\n  imds ctl show --json")]
    Show,
    Edit(edit::Edit),
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
    /// Read the description's file again, as SIGHUP does
    #[command(after_help = "Example:\n  imds ctl reload")]
    Reload,
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
        let place = match self.control {
            Some(place) => place,
            None => from_environment()?,
        };
        let client = Client::new(place)?;
        let told = match self.verb {
            Verb::Show => show::show(&client),
            Verb::Edit(edit) => edit.make(&client),
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
            Verb::Reload => edit::reload(&client),
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

fn from_environment() -> anyhow::Result<Place> {
    let text = env::var(VARIABLE).unwrap_or_default();
    if text.is_empty() {
        return Ok(Place::Tcp(DEFAULT));
    }
    Place::parse(&text).map_err(|wrong| WrongUse(format!("{VARIABLE} is {text:?}: {wrong}")).into())
}
