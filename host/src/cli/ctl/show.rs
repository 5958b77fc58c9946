// `imds ctl show`.

use serde_json::Value;

use super::client::{Ask, Client, INSTANCE};
use super::{Told, clock, fault, times};

pub fn show(client: &Client) -> anyhow::Result<Told> {
    let answer = client.ask(Ask::get(INSTANCE))?;
    Ok(Told { text: in_words(&answer.body), raw: answer.raw })
}

fn in_words(instance: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let identity = |name: &str| text(&instance["identity"][name]);
    let options = instance["metadata-options"].as_object().into_iter().flatten();
    let options = options.map(|(name, value)| format!("{name} {}", text(value)));
    let happenings = times::happenings(instance).map(|one| times::happening(one, &instance["clock"]["now"]));
    let rows = [
        (
            "instance",
            vec![format!(
                "{}, {} in {}, {}, {}",
                identity("instanceId"),
                identity("instanceType"),
                identity("availabilityZone"),
                text(&instance["instance-lifecycle"]),
                text(&instance["state"])
            )],
        ),
        ("revision", vec![text(&instance["revision"])]),
        ("clock", vec![clock::in_words(&instance["clock"])]),
        ("options", options.collect()),
        ("credentials", credentials(&instance["credentials"])),
        ("faults", fault::in_words(instance)),
        ("timeline", happenings.collect()),
    ];
    // Most are made up, which is nothing to tell.
    let rows = rows.into_iter().filter(|(name, lines)| *name != "credentials" || !lines.is_empty());
    let width = if instance["credentials"].is_object() { 11 } else { 9 };
    let lines = rows.flat_map(|(name, lines)| {
        let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
        let named = lines.into_iter().enumerate();
        named.map(move |(index, line)| format!("{:<width$} {line}", if index == 0 { name } else { "" }))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Where real credentials come from, and how that goes.
fn credentials(state: &Value) -> Vec<String> {
    let Some(source) = state["source"].as_str() else { return Vec::new() };
    let time = |name: &str| state[name].as_str();
    let mut lines = vec![match time("end") {
        Some(end) => format!("from {source}, until {end}"),
        None => format!("from {source}, which gave none yet"),
    }];
    lines.extend(time("next-fetch").map(|next| format!("asked again at {next}")));
    let failures = state["failures"].as_u64().unwrap_or_default();
    if let (Some(at), Some(reason)) = (state["last-failure"]["at"].as_str(), state["last-failure"]["reason"].as_str()) {
        let in_a_row = if failures > 1 { format!(", {failures} times in a row") } else { String::new() };
        let over = if failures == 0 { "; it is over" } else { "" };
        lines.push(format!("failed at {at}{in_a_row}: {reason}{over}"));
    }
    lines
}
