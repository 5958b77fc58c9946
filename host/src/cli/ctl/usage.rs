// `imds ctl usage`.

use serde_json::Value;

use super::Told;
use super::client::{Ask, Client};

pub fn usage(client: &Client) -> anyhow::Result<Told> {
    let answer = client.ask(Ask::get("/v1/usage"))?;
    Ok(Told { text: in_words(&answer.body), raw: answer.raw })
}

/// One that asked without a token.
fn process(process: &Value) -> String {
    format!("; pid {} ({})", process["pid"], process["command"].as_str().unwrap_or_default())
}

fn in_words(usage: &Value) -> String {
    let number = |value: &Value, name: &str| value[name].as_u64().unwrap_or_default();
    let mut lines = vec![
        format!("MetadataNoToken          {}", number(usage, "MetadataNoToken")),
        format!("MetadataNoTokenRejected  {}", number(usage, "MetadataNoTokenRejected")),
    ];
    let clients = usage["clients"].as_array().into_iter().flatten();
    let without_token = |client: &&Value| number(client, "version-1") + number(client, "version-1-rejected") > 0;
    lines.extend(clients.filter(without_token).map(|client| {
        let who = match (client["user-agent"].as_str(), client["rest"] == true) {
            (_, true) => "all others",
            (Some(agent), _) => agent,
            (None, _) => "no user agent",
        };
        let from = client["caller"].as_str().map_or(String::new(), |caller| format!(" from {caller}"));
        let target = client["version-1-target"].as_str().unwrap_or_default();
        let processes = client["processes"].as_array().into_iter().flatten().map(process);
        let processes: String = processes.collect();
        format!(
            "{who}{from}: {} answered and {} refused without a token, {} with one; last {target}{processes}",
            number(client, "version-1"),
            number(client, "version-1-rejected"),
            number(client, "version-2")
        )
    }));
    if lines.len() == 2 {
        let asked = number(&usage["totals"], "version-2");
        lines.push(format!("no request came without a token; {asked} used version 2"));
    }
    lines.join("\n")
}
