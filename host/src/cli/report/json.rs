// The report as JSON.

use serde_json::{Value, json};

use super::Reported;
use crate::cli::asked::{Request, Times};

pub fn text(reported: &Reported<'_>) -> String {
    format!("{:#}\n", document(reported))
}

fn document(reported: &Reported<'_>) -> Value {
    let counts = reported.counts;
    let verdict = reported.verdict.map(|verdict| json!({ "passed": verdict.passed, "reason": verdict.why() }));
    json!({
        "command": reported.program,
        "started": humantime::format_rfc3339_millis(reported.started).to_string(),
        "seconds": reported.took.as_secs_f64(),
        "ran": reported.has_run,
        "exit-status": { "command": reported.status, "imds": reported.status_kept() },
        "require-v2": verdict,
        "totals": {
            "version-1": counts.version_1(),
            "version-1-rejected": counts.version_1_rejected(),
            "version-2": counts.version_2,
            "unknown": counts.unknown,
        },
        "requests": counts.sorted().into_iter().map(request).collect::<Vec<_>>(),
        "more-requests": counts.rest,
    })
}

fn request((Request { method, target, user_agent, version }, times): (&Request, &Times)) -> Value {
    let statuses = times.statuses.iter().map(|(status, number)| {
        let name = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        (name, json!(number))
    });
    json!({
        "method": method,
        "target": target,
        "user-agent": user_agent,
        "version": version,
        "number": times.all,
        "refused": times.refused,
        "statuses": Value::from_iter(statuses),
        "processes": times.processes,
    })
}
