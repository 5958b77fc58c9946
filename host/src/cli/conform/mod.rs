// `imds conform`: whether any service answers as EC2's does.

mod container;
mod junit;
mod list;
mod markdown;
mod progress;
mod table;
mod tap;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use imds_host::conform::{Area, Evidence, Judged, Outcome, Report, Suite};
use imds_host::probe::{Client, Endpoint};

use self::container::ContainerFlags;
use self::progress::Progress;
use super::capture;
use super::failure::WrongUse;
use super::file;
use super::get::{NO_SERVICE, no_service};
use super::options::read_description;
use super::print;
use super::values::{span, whole};

/// Judge whether a service answers as EC2's does, be it a mock, an emulator or the real one
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Conform {
    /// The URL of the service. Default: AWS_EC2_METADATA_SERVICE_ENDPOINT, or else
    /// http://169.254.169.254
    #[arg(value_name = "ENDPOINT", value_parser = Endpoint::parse)]
    endpoint: Option<Endpoint>,

    /// The format of the report
    #[arg(long, value_name = "table|json|junit|tap|markdown", value_enum, default_value_t = Format::Table, hide_possible_values = true)]
    format: Format,

    /// Write the report to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Exit with status 1 if a rule with at least this evidence is broken
    #[arg(long, value_name = "recorded|documented|inferred|unrecorded|never", value_enum, default_value_t = FailOn::Documented, hide_possible_values = true)]
    fail_on: FailOn,

    /// List the checks, and send nothing
    #[arg(long)]
    list: bool,

    /// Run this check, or the checks of this area; repeatable
    #[arg(long, value_name = "CHECK|AREA")]
    only: Vec<String>,

    /// Leave out this check, or the checks of this area; repeatable
    #[arg(long, value_name = "CHECK|AREA")]
    skip: Vec<String>,

    /// Also send malformed and oversized requests
    #[arg(long)]
    hostile: bool,

    /// List each check that does not apply to this endpoint, and why
    #[arg(long)]
    verbose: bool,

    /// Send this name in the field Host, instead of the endpoint's host and port
    #[arg(long, value_name = "NAME")]
    host: Option<String>,

    /// Send at most this many requests a second; 0 is any number. Default: 50, half of what EC2 allows;
    /// on loopback, any number
    #[arg(long, value_name = "N", value_parser = whole::<u32>)]
    rate: Option<u32>,

    /// How long to wait for each answer
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "5s")]
    timeout: Duration,

    /// The certificates that verify the signatures of the identity document, in PEM
    #[arg(long, value_name = "FILE")]
    certificates: Option<PathBuf>,

    /// A description that the endpoint's answers must match, in TOML or JSON
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,

    #[command(flatten)]
    containers: ContainerFlags,

    /// Instead of running the checks, send the requests of a transcript of `imds capture` again, and list each
    /// answer that differs
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_CHECKS)]
    transcript: Option<PathBuf>,
}

/// The flags that control the checks, so that `--transcript` excludes them.
const OF_CHECKS: [&str; 9] =
    ["format", "out", "fail_on", "list", "only", "skip", "hostile", "certificates", "instance"];

const EXAMPLES: &str = "\
Examples:
  imds conform http://127.0.0.1:1338               a table by area, and the broken rules
  imds conform                                     the real service, on an EC2 instance
  imds conform --only tokens --only paths URL      some areas
  imds conform --format junit --out report.xml URL for CI
  imds conform --fail-on recorded URL              fail only for rules that transcripts prove
  imds conform --list                              every check with its evidence; sends nothing
  imds conform --transcript transcript.jsonl URL   compare with the service of an imds capture

It only reads: GET, HEAD, OPTIONS, PUT of session tokens, and POST, DELETE, PROPFIND and get, which EC2
refuses.

Exit status: 0; 1 if rules are broken (--fail-on); 2 for wrong use; 3 if no service answers.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Junit,
    Tap,
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Recorded,
    Documented,
    Inferred,
    Unrecorded,
    Never,
}

/// A report, and what else its formats need.
struct Reported<'r> {
    report: &'r Report,
    fail_on: FailOn,
    verbose: bool,
    started: SystemTime,
    took: Duration,
}

impl FailOn {
    fn evidence(self) -> Option<Evidence> {
        match self {
            Self::Recorded => Some(Evidence::Recorded),
            Self::Documented => Some(Evidence::Documented),
            Self::Inferred => Some(Evidence::Inferred),
            Self::Unrecorded => Some(Evidence::Unrecorded),
            Self::Never => None,
        }
    }
}

impl Reported<'_> {
    /// Whether a check is broken and counts by `--fail-on`.
    fn fails(&self, judged: &Judged) -> bool {
        judged.is_broken() && self.fail_on.evidence().is_some_and(|evidence| judged.check().evidence() >= evidence)
    }

    /// The report in a format. The table has colors.
    fn text(&self, format: Format) -> anyhow::Result<String> {
        Ok(match format {
            Format::Table => table::text(self),
            Format::Json => serde_json::to_string_pretty(&self.report.document())? + "\n",
            Format::Junit => junit::text(self)?,
            Format::Tap => tap::text(self),
            Format::Markdown => markdown::text(self),
        })
    }
}

impl Conform {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let suite = self.suite()?;
        if self.list {
            return self.print_list(&suite);
        }
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::of_the_environment().map_err(|wrong| WrongUse(wrong.to_string()))?,
        };
        // If the file cannot be written, fail before anything is sent.
        let out = match &self.out {
            Some(path) => Some(File::create(path).with_context(|| WrongUse(self.cannot_write("report")))?),
            None => None,
        };
        let rate = self.rate.unwrap_or(endpoint.polite_rate());
        if let Some(file) = &self.transcript {
            let transcript = capture::read(file)?;
            if !endpoint.is_local() {
                capture::announce_comparison(&transcript, &endpoint, rate);
            }
            return capture::compare_with(&transcript, &self.client(endpoint, rate));
        }
        if !endpoint.is_local() {
            self.announce(&suite, &endpoint, rate);
        }
        let client = self.client(endpoint, rate);
        let suite = match self.containers.containers(|endpoint| self.client(endpoint, rate), client.endpoint())? {
            Some(containers) => suite.containers(containers),
            None => suite,
        };
        let (started, mut progress) = (SystemTime::now(), Progress::start(suite.checks().len()));
        let report = match suite.run_observed(&client, |judged| progress.done(judged)) {
            Ok(report) => report,
            Err(none) => return Ok(no_service(&none, "as ENDPOINT")),
        };
        drop(progress);
        if let Some(what) = report.no_service() {
            print::to_stderr(&format!("imds: what answers at {} is no metadata service: {what}", report.endpoint()));
            return Ok(ExitCode::from(NO_SERVICE));
        }
        let took = started.elapsed().unwrap_or_default();
        let reported = Reported { report: &report, fail_on: self.fail_on, verbose: self.verbose, started, took };
        let text = reported.text(self.format)?;
        match out {
            Some(mut out) => {
                let written = out.write_all(print::without_styles(&text).as_bytes()).and_then(|()| out.flush());
                written.with_context(|| self.cannot_write("report"))?;
            }
            None => {
                print::styled_to_stdout(&text, "the report")?;
            }
        }
        Ok(self.verdict(&reported))
    }

    /// Prints the list, or writes it to the file of `--out`.
    fn print_list(&self, suite: &Suite) -> anyhow::Result<ExitCode> {
        let text = list::text(suite, self.format)?;
        let Some(path) = &self.out else { return print::to_stdout(&text, "the checks") };
        fs::write(path, text).with_context(|| WrongUse(self.cannot_write("list")))?;
        Ok(ExitCode::SUCCESS)
    }

    fn cannot_write(&self, what: &str) -> String {
        format!("cannot write the {what} {}", self.out.as_deref().unwrap_or("-".as_ref()).display())
    }

    /// The checks that the flags ask for.
    fn suite(&self) -> anyhow::Result<Suite> {
        let wrong = |flag: &str, unknown: imds_host::conform::UnknownCheck| {
            let help = if unknown.is_hostile() {
                "add --hostile".to_owned()
            } else if unknown.name().contains(',') {
                format!("repeat {flag} for each name")
            } else {
                let nearest = unknown.nearest().map(|name| format!("did you mean {name}? "));
                format!("{}--list has all of them, with --hostile those too", nearest.unwrap_or_default())
            };
            WrongUse(format!("{flag}: {unknown}\nhelp: {help}"))
        };
        let mut suite = if self.hostile { Suite::new().hostile() } else { Suite::new() };
        if !self.only.is_empty() {
            suite = suite.only(&self.only).map_err(|unknown| wrong("--only", unknown))?;
        }
        suite = suite.skip(&self.skip).map_err(|unknown| wrong("--skip", unknown))?;
        if suite.checks().is_empty() {
            return Err(WrongUse("--only and --skip leave no check to run".to_owned()).into());
        }
        if let Some(path) = &self.certificates {
            let unread = || WrongUse(format!("cannot read {}", path.display()));
            let pem = file::read(path).with_context(unread)?;
            if !pem.windows(CERTIFICATE.len()).any(|part| part == CERTIFICATE) {
                return Err(
                    WrongUse(format!("--certificates {}: no certificate in PEM is in it", path.display())).into()
                );
            }
            suite = suite.certificates(pem);
        }
        if let Some(path) = &self.instance {
            let description = serde_json::from_str(&read_description(path)?.to_json())?;
            suite = suite.description(description);
        }
        Ok(suite)
    }

    fn client(&self, endpoint: Endpoint, rate: u32) -> Client {
        let client = Client::new(endpoint).timeout(self.timeout).requests_per_second(rate);
        match &self.host {
            Some(host) => client.host(host),
            None => client,
        }
    }

    /// Prints what will be sent to another machine, or to a service that others use.
    fn announce(&self, suite: &Suite, endpoint: &Endpoint, rate: u32) {
        let rate = match rate {
            0 => "without a pause".to_owned(),
            rate => format!("at most {rate} a second"),
        };
        let mut lines = format!(
            "imds: judging {endpoint} by {} checks: at most {} requests, {rate}\n\
             imds: they are GET, HEAD, OPTIONS, PUT of session tokens, and POST, DELETE, PROPFIND and get, which EC2 refuses; nothing is changed",
            suite.checks().len(),
            suite.requests_max(),
        );
        if self.hostile {
            lines += "\nimds: --hostile adds broken and oversized requests, and connections that send nothing";
        }
        print::to_stderr(&lines);
    }

    /// The exit status, and why it is not 0.
    fn verdict(&self, reported: &Reported<'_>) -> ExitCode {
        if reported.report.is_of_disabled() {
            print::to_stderr(
                "imds: warning: the endpoint refuses every request with 403, so hardly anything was judged\n\
                 help: enable it; or, if it knows its clients by the field Host, give the name by --host",
            );
        }
        let judged = reported.report.judged();
        let of_containers = || judged.iter().filter(|judged| judged.check().area() == Area::Containers);
        let is_unanswered = |judged: &Judged| matches!(judged.outcome(), Outcome::Unanswered(_));
        let is_judged = |judged: &Judged| matches!(judged.outcome(), Outcome::Held | Outcome::Broken(_));
        if of_containers().any(is_unanswered) && !of_containers().any(is_judged) {
            print::to_stderr("imds: no service answers at --containers");
            return ExitCode::from(NO_SERVICE);
        }
        let number = judged.iter().filter(|judged| reported.fails(judged)).count();
        let Some(evidence) = self.fail_on.evidence().filter(|_| number > 0) else { return ExitCode::SUCCESS };
        let (rules, are) = if number == 1 { ("rule", "is") } else { ("rules", "are") };
        print::to_stderr(&format!("imds: {number} {rules} {are} broken (--fail-on {evidence})"));
        ExitCode::FAILURE
    }
}

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
