//! Changes of one instance, each done whole or not at all.

use std::collections::HashSet;

use imds_spin::callers::client_address;
use imds_spin::keys::{self, DEFAULT_DESCRIPTION};
use imds_spin::store::StoreError;
use imds_spin::{Reply, log, now_ms};
use serde_json::{Value, json};

use crate::bindings::metadata::{self, Instance, Settings as InstanceSettings, Warning};
use crate::key::Key;
use crate::lease::Lease;
use crate::reply::{error, failed, invalid, refused, with_etag, with_status, without_nulls};
use crate::revision::{self, Precondition};
use crate::routes::Asked;
use crate::show::{as_text, broken, missing};

/// The most bytes of a value in Spin's store.
const VALUE_BYTES_MAX: usize = 1_000_000;

/// What is to be stored.
enum Next {
    /// What is there already.
    Same,
    Text(String),
    Nothing,
}

/// What was there before a change.
struct Before<'t> {
    text: Option<&'t [u8]>,
    now_ms: u64,
}

/// `PATCH`: a piece of a description, merged into what the instance is.
pub async fn patch(asked: &Asked<'_>, key: &Key, body: Vec<u8>) -> Reply {
    let change = match read(body) {
        Ok(change) => change,
        Err(refusal) => return refusal,
    };
    make(asked, key, |Before { text, now_ms }| {
        let text = as_text(key, text.ok_or_else(|| missing(key))?.to_vec())?;
        let status = metadata::status(&text, now_ms, key.scope()).map_err(|problems| broken(key, &problems))?;
        let edited = metadata::edit(&text, &change, Some(now_ms), key.scope()).map_err(|wrong| invalid(&wrong))?;
        if edited.len() > VALUE_BYTES_MAX {
            let bytes = edited.len();
            return Err(refused(too_large(&format!("with this change the description would have {bytes}"))));
        }
        Ok(if edited == status.description { Next::Same } else { Next::Text(edited) })
    })
    .await
}

/// `PUT`: a description in the place of all that was.
pub async fn put(asked: &Asked<'_>, key: &Key, body: Vec<u8>) -> Reply {
    let description = match read(body) {
        Ok(description) => description,
        Err(refusal) => return refusal,
    };
    if description.len() > VALUE_BYTES_MAX {
        return error(413, too_large(&format!("the description has {}", description.len())));
    }
    // Nobody asks this one for anything.
    let settings = InstanceSettings {
        token_secret: vec![0; 32],
        allowed_hosts: Vec::new(),
        signs_identity: false,
        scope: key.scope().map(str::to_owned),
    };
    if let Err(problems) = Instance::open(&description, &settings) {
        return invalid(&problems);
    }
    make(asked, key, |_| Ok(Next::Text(description))).await
}

/// `DELETE`: takes an instance away, and the state of its throttle.
pub async fn remove(asked: &Asked<'_>, key: &Key) -> Reply {
    make(asked, key, |before| before.text.map(|_| Next::Nothing).ok_or_else(|| missing(key))).await
}

fn too_large(what: &str) -> String {
    format!("{what} bytes, and a value of Spin's store has {VALUE_BYTES_MAX} at most")
}

/// The text of a change or a description.
fn read(body: Vec<u8>) -> Result<String, Reply> {
    let text = String::from_utf8(body).map_err(|_| error(400, "the body is not UTF-8; send JSON text"))?;
    match text.contains("\"(hidden)\"") {
        false => Ok(text),
        true => Err(error(
            400,
            "\"(hidden)\" stands for a secret where a description is shown; give the secret, or leave the field out of \
             a change",
        )),
    }
}

/// Makes the change under a lease.
async fn make(asked: &Asked<'_>, key: &Key, next: impl FnOnce(Before<'_>) -> Result<Next, Reply>) -> Reply {
    let Some(wanted) = Precondition::read(asked.head) else {
        return error(
            400,
            "If-Match must be a revision such as \"7\", as ETag tells it, or *; If-None-Match must be *",
        );
    };
    if key.scope().is_none() && asked.settings.variables.instance.is_some() {
        let message =
            "the variable `instance` describes the instance, whatever is stored; change or unset the variable";
        return error(409, message);
    }
    let lease = match Lease::acquire(asked.store, key).await {
        Ok(lease) => lease,
        Err(refusal) => return refusal,
    };
    let made = make_under(&lease, asked, key, wanted, next).await;
    // What was made is made; the lease ends by itself.
    if let Err(trouble) = lease.release().await {
        log::line(format!("control: a lease could not be released: {trouble}"));
    }
    made.unwrap_or_else(|refusal| refusal)
}

async fn make_under(
    lease: &Lease<'_>,
    asked: &Asked<'_>,
    key: &Key,
    wanted: Precondition,
    next: impl FnOnce(Before<'_>) -> Result<Next, Reply>,
) -> Result<Reply, Reply> {
    let stored = asked.store.get(key.stored()).await.map_err(|trouble| failed(&trouble))?;
    let text = stored.as_deref().or_else(|| key.scope().is_none().then_some(DEFAULT_DESCRIPTION.as_bytes()));
    let revision = text.map(|text| revision::of(text, &asked.settings.secret));
    if !wanted.is(revision, stored.is_some()) {
        return Err(conflict(revision));
    }
    let now_ms = now_ms();
    let next = next(Before { text, now_ms })?;
    lease.check()?;
    let (status, revision, new) = match (next, revision) {
        (Next::Same, revision) => (200, revision, None),
        (Next::Nothing, revision) => {
            asked.store.remove(key.stored()).await.map_err(|trouble| unsure(asked, key, &trouble))?;
            log_change(asked, key, "removed");
            // The instance is gone, and its throttle's state alone does nothing.
            if let Err(trouble) = asked.store.remove(&keys::throttle(key.stored())).await {
                log::line(format!("control: the throttle's state of `{}` remains: {trouble}", key.stored()));
            }
            let body = without_nulls([("removed", json!(key.scope())), ("revision", json!(revision))]);
            return Ok(with_status(200, &body));
        }
        (Next::Text(new), _) => {
            if stored.is_none() {
                check_room(asked, lease)?;
            }
            let is_set = asked.store.replace(key.stored(), stored.as_deref(), new.as_bytes());
            if !is_set.map_err(|trouble| unsure(asked, key, &trouble))? {
                return Err(error(409, "something else changed the store at the same time; look at it and ask again"));
            }
            let revision = revision::of(new.as_bytes(), &asked.settings.secret);
            log_change(
                asked,
                key,
                &format!("{}, revision {revision}", if stored.is_some() { "changed" } else { "added" }),
            );
            (if text.is_some() { 200 } else { 201 }, Some(revision), Some(new))
        }
    };
    let revision = revision.unwrap_or_default();
    let mut body = json!({ "revision": revision });
    let warnings = warnings(asked, key, text, new.as_deref(), now_ms);
    if !warnings.is_empty() {
        body["warnings"] = json!(warnings);
    }
    Ok(with_etag(with_status(status, &body), revision))
}

/// Whether the store has room for one more.
///
/// Each key has a lease of its own, so of instances that are added at the same time each
/// may be counted before the others are there: n of them pass the bound by n - 1 at most.
/// A lease for all of them would make them wait for each other.
fn check_room(asked: &Asked<'_>, lease: &Lease<'_>) -> Result<(), Reply> {
    // The lease's own go with it.
    let pairs = asked.store.keys().map_err(|trouble| failed(&trouble))?.len().saturating_sub(lease.pairs());
    let most = asked.settings.pairs_max;
    match pairs < most {
        true => Ok(()),
        false => Err(error(
            507,
            format!(
                "the store has {pairs} pairs, and {most} is the most that it may have; remove some, or set the variable \
                 `control_pairs_max` if your store takes more"
            ),
        )),
    }
}

fn conflict(revision: Option<u64>) -> Reply {
    match revision {
        Some(revision) => {
            let message = format!(
                "the instance has revision {revision} by now, and nothing was changed; look at that one first, then \
                 change it by its number"
            );
            with_etag(with_status(412, &json!({ "error": message, "revision": revision })), revision)
        }
        None => error(412, "there is no such instance, and nothing was changed"),
    }
}

/// The store failed while it made a change, and may have made it.
fn unsure(asked: &Asked<'_>, key: &Key, trouble: &StoreError) -> Reply {
    log_change(asked, key, &format!("may have been changed: {trouble}"));
    error(503, "the key-value store failed during the change, which may have been made; look at the instance first")
}

/// Who changed what, for the log.
fn log_change(asked: &Asked<'_>, key: &Key, what: &str) {
    let from = client_address(asked.head).map_or_else(String::new, |address| format!(", from {}", address.ip()));
    log::line(format!("control: {} `{}`: {what}{from}", asked.head.method, key.stored()));
}

/// What a change brings that cannot be real, or that nobody will see.
fn warnings(asked: &Asked<'_>, key: &Key, before: Option<&[u8]>, new: Option<&str>, now_ms: u64) -> Vec<Value> {
    let Some(new) = new else { return Vec::new() };
    // What cannot be told is no reason to say that a change was not made.
    let of = |text: &str| metadata::warnings(text, now_ms, key.scope()).unwrap_or_default();
    let name =
        |warning: &Warning| (warning.name.clone(), warning.problem.field.clone(), warning.problem.message.clone());
    let before = before.and_then(|text| std::str::from_utf8(text).ok());
    let known: HashSet<_> = before.map(of).unwrap_or_default().iter().map(name).collect();
    let brought = of(new).into_iter().filter(|warning| !known.contains(&name(warning)));
    let mut warnings: Vec<_> = brought
        .map(|Warning { name, problem }| {
            without_nulls([
                ("name", json!(name)),
                ("field", json!(problem.field)),
                ("message", json!(problem.message)),
                ("help", json!(problem.help)),
            ])
        })
        .collect();
    let own = |name: &str, field: String, message: String| json!({ "name": name, "field": field, "message": message });
    let described: Value = serde_json::from_str(new).unwrap_or_default();
    let described_before: Value = before.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    for (option, value) in &asked.settings.variables.options {
        let stated = &described["metadata-options"][*option];
        let is_new = *stated != described_before["metadata-options"][*option];
        if is_new && stated.as_str().is_some_and(|stated| stated != value) {
            let message = format!("a variable of the application sets {option} to {value}, over every description");
            warnings.push(own("set-by-variable", format!("/metadata-options/{option}"), message));
        }
    }
    let callers = &asked.settings.variables.callers;
    if key.scope().is_some_and(|identity| !callers.may_name(identity)) {
        let message = format!("the variable `callers` is `{callers}`, so that nobody is served this instance");
        warnings.push(own("not-served", String::new(), message));
    }
    warnings
}
