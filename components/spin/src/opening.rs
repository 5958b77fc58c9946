//! From a description to an open instance.

use serde_json::Value;

use crate::bindings::metadata::{Instance, Problem, Settings};
use crate::failure::Failure;
use crate::keys::DEFAULT_DESCRIPTION;
use crate::variables::{OPTIONS, VariableError, Variables};

/// Opens the description `text`, which stands in `source`, with the options of the
/// variables over it.
pub fn open(
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
        Failure::Description(
            source.to_owned(),
            problems.iter().map(|problem| in_one_line(problem, variables)).collect(),
        )
    };
    let as_written = || {
        Instance::open(text, &settings)
            .map_err(|problems| wrong_settings(&settings).unwrap_or_else(|| wrong(source, problems)))
    };
    let Some(with_options) = with_options(text, &variables.options) else {
        return as_written();
    };
    match Instance::open(&with_options, &settings) {
        Ok(instance) => Ok(instance),
        // Problems are those of what the operator wrote, if it has any.
        Err(problems) => {
            as_written()?;
            Err(wrong(&format!("with the variables over it, {source}"), problems))
        }
    }
}

/// What is wrong with the options of the variables, whatever the description; `None` if
/// nothing is.
pub fn wrong_options(variables: &Variables) -> Option<String> {
    let options = Variables { options: variables.options.clone(), ..Variables::default() };
    match open(DEFAULT_DESCRIPTION, "", &[0; 32], None, &options).err()? {
        Failure::Description(_, problems) => Some(problems.join("; ")),
        other => Some(other.to_string()),
    }
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
        Some(reasons) => VariableError::token_secret(&reasons),
        None => VariableError::allowed_hosts(reasons),
    }))
}

/// A description with options set over its own; `None` if there are no options, or
/// nothing that could have any.
fn with_options(text: &str, options: &[(&str, String)]) -> Option<String> {
    if options.is_empty() {
        return None;
    }
    let mut description: Value = serde_json::from_str(text).ok()?;
    let own = description.as_object_mut()?.entry("metadata-options").or_insert(Value::Null);
    if own.is_null() {
        *own = Value::Object(Default::default());
    }
    // What is no object here is no valid description either.
    let own = own.as_object_mut()?;
    for (name, value) in options {
        own.insert((*name).to_owned(), Value::String(value.clone()));
    }
    Some(description.to_string())
}

/// A problem in one line, named as the operator wrote what is wrong.
fn in_one_line(problem: &Problem, variables: &Variables) -> String {
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
