//! Which instances there are.

use imds_spin::Reply;
use imds_spin::keys::INSTANCES;
use serde_json::{Value, json};

use crate::key::decode;
use crate::reply::{error, failed, with_status};
use crate::revision;
use crate::routes::Asked;

/// Unless the request says otherwise.
const LIMIT: usize = 100;
/// Each costs a read of the store.
const LIMIT_MAX: usize = 1000;

/// `GET`: a page of them, in the order of their keys.
pub async fn get(asked: &Asked<'_>, query: &str) -> Reply {
    match page(asked, query).await {
        Ok(body) => with_status(200, &body),
        Err(refusal) => refusal,
    }
}

async fn page(asked: &Asked<'_>, query: &str) -> Result<Value, Reply> {
    let Page { after, limit } = Page::read(query).map_err(|wrong| error(400, wrong))?;
    let keys = asked.store.keys().map_err(|trouble| failed(&trouble))?;
    let mut keys: Vec<_> = keys.iter().filter_map(|key| key.strip_prefix(INSTANCES)).collect();
    keys.sort_unstable();
    keys.dedup();
    let all = keys.len();
    let begin = after.map_or(0, |after| keys.partition_point(|key| *key <= after.as_str()));
    let end = all.min(begin.saturating_add(limit));
    let mut instances = Vec::new();
    for key in &keys[begin..end] {
        let stored = asked.store.get(&format!("{INSTANCES}{key}")).await.map_err(|trouble| failed(&trouble))?;
        // One that was removed meanwhile is no instance.
        instances.extend(stored.map(
            |text| json!({ "key": key, "revision": revision::of(&text, &asked.settings.secret), "bytes": text.len() }),
        ));
    }
    let mut page = json!({ "all": all, "instances": instances });
    if let (true, Some(last)) = (end < all, keys[begin..end].last()) {
        page["next"] = json!(last);
    }
    Ok(page)
}

struct Page {
    after: Option<String>,
    limit: usize,
}

impl Page {
    fn read(query: &str) -> Result<Page, String> {
        let mut page = Page { after: None, limit: LIMIT };
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match (name, decode(value)) {
                ("after", Some(key)) => page.after = Some(key),
                ("limit", Some(number)) => {
                    let limit = number.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    page.limit = limit.ok_or_else(|| format!("limit is a whole number from 1 to {LIMIT_MAX}"))?;
                }
                _ => return Err(format!("no parameter is `{name:.40}`; there are `after` and `limit`")),
            }
        }
        Ok(page)
    }
}
