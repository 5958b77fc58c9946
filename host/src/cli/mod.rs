// The command line: parses, calls the library, prints.

mod added_addresses;
mod advice;
mod asked;
mod capture;
mod check;
mod clock;
mod conform;
mod container;
mod control;
mod credentials;
mod ctl;
mod ec2;
mod environment;
mod export;
mod failure;
mod file;
mod get;
mod identity;
mod instances;
mod junit;
mod limits;
mod link_local;
mod listen;
mod log;
mod metrics;
mod network_namespace;
mod notify;
mod operator;
mod options;
mod packaging;
mod print;
mod problems;
mod process;
mod report;
mod require_v2;
mod run;
mod scenarios;
mod secret_file;
mod serve;
mod served;
mod setting;
mod signals;
mod socket_activation;
mod values;
mod variables;
mod warnings;
mod watch;
mod welcome;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use imds_host::ProcessSource;

/// The EC2 instance metadata service on this machine.
///
/// Without a command it serves, and takes the flags of `imds serve`.
#[derive(Parser)]
#[command(
    name = "imds",
    version,
    args_conflicts_with_subcommands = true,
    override_usage = "imds [OPTIONS]\n       imds <COMMAND>",
    after_help = EXAMPLES
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

const EXAMPLES: &str = "\
Examples:
  imds                                      serve the default instance on 127.0.0.1:1338
  imds get --tree --endpoint http://127.0.0.1:1338
                                            ask it for everything
  imds serve --set instance-type=m7g.large  serve another instance
  imds serve --scenario spot-interruption   let something happen to it
  imds run -- aws configure list            run a command that believes it is on EC2
  imds run --require-v2 -- ./my-agent       does it ask with tokens?
  imds serve --control                      serve one that takes orders, and then:
  imds ctl interrupt                        a spot notice, now
  imds conform http://127.0.0.1:8111        is another service like the real one?

`imds help COMMAND` has all flags of a command and more examples.
Exit status: 0; 1 for a failure at run time; 2 for wrong use or a wrong description.";

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Run(run::Run),
    Get(get::Get),
    Wait(get::Wait),
    Ctl(ctl::Ctl),
    Check(check::Check),
    Conform(conform::Conform),
    Capture(capture::Capture),
    Scenarios(scenarios::Scenarios),
    Certificates(identity::Certificates),
    Export(export::Export),
    /// Print a commented description to start from
    #[command(after_help = "Example:\n  imds new > instance.toml")]
    New,
    /// Print the JSON Schema of descriptions
    #[command(after_help = "Example:\n  imds schema > instance.schema.json")]
    Schema,
    // For packages, which run them once: not worth a line of `imds --help`.
    #[command(hide = true)]
    Completions(packaging::Completions),
    #[command(hide = true)]
    Man(packaging::Man),
}

pub fn main() -> ExitCode {
    let arguments: Arguments = advice::parse();
    let result = match arguments.command {
        None => arguments.serve.run(),
        Some(Command::Serve(serve)) => serve.run(),
        Some(Command::Run(run)) => run.run(),
        Some(Command::Get(get)) => get.run(),
        Some(Command::Wait(wait)) => wait.run(),
        Some(Command::Ctl(ctl)) => ctl.run(),
        Some(Command::Check(check)) => check.run(),
        Some(Command::Conform(conform)) => conform.run(),
        Some(Command::Capture(capture)) => capture.run(),
        Some(Command::Scenarios(scenarios)) => scenarios.run(),
        Some(Command::Certificates(certificates)) => certificates.run(),
        Some(Command::Export(export)) => export.run(),
        Some(Command::New) => print::new(),
        Some(Command::Schema) => print::schema(),
        Some(Command::Completions(completions)) => completions.run(Arguments::command()),
        Some(Command::Man(man)) => man.run(Arguments::command()),
    };
    // A source of credentials that is being asked would outlive this.
    ProcessSource::end_all();
    result.unwrap_or_else(|error| failure::report(&error))
}
