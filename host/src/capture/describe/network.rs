//! The fields of network interfaces.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::view::View;

const MACS: &str = "meta-data/network/interfaces/macs";

/// Describes addresses, names and interfaces.
pub fn describe(view: &View<'_>, draft: &mut Draft) {
    let primary = view.meta("mac");
    let mut macs: Vec<&str> = view.names(MACS).collect();
    let number = |mac: &str| view.meta(&format!("network/interfaces/macs/{mac}/device-number"));
    let rank = |mac: &&str| {
        let is_primary =
            Some(*mac) == primary || (primary.is_none_or(|it| !macs_has(view, it)) && number(mac) == Some("0"));
        (!is_primary, number(mac).and_then(|number| number.parse::<u32>().ok()).unwrap_or(u32::MAX))
    };
    macs.sort_by_key(rank);
    let private = view.meta("local-ipv4");
    let first = macs.first().and_then(|mac| view.lines(&format!("network/interfaces/macs/{mac}/local-ipv4s")).next());
    // If the item differs from that of the interface, it becomes an entry.
    let private = if macs.is_empty() { private } else { first };
    match private {
        Some(address) => draft.set("private-ip-address", address, "meta-data/local-ipv4"),
        None if macs.first().is_some_and(|mac| has_ipv6(view, mac)) => {
            draft.set("private-ip-address", false, "no meta-data/local-ipv4")
        }
        // Every instance has an address of either kind: it is not known here.
        None => {}
    }
    draft.set_some("private-dns-name", view.meta("hostname"), "meta-data/hostname");
    if macs.is_empty() {
        match view.meta("public-ipv4") {
            Some(address) => draft.set("public-ip-address", address, "meta-data/public-ipv4"),
            None => draft.set("public-ip-address", false, "no meta-data/public-ipv4"),
        }
        draft.set_some("public-dns-name", view.meta("public-hostname"), "meta-data/public-hostname");
        let groups: Vec<Value> = view.lines("security-groups").map(|name| json!({ "group-name": name })).collect();
        draft.set_some(
            "security-groups",
            Some(groups).filter(|groups| !groups.is_empty()),
            "meta-data/security-groups",
        );
        return;
    }
    let account = view.fact("accountId");
    let interfaces: Vec<Value> = macs.iter().map(|mac| interface(view, mac, account)).collect();
    draft.set("network-interfaces", interfaces, &format!("{MACS}/"));
}

fn macs_has(view: &View<'_>, mac: &str) -> bool {
    view.names(MACS).any(|other| other == mac)
}

fn interface(view: &View<'_>, mac: &str, account: Option<&str>) -> Value {
    let at = |item: &str| format!("network/interfaces/macs/{mac}/{item}");
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    let text = |item: &str| view.meta(&at(item)).map(Value::from);
    let number = |item: &str| view.meta(&at(item)).and_then(|text| text.parse::<u32>().ok()).map(Value::from);
    let lines = |item: &str| {
        let lines: Vec<&str> = view.lines(&at(item)).collect();
        (!lines.is_empty()).then(|| json!(lines))
    };
    put("network-interface-id", text("interface-id"));
    put("mac-address", Some(mac.into()));
    put("device-index", number("device-number"));
    put("network-card-index", number("network-card"));
    put("owner-id", text("owner-id").filter(|owner| owner.as_str() != account));
    // None at all is what only an interface with IPv6 can have.
    put("private-ip-addresses", addresses(view, mac).or_else(|| has_ipv6(view, mac).then(|| json!([]))));
    put("private-dns-name", Some(text("local-hostname").unwrap_or(Value::Bool(false))));
    put(
        "public-dns-name",
        match view.text(&format!("meta-data/{}", at("public-hostname"))) {
            Some("") => Some(Value::Bool(false)),
            Some(name) => Some(name.into()),
            None => None,
        },
    );
    put("ipv6-addresses", lines("ipv6s"));
    put("ipv4-prefixes", lines("ipv4-prefix"));
    put("ipv6-prefixes", lines("ipv6-prefix"));
    put("groups", groups(view, mac));
    put("subnet-id", text("subnet-id"));
    put("subnet-ipv4-cidr-block", text("subnet-ipv4-cidr-block"));
    // An empty list prevents a default.
    put("subnet-ipv6-cidr-blocks", Some(lines("subnet-ipv6-cidr-blocks").unwrap_or_else(|| json!([]))));
    put("vpc-id", text("vpc-id"));
    put("vpc-ipv4-cidr-blocks", lines("vpc-ipv4-cidr-blocks").or_else(|| lines("vpc-ipv4-cidr-block")));
    put("vpc-ipv6-cidr-blocks", Some(lines("vpc-ipv6-cidr-blocks").unwrap_or_else(|| json!([]))));
    Value::Object(fields)
}

fn has_ipv6(view: &View<'_>, mac: &str) -> bool {
    view.lines(&format!("network/interfaces/macs/{mac}/ipv6s")).next().is_some()
}

/// The private addresses, each with its associated public address.
fn addresses(view: &View<'_>, mac: &str) -> Option<Value> {
    let folder = format!("network/interfaces/macs/{mac}");
    let associated = |private: &str| {
        let mut public = view.names(&format!("meta-data/{folder}/ipv4-associations"));
        public.find(|public| view.lines(&format!("{folder}/ipv4-associations/{public}")).any(|other| other == private))
    };
    let address = |private: &str| {
        let public = associated(private).map_or(Value::Bool(false), Value::from);
        json!({ "private-ip-address": private, "public-ip": public })
    };
    let addresses: Vec<Value> = view.lines(&format!("{folder}/local-ipv4s")).map(address).collect();
    (!addresses.is_empty()).then(|| addresses.into())
}

fn groups(view: &View<'_>, mac: &str) -> Option<Value> {
    let folder = format!("network/interfaces/macs/{mac}");
    let names: Vec<&str> = view.lines(&format!("{folder}/security-groups")).collect();
    let ids: Vec<&str> = view.lines(&format!("{folder}/security-group-ids")).collect();
    let group = |number: usize| {
        let mut group = Map::new();
        if let Some(id) = ids.get(number) {
            group.insert("group-id".to_owned(), (*id).into());
        }
        if let Some(name) = names.get(number) {
            group.insert("group-name".to_owned(), (*name).into());
        }
        Value::Object(group)
    };
    let count = names.len().max(ids.len());
    (count > 0).then(|| (0..count).map(group).collect())
}
