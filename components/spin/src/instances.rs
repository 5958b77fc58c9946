//! Instances that are open in this instance of the adapter.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bindings::metadata::{Instance, Problem, Settings};
use crate::callers::Callers;
use crate::secret;
use crate::store::{Store, Trouble};
use crate::variables::{self, OPTIONS, Variables};

/// After so long what was read is read again: an edit reaches every replica
/// within this time.
const FRESH: Duration = Duration::from_secs(1);
/// Engines drop an adapter after some hundred requests; this is for those that
/// do not.
const OPEN_MAX: usize = 256;

/// What this instance of the adapter has read. Another one may know more or
/// less; nothing is lost with it.
#[derive(Default)]
pub struct Instances {
    variables: Option<Read<Variables>>,
    secret: Option<Vec<u8>>,
    open: BTreeMap<String, Read<Open>>,
}

struct Read<T> {
    at: Instant,
    value: T,
}

struct Open {
    text: String,
    instance: Instance,
}

/// Why no instance can be opened: the operator's to mend.
#[derive(Debug)]
pub enum Failure {
    /// A variable cannot be used.
    Variable(variables::Wrong),
    /// The store does not give what is needed.
    Store(Trouble),
    /// There is neither a secret nor a store to keep one in.
    NoSecret(Trouble),
    /// A description is wrong. Where it is from, and all that is wrong with it.
    Description(String, Vec<String>),
}

impl Instances {
    /// The variables, read again where they are not fresh.
    pub fn variables(&mut self, get: impl Fn(&str) -> Option<String>) -> Result<Variables, Failure> {
        if let Some(read) = self.variables.as_ref().filter(|read| read.at.elapsed() < FRESH) {
            return Ok(read.value.clone());
        }
        let value = Variables::read(get).map_err(Failure::Variable)?;
        if self.variables.as_ref().is_some_and(|read| read.value != value) {
            self.secret = None;
            self.open.clear();
        }
        self.variables = Some(Read { at: Instant::now(), value: value.clone() });
        Ok(value)
    }

    /// The instance whose description stands under `key`; none where nothing
    /// stands there.
    pub fn open(&mut self, key: &str, variables: &Variables) -> Result<Option<&Instance>, Failure> {
        let is_fresh = |read: &Read<Open>| read.at.elapsed() < FRESH;
        if !self.open.get(key).is_some_and(is_fresh) {
            let Some((text, source)) = description(key, variables)? else {
                self.open.remove(key);
                return Ok(None);
            };
            match self.open.get_mut(key) {
                Some(read) if read.value.text == text => read.at = Instant::now(),
                _ => {
                    let instance = self.open_text(&text, &source, variables)?;
                    if self.open.len() >= OPEN_MAX {
                        self.open.clear();
                    }
                    let read = Read { at: Instant::now(), value: Open { text, instance } };
                    self.open.insert(key.to_owned(), read);
                }
            }
        }
        Ok(self.open.get(key).map(|read| &read.value.instance))
    }

    fn open_text(&mut self, text: &str, source: &str, variables: &Variables) -> Result<Instance, Failure> {
        let settings = Settings {
            token_secret: self.secret(variables)?,
            allowed_hosts: variables.allowed_hosts.clone(),
            signs_identity: false,
        };
        let wrong = |problems: Vec<Problem>| {
            let told = problems.iter().map(|problem| tell(problem, variables)).collect();
            Failure::Description(source.to_owned(), told)
        };
        // First as it is, so that problems are those of what the operator wrote.
        let instance = Instance::open(text, &settings).map_err(wrong)?;
        if variables.options.is_empty() {
            return Ok(instance);
        }
        Instance::open(&with_options(text, &variables.options), &settings).map_err(wrong)
    }

    fn secret(&mut self, variables: &Variables) -> Result<Vec<u8>, Failure> {
        if let Some(secret) = variables.token_secret.as_ref().or(self.secret.as_ref()) {
            return Ok(secret.clone());
        }
        let shared = Store::open().and_then(|store| secret::shared(&store));
        let secret = shared.map_err(|trouble| match trouble {
            Trouble::Absent => Failure::NoSecret(trouble),
            Trouble::Failed(_) => Failure::Store(trouble),
        })?;
        self.secret = Some(secret.clone());
        Ok(secret)
    }
}

/// The description of the instance under `key`, and what to call its source.
fn description(key: &str, variables: &Variables) -> Result<Option<(String, String)>, Failure> {
    if let Some(text) = &variables.instance {
        return Ok(Some((text.clone(), "the variable `instance`".to_owned())));
    }
    let source = format!("the key `{key}` of the key-value store");
    let stored = match Store::open().and_then(|store| store.get(key)) {
        // Without a store nobody can have described anything.
        Err(Trouble::Absent) if variables.callers == Callers::One => None,
        stored => stored.map_err(Failure::Store)?,
    };
    match stored {
        None if variables.callers == Callers::One => Ok(Some(("{}".to_owned(), "the default instance".to_owned()))),
        None => Ok(None),
        Some(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some((text, source))),
            Err(_) => Err(Failure::Description(source, vec!["is not UTF-8".to_owned()])),
        },
    }
}

/// A description, known to be right, with options set over its own.
fn with_options(text: &str, options: &[(&str, String)]) -> String {
    let mut description: Value = serde_json::from_str(text).unwrap_or_default();
    for (name, value) in options {
        description["metadata-options"][*name] = Value::String(value.clone());
    }
    description.to_string()
}

/// A problem in one line, named as the operator wrote what is wrong.
fn tell(problem: &Problem, variables: &Variables) -> String {
    let option = problem.field.strip_prefix("/metadata-options/");
    let variable = option.and_then(|option| {
        let (variable, _) = OPTIONS.iter().find(|(_, name)| *name == option)?;
        variables.options.iter().any(|(name, _)| *name == option).then(|| format!("the variable `{variable}`: "))
    });
    let place = match (variable, problem.field.as_str(), problem.position) {
        (Some(variable), ..) => variable,
        (None, "", None) => String::new(),
        (None, "", Some(position)) => format!("line {}, column {}: ", position.line, position.column),
        (None, field, _) => format!("{field}: "),
    };
    let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{place}{}{help}", problem.message)
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Variable(wrong) => wrong.fmt(f),
            Failure::Store(trouble) => trouble.fmt(f),
            Failure::NoSecret(trouble) => write!(f, "there is no variable `token_secret`, and {trouble}"),
            Failure::Description(source, problems) => {
                write!(f, "{source} is no valid description:")?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}
