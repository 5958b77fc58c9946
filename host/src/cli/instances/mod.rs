// Many instances in one process: `--instances`.

mod directory;
mod guests;
mod keys;
mod lines;
mod load;
mod stated;
mod wrong;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use imds_host::{
    CallerKey, Clock, ControlledFleet, DescribedSource, Description, Fleet, Problems, Runtime, Settings, VirtualClock,
    Warnings,
};

pub use self::guests::{Controlled, Guests};
pub use self::load::{Entry, Found, Given, each};
use self::wrong::Wrong;
use super::failure::WrongUse;
use super::limits::LIMITS;
use super::log::Format;
use super::options::{Changes, Options};
use super::print::to_stderr;
use super::values::count;
use super::warnings::{self, Warned};

#[derive(Args)]
pub struct Instances {
    /// The descriptions of many instances: a directory of files KEY.toml and KEY.json, or a file with
    /// {"caller": KEY, "instance": {…}} on each line
    #[arg(long, value_name = "PATH", conflicts_with = "instance", requires = "caller", help_heading = MANY)]
    instances: Option<PathBuf>,

    /// What identifies a caller, and so which instance answers it
    #[arg(long, value_name = "client-address|listener|header:NAME|host", requires = "instances", help_heading = MANY)]
    caller: Option<CallerKey>,

    /// What to do where some descriptions are wrong: refuse all, or skip these
    #[arg(long, value_name = "refuse|skip", value_enum, default_value_t = IfWrong::Refuse, hide_possible_values = true, requires = "instances", help_heading = MANY)]
    wrong_instances: IfWrong,

    /// How many instances there may be with --control or --ec2-api, whoever adds them
    #[arg(long, value_name = "N", value_parser = count, default_value_t = ControlledFleet::INSTANCES_MAX, requires = "instances", hide_short_help = true, help_heading = LIMITS)]
    instances_max: usize,
}

/// At a start, so many descriptions are looked at for warnings: that takes about as
/// long as opening them, for which others wait. `imds check` looks at all.
const LOOKED_AT_MAX: usize = 1000;

const MANY: &str = "Many instances";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IfWrong {
    Refuse,
    Skip,
}

/// Instances as they were asked for.
pub struct Many {
    pub guests: Guests,
    runtime: Runtime,
    settings: Settings,
    pub path: PathBuf,
    pub clock: VirtualClock,
    /// What is to be told of the descriptions when all is ready.
    pub told: Told,
}

impl Many {
    /// How many there are, in words.
    pub fn counted(&self) -> String {
        match self.guests.len() {
            1 => "1 instance".to_owned(),
            number => format!("{number} instances"),
        }
    }
}

/// What is told of descriptions that are served all the same.
#[derive(Default)]
pub struct Told {
    left_out: Vec<String>,
    warned: Warned,
    /// The instances whose credentials are real, and where these come from.
    sourced: Vec<(String, DescribedSource)>,
}

impl Told {
    /// Prints it to standard error.
    pub fn tell(&self, format: Format) {
        self.tell_left_out();
        self.warned.tell(format);
    }

    fn tell_left_out(&self) {
        self.left_out.iter().for_each(|line| to_stderr(line));
    }
}

/// Gives the descriptions of a directory, or of the lines of a file, and what is
/// wrong with the others. Returns lines that say what was left out.
pub fn read(
    path: &Path,
    callers: Option<&CallerKey>,
    give: &mut dyn FnMut(Result<Entry, Problems>),
) -> anyhow::Result<Vec<String>> {
    match path.is_dir() {
        true => directory::read(path, callers, give),
        false => lines::read(path, callers, give).map(|()| Vec::new()),
    }
}

/// What a client sets for the service cannot tell whose client it is; and with
/// `X-Forwarded-For` nobody would get a token.
fn refuse_what_the_service_reads(callers: &CallerKey, fields_read: &[String]) -> anyhow::Result<()> {
    match callers {
        CallerKey::Header(name) if fields_read.iter().any(|read| read == name.as_str()) => {
            let instead = if name == "host" { "use --caller host" } else { "let the proxy set another" };
            Err(WrongUse(format!("--caller {callers}: the service itself reads this field; {instead}")).into())
        }
        _ => Ok(()),
    }
}

impl Instances {
    /// Where the descriptions are, if there are many.
    pub fn path(&self) -> Option<&PathBuf> {
        self.instances.as_ref()
    }

    /// Opens all instances, under control or not; none where no flag asks for many.
    /// Says on standard error what is wrong with them.
    pub fn open(&self, options: &Options, under_control: bool) -> anyhow::Result<Option<Many>> {
        let (Some(path), Some(callers)) = (&self.instances, &self.caller) else {
            return Ok(None);
        };
        let runtime = Runtime::new()?;
        refuse_what_the_service_reads(callers, runtime.fields_read())?;
        let settings = options.settings(&runtime)?;
        let clock = options.clock();
        let changes = options.changes(&runtime)?;
        // What is wrong with the flags is told once, not of every instance.
        let default = changes.apply(&runtime, Description::default())?;
        runtime.open_with(&default, &settings)?;

        let fleet = Fleet::with_settings(&runtime, &settings, callers.clone())?.start_at(clock.now());
        let guests = Guests::Described(fleet.clone());
        let mut many = Many { guests, runtime, settings, path: path.clone(), clock, told: Told::default() };
        let credentials = &options.credentials;
        if under_control {
            let Many { runtime, settings, clock, .. } = &many;
            let fleet = ControlledFleet::with_settings(runtime, settings, callers.clone(), clock.clone())?;
            fleet.limit(self.instances_max);
            let guests = Controlled::new(fleet);
            let (described, told) = self.describe(&many, &changes)?;
            let sources = credentials.start_many(&told.sourced, &many.clock, options.log_format)?;
            guests.read_again(described, &sources)?;
            credentials.keep(sources, Vec::new());
            (many.guests, many.told) = (Guests::Controlled(guests), told);
        } else {
            many.told = self.load(&fleet, &many, &changes, None)?;
            let sources = credentials.start_many(&many.told.sourced, &many.clock, options.log_format)?;
            let subscriptions = sources.give_to(&fleet)?;
            credentials.keep(sources, subscriptions);
        }
        Ok(Some(many))
    }

    /// Reads all of them again, or the one of a key; where that fails, they are what
    /// they were. Says what became of them.
    pub fn load_again(&self, many: &Many, options: &Options, key: Option<&str>) -> anyhow::Result<String> {
        let changes = options.changes(&many.runtime)?;
        let credentials = &options.credentials;
        let start = |sourced: &[(String, DescribedSource)]| {
            if !sourced.is_empty() {
                credentials.judge_many()?;
            }
            credentials.start_many(sourced, &many.clock, options.log_format)
        };
        let (told, outcome) = match (&many.guests, key) {
            (Guests::Described(fleet), _) => {
                let loaded = fleet.empty();
                let told = self.load(&loaded, many, &changes, None)?;
                let sources = start(&told.sourced)?;
                // So that they have credentials when they are served.
                let _before = sources.give_to(&loaded)?;
                fleet.replace_all(loaded);
                let subscriptions = sources.give_to(fleet)?;
                credentials.keep(sources, subscriptions);
                (told, many.counted())
            }
            (Guests::Controlled(guests), None) => {
                let (described, told) = self.describe(many, &changes)?;
                let sources = start(&told.sourced)?;
                let reread = guests.read_again(described, &sources)?;
                credentials.keep(sources, Vec::new());
                (told, format!("{}; {reread}", many.counted()))
            }
            (Guests::Controlled(guests), Some(key)) => {
                let (described, mut told) = self.describe(many, &changes)?;
                // The others have theirs.
                told.sourced.retain(|(other, _)| other == key);
                let sources = start(&told.sourced)?;
                guests.reset(key, described, &sources)?;
                credentials.keep_beside(sources);
                (told, format!("{key} is what it says"))
            }
        };
        told.tell(options.log_format);
        Ok(outcome)
    }

    /// The descriptions that can be served, by their keys.
    fn describe(&self, many: &Many, changes: &Changes) -> anyhow::Result<(BTreeMap<String, Description>, Told)> {
        let described = Mutex::default();
        // It judges them, and goes then.
        let judge = Fleet::with_settings(&many.runtime, &many.settings, many.guests.callers().clone())?;
        let told = self.load(&judge.start_at(many.clock.now()), many, changes, Some(&described))?;
        Ok((described.into_inner().unwrap_or_else(PoisonError::into_inner), told))
    }

    /// Loads all into a fleet, and into `described` where it is given.
    fn load(
        &self,
        fleet: &Fleet,
        Many { path, runtime, clock, .. }: &Many,
        changes: &Changes,
        described: Option<&Mutex<BTreeMap<String, Description>>>,
    ) -> anyhow::Result<Told> {
        let now = clock.now();
        let opened = AtomicUsize::new(0);
        let as_they_are = changes.is_empty() && described.is_none();
        let sourced = Mutex::new(Vec::new());
        let Found { wrong, mut warned, left_out, .. } = each(
            |give| read(path, Some(fleet.callers()), give),
            |key, given| {
                let is_looked_at = opened.load(Ordering::Relaxed) < LOOKED_AT_MAX;
                match given {
                    // Nothing is made of the text: many are to be ready soon.
                    Given::Text { file, text }
                        if as_they_are && !is_looked_at && !text.contains("credentials-source") =>
                    {
                        fleet.insert_json(key, file, text)?;
                        opened.fetch_add(1, Ordering::Relaxed);
                        Ok(Warnings::default())
                    }
                    given => {
                        let description = changes.apply(runtime, given.description()?)?;
                        fleet.insert(key, &description)?;
                        if let Some(source) = DescribedSource::of(&description) {
                            sourced.lock().unwrap_or_else(PoisonError::into_inner).push((key.to_owned(), source));
                        }
                        if let Some(described) = described {
                            let mut described = described.lock().unwrap_or_else(PoisonError::into_inner);
                            described.insert(key.to_owned(), description.clone());
                        }
                        match opened.fetch_add(1, Ordering::Relaxed) < LOOKED_AT_MAX {
                            true => Ok(warnings::or_say_why_not(fleet.warnings(key, &description, now))),
                            false => Ok(Warnings::default()),
                        }
                    }
                }
            },
            |key| {
                fleet.remove(key);
                sourced.lock().unwrap_or_else(PoisonError::into_inner).retain(|(other, _)| other != key);
                if let Some(described) = described {
                    described.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
                }
            },
        )?;
        warned.not_looked_at = opened.into_inner().saturating_sub(LOOKED_AT_MAX);
        let sourced = sourced.into_inner().unwrap_or_else(PoisonError::into_inner);
        let told = Told { left_out, warned, sourced };
        if wrong.number() > 0 {
            told.tell_left_out();
        }
        self.judge(&wrong, fleet, path, described.is_some())?;
        Ok(if wrong.number() > 0 { Told { left_out: Vec::new(), ..told } } else { told })
    }

    fn judge(&self, wrong: &Wrong, fleet: &Fleet, path: &Path, may_be_empty: bool) -> anyhow::Result<()> {
        let path = path.display();
        let (right, number) = (fleet.len(), wrong.number());
        if number > 0 {
            to_stderr(&format!("{wrong}\n"));
        }
        let message = match (right, number, self.wrong_instances) {
            // Those under control can come later.
            (0, 0, _) if !may_be_empty => format!("there is no description in {path}"),
            (_, 0, _) => return Ok(()),
            (0, _, _) => format!("none of the {number} descriptions in {path} can be used"),
            (_, _, IfWrong::Refuse) => format!(
                "{number} of {} descriptions in {path} cannot be used; to serve the others: --wrong-instances skip",
                right + number
            ),
            (_, _, IfWrong::Skip) => {
                to_stderr(&format!(
                    "imds: warning: {number} of {} descriptions in {path} are left out",
                    right + number
                ));
                return Ok(());
            }
        };
        Err(WrongUse(message).into())
    }
}
