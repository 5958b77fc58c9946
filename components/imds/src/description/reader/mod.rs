//! Reads a [`Json`] tree into the types of a description, and tells every
//! problem with its place and what was expected.

mod fault;
mod names;
mod value;

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use self::fault::Fault;
use self::names::{FieldNames, FirstLevel};
use self::value::Reader;
use super::json::Json;
use super::problem::{PROBLEMS_MAX, Problem};

/// Reads `json` as a `T`, which must be complete when every field is missing.
///
/// After a problem the value concerned is taken out and reading starts again,
/// so that all problems are told, not the first only.
pub fn read<T: DeserializeOwned>(json: &Json) -> Result<T, Vec<Problem>> {
    let mut problems = Vec::new();
    // Copied only to take something out.
    let mut json = Cow::Borrowed(json);
    loop {
        match T::deserialize(Reader(&json)) {
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => return Err(problems),
            Err(Fault(mut problem)) => {
                misplaced(&mut problem, T::deserialize(FieldNames).err());
                if problem.field.is_empty() && !matches!(*json, Json::Object(_)) {
                    problem.help = Some("a description is an object of fields; `{}` is the default instance".into());
                }
                let can_go_on = !problem.field.is_empty() && json.to_mut().remove(&problem.field);
                if !follows(&problem, &problems) {
                    problems.push(*problem);
                }
                if !can_go_on || problems.len() == PROBLEMS_MAX {
                    return Err(problems);
                }
            }
        }
    }
}

/// Whether a field is missing only because its value was taken out as wrong.
fn follows(problem: &Problem, before: &[Problem]) -> bool {
    before
        .iter()
        .filter_map(|other| other.field.rsplit_once('/'))
        .any(|(above, name)| above == problem.field && problem.message == missing(name))
}

fn missing(field: &str) -> String {
    format!("field `{field}` is missing here")
}

/// Helps with a field of the document's first level that stands deeper: in TOML
/// every line behind a `[table]` belongs to it.
fn misplaced(problem: &mut Problem, first_level: Option<FirstLevel>) {
    let Some((above, name)) = problem.field.rsplit_once('/') else {
        return;
    };
    let names_of_texts = ["/tags", "/extra-entries", "/managed-ssh-keys/active-keys", "/managed-ssh-keys/signer-ocsp"];
    let is_unknown = problem.in_name && problem.message.starts_with("unknown field");
    let is_near = problem.help.as_ref().is_some_and(|help| help.starts_with("did you mean"));
    let FirstLevel(fields) = first_level.unwrap_or(FirstLevel(&[]));
    if !above.is_empty() && fields.contains(&name) && !is_near && (is_unknown || names_of_texts.contains(&above)) {
        problem.help =
            Some(format!("`{name}` is a field of the instance itself: in TOML it stands above the first `[table]`"));
    }
}
