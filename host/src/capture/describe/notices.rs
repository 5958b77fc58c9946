//! The fields of devices, events and notices.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::view::View;
use crate::capture::capturer::rfc3339;

/// Describes volumes, accelerators, keys of EC2 Instance Connect, and the future of the
/// instance.
pub fn describe(view: &View<'_>, draft: &mut Draft) {
    volumes(view, draft);
    accelerators(view, draft);
    draft.set_some(
        "auto-scaling.target-lifecycle-state",
        view.meta("autoscaling/target-lifecycle-state"),
        "meta-data/autoscaling/target-lifecycle-state",
    );
    let configured = view.meta("hibernation/configured").and_then(|text| text.parse::<bool>().ok());
    draft.set_some("hibernation-options.configured", configured, "meta-data/hibernation/configured");
    spot(view, draft);
    let list: Vec<Value> = ["scheduled", "history"].iter().flat_map(|list| events(view, list)).collect();
    draft.set_some("events", Some(list).filter(|list| !list.is_empty()), "meta-data/events/maintenance/");
    managed_keys(view, draft);
}

fn volumes(view: &View<'_>, draft: &mut Draft) {
    const FOLDER: &str = "block-device-mapping";
    let mut ebs = Vec::new();
    let mut others = Vec::new();
    for name in view.names(&format!("meta-data/{FOLDER}")) {
        let Some(device) = view.meta(&format!("{FOLDER}/{name}")) else { continue };
        match name.strip_prefix("ebs").map(str::parse::<u32>) {
            Some(Ok(number)) => ebs.push((number, device)),
            _ if name == "ami" || name == "root" => {}
            _ => others.push(json!({ "device-name": device, "virtual-name": name })),
        }
    }
    ebs.sort_unstable();
    let ebs = ebs.into_iter().map(|(_, device)| json!({ "device-name": device }));
    let list: Vec<Value> = ebs.chain(others).collect();
    let from = format!("meta-data/{FOLDER}/");
    draft.set_some("block-device-mappings", Some(list).filter(|list| !list.is_empty()), &from);
}

fn accelerators(view: &View<'_>, draft: &mut Draft) {
    for (field, folder, prefix) in [
        ("elastic-gpu-associations", "elastic-gpus", "elastic-gpu"),
        ("elastic-inference-accelerator-associations", "elastic-inference", "elastic-inference-accelerator"),
    ] {
        let folder = format!("meta-data/{folder}/associations");
        let entry = |id: &str| {
            let item: Value = serde_json::from_str(view.text(&format!("{folder}/{id}")).unwrap_or_default()).ok()?;
            let kind = item.get("version_2018_04_12")?.get(format!("{prefix}-type"))?.clone();
            let fields = [(format!("{prefix}-id"), json!(id)), (format!("{prefix}-type"), kind)];
            Some(Value::Object(Map::from_iter(fields)))
        };
        let list: Vec<Value> = view.names(&folder).filter_map(entry).collect();
        draft.set_some(field, Some(list).filter(|list| !list.is_empty()), &format!("{folder}/"));
    }
}

fn spot(view: &View<'_>, draft: &mut Draft) {
    let notice = "meta-data/spot/instance-action";
    let text: Value = serde_json::from_str(view.text(notice).unwrap_or_default()).unwrap_or_default();
    if let Some(time) = text.get("time").and_then(Value::as_str) {
        draft.set_some("spot-interruption.action", text.get("action").and_then(Value::as_str), notice);
        draft.set("spot-interruption.time", time, notice);
        // The service published it when it was issued.
        let published = view.item(notice).and_then(|answered| answered.field("last-modified"));
        let published = published.and_then(|date| httpdate::parse_http_date(date).ok());
        let is_before =
            |published: &std::time::SystemTime| humantime::parse_rfc3339(time).is_ok_and(|time| *published <= time);
        draft.set_some("spot-interruption.notice-time", published.filter(is_before).map(rfc3339), notice);
    }
    let advice = "meta-data/events/recommendations/rebalance";
    let text: Value = serde_json::from_str(view.text(advice).unwrap_or_default()).unwrap_or_default();
    let time = text.get("noticeTime").and_then(Value::as_str);
    draft.set_some("rebalance-recommendation.notice-time", time, advice);
}

/// The events of a list.
fn events(view: &View<'_>, list: &str) -> Vec<Value> {
    let text = view.meta(&format!("events/maintenance/{list}")).unwrap_or_default();
    let events: Vec<Map<String, Value>> = serde_json::from_str(text).unwrap_or_default();
    let event = |event: Map<String, Value>| {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let time = |name: &str| text(name).and_then(event_time);
        let mut fields = Map::new();
        let mut put = |name: &str, value: Option<Value>| value.map(|value| fields.insert(name.to_owned(), value));
        let description = text("Description").map(|description| {
            let bare = description.strip_prefix("[Completed] ").or_else(|| description.strip_prefix("[Canceled] "));
            bare.unwrap_or(description)
        });
        put("instance-event-id", text("EventId").map(Value::from));
        put("code", text("Code").map(Value::from));
        put("description", description.map(Value::from));
        put("not-before", time("NotBefore").map(Value::from));
        put("not-after", Some(time("NotAfter").map_or(Value::Bool(false), Value::from)));
        put("state", text("State").map(Value::from));
        Value::Object(fields)
    };
    events.into_iter().map(event).collect()
}

/// `1 Jan 2021 02:00:00 GMT` in the form of descriptions.
fn event_time(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let [day, month, year, time, "GMT"] = text.split(' ').collect::<Vec<_>>()[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day: u8 = day.parse().ok()?;
    let text = format!("{year}-{month:02}-{day:02}T{time}Z");
    humantime::parse_rfc3339(&text).is_ok().then_some(text)
}

fn managed_keys(view: &View<'_>, draft: &mut Draft) {
    const FOLDER: &str = "meta-data/managed-ssh-keys";
    let certificate = format!("{FOLDER}/signer-cert");
    draft.set_some("managed-ssh-keys.signer-cert", view.text(&certificate), &certificate);
    for (field, folder) in [("active-keys", "active-keys"), ("signer-ocsp", "signer-ocsp")] {
        let folder = format!("{FOLDER}/{folder}");
        let entry = |name: &str| Some((name.to_owned(), view.text(&format!("{folder}/{name}"))?.into()));
        let entries: Map<String, Value> = view.names(&folder).filter_map(entry).collect();
        let entries = (!entries.is_empty()).then_some(entries);
        draft.set_some(&format!("managed-ssh-keys.{field}"), entries, &format!("{folder}/"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_events_are_those_of_descriptions() {
        assert_eq!(event_time("1 Jan 2021 02:00:00 GMT").as_deref(), Some("2021-01-01T02:00:00Z"));
        assert_eq!(event_time("21 Jan 2019 09:00:43 GMT").as_deref(), Some("2019-01-21T09:00:43Z"));
        for wrong in ["", "1 Jan 2021", "32 Jan 2021 02:00:00 GMT", "1 Foo 2021 02:00:00 GMT"] {
            assert_eq!(event_time(wrong), None, "{wrong}");
        }
    }
}
