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
        ("faults", fault::in_words(instance)),
        ("timeline", happenings.collect()),
    ];
    let lines = rows.into_iter().flat_map(|(name, lines)| {
        let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
        let named = lines.into_iter().enumerate();
        named.map(move |(index, line)| format!("{:<9} {line}", if index == 0 { name } else { "" }))
    });
    lines.collect::<Vec<_>>().join("\n")
}
