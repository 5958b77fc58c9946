//! Instances that are open in this instance of the adapter.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bindings::metadata::{Instance, Problem, Settings};
use crate::callers::{self, Callers};
use crate::secret;
use crate::store::{Store, Trouble};
use crate::variables::{self, OPTIONS, Variables, Wrong};

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
    secret: Option<Read<Vec<u8>>>,
    open: BTreeMap<String, Read<Result<Option<Open>, Failure>>>,
}

struct Read<T> {
    at: Instant,
    value: T,
}

impl<T> Read<T> {
    fn now(value: T) -> Read<T> {
        Read { at: Instant::now(), value }
    }

    fn is_fresh(&self) -> bool {
        self.at.elapsed() < FRESH
    }
}

/// An open instance.
pub struct Open {
    text: String,
    secret: Vec<u8>,
    /// The instance.
    pub instance: Instance,
    /// The throttle's state when it was last seen here.
    pub throttle_state: Cell<u64>,
}

/// Why no instance can be opened: the operator's to mend. Displays as what any
/// client may see.
#[derive(Clone, Debug)]
pub enum Failure {
    /// A variable cannot be used.
    Variable(variables::Wrong),
    /// The store does not give what is needed.
    Store(Trouble),
    /// There is neither a secret nor a store to keep one in.
    NoSecret(Trouble),
    /// The engine has no randomness.
    Entropy,
    /// A description is wrong. Where it is from, and all that is wrong with it.
    Description(String, Vec<String>),
}

impl Instances {
    /// The variables, read again where they are not fresh.
    pub fn variables(&mut self, get: impl Fn(&str) -> Result<Option<String>, String>) -> Result<Variables, Failure> {
        if let Some(read) = self.variables.as_ref().filter(|read| read.is_fresh()) {
            return Ok(read.value.clone());
        }
        let value = Variables::read(get).map_err(Failure::Variable)?;
        if self.variables.as_ref().is_some_and(|read| read.value != value) {
            self.secret = None;
            self.open.clear();
        }
        self.variables = Some(Read::now(value.clone()));
        Ok(value)
    }

    /// The instance whose description stands under `key`; none where nothing
    /// stands there. What was found is not looked for again while it is fresh,
    /// a failure and nothing too: clients say how often they ask.
    pub fn open(&mut self, key: &str, variables: &Variables) -> Result<Option<&Open>, Failure> {
        if !self.open.get(key).is_some_and(Read::is_fresh) {
            let before = self.open.remove(key).and_then(|read| read.value.ok().flatten());
            let opened = self.open_anew(key, variables, before);
            if self.open.len() >= OPEN_MAX {
                let oldest = self.open.iter().min_by_key(|(_, read)| read.at).map(|(key, _)| key.clone());
                oldest.map(|key| self.open.remove(&key));
            }
            self.open.insert(key.to_owned(), Read::now(opened));
        }
        match self.open.get(key).map(|read| &read.value) {
            Some(Ok(open)) => Ok(open.as_ref()),
            Some(Err(failure)) => Err(failure.clone()),
            None => Ok(None),
        }
    }

    fn open_anew(&mut self, key: &str, variables: &Variables, before: Option<Open>) -> Result<Option<Open>, Failure> {
        let Some((text, source)) = description(key, variables)? else {
            return Ok(None);
        };
        let secret = self.secret(variables)?;
        // Two that describe themselves alike are still two.
        let scope = key.strip_prefix(callers::INSTANCES);
        if let Some(before) = before.filter(|before| before.text == text && before.secret == secret) {
            return Ok(Some(before));
        }
        let instance = open_text(&text, &source, &secret, scope, variables)?;
        Ok(Some(Open { text, secret, instance, throttle_state: Cell::new(0) }))
    }

    /// The secret of the variables, or the one that the replicas share.
    fn secret(&mut self, variables: &Variables) -> Result<Vec<u8>, Failure> {
        if let Some(secret) = &variables.token_secret {
            return Ok(secret.clone());
        }
        if let Some(read) = self.secret.as_ref().filter(|read| read.is_fresh()) {
            return Ok(read.value.clone());
        }
        let shared = Store::open().and_then(|store| secret::shared(&store));
        let secret = shared.map_err(|trouble| match trouble {
            Trouble::Absent => Failure::NoSecret(trouble),
            Trouble::Failed(_) => Failure::Store(trouble),
        })?;
        self.secret = Some(Read::now(secret.clone()));
        Ok(secret)
    }
}

fn open_text(
    text: &str,
    source: &str,
    secret: &[u8],
    scope: Option<&str>,
    variables: &Variables,
) -> Result<Instance, Failure> {
    let settings = Settings {
        token_secret: secret.to_vec(),
        allowed_hosts: variables.allowed_hosts.clone(),
        signs_identity: false,
        scope: scope.map(str::to_owned),
    };
    let wrong = |source: &str, problems: Vec<Problem>| {
        Failure::Description(source.to_owned(), problems.iter().map(|problem| tell(problem, variables)).collect())
    };
    // First as it is, so that problems are those of what the operator wrote.
    let instance = Instance::open(text, &settings)
        .map_err(|problems| wrong_settings(&settings).unwrap_or_else(|| wrong(source, problems)))?;
    if variables.options.is_empty() {
        return Ok(instance);
    }
    let source = format!("with the variables over it, {source}");
    Instance::open(&with_options(text, &variables.options), &settings).map_err(|problems| wrong(&source, problems))
}

/// The variable whose value the component refuses, whatever the description, if that
/// is what is wrong: the secret or the names of hosts are all that it can be.
fn wrong_settings(settings: &Settings) -> Option<Failure> {
    let refused = |settings: &Settings| {
        let problems = Instance::open("{}", settings).err()?;
        let reasons: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
        Some(reasons.join("; "))
    };
    let reasons = refused(settings)?;
    let without_hosts = Settings { allowed_hosts: Vec::new(), ..settings.clone() };
    Some(Failure::Variable(match refused(&without_hosts) {
        Some(reasons) => Wrong::token_secret(&reasons),
        None => Wrong::allowed_hosts(reasons),
    }))
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

impl Failure {
    /// What only the operator may see besides.
    pub fn reason(&self) -> Option<String> {
        match self {
            Failure::Store(trouble) => Some(trouble.to_string()),
            Failure::Variable(wrong) => wrong.reason.clone(),
            Failure::NoSecret(_) | Failure::Entropy | Failure::Description(..) => None,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Variable(wrong) => wrong.fmt(f),
            Failure::Store(_) => f.write_str("the key-value store failed; the log says how"),
            Failure::Entropy => f.write_str("the engine gives no random bytes"),
            Failure::NoSecret(trouble) => write!(f, "there is no variable `token_secret`, and {trouble}"),
            Failure::Description(source, problems) => {
                write!(f, "{source} is no valid description:")?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}
