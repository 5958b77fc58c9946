// `imds get` and `imds wait`: the service as its clients see it.

mod client;
mod endpoint;
mod tree;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use imds_host::shown;

use self::client::{Answer, Client};
use self::endpoint::Endpoint;
use super::failure::WrongUse;
use super::print;
use super::values::span;

/// Ask a service as its clients do, with a token: `imds get meta-data/instance-id`
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Get {
    /// What to ask for: below /latest, or from the root with a slash before it.
    /// Without it, what there is to ask for
    #[arg(value_name = "PATH")]
    path: Option<String>,

    /// Print all that is below the path, with its values
    #[arg(long, conflicts_with = "head")]
    tree: bool,

    /// Ask for the head of the answer alone, and print it
    #[arg(long)]
    head: bool,

    /// Ask without a token (version 1)
    #[arg(long)]
    version1: bool,

    #[command(flatten)]
    place: PlaceFlags,

    /// How long to wait for each answer
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "5s")]
    timeout: Duration,
}

/// Wait until a service answers
#[derive(Args)]
#[command(after_help = WAIT_EXAMPLES)]
pub struct Wait {
    #[command(flatten)]
    place: PlaceFlags,

    /// How long at most
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "30s")]
    timeout: Duration,
}

#[derive(Args)]
struct PlaceFlags {
    /// Where the service is. Default: AWS_EC2_METADATA_SERVICE_ENDPOINT, else
    /// http://169.254.169.254
    #[arg(long, value_name = "URL", value_parser = Endpoint::parse)]
    endpoint: Option<Endpoint>,
}

const EXAMPLES: &str = "\
Examples:
  imds get                                 what there is below /latest
  imds get meta-data/instance-id           one item
  imds get --tree                          everything, with its values
  imds get --head /2021-07-15/user-data    the head of an answer
  imds get --version1 meta-data/           is a request without a token refused?

Exit status: 0 if the service has it; 1 if it refuses or has nothing there; 2 for wrong use;
3 if no service answers.";

const WAIT_EXAMPLES: &str = "\
Example:
  imds serve & imds wait && ./my-agent

Exit status: 0 if a service answers, 3 if none does in time; 2 for wrong use.";

/// What a script is told where no service answers.
const NO_SERVICE: u8 = 3;

impl PlaceFlags {
    fn endpoint(&self) -> anyhow::Result<Endpoint> {
        match &self.endpoint {
            Some(endpoint) => Ok(endpoint.clone()),
            None => Endpoint::of_the_environment(),
        }
    }
}

impl Get {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let path = self.path.as_deref().map_or_else(|| "/latest/".to_owned(), absolute);
        if !path.bytes().all(|byte| byte.is_ascii_graphic() || byte >= 0x80) {
            return Err(WrongUse(format!("{path:?} is no path: a space in it is %20")).into());
        }
        let client = Client::new(self.place.endpoint()?, self.timeout);
        match self.ask(client, &path) {
            Err(error) if error.is::<client::NoAnswer>() => {
                print::to_stderr(&format!("imds: {error:#}"));
                Ok(ExitCode::from(NO_SERVICE))
            }
            asked => asked,
        }
    }

    fn ask(&self, mut client: Client, path: &str) -> anyhow::Result<ExitCode> {
        if !self.version1
            && let Some(refused) = client.begin_session()?
        {
            let what = refused.status_line();
            print::to_stderr(&format!("imds: no token: {what}\nhelp: --version1 asks without one"));
            return Ok(ExitCode::FAILURE);
        }
        if self.tree {
            return tree::print(&client, path);
        }
        let answer = client.ask(if self.head { "HEAD" } else { "GET" }, path)?;
        if self.head {
            print::to_stdout(&format!("{}\n", shown::lines(answer.head())), "the head")?;
        } else if answer.is_found() {
            write_body(&answer)?;
        }
        if answer.is_found() {
            return Ok(ExitCode::SUCCESS);
        }
        print::to_stderr(&format!("imds: {path}: {}{}", answer.status_line(), advice(&answer, path)));
        Ok(ExitCode::FAILURE)
    }
}

impl Wait {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let endpoint = self.place.endpoint()?;
        let until = Instant::now() + self.timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let client = Client::new(endpoint.clone(), left.clamp(Duration::from_millis(50), Duration::from_secs(1)));
            // Neither refused nor of a version: as a health check it comes often, and would fill
            // the log where tokens are required, or look like a client of version 1.
            match client.ask("OPTIONS", "/latest/api/token") {
                // A refusal is an answer too.
                Ok(_) => return Ok(ExitCode::SUCCESS),
                Err(error) if Instant::now() >= until => {
                    print::to_stderr(&format!("imds: {error:#}"));
                    return Ok(ExitCode::from(NO_SERVICE));
                }
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

/// A path from the root: what has no slash before it is below `/latest`.
fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/latest/{path}") }
}

/// Writes a body as it came; on a terminal, so that the next line is one of its own.
fn write_body(answer: &Answer) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(&answer.body)?;
    if stdout.is_terminal() && answer.body.last().is_some_and(|byte| *byte != b'\n') {
        stdout.write_all(b"\n")?;
    }
    Ok(stdout.flush()?)
}

/// What to do about an answer that is not what was asked for.
fn advice(answer: &Answer, path: &str) -> String {
    match answer.status {
        401 => "\nhelp: tokens are required; ask without --version1".to_owned(),
        404 if !["meta-data", "dynamic", "user-data", "api"]
            .iter()
            .any(|folder| path.split('/').nth(2) == Some(folder)) =>
        {
            "\nhelp: items are below meta-data/ and dynamic/: imds get lists what there is".to_owned()
        }
        404 => "\nhelp: a path that ends with a slash lists what there is".to_owned(),
        _ => String::new(),
    }
}
