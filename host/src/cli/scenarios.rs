// Scenarios, shipped and of one's own: `--scenario` and `imds scenarios`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, Command, Error};
use imds_host::{Clock, Control, Description, Runtime, Scenario, Settings, VirtualClock};
use serde_json::{Value, json};

use super::file;
use super::print::to_stdout;
use super::values::scenario_speed;

/// The flags that name scenarios and say how fast they happen.
#[derive(Args)]
pub struct ScenarioFlags {
    /// What happens to the instance: a scenario that `imds scenarios` lists, or a file like them; repeatable, each
    /// changes what those before say
    #[arg(long = "scenario", value_name = "NAME|FILE", value_parser = NameOrFile)]
    chosen: Vec<Chosen>,

    /// Let the scenarios happen N times as fast, 1 to 1000, with every time that is served true by the system's clock:
    /// at 10, an interruption comes 12 seconds after its notice, and the notice says so
    #[arg(long, value_name = "N", value_parser = scenario_speed, requires = "chosen", allow_negative_numbers = true)]
    scenario_speed: Option<f64>,
}

/// A scenario that was read.
pub struct Story {
    /// As it is written, which has the places of what is wrong.
    written: Description,
    /// The same at another speed, where one is asked for.
    faster: Option<Description>,
}

/// A scenario as it was asked for.
#[derive(Clone)]
pub enum Chosen {
    Shipped(Scenario),
    File(PathBuf),
}

impl ScenarioFlags {
    /// What they are called, in their order.
    pub fn names(&self) -> Vec<String> {
        let name = |chosen: &Chosen| match chosen {
            Chosen::Shipped(scenario) => scenario.name().to_owned(),
            Chosen::File(file) => file.display().to_string(),
        };
        self.chosen.iter().map(name).collect()
    }

    /// The files among them.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.chosen.iter().filter_map(|chosen| match chosen {
            Chosen::Shipped(_) => None,
            Chosen::File(file) => Some(file),
        })
    }

    /// Reads them, in their order.
    pub fn read(&self, runtime: &Runtime) -> Result<Vec<Story>, imds_host::Error> {
        let read = |chosen: &Chosen| {
            let written = chosen.read()?;
            let faster = self.scenario_speed.map(|speed| runtime.speed_up(&written, speed)).transpose()?;
            Ok(Story { written, faster })
        };
        self.chosen.iter().map(read).collect()
    }
}

impl Chosen {
    /// The scenario as it is written.
    pub fn read(&self) -> Result<Description, imds_host::Error> {
        match self {
            Chosen::Shipped(scenario) => Ok(scenario.description()),
            Chosen::File(file) => file::description(file),
        }
    }
}

/// A description with scenarios over it, in their order.
pub fn combine(
    runtime: &Runtime,
    description: Description,
    scenarios: &[Story],
) -> Result<Description, imds_host::Error> {
    scenarios.iter().try_fold(description, |description, Story { written, faster }| {
        let Some(faster) = faster else { return runtime.combine(&description, written) };
        // What is wrong at any speed is told with its place in the file.
        runtime
            .combine(&description, faster)
            .map_err(|error| runtime.combine(&description, written).err().unwrap_or(error))
    })
}

/// What happens in the next hour of the service's clock, a line for each thing.
pub fn foreseen(control: &Control) -> String {
    let now = control.clock().now();
    // It cannot fail: what is served is valid.
    let happenings = control.timeline().unwrap_or_default();
    let next = happenings.iter().filter_map(|happening| {
        let left = happening.at().duration_since(now).ok().filter(|left| *left <= FORESEEN)?;
        let left = Duration::from_secs(left.as_secs_f64().round() as u64);
        Some(format!("  in {}: {}\n", humantime::format_duration(left), happening.what))
    });
    let lines: String = next.collect();
    if lines.is_empty() { lines } else { format!("What happens, by the service's clock:\n{lines}") }
}

const FORESEEN: Duration = Duration::from_secs(3600);

/// A name that is known, or a file.
#[derive(Clone)]
pub struct NameOrFile;

impl TypedValueParser for NameOrFile {
    type Value = Chosen;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Chosen, Error> {
        if let Some(scenario) = value.to_str().and_then(Scenario::named) {
            return Ok(Chosen::Shipped(scenario));
        }
        let file = Path::new(value);
        // One that is not there is meant as one all the same, and is told when it is read.
        if file.components().count() > 1 || file.extension().is_some() || file.exists() {
            return Ok(Chosen::File(file.to_owned()));
        }
        // It tells the names there are, and what was meant.
        names().parse_ref(command, arg, value).map(|_| Chosen::File(file.to_owned()))
    }
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Scenario::all().iter().map(Scenario::name))
}

/// List the scenarios that ship, or print one to start from
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Scenarios {
    /// The one to print; without it all are listed
    #[arg(value_parser = names(), hide_possible_values = true)]
    name: Option<String>,

    /// List them in JSON
    #[arg(long, conflicts_with = "name")]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  imds scenarios                                               how long each takes, and what happens
  imds serve --scenario spot-interruption
  imds serve --scenario spot-interruption --scenario-speed 10
  imds scenarios spot-interruption > mine.toml
  imds check --scenario mine.toml
  imds serve --scenario mine.toml --watch";

impl Scenarios {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(scenario) = self.name.as_deref().and_then(Scenario::named) {
            return to_stdout(scenario.text(), "the scenario");
        }
        let runtime = Runtime::new()?;
        let times = Scenario::all().iter().map(|scenario| Ok((scenario, time(&runtime, scenario)?)));
        let all = times.collect::<Result<Vec<_>, imds_host::Error>>()?;
        to_stdout(&if self.json { in_json(&all) } else { table(&all) }, "the scenarios")
    }
}

/// How long it takes until all of a scenario has happened; none for one without an end.
fn time(runtime: &Runtime, scenario: &Scenario) -> Result<Option<Duration>, imds_host::Error> {
    let description = runtime.combine(&Description::default(), &scenario.description())?;
    let clock = VirtualClock::system();
    clock.pause();
    let start = clock.now();
    let control = Control::open_with(runtime, &description, &Settings::default(), clock)?;
    let fields: Value = serde_json::from_str(&description.to_json()).unwrap_or_default();
    let rotation = &fields["iam-instance-profile"]["credentials-rotation"];
    if rotation.is_object() && rotation["until"].is_null() {
        return Ok(None);
    }
    // What comes later is every instance's, and so are the new credentials of every six hours.
    let happenings = control.timeline()?.into_iter();
    let happenings = happenings.filter(|happening| rotation.is_object() || happening.what != "new credentials");
    let times = happenings.filter_map(|happening| happening.at().duration_since(start).ok());
    Ok(times.filter(|time| *time <= FORESEEN).max().map(|time| Duration::from_secs_f64(time.as_secs_f64().round())))
}

/// Scenarios with the time that each takes.
type Timed = [(&'static Scenario, Option<Duration>)];

fn table(all: &Timed) -> String {
    let width = all.iter().map(|(scenario, _)| scenario.name().len()).max().unwrap_or_default();
    let line = |name: &str, takes: &str, what: &str| format!("{name:width$}  {takes:7}  {what}\n");
    let of_scenario = |(scenario, time): &(&Scenario, Option<Duration>)| {
        let takes = time.map_or_else(|| "no end".to_owned(), |time| humantime::format_duration(time).to_string());
        line(scenario.name(), &takes, scenario.summary())
    };
    let head = line("NAME", "TAKES", "WHAT HAPPENS");
    head + &all.iter().map(of_scenario).collect::<String>()
}

fn in_json(all: &Timed) -> String {
    let object = |(scenario, time): &(&Scenario, Option<Duration>)| json!({ "name": scenario.name(), "seconds": time.map(|time| time.as_secs()), "summary": scenario.summary() });
    format!("{:#}\n", Value::from_iter(all.iter().map(object)))
}
