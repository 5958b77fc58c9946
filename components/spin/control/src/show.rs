//! What an instance is, as the native listener shows it.

use std::time::{Duration, UNIX_EPOCH};

use imds_spin::keys::DEFAULT_DESCRIPTION;
use imds_spin::{Reply, log, now_ms};
use serde_json::{Value, json};

use crate::bindings::metadata::{self, Happening, InstanceStatus};
use crate::hidden::without_secrets;
use crate::key::Key;
use crate::reply::{error, failed, invalid, with_etag, with_status};
use crate::revision;
use crate::routes::Asked;

/// `GET`: without secrets.
pub async fn get(asked: &Asked<'_>, key: &Key) -> Reply {
    match shown(asked, key).await {
        Ok((body, revision)) => with_etag(with_status(200, &body), revision),
        Err(refusal) => refusal,
    }
}

async fn shown(asked: &Asked<'_>, key: &Key) -> Result<(Value, u64), Reply> {
    let text = match (&asked.settings.variables.instance, key.scope()) {
        (Some(text), None) => text.clone(),
        _ => {
            let stored = asked.store.get(key.stored()).await.map_err(|trouble| failed(&trouble))?;
            let stored = stored.or_else(|| key.scope().is_none().then(|| DEFAULT_DESCRIPTION.as_bytes().to_vec()));
            as_text(key, stored.ok_or_else(|| missing(key))?)?
        }
    };
    let now_ms = now_ms();
    let status = metadata::status(&text, now_ms, key.scope()).map_err(|problems| broken(key, &problems))?;
    let revision = revision::of(text.as_bytes(), &asked.settings.secret);
    let shown = in_json(&status, revision, now_ms, &asked.settings.variables.options);
    let shown = shown.ok_or_else(|| error(500, "the component returned invalid JSON"))?;
    Ok((shown, revision))
}

/// What stands under a key, as text.
pub fn as_text(key: &Key, stored: Vec<u8>) -> Result<String, Reply> {
    let what = format!("the value of the key `{}` is not UTF-8, so it is not a valid description", key.stored());
    String::from_utf8(stored).map_err(|_| error(409, format!("{what}; put one in its place")))
}

/// There is no such instance.
pub fn missing(key: &Key) -> Reply {
    error(404, format!("the store has no key `{}`; GET /v1/instances lists those that it has", key.stored()))
}

/// What is stored is no description: somebody else put it there.
pub fn broken(key: &Key, problems: &[metadata::Problem]) -> Reply {
    log::line(format!("control: the value of the key `{}` is not a valid description", key.stored()));
    Reply { status: 409, ..invalid(problems) }
}

fn in_json(status: &InstanceStatus, revision: u64, now_ms: u64, variables: &[(&str, String)]) -> Option<Value> {
    let description = without_secrets(serde_json::from_str(&status.description).ok()?);
    let options = &status.metadata_options;
    let mut options = json!({
        "http-endpoint": options.http_endpoint,
        "http-protocol-ipv6": options.http_protocol_ipv6,
        "http-put-response-hop-limit": options.http_put_response_hop_limit,
        "http-tokens": options.http_tokens,
        "instance-metadata-tags": options.instance_metadata_tags,
    });
    // What is served has those of the variables over its own.
    for (option, value) in variables {
        options[*option] = json!(value);
    }
    let (past, to_come): (Vec<_>, Vec<_>) = status.happenings.iter().partition(|happening| happening.at_ms <= now_ms);
    let happenings = |list: Vec<&Happening>| -> Value {
        list.into_iter().map(|happening| json!({ "at": time(happening.at_ms), "what": happening.what })).collect()
    };
    Some(json!({
        "revision": revision,
        "state": status.state,
        "instance-lifecycle": status.lifecycle,
        // The engine's, which nobody moves.
        "clock": { "now": time(now_ms), "paused": false, "speed": 1.0, "system": true },
        "metadata-options": options,
        "identity": serde_json::from_str::<Value>(&status.identity_document.text).ok()?,
        "timeline": { "past": happenings(past), "to-come": happenings(to_come) },
        "faults": description.get("faults").cloned().unwrap_or_else(|| json!([])),
        "description": description,
    }))
}

/// As all times are told: RFC 3339 to the millisecond.
fn time(ms: u64) -> String {
    // Times after the year 9998 count as its last second.
    let time = Duration::from_millis(ms.min(253_370_764_799_999));
    humantime::format_rfc3339_millis(UNIX_EPOCH + time).to_string()
}
