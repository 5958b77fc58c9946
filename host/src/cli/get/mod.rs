// `imds get` and `imds wait`: the service as its clients see it.

mod session;
mod tree;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use imds_host::probe::{Client, Endpoint, NoReply, Reply};
use imds_host::shown;

use self::session::Session;
use super::failure::WrongUse;
use super::link_local;
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

/// Wait until a service answers, be it with a refusal
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
  imds serve & imds wait --endpoint http://127.0.0.1:1338 && ./my-agent

Exit status: 0 if a service answers, 3 if none does in time; 2 for wrong use.";

/// No clock overflows by this.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// What a script is told where no service answers.
pub const NO_SERVICE: u8 = 3;
const BY_FLAG: &str = "by --endpoint";

impl PlaceFlags {
    fn endpoint(&self) -> anyhow::Result<Endpoint> {
        match &self.endpoint {
            Some(endpoint) => Ok(endpoint.clone()),
            None => Ok(Endpoint::of_the_environment().map_err(|wrong| WrongUse(wrong.to_string()))?),
        }
    }
}

impl Get {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let path = self.path.as_deref().map_or_else(|| Ok("/latest/".to_owned()), absolute)?;
        if self.tree && path.contains(['?', '#']) {
            return Err(WrongUse(format!("{path}: a tree has no query")).into());
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic() || byte >= 0x80) {
            return Err(WrongUse(format!(
                "{path:?} is no path: a space in it is %20, and other characters are escaped likewise"
            ))
            .into());
        }
        let client = Client::new(self.place.endpoint()?).timeout(self.timeout);
        match self.ask(Session::new(client, self.timeout), &path) {
            Err(error) => Ok(no_service(&error.downcast::<NoReply>()?, BY_FLAG)),
            asked => asked,
        }
    }

    fn ask(&self, mut session: Session, path: &str) -> anyhow::Result<ExitCode> {
        if !self.version1
            && let Some(refused) = session.begin()?
        {
            let help = match refused.status {
                // Of the token's path that is said to callers who get nothing without one either.
                403 => "the service may be disabled, or not for the name in the URL",
                _ => "--version1 asks without one",
            };
            print::to_stderr(&format!("imds: no token: {}\nhelp: {help}", refused.status_line()));
            return Ok(ExitCode::FAILURE);
        }
        if self.tree {
            return tree::print(&session, path);
        }
        let answer = session.ask(if self.head { "HEAD" } else { "GET" }, path)?;
        if self.head {
            print::to_stdout(&format!("{}\n", shown::lines(answer.head().trim_end())), "the head")?;
        } else if answer.status == 200 {
            write_body(&answer)?;
        }
        if answer.status == 200 {
            return Ok(ExitCode::SUCCESS);
        }
        print::to_stderr(&format!("imds: {path}: {}{}", answer.status_line(), advice(&session, &answer, path)));
        Ok(ExitCode::FAILURE)
    }
}

impl Wait {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let endpoint = self.place.endpoint()?;
        let until = Instant::now() + self.timeout.min(LONGEST);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = left.clamp(Duration::from_millis(50), Duration::from_secs(1));
            // Neither refused nor of a version: as a health check it comes often, and would fill
            // the log where tokens are required, or look like a client of version 1.
            let request = session::request("OPTIONS", "/latest/api/token");
            match Client::new(endpoint.clone()).timeout(timeout).exchange(&request) {
                // A refusal is an answer too.
                Ok(_) => return Ok(ExitCode::SUCCESS),
                Err(none) if Instant::now() >= until => return Ok(no_service(&none.after(self.timeout), BY_FLAG)),
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

/// Says that no service answers, and where one may; `place` is how the command is told of one.
pub fn no_service(none: &NoReply, place: &str) -> ExitCode {
    // Where nobody named another one.
    let help = if link_local::is_host(none.endpoint().host()) {
        format!(
            "\nhelp: imds serve listens on http://127.0.0.1:1338: give that {place}, or in AWS_EC2_METADATA_SERVICE_ENDPOINT"
        )
    } else {
        String::new()
    };
    print::to_stderr(&format!("imds: {none}{help}"));
    ExitCode::from(NO_SERVICE)
}

/// A path from the root: what has no slash before it is below `/latest`.
pub fn absolute(path: &str) -> Result<String, WrongUse> {
    if path.starts_with("http://") {
        return Err(WrongUse(format!("{path}: the URL of the service goes to --endpoint, and the path without it")));
    }
    let first = path.split('/').next().unwrap_or_default();
    if first == "latest" || (first.len() == 10 && first.starts_with("20")) {
        return Err(WrongUse(format!("{path} would be below /latest; from the root it is /{path}")));
    }
    Ok(if path.starts_with('/') { path.to_owned() } else { format!("/latest/{path}") })
}

/// Writes a body as it came; on a terminal, without what a terminal obeys and with an
/// end of its line.
fn write_body(answer: &Reply) -> anyhow::Result<()> {
    if !io::stdout().is_terminal() {
        return print::bytes_to_stdout(&answer.body, "the answer").map(drop);
    }
    let text = shown::lines(&String::from_utf8_lossy(&answer.body));
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    print::to_stdout(&format!("{text}{end}"), "the answer").map(drop)
}

/// What to do about an answer that is not what was asked for.
pub fn advice(session: &Session, answer: &Reply, path: &str) -> String {
    match answer.status {
        401 if session.is_without_token() => "\nhelp: tokens are required; ask without --version1".to_owned(),
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
