//! The fields of the instance itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::draft::Draft;
use super::view::View;

/// Describes identity, image, placement, options, keys, role, tags and user data.
pub fn describe(view: &View<'_>, draft: &mut Draft, has_own_signatures: bool) {
    for (field, item) in [
        ("instance-id", "instance-id"),
        ("instance-type", "instance-type"),
        ("image-id", "ami-id"),
        ("reservation-id", "reservation-id"),
        ("instance-lifecycle", "instance-life-cycle"),
        ("system", "system"),
        ("kernel-id", "kernel-id"),
        ("ramdisk-id", "ramdisk-id"),
        ("root-device-name", "block-device-mapping/root"),
    ] {
        draft.set_some(field, view.meta(item), &format!("meta-data/{item}"));
    }
    for (field, item, default) in
        [("ami-manifest-path", "ami-manifest-path", "(unknown)"), ("instance-action", "instance-action", "none")]
    {
        let text = view.meta(item).filter(|text| *text != default);
        draft.set_some(field, text, &format!("meta-data/{item}"));
    }
    let index = view.meta("ami-launch-index").and_then(|index| index.parse::<u32>().ok()).filter(|index| *index > 0);
    draft.set_some("ami-launch-index", index, "meta-data/ami-launch-index");
    if view.meta("profile") == Some("default-paravirtual") {
        draft.set("virtualization-type", "paravirtual", "meta-data/profile");
    }
    let ancestors: Vec<&str> = view.lines("ancestor-ami-ids").collect();
    draft.set_some("ancestor-ami-ids", some(ancestors), "meta-data/ancestor-ami-ids");
    document(view, draft);
    for item in ["availability-zone", "availability-zone-id", "group-name", "host-id"] {
        let from = format!("meta-data/placement/{item}");
        draft.set_some(&format!("placement.{item}"), view.meta(&format!("placement/{item}")), &from);
    }
    let partition = view.meta("placement/partition-number").and_then(|number| number.parse::<u16>().ok());
    draft.set_some("placement.partition-number", partition, "meta-data/placement/partition-number");
    if view.has_folder("dynamic/fws") {
        draft.set("monitoring", "enabled", "dynamic/fws/");
    }
    options(view, draft);
    key_pair(view, draft);
    role(view, draft);
    user_data(view, draft);
    if has_own_signatures {
        for name in ["signature", "pkcs7", "rsa2048"] {
            let from = format!("dynamic/instance-identity/{name}");
            let text = view.text(&from).filter(|text| !text.is_empty());
            draft.set_some(&format!("identity-signatures.{name}"), text, &from);
        }
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

fn document(view: &View<'_>, draft: &mut Draft) {
    const FROM: &str = "the identity document";
    let owner = view.names("meta-data/network/interfaces/macs").next();
    let owner = owner.and_then(|mac| view.meta(&format!("network/interfaces/macs/{mac}/owner-id")));
    draft.set_some("owner-id", view.fact("accountId").or(owner), FROM);
    draft.set_some("architecture", view.fact("architecture"), FROM);
    draft.set_some("launch-time", view.fact("pendingTime"), FROM);
    let codes = |name: &str| {
        let list = view.document.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().filter_map(|code| code.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    draft.set_some("billing-products", some(codes("billingProducts")), FROM);
    let devpay = codes("devpayProductCodes");
    let mut all: Vec<String> = view.lines("product-codes").map(str::to_owned).collect();
    if all.is_empty() {
        all = [codes("marketplaceProductCodes"), devpay.clone()].concat();
    }
    let code = |code: &String| match devpay.contains(code) {
        true => json!({ "product-code-id": code, "product-code-type": "devpay" }),
        false => json!({ "product-code-id": code }),
    };
    draft.set_some("product-codes", some(all.iter().map(code).collect()), "meta-data/product-codes");
}

fn options(view: &View<'_>, draft: &mut Draft) {
    if view.needs_token {
        draft.set("metadata-options.http-tokens", "required", "a request without a token was refused");
    }
    let tags = "meta-data/tags/instance";
    if !view.has_folder(tags) && view.item("meta-data/tag-sets/instance").is_none() {
        return;
    }
    draft.set("metadata-options.instance-metadata-tags", "enabled", "meta-data/tags/");
    // In the order of the only item that has all.
    let sets = view.text("meta-data/tag-sets/instance").unwrap_or_default();
    let mut keys: Vec<&str> = view.names(tags).collect();
    keys.sort_by_key(|key| sets.find(&format!("{}:", json!(key))).unwrap_or(usize::MAX));
    for key in keys {
        let from = format!("{tags}/{key}");
        if let Some(value) = view.text(&from) {
            draft.set_in("tags", key, value, &from);
        }
    }
}

fn key_pair(view: &View<'_>, draft: &mut Draft) {
    let mut pairs = view.names("meta-data/public-keys").filter_map(|line| line.split_once('='));
    let key_of = |number: &str| view.meta(&format!("public-keys/{number}/openssh-key"));
    let Some((number, name)) = pairs.next().or_else(|| {
        // Some services list a key without its name, which the key itself may end with.
        let numbers = view.names("meta-data/public-keys").chain(["0"]);
        let (number, key) = numbers.filter_map(|number| Some((number, key_of(number)?))).next()?;
        Some((number, key.trim_end().splitn(3, ' ').nth(2).unwrap_or_default()))
    }) else {
        return draft.set("key-pair", false, "no meta-data/public-keys/");
    };
    let from = format!("meta-data/public-keys/{number}/");
    draft.set_some("key-pair.key-name", Some(name).filter(|name| !name.is_empty()), &from);
    let key = view.meta(&format!("public-keys/{number}/openssh-key"));
    draft.set_some("key-pair.public-key", key.map(str::trim_end), &from);
}

fn role(view: &View<'_>, draft: &mut Draft) {
    let Some(role) = view.names("meta-data/iam/security-credentials").next() else {
        return draft.set("iam-instance-profile", false, "no meta-data/iam/");
    };
    let info: Value = serde_json::from_str(view.meta("iam/info").unwrap_or_default()).unwrap_or_default();
    let text = |name: &str| info.get(name).and_then(Value::as_str);
    draft.set_some("iam-instance-profile.arn", text("InstanceProfileArn"), "meta-data/iam/info");
    draft.set_some("iam-instance-profile.id", text("InstanceProfileId"), "meta-data/iam/info");
    draft.set("iam-instance-profile.role-name", role, "meta-data/iam/security-credentials/");
    let item = format!("meta-data/iam/security-credentials/{role}");
    let credentials: Value = serde_json::from_str(view.text(&item).unwrap_or_default()).unwrap_or_default();
    let text = |name: &str| credentials.get(name).and_then(Value::as_str);
    if let Some(code) = text("Code").filter(|code| *code != "Success") {
        draft.set("iam-instance-profile.failure-code", code, &item);
        draft.set_some("iam-instance-profile.failure-message", text("Message"), &item);
    }
}

fn user_data(view: &View<'_>, draft: &mut Draft) {
    let Some(answered) = view.item("user-data") else { return };
    let body = answered.body();
    // Data that TOML cannot hold as text, or that would be read differently.
    match answered.text().filter(|text| !text.contains(|c: char| c.is_control() && !"\n\t".contains(c))) {
        Some("") => {}
        Some(text) => draft.set("user-data", text, "user-data"),
        None => draft.set("user-data-base64", STANDARD.encode(body), "user-data"),
    }
}
