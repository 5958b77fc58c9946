// `imds check`.

mod json;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use imds_host::{CallerKey, Description, Error, Fleet, Runtime, Warnings};

use super::failure::{self, WrongUse};
use super::instances::{self, Found, Given};
use super::log::Format;
use super::options::{name, read_description};
use super::print::{to_stderr, to_stdout};
use super::scenarios::{ScenarioFlags, Story, combine};
use super::warnings::{self, WarningFlags};

/// Say whether descriptions are valid, what is wrong where, and what cannot be
/// real
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// TOML or JSON; - is standard input. Descriptions of many instances too: a directory of KEY.toml and
    /// KEY.json, or a file NAME.jsonl with {"caller": KEY, "instance": {…}} on each line
    #[arg(required_unless_present = "chosen", value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    scenarios: ScenarioFlags,

    /// Fail for warnings too
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    warnings: WarningFlags,

    /// Print one JSON document to standard output: for each path what is wrong with it and what it is warned of
    #[arg(long)]
    json: bool,

    /// Of many instances: by what callers are told apart, so that their keys are checked
    #[arg(long, value_name = "client-address|listener|header:NAME|host")]
    caller: Option<CallerKey>,
}

const EXAMPLES: &str = "\
Examples:
  imds check instance.toml staging/*.json
  imds check --strict instance.toml              for tests: warnings fail, too
  imds check --strict --allow-warning tags-not-shown instance.toml
  imds check --scenario mine.toml                over the default instance
  imds check --scenario mine.toml instance.toml  over this one
  imds check --caller client-address guests/     a directory of many
  imds check guests.jsonl                        a file of many
  imds check --json instance.toml | jq '.descriptions[].problems'

A warning is about what can be served and cannot be real: an instance type that
nobody knows, an address outside of its subnet, a fault that can never apply.
Its name stands in brackets; a description silences it for good:
  allow-warnings = [\"tags-not-shown\"]

Exit status: 0; 2 where a description is wrong or, with --strict, has warnings.";

impl Check {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = Runtime::new()?;
        self.warnings.judge(&runtime)?;
        let judge =
            Judge { scenarios: self.scenarios.read(&runtime)?, runtime, flags: &self.warnings, now: SystemTime::now() };
        // Without a path, over the default instance.
        let paths: Vec<Option<&Path>> = match &self.paths[..] {
            [] => vec![None],
            paths => paths.iter().map(|path| Some(path.as_path())).collect(),
        };
        if self.json {
            return self.print_json(&judge, &paths);
        }
        let mut code = ExitCode::SUCCESS;
        for (index, path) in paths.iter().enumerate() {
            if let Err(error) = self.check(&judge, *path).and_then(|checked| self.tell(&self.name(*path), checked)) {
                code = failure::report(&error);
                if index + 1 < paths.len() {
                    to_stderr("");
                }
            }
        }
        Ok(code)
    }

    /// What is checked, in words: a path, and the scenarios over it.
    fn name(&self, path: Option<&Path>) -> String {
        let names: Vec<String> = path.map(name).into_iter().chain(self.scenarios.names()).collect();
        names.join(" with ")
    }

    fn check(&self, judge: &Judge<'_>, path: Option<&Path>) -> anyhow::Result<Checked> {
        match path {
            Some(path) if self.caller.is_some() || has_many(path) => self.check_many(judge, path).map(Checked::Many),
            path => {
                let description = path.map_or_else(|| Ok(Description::default()), read_description)?;
                Ok(Checked::One(judge.judge(description)?))
            }
        }
    }

    fn check_many(&self, judge: &Judge<'_>, path: &Path) -> anyhow::Result<Found> {
        let read = |give: &mut dyn FnMut(_)| instances::read(path, self.caller.as_ref(), give);
        // Without a kind of callers, any text is a key.
        let callers = self.caller.clone().unwrap_or_else(|| CallerKey::own(|_, _| None));
        let fleet = Fleet::new(&judge.runtime, callers)?.start_at(judge.now);
        let found = instances::each(read, |key, given| judge.judge_one_of_many(&fleet, key, given), |_| {})?;
        match found.right + found.wrong.number() {
            0 => Err(WrongUse(format!("there is no description in {}", path.display())).into()),
            _ => Ok(found),
        }
    }

    /// Prints what became of one path; fails where it is wrong.
    fn tell(&self, name: &str, checked: Checked) -> anyhow::Result<()> {
        match checked {
            Checked::One(warnings) => self.tell_one(name, &warnings),
            Checked::Many(found) => self.tell_many(name, &found),
        }
    }

    fn tell_one(&self, name: &str, warnings: &Warnings) -> anyhow::Result<()> {
        warnings::tell(warnings, Format::Text);
        let number = warnings.list.len();
        if number == 0 {
            return to_stdout(&format!("{name}: valid\n"), "what is valid").map(drop);
        }
        to_stderr("");
        if self.strict {
            return Err(WrongUse(format!("{name} has {}, which --strict refuses", counted(number, "warning"))).into());
        }
        to_stdout(&format!("{name}: valid, with {}\n", counted(number, "warning")), "what is valid").map(drop)
    }

    fn tell_many(&self, name: &str, found: &Found) -> anyhow::Result<()> {
        let Found { right, wrong, warned, left_out } = found;
        left_out.iter().for_each(|line| to_stderr(line));
        if wrong.number() > 0 {
            to_stderr(&format!("{wrong}\n"));
        }
        warned.tell(Format::Text);
        if warned.descriptions() > 0 {
            to_stderr("");
        }
        let summary = format!(
            "{name}: {}, {right} valid, {} wrong, {} with warnings",
            counted(right + wrong.number(), "description"),
            wrong.number(),
            warned.descriptions()
        );
        match (wrong.number(), warned.descriptions()) {
            (0, 0) => to_stdout(&format!("{summary}\n"), "what is valid").map(drop),
            (0, _) if self.strict => Err(WrongUse(format!("{summary}, which --strict refuses")).into()),
            (0, _) => to_stdout(&format!("{summary}\n"), "what is valid").map(drop),
            _ => Err(WrongUse(summary).into()),
        }
    }
}

/// What became of a path whose descriptions could be read.
enum Checked {
    /// One that is valid.
    One(Warnings),
    /// Valid ones and wrong ones.
    Many(Found),
}

/// Whether a path is one of many descriptions.
fn has_many(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    path.is_dir() || extension.is_some_and(|extension| ["jsonl", "ndjson"].contains(&extension))
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What descriptions are judged with.
struct Judge<'c> {
    runtime: Runtime,
    scenarios: Vec<Story>,
    flags: &'c WarningFlags,
    /// All start at the same time.
    now: SystemTime,
}

impl Judge<'_> {
    fn complete(&self, description: Description) -> Result<Description, Error> {
        let mut description = combine(&self.runtime, description, &self.scenarios)?;
        self.flags.apply(&mut description);
        Ok(description)
    }

    /// What is left out of the instance of a caller is made from its key.
    fn judge_one_of_many(&self, fleet: &Fleet, key: &str, given: Given<'_>) -> Result<Warnings, Error> {
        let description = self.complete(given.description()?)?;
        fleet.insert(key, &description)?;
        fleet.warnings(key, &description, self.now)
    }

    fn judge(&self, description: Description) -> Result<Warnings, Error> {
        let description = self.complete(description)?;
        self.runtime.open(&description)?;
        warnings::of(&self.runtime, &description, self.now)
    }
}
