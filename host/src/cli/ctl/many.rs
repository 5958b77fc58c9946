// `imds ctl list` and `imds ctl remove`: where there can be many instances.

use serde_json::{Value, json};

use super::super::failure::WrongUse;
use super::Told;
use super::client::{Ask, Client, encoded};

/// As many as are told at once.
const PAGE: usize = 1000;

/// All instances, each with its revision.
pub fn list(client: &Client) -> anyhow::Result<Told> {
    let mut instances: Vec<Value> = Vec::new();
    let mut after = None::<String>;
    let all = loop {
        let after_this = after.map(|key| format!("&after={}", encoded(&key))).unwrap_or_default();
        let mut page = client.ask(Ask::get(&format!("/v1/instances?limit={PAGE}{after_this}")))?.body;
        if let Value::Array(more) = page["instances"].take() {
            instances.extend(more);
        }
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break page["all"].take();
        }
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let width = |name| instances.iter().map(|one| text(&one[name]).chars().count()).max().unwrap_or_default();
    let (of_keys, of_types) = (width("key"), width("instance-type"));
    let line = |one: &Value| {
        let key = text(&one["key"]);
        match one["instance-id"].as_str() {
            Some(id) => {
                let (kind, state) = (text(&one["instance-type"]), text(&one["state"]));
                format!("{key:<of_keys$}  {id:<19}  {kind:<of_types$}  {state:<10}  revision {}", one["revision"])
            }
            // On Spin, where the store alone is read.
            None => format!("{key:<of_keys$}  {:>7} bytes  revision {}", text(&one["bytes"]), one["revision"]),
        }
    };
    let lines: Vec<_> = instances.iter().map(line).collect();
    let told = if lines.is_empty() { "no instances".to_owned() } else { lines.join("\n") };
    Ok(Told { text: told, raw: format!("{:#}\n", json!({ "all": all, "instances": instances })) })
}

/// Takes the instance away that `--instance` names.
pub fn remove(client: &Client) -> anyhow::Result<Told> {
    let Some(key) = client.key() else {
        return Err(WrongUse("remove takes the key of an instance: imds ctl --instance KEY remove".to_owned()).into());
    };
    let answer = client.ask(Ask::delete())?;
    let when = if client.is_of_an_application() { "within a second" } else { "from now on" };
    // It may have been named by its id.
    let removed = answer.body["removed"].as_str().unwrap_or(key);
    Ok(Told { text: format!("removed {removed}; its callers get 403 {when}"), raw: answer.raw })
}
