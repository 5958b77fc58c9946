// Problems and warnings in JSON, alike wherever the program writes them.

use imds_host::{Problem, Warning};
use serde_json::{Value, json};

/// One problem, without the line of the text: it may be long, and the reader has it.
pub fn problem(problem: &Problem) -> Value {
    let Problem { field, in_name, message, help, place, set_by } = problem;
    let fields = [
        ("field", json!(field)),
        ("in-name", if *in_name { json!(true) } else { Value::Null }),
        ("message", json!(message)),
        ("help", json!(help)),
        ("line", json!(place.as_ref().map(|place| place.line))),
        ("column", json!(place.as_ref().map(|place| place.column))),
        ("set-by", json!(set_by)),
    ];
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// One warning: a problem that has the name by which a description silences it.
pub fn warning(Warning { name, problem: said }: &Warning) -> Value {
    let mut warning = problem(said);
    warning["name"] = json!(name);
    warning
}
