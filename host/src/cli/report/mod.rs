// `imds run --report`: what the command asked and how it reported, for CI.

mod json;
mod junit;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::asked::Counts;
use super::failure::WrongUse;
use super::require_v2::Verdict;

#[derive(Args)]
pub struct ReportFlags {
    /// Write a report for CI into this file when the command has ended: JUnit for .xml, JSON for .json
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// The format of the report, where its name does not say it
    #[arg(long, value_name = "junit|json", value_enum, requires = "report", hide_possible_values = true)]
    report_format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Junit,
    Json,
}

/// A report that is to be written: its file is open, and empty.
pub struct Report {
    file: File,
    path: PathBuf,
    format: Format,
}

/// What is reported of a command.
pub struct Reported<'a> {
    /// The program, without its arguments, which may be secrets.
    pub program: String,
    /// When it was started, and how long it took.
    pub started: SystemTime,
    pub took: Duration,
    /// Its exit status, or that of a command that could not be run.
    pub status: u8,
    /// Whether it could be run.
    pub has_run: bool,
    /// Where `--require-v2` was given.
    pub verdict: Option<&'a Verdict>,
    pub counts: &'a Counts,
}

impl ReportFlags {
    pub fn is_given(&self) -> bool {
        self.report.is_some()
    }

    /// Opens the file, so that one that cannot be written is known before the command runs.
    pub fn open(&self) -> anyhow::Result<Option<Report>> {
        let Some(path) = &self.report else { return Ok(None) };
        let Some(format) = self.report_format.or_else(|| Format::of(path)) else {
            return Err(WrongUse(format!(
                "--report {}: its name says no format; name it .xml or .json, or add --report-format junit or json",
                path.display()
            ))
            .into());
        };
        let file = File::create(path).with_context(|| format!("cannot write the report {}", path.display()))?;
        Ok(Some(Report { file, path: path.clone(), format }))
    }
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "xml" => Some(Self::Junit),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Report {
    /// Writes it whole.
    pub fn write(mut self, reported: &Reported<'_>) -> anyhow::Result<()> {
        let text = match self.format {
            Format::Junit => junit::text(reported),
            Format::Json => Ok(json::text(reported)),
        };
        let written = text.and_then(|text| self.file.write_all(text.as_bytes()).and_then(|()| self.file.flush()));
        written.with_context(|| format!("cannot write the report {}", self.path.display()))
    }
}

impl Reported<'_> {
    /// The exit status of `imds run`.
    fn status_kept(&self) -> u8 {
        self.verdict.map_or(self.status, Verdict::status)
    }
}
