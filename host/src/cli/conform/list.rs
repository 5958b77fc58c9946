// `imds conform --list`.

use imds_host::conform::Suite;
use serde_json::{Value, json};

use super::Format;
use crate::cli::failure::WrongUse;

/// The checks, a line each, or as a JSON array.
pub fn text(suite: &Suite, format: Format) -> Result<String, WrongUse> {
    match format {
        Format::Table => Ok(lines(suite)),
        Format::Json => Ok(format!("{:#}\n", document(suite))),
        _ => Err(WrongUse("--list is a table, or JSON by --format json".to_owned())),
    }
}

fn lines(suite: &Suite) -> String {
    let line = |check: &imds_host::conform::Check| {
        format!("{:<10} {:<10} {}\n{:22}{}\n", check.area(), check.evidence(), check.id(), "", check.rule())
    };
    suite.checks().iter().map(line).collect()
}

fn document(suite: &Suite) -> Value {
    let checks = suite.checks().iter().map(|check| {
        json!({
            "id": check.id(),
            "area": check.area().name(),
            "evidence": check.evidence().name(),
            "rule": check.rule(),
            "source": check.source(),
        })
    });
    Value::Array(checks.collect())
}
