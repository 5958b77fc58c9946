// What descriptions say that cannot be real: told at the start, and when they
// change.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::SystemTime;

use clap::Args;
use imds_host::{Clock as _, Control, Description, Instances as _, Runtime, Warning, Warnings};

use super::failure::WrongUse;
use super::log::Format;
use super::print::{styled_to_stderr, to_stderr};

/// The flag that silences warnings.
#[derive(Args)]
pub struct WarningFlags {
    /// Do not give the warning of this name, which stands in brackets behind it; repeatable. A description
    /// says the same by allow-warnings
    #[arg(short = 'A', long = "allow-warning", alias = "allow", value_name = "NAME")]
    allowed: Vec<String>,
}

impl WarningFlags {
    /// Refuses names that no warning has: what such a flag is meant to silence would not be.
    pub fn judge(&self, runtime: &Runtime) -> anyhow::Result<()> {
        if self.allowed.is_empty() {
            return Ok(());
        }
        let mut description = Description::default();
        self.apply(&mut description);
        // Which names there are, the component knows.
        let found = of(runtime, &description, SystemTime::now())?;
        match found.list.into_iter().find(|warning| warning.name == "unknown-warning") {
            Some(Warning { problem, .. }) => {
                let nearest = problem.help.filter(|help| help.starts_with("did you mean"));
                let nearest = nearest.map_or_else(String::new, |help| format!("; {help}"));
                let known = NAMES.join(", ");
                Err(WrongUse(format!("--allow-warning: {}{nearest}\nhelp: the names are {known}", problem.message))
                    .into())
            }
            None => Ok(()),
        }
    }

    /// Lets a description have none of these warnings.
    pub fn apply(&self, description: &mut Description) {
        description.allow_warnings(self.allowed.iter().map(String::as_str), "--allow-warning");
    }
}

/// The names of all warnings, for who misspells one: a test holds that they are the component's.
const NAMES: [&str; 32] = [
    "access-key-form",
    "address-kind",
    "address-outside-subnet",
    "architecture-mismatch",
    "block-size",
    "change-never-happens",
    "change-of-nothing",
    "credentials-in-the-past",
    "differing-blocks",
    "duplicate-device",
    "equal-names",
    "event-in-the-past",
    "fault-matches-nothing",
    "fault-never-strikes",
    "fault-shadowed",
    "fault-unknown-method",
    "guessable-container-secret",
    "id-form",
    "interruption-in-the-past",
    "launch-in-the-future",
    "multicast-mac",
    "overlapping-blocks",
    "profile-of-another-account",
    "real-credentials-without-token",
    "reserved-address",
    "subnet-outside-vpc",
    "tags-not-shown",
    "unknown-instance-type",
    "unknown-region",
    "unknown-warning",
    "unknown-zone",
    "zone-id-of-another-region",
];

/// The warnings of a description whose relative times count from `now`.
pub fn of(runtime: &Runtime, description: &Description, now: SystemTime) -> Result<Warnings, imds_host::Error> {
    let mut description = description.clone();
    description.start_at(now);
    runtime.warnings(&description, now)
}

/// The warnings of the description with which a control was opened.
pub fn of_first(control: &Control, description: &Description) -> Warnings {
    or_say_why_not(of(control.runtime(), description, control.clock().now()))
}

/// The warnings, or none and a line on standard error: a description that cannot be
/// looked at is served all the same.
pub fn or_say_why_not(found: Result<Warnings, imds_host::Error>) -> Warnings {
    found.unwrap_or_else(|error| {
        let error = anyhow::Error::from(error);
        to_stderr(&format!("imds: warning: the description cannot be looked at for warnings: {error:#}"));
        Warnings::default()
    })
}

/// Prints warnings to standard error, if there are any.
pub fn tell(warnings: &Warnings, format: Format) {
    if warnings.list.is_empty() {
        return;
    }
    match format {
        Format::Text => styled_to_stderr(warnings, warnings.styled()),
        Format::Json => to_stderr(&format.warnings(warnings)),
    }
}

/// What the instance of a control is warned of that it was not before.
pub struct Before(HashSet<(String, String, String)>);

impl Before {
    pub fn of(control: &Control) -> Self {
        // What cannot be told is no reason to change nothing.
        let warnings = or_say_why_not(control.warnings());
        Self(warnings.list.iter().map(key).collect())
    }

    /// Without those that there were before.
    pub fn new_ones(&self, warnings: Warnings) -> Warnings {
        let Warnings { source, list } = warnings;
        Warnings { source, list: list.into_iter().filter(|warning| !self.0.contains(&key(warning))).collect() }
    }

    /// The new ones of the control.
    pub fn new_ones_of(&self, control: &Control) -> Warnings {
        self.new_ones(or_say_why_not(control.warnings()))
    }
}

fn key(warning: &Warning) -> (String, String, String) {
    (warning.name.clone(), warning.problem.field.clone(), warning.problem.message.clone())
}

/// The warnings of many descriptions: of the first ones in words, of the others
/// their number by name. So it stays small, however many there are.
#[derive(Default)]
pub struct Warned {
    /// By the place of the description among all.
    shown: BTreeMap<usize, Warnings>,
    /// How many warnings have a name.
    by_name: BTreeMap<String, usize>,
    descriptions: usize,
    /// How many descriptions nobody looked at.
    pub not_looked_at: usize,
}

/// More of them than these nobody reads at a start.
const SHOWN_MAX: usize = 5;

impl Warned {
    pub fn add(&mut self, place: usize, warnings: Warnings) {
        if warnings.list.is_empty() {
            return;
        }
        self.descriptions += 1;
        for warning in &warnings.list {
            *self.by_name.entry(warning.name.clone()).or_default() += 1;
        }
        self.shown.insert(place, warnings);
        if self.shown.len() > SHOWN_MAX {
            self.shown.pop_last();
        }
    }

    /// How many descriptions have warnings.
    pub fn descriptions(&self) -> usize {
        self.descriptions
    }

    /// The warnings of the first descriptions.
    pub fn first(&self) -> impl Iterator<Item = &Warnings> {
        self.shown.values()
    }

    /// How many warnings have which name.
    pub fn by_name(&self) -> &BTreeMap<String, usize> {
        &self.by_name
    }

    /// Prints them to standard error.
    pub fn tell(&self, format: Format) {
        for (index, warnings) in self.shown.values().enumerate() {
            if index > 0 && format == Format::Text {
                to_stderr("");
            }
            tell(warnings, format);
        }
        let is_partial = self.descriptions > 0 && self.not_looked_at > 0;
        if self.descriptions > self.shown.len() || is_partial {
            to_stderr(&format.many_warnings(self.descriptions, &self.to_string()));
        }
    }
}

/// The number of warnings by name, and that of descriptions that may have more.
impl fmt::Display for Warned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, number)) in self.by_name.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{name} {number} times")?;
        }
        match self.not_looked_at {
            0 => Ok(()),
            number => write!(f, "; {number} others were not looked at, which imds check does"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(source: &str) -> Warnings {
        let description = Description::from_toml(source, "instance-type = 't9.micro'").unwrap();
        Runtime::new().unwrap().warnings(&description, SystemTime::now()).unwrap()
    }

    #[test]
    fn all_names_are_known() {
        let names: Vec<&str> = imds_core::plausibility::RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names, NAMES);
    }

    #[test]
    fn of_many_the_first_are_shown_and_all_are_counted() {
        let mut warned = Warned::default();
        let one = warnings("one");
        for place in (0..1000).rev() {
            warned.add(place, Warnings { source: place.to_string(), ..one.clone() });
        }
        warned.add(1000, Warnings::default());
        let shown: Vec<&str> = warned.shown.values().map(|warnings| warnings.source.as_str()).collect();
        assert_eq!(shown, ["0", "1", "2", "3", "4"]);
        assert_eq!((warned.descriptions(), &*warned.to_string()), (1000, "unknown-instance-type 1000 times"));
        warned.not_looked_at = 7;
        assert!(warned.to_string().ends_with(" times; 7 others were not looked at, which imds check does"));
    }
}
