// `imds check --json`.

use std::path::Path;
use std::process::ExitCode;

use imds_host::{Error, Problems, Warnings};
use serde_json::{Value, json};

use super::{Check, Checked, Judge};
use crate::cli::failure;
use crate::cli::instances::Found;
use crate::cli::print::to_stdout;
use crate::cli::problems::{problem, warning};

impl Check {
    /// Prints one document about all paths. The exit status is that of the words.
    pub(super) fn print_json(&self, judge: &Judge<'_>, paths: &[Option<&Path>]) -> anyhow::Result<ExitCode> {
        let mut status = 0;
        let mut descriptions = Vec::new();
        for path in paths {
            let name = self.name(*path);
            let (described, of_path) = match self.check(judge, *path) {
                Ok(Checked::One(warnings)) => self.one(&name, &warnings),
                Ok(Checked::Many(found)) => self.many(&name, &found),
                Err(error) => failed(&name, error),
            };
            descriptions.push(described);
            // As in words, that of the last path that is wrong.
            status = if of_path == 0 { status } else { of_path };
        }
        let document = json!({ "valid": status == 0, "descriptions": descriptions });
        to_stdout(&format!("{document:#}\n"), "the document")?;
        Ok(ExitCode::from(status))
    }

    fn one(&self, name: &str, warnings: &Warnings) -> (Value, u8) {
        let list: Vec<Value> = warnings.list.iter().map(warning).collect();
        let is_refused = self.strict && !list.is_empty();
        (json!({ "source": name, "valid": true, "problems": [], "warnings": list }), if is_refused { 2 } else { 0 })
    }

    fn many(&self, name: &str, found: &Found) -> (Value, u8) {
        let Found { right, wrong, warned, left_out } = found;
        let described = json!({
            "source": name,
            "valid": wrong.number() == 0,
            "number": right + wrong.number(),
            "wrong": wrong.number(),
            "with-warnings": warned.descriptions(),
            "problems": wrong.first().flat_map(of_source).collect::<Vec<_>>(),
            "warnings": warned.first().flat_map(of_warned).collect::<Vec<_>>(),
            "warnings-by-name": warned.by_name(),
            "left-out": left_out,
        });
        let is_refused = wrong.number() > 0 || (self.strict && warned.descriptions() > 0);
        (described, if is_refused { 2 } else { 0 })
    }
}

/// A description that is wrong or cannot be read.
fn failed(name: &str, error: anyhow::Error) -> (Value, u8) {
    let status = failure::status(&error);
    let problems = match error.downcast::<Error>() {
        Ok(Error::Invalid(problems)) => problems.list.iter().map(problem).collect(),
        Ok(error) => vec![json!({ "field": "", "message": format!("{:#}", anyhow::Error::from(error)) })],
        Err(error) => vec![json!({ "field": "", "message": format!("{error:#}") })],
    };
    (json!({ "source": name, "valid": false, "problems": problems, "warnings": [] }), status)
}

/// The problems of one of many, each with the name of its file.
fn of_source(problems: &Problems) -> impl Iterator<Item = Value> + '_ {
    problems.list.iter().map(|it| with_source(problem(it), &problems.source))
}

fn of_warned(warnings: &Warnings) -> impl Iterator<Item = Value> + '_ {
    warnings.list.iter().map(|it| with_source(warning(it), &warnings.source))
}

fn with_source(mut value: Value, source: &str) -> Value {
    value["source"] = json!(source);
    value
}
