// `imds ctl explain`.

use serde_json::Value;

use super::Told;
use super::client::{Ask, Client};
use super::follow::line;

/// Who has read so many knows enough.
const PATH: &str = "/v1/requests?refusals=true&limit=20";

pub fn explain(client: &Client) -> anyhow::Result<Told> {
    let answer = client.ask(Ask::get(PATH))?;
    let requests: Vec<_> = answer.body["requests"].as_array().into_iter().flatten().collect();
    let text = if requests.is_empty() {
        "none of the last requests was refused, and no fault affected one".to_owned()
    } else {
        in_words(&requests)
    };
    Ok(Told { text, raw: answer.raw })
}

/// The requests with one rule together, and the rule below them; the rule that
/// applied last comes last.
fn in_words(requests: &[&Value]) -> String {
    let mut rules: Vec<&Value> = requests.iter().rev().map(|request| &request["rule"]).collect();
    let mut seen = Vec::new();
    rules.retain(|rule| {
        !seen.contains(rule) && {
            seen.push(*rule);
            true
        }
    });
    let block = |rule: &&Value| {
        let lines = requests.iter().filter(|request| request["rule"] == **rule).map(|request| line(request));
        let lines = lines.collect::<Vec<_>>().join("\n");
        format!("{lines}\n  {}", rule.as_str().unwrap_or_default())
    };
    rules.iter().rev().map(block).collect::<Vec<_>>().join("\n\n")
}
