// `imds run`.

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context;
use clap::Args;
use imds_host::{Limits, Service};
use tokio::process::{Child, Command};

use super::listen::{bind, url_for_clients};
use super::options::Options;
use super::print::to_stderr;
use super::signals::{self, Asked, Signals};

/// Run a command that finds the service by AWS_EC2_METADATA_SERVICE_ENDPOINT
#[derive(Args)]
#[command(override_usage = "imds run [OPTIONS] -- <COMMAND>...", after_help = EXAMPLES)]
pub struct Run {
    #[command(flatten)]
    options: Options,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  imds run -- aws sts get-caller-identity
  imds run --instance instance.toml --http-tokens required -- ./integration-tests

It serves on a free port of 127.0.0.1 while the command runs, and ends with its
exit status: 128 + n where signal n ended it, 127 where there is no such
command, 126 where it cannot be run.";

const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/// These would keep SDKs from the service.
const AGAINST_US: [&str; 2] = ["AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"];

/// SDKs look for credentials there before they ask the service.
const BEFORE_US: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

impl Run {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let service = self.options.service()?;
        note_other_credentials();
        let runtime = signals::runtime()?;
        let code = runtime.block_on(self.run_beside(service));
        // Connections that the command left open are not waited for.
        runtime.shutdown_background();
        code
    }

    async fn run_beside(self, service: Service) -> anyhow::Result<ExitCode> {
        let mut signals = Signals::new()?;
        let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = url_for_clients(listener.local_addr()?);
        tokio::spawn(imds_host::serve(listener, service, Limits::default(), std::future::pending()));

        let Some((program, arguments)) = self.command.split_first() else {
            // clap lets no empty command through.
            return Ok(ExitCode::from(2));
        };
        let mut command = Command::new(program);
        command.args(arguments).env(ENDPOINT, url);
        for name in AGAINST_US {
            command.env_remove(name);
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ok(not_run(&program.to_string_lossy(), &error)),
        };
        loop {
            tokio::select! {
                status = child.wait() => {
                    return Ok(exit_code(status.context("cannot wait for the command")?));
                }
                asked = signals.any() => match asked {
                    // The terminal sent it to the command too: what happens now is its choice.
                    Asked::Interrupt => {}
                    Asked::Terminate => terminate(&child),
                },
            }
        }
    }
}

/// As shells do.
fn not_run(program: &str, error: &io::Error) -> ExitCode {
    to_stderr(&format!("imds: cannot run {program}: {error}"));
    ExitCode::from(match error.kind() {
        ErrorKind::NotFound => 127,
        _ => 126,
    })
}

#[cfg(unix)]
fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}

#[cfg(unix)]
fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    if let Some(pid) = pid.and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[cfg(not(unix))]
fn terminate(_child: &Child) {}

/// One line where the command will probably not use the role of the instance.
fn note_other_credentials() {
    let set = BEFORE_US.into_iter().find(|name| env::var_os(name).is_some());
    let source = match set {
        Some(name) => Some(format!("{name} is set")),
        None => credentials_file().map(|file| format!("{} exists", file.display())),
    };
    if let Some(source) = source {
        to_stderr(&format!("imds: note: {source}; SDKs look for credentials there before they ask this service"));
    }
}

fn credentials_file() -> Option<PathBuf> {
    let file = match env::var_os("AWS_SHARED_CREDENTIALS_FILE") {
        Some(file) => PathBuf::from(file),
        None => env::home_dir()?.join(".aws/credentials"),
    };
    file.is_file().then_some(file)
}
