// `imds capture`: writes what a service serves to files, and compares services with them.

mod files;
mod progress;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use imds_host::Runtime;
use imds_host::capture::{CaptureError, Capturer, Comparison, Replaced, Transcript};
use imds_host::probe::{Client, Endpoint};

use self::files::Files;
use self::progress::Bar;
use super::failure::WrongUse;
use super::get::no_service;
use super::options::read_description;
use super::print::{to_stderr, to_stdout};
use super::signals::{self, Signals};
use super::values::span;

/// Record everything that a service serves, without its secrets: as a description that serves the
/// same, and as a transcript to compare services with
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Capture {
    /// The URL of the service, such as http://127.0.0.1:1338. Default:
    /// AWS_EC2_METADATA_SERVICE_ENDPOINT, or else http://169.254.169.254
    #[arg(value_name = "ENDPOINT", value_parser = Endpoint::parse)]
    endpoint: Option<Endpoint>,

    /// The directory for instance.toml, transcript.jsonl and report.md
    #[arg(long, value_name = "DIR", default_value = "imds-capture")]
    out: PathBuf,

    /// Replace existing files
    #[arg(long)]
    force: bool,

    /// Keep user data as it is, including any secrets in it
    #[arg(long)]
    user_data: bool,

    /// Also replace account, ids, addresses, names, tags and keys, each by the same value everywhere
    #[arg(long)]
    anonymize: bool,

    /// Instead of capturing, compare with this transcript: the service at ENDPOINT or, without one,
    /// what the description beside the transcript serves
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "force", "user_data", "anonymize", "time"])]
    compare: Option<PathBuf>,

    /// The description to compare with. Default: instance.toml beside the transcript
    #[arg(long, value_name = "FILE", requires = "compare", conflicts_with = "endpoint")]
    instance: Option<PathBuf>,

    /// Send at most this many requests a second. Default: 50, half of what EC2's limit of packets allows; no limit on
    /// loopback
    #[arg(long, value_name = "NUMBER")]
    rate: Option<u32>,

    /// How long to wait for each answer
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "5s")]
    timeout: Duration,

    /// How long the capture may take
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "1h")]
    time: Duration,
}

const EXAMPLES: &str = "\
Examples:
  imds capture                             the instance that this runs on
  imds capture --anonymize --out shared    for sharing with others
  imds capture http://127.0.0.1:1338       another service
  imds serve --instance imds-capture/instance.toml
  imds capture --compare imds-capture/transcript.jsonl
                                           how the description differs
  imds capture --compare imds-capture/transcript.jsonl http://127.0.0.1:1338
                                           how another service differs

Before anything is written, made-up values of the same form replace credentials, session tokens,
user data and the keys of EC2 Instance Connect.

Exit status: 0; 1 if something is missing or differs, or what answers is no metadata service;
2 for wrong use; 3 if nothing answers.";

impl Capture {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match &self.compare {
            Some(file) => self.compare(file),
            None => self.capture(),
        }
    }

    fn capture(&self) -> anyhow::Result<ExitCode> {
        let client = self.client()?;
        let files = Files::new(&self.out, self.force)?;
        let endpoint = client.endpoint().to_string();
        if !client.endpoint().is_local() {
            to_stderr(&format!(
                "imds: this sends some thousand requests to {endpoint}, {}: GET, HEAD and OPTIONS for all that it lists, \
                 PUT for session tokens, and some that it refuses. It changes nothing",
                pace(self.rate(client.endpoint()))
            ));
        }
        let runtime = Runtime::new()?;
        let capturer =
            Capturer::new()?.keep_user_data(self.user_data).anonymize(self.anonymize).time_at_most(self.time);
        let is_interrupted = interrupted()?;
        let mut bar = Bar::new();
        let captured = capturer.capture_observed(&endpoint, &mut &client, &mut |progress| {
            bar.show(&progress);
            if is_interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        drop(bar);
        let transcript = match captured {
            Ok(transcript) => transcript,
            Err(error) => {
                files.abandon();
                return failed(&error, &endpoint);
            }
        };
        files.write("transcript.jsonl", |file| transcript.write(file))?;
        // The transcript stays, even if the description fails.
        let described = transcript
            .describe(&runtime)
            .map_err(|error| anyhow::anyhow!("what was captured cannot be described: {error}"))?;
        files.write("instance.toml", |file| file.write_all(described.toml.as_bytes()))?;
        files.write("report.md", |file| file.write_all(described.report(&transcript).as_bytes()))?;
        let number = transcript.exchanges.len();
        to_stdout(&format!("{}: {number} requests and answers\n", files.name("transcript.jsonl")), "what was written")?;
        for name in ["instance.toml", "report.md"] {
            to_stdout(&format!("{}\n", files.name(name)), "what was written")?;
        }
        let cannot = described.unsaid.len() + described.differences.len();
        if cannot > 0 {
            let report = files.name("report.md");
            to_stderr(&format!("imds: the description cannot express every answer; see {report}"));
        }
        Ok(tell_missing(&transcript, &files.name("report.md")))
    }

    fn compare(&self, file: &Path) -> anyhow::Result<ExitCode> {
        let transcript = read(file)?;
        if self.endpoint.is_some() {
            let client = self.client()?;
            if !client.endpoint().is_local() {
                announce_comparison(&transcript, client.endpoint(), self.rate(client.endpoint()));
            }
            return compare_with(&transcript, &client);
        }
        let beside = file.with_file_name("instance.toml");
        let description = read_description(self.instance.as_ref().unwrap_or(&beside))?;
        let mut instance = transcript.instance_of(&Runtime::new()?, &description)?;
        tell(&transcript.compare(&mut instance))
    }

    fn client(&self) -> anyhow::Result<Client> {
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::of_the_environment().map_err(|wrong| WrongUse(wrong.to_string()))?,
        };
        let rate = self.rate(&endpoint);
        Ok(Client::new(endpoint).timeout(self.timeout).requests_per_second(rate))
    }

    fn rate(&self, endpoint: &Endpoint) -> u32 {
        self.rate.unwrap_or(endpoint.polite_rate())
    }
}

/// Prints what will be sent to another machine, or to a service that others use.
pub fn announce_comparison(transcript: &Transcript, endpoint: &Endpoint, rate: u32) {
    let requests = transcript.exchanges.len();
    to_stderr(&format!(
        "imds: this sends the {requests} requests of the transcript to {endpoint}, {}. It changes nothing",
        pace(rate)
    ));
}

fn pace(rate: u32) -> String {
    match rate {
        0 => "one after another".to_owned(),
        rate => format!("one after another, at most {rate} a second"),
    }
}

/// Reads a transcript.
pub fn read(file: &Path) -> anyhow::Result<Transcript> {
    Ok(Transcript::read(file).map_err(|wrong| WrongUse(format!("{}: {wrong}", file.display())))?)
}

/// Prints how the answers of a service differ from a transcript.
pub fn compare_with(transcript: &Transcript, client: &Client) -> anyhow::Result<ExitCode> {
    if let Err(none) = client.exchange(&imds_host::Request::get("/")) {
        return Ok(no_service(&none, "as ENDPOINT"));
    }
    let is_interrupted = interrupted()?;
    let mut bar = Bar::new();
    let comparison = transcript.compare_observed(&mut &*client, &mut |progress| {
        bar.show(&progress);
        if is_interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    drop(bar);
    if !comparison.differences.is_empty() && transcript.header.replaced.contains(&Replaced::Identifiers) {
        to_stderr(
            "imds: warning: ids, addresses and names of the transcript are made up: only its own description serves \
             them, and the service that was captured differs in each",
        );
    }
    tell(&comparison)
}

fn tell(comparison: &Comparison) -> anyhow::Result<ExitCode> {
    let (compared, different) = (comparison.compared, comparison.differences.len());
    to_stdout(&imds_host::shown::lines(&comparison.to_string()), "what differs")?;
    match different {
        0 => to_stdout(&format!("{compared} requests compared: no answer differs\n"), "the result"),
        _ => {
            to_stdout(&format!("{compared} requests compared: {different} differences\n"), "the result")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn failed(error: &CaptureError, endpoint: &str) -> anyhow::Result<ExitCode> {
    let help = match error {
        CaptureError::NoReply(none) => return Ok(no_service(none, "as ENDPOINT")),
        CaptureError::NoService(answer) if answer.contains(": 403") => {
            "\nhelp: the endpoint may be disabled, or not for the name in the URL"
        }
        _ => "",
    };
    anyhow::bail!("{endpoint}: {error}{help}")
}

fn tell_missing(transcript: &Transcript, report: &str) -> ExitCode {
    const SHOWN: usize = 5;
    let missing = &transcript.header.missing;
    if missing.is_empty() {
        return ExitCode::SUCCESS;
    }
    let mut text = format!("imds: the capture is not whole: {} requests have no answer", missing.len());
    for missing in missing.iter().take(SHOWN) {
        text += &format!("\n  {missing}");
    }
    if missing.len() > SHOWN {
        text += &format!("\n  and {} more, in {report}", missing.len() - SHOWN);
    }
    to_stderr(&text);
    ExitCode::FAILURE
}

/// Becomes true with a signal that asks the program to end: the program then writes what it
/// has captured. A second signal ends it at once.
fn interrupted() -> anyhow::Result<Arc<AtomicBool>> {
    let is_interrupted = Arc::new(AtomicBool::new(false));
    let runtime = signals::runtime()?;
    let mut arrivals = {
        let _inside = runtime.enter();
        Signals::for_command()?
    };
    let seen = Arc::clone(&is_interrupted);
    thread::Builder::new().name("imds-signals".into()).spawn(move || {
        runtime.block_on(async {
            arrivals.end().await;
            seen.store(true, Ordering::Relaxed);
            let asked = arrivals.end().await;
            std::process::exit(asked.status().into())
        })
    })?;
    Ok(is_interrupted)
}
