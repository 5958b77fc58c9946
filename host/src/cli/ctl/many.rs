// `imds ctl list` and `imds ctl remove`: of a control that has many instances.

use serde_json::{Value, json};

use super::super::failure::WrongUse;
use super::Told;
use super::client::{Ask, Client, encoded};

/// As many as an application tells at once.
const PAGE: usize = 1000;

/// All instances, each with its revision.
pub fn list(client: &Client) -> anyhow::Result<Told> {
    ensure_many(client, "list")?;
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
    let width = instances.iter().map(|one| text(&one["key"]).chars().count()).max().unwrap_or_default();
    let line = |one: &Value| {
        format!("{:<width$}  {:>7} bytes  revision {}", text(&one["key"]), text(&one["bytes"]), one["revision"])
    };
    let lines: Vec<_> = instances.iter().map(line).collect();
    let told = if lines.is_empty() { "no instances".to_owned() } else { lines.join("\n") };
    Ok(Told { text: told, raw: format!("{:#}\n", json!({ "all": all, "instances": instances })) })
}

/// Takes the instance away that `--instance` names.
pub fn remove(client: &Client) -> anyhow::Result<Told> {
    ensure_many(client, "remove")?;
    let Some(key) = client.key() else {
        return Err(WrongUse("remove takes the key of an instance: imds ctl --instance KEY remove".to_owned()).into());
    };
    let answer = client.ask(Ask::delete())?;
    Ok(Told { text: format!("removed {key}; its callers get 403 within a second"), raw: answer.raw })
}

fn ensure_many(client: &Client, verb: &str) -> Result<(), WrongUse> {
    match client.is_of_an_application() {
        true => Ok(()),
        false => Err(WrongUse(format!(
            "{verb} is for the control of a Spin application, which has many instances; a listener of imds serve has \
             one: imds ctl --control https://HOST/imds-control {verb}"
        ))),
    }
}
