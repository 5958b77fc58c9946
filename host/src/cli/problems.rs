// Problems and warnings in JSON, alike wherever the program writes them.

use imds_host::{Problem, Warning};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// One problem, without the line of the text: it may be long, and the reader has it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Problem)]
pub struct Found {
    /// The field concerned, a JSON Pointer; empty for the whole.
    field: String,
    /// Whether its name is what is wrong.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    in_name: bool,
    /// What is wrong.
    message: String,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    help: Option<String>,
    /// Where in the text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    line: Option<usize>,
    /// Likewise, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    column: Option<usize>,
    /// The flag that set the field over the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    set_by: Option<String>,
}

impl Found {
    /// What is said of a problem.
    pub fn of(problem: &Problem) -> Self {
        let Problem { field, in_name, message, help, place, set_by } = problem.clone();
        let (line, column) = place.map(|place| (place.line, place.column)).unzip();
        Self { field, in_name, message, help, line, column, set_by }
    }
}

/// One problem. It is all texts, numbers and names.
pub fn problem(problem: &Problem) -> Value {
    serde_json::to_value(Found::of(problem)).unwrap_or_default()
}

/// One warning: a problem that has the name by which a description silences it.
pub fn warning(Warning { name, problem: said }: &Warning) -> Value {
    let mut warning = problem(said);
    warning["name"] = json!(name);
    warning
}
