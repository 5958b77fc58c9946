use crate::description::Description;

/// A built-in scenario: what happens to an instance, and what goes wrong with its
/// service. It is a piece of a description, with a timeline and faults; your own
/// scenario has the same form.
///
/// ```
/// use std::time::Duration;
/// use imds_host::{Control, Description, Request, Runtime, Scenario, VirtualClock};
///
/// let runtime = Runtime::new()?;
/// let scenario = Scenario::named("spot-interruption").expect("it ships").description();
/// let spot = runtime.combine(&Description::default(), &scenario)?;
///
/// let clock = VirtualClock::system();
/// clock.pause();
/// let control = Control::open_with(&runtime, &spot, &Default::default(), clock)?;
/// let notice = Request::get("/latest/meta-data/spot/instance-action");
/// assert_eq!(control.answer(&notice).status, 404);
/// control.clock().advance(Duration::from_secs(30));
/// assert_eq!(control.answer(&notice).status, 200);
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    name: &'static str,
    text: &'static str,
}

macro_rules! scenarios {
    ($($name:literal)*) => {
        &[$(Scenario { name: $name, text: include_str!(concat!("../scenarios/", $name, ".toml")) }),*]
    };
}

/// By name.
const SCENARIOS: &[Scenario] = scenarios! {
    "auto-scaling-termination"
    "capacity-rebalance"
    "credentials-expire"
    "credentials-fail"
    "credentials-revoked"
    "credentials-rotate"
    "flaky-service"
    "iam-propagation"
    "maintenance-reboot"
    "source-flaky"
    "spot-hibernate"
    "spot-interruption"
    "spot-stop"
    "stop-start"
    "tokens-required"
};

impl Scenario {
    /// All scenarios, sorted by name.
    ///
    /// ```
    /// assert!(imds_host::Scenario::all().iter().any(|scenario| scenario.name() == "flaky-service"));
    /// ```
    pub fn all() -> &'static [Scenario] {
        SCENARIOS
    }

    /// The scenario with this name, if there is one.
    ///
    /// ```
    /// assert!(imds_host::Scenario::named("spot-stop").is_some());
    /// ```
    pub fn named(name: &str) -> Option<Scenario> {
        SCENARIOS.iter().find(|scenario| scenario.name == name).copied()
    }

    /// Its name: lower case with hyphens.
    ///
    /// ```
    /// assert_eq!(imds_host::Scenario::all()[0].name(), "auto-scaling-termination");
    /// ```
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What happens in it, in one sentence.
    ///
    /// ```
    /// let scenario = imds_host::Scenario::named("spot-stop").expect("it ships");
    /// assert!(scenario.summary().starts_with("A spot instance is stopped"));
    /// ```
    pub fn summary(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// Its text, TOML with comments: a template for your own.
    ///
    /// ```
    /// let scenario = imds_host::Scenario::named("spot-stop").expect("it ships");
    /// assert!(scenario.text().contains("[[timeline]]"));
    /// ```
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Returns it as a piece of a description, which
    /// [`Runtime::combine`](crate::Runtime::combine) adds to a whole one.
    ///
    /// ```
    /// let scenario = imds_host::Scenario::named("tokens-required").expect("it ships");
    /// assert!(scenario.description().to_json().starts_with(r#"{"metadata-options":{"#));
    /// ```
    pub fn description(&self) -> Description {
        // A test reads all of them.
        Description::from_toml(self.name, self.text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::engine::Runtime;

    #[test]
    fn each_is_valid_and_has_a_summary() {
        let runtime = Runtime::new().unwrap();
        for scenario in Scenario::all() {
            let read = Description::from_toml(scenario.name, scenario.text).unwrap_or_else(|error| panic!("{error}"));
            runtime.combine(&Description::default(), &read).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read.to_json(), scenario.description().to_json());
            assert!(scenario.summary().ends_with('.') && scenario.summary().len() < 120, "{}", scenario.name);
        }
    }

    #[test]
    fn each_says_how_to_serve_it() {
        for scenario in Scenario::all() {
            let serve = format!("#   imds serve --scenario {}\n", scenario.name);
            assert!(scenario.text.contains(&serve), "{}", scenario.name);
        }
    }

    #[test]
    fn every_file_is_one_and_they_are_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenarios");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<String> = files.collect();
        files.sort();
        let names: Vec<String> = Scenario::all().iter().map(|scenario| format!("{}.toml", scenario.name)).collect();
        assert_eq!(names, files);
    }
}
