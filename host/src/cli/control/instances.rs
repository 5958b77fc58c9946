// `/v1/instances`: which there are; and one more, or one less.

use axum::extract::{RawQuery, State};
use hyper::StatusCode;
use hyper::header::HeaderMap;
use imds_host::{Control, ControlledFleet, Error};

use super::super::warnings::or_say_why_not;
use super::body::{Change, Name};
use super::document::{DESCRIPTION, IfMatch, IfNoneMatch, Key, NoInstance, Refused, RefusedChange, Slow, WrongRequest};
use super::instance::{another_source, description, is_of_another_source, precondition, replaced};
use super::operands::{Operands, missing};
use super::precondition::Precondition;
use super::reply::{Refusal, Reply, conflict, error, failed, of_revision, ok, with_status};
use super::routes::Shared;
use super::shapes::{self, Conflict, Listed, Page, Removed, Revision, Wrong};

/// Unless the request says otherwise.
const LIMIT: usize = 100;

/// Of each the component tells what it is.
const LIMIT_MAX: usize = 1000;

/// Which instances there are
#[utoipa::path(get, path = "/v1/instances",
    params(
        ("after" = Option<String>, Query, nullable = false, description = "Those behind this key."),
        ("limit" = Option<u64>, Query, nullable = false, minimum = 1, maximum = 1000, description = "So many at most; 100 without it."),
    ),
    responses(
        (status = 200, body = Page, description = "A page of them, in the order of their keys."),
        Refused, WrongRequest, Slow,
    ))]
pub async fn list(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Result<Reply, Refusal> {
    let (after, limit) =
        read(query.as_deref().unwrap_or_default()).map_err(|wrong| error(StatusCode::BAD_REQUEST, wrong))?;
    let operands = shared.operated.operands.clone();
    shared.in_turn(move || page(&operands, after.as_deref(), limit).map_err(failed)).await
}

fn page(operands: &Operands, after: Option<&str>, limit: usize) -> anyhow::Result<Reply> {
    let mut controls = match operands {
        Operands::One(control) => vec![control.clone()],
        // One more tells whether there are more.
        Operands::Many(fleet) => fleet.page(after, limit + 1),
    };
    let has_more = controls.len() > limit;
    controls.truncate(limit);
    let mut instances = controls.iter().map(listed).collect::<anyhow::Result<Vec<_>>>()?;
    if let (Operands::One(_), Some(after)) = (operands, after) {
        instances.retain(|one| *one.key > *after);
    }
    let next = instances.last().filter(|_| has_more).map(|last| last.key.clone());
    let many = matches!(operands, Operands::Many(_));
    Ok(ok(&Page { all: operands.len(), many, instances, next }))
}

fn listed(control: &Control) -> anyhow::Result<Listed> {
    let snapshot = control.snapshot()?;
    let key = control.key().unwrap_or(&snapshot.instance_id).to_owned();
    Listed::of(key, &snapshot)
}

fn read(query: &str) -> Result<(Option<String>, usize), String> {
    let (mut after, mut limit) = (None, LIMIT);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_encoding::percent_decode_str(value).decode_utf8();
        match (name, value) {
            ("after", Ok(key)) => after = Some(key.into_owned()),
            ("limit", Ok(number)) => {
                let number = number.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                limit = number.ok_or_else(|| format!("limit: expected a whole number from 1 to {LIMIT_MAX}"))?;
            }
            _ => return Err(format!("no parameter is {name:.60}; expected after and limit, percent-encoded")),
        }
    }
    Ok((after, limit))
}

/// Add an instance, or describe one anew, whatever edits there were
#[utoipa::path(put, path = "/v1/instances/{key}", params(Key, IfMatch, IfNoneMatch),
    request_body(description = DESCRIPTION, content((Object = "application/json"), (Object = "application/merge-patch+json"))),
    responses(
        (status = 200, body = Revision, description = "Done. Requests from the next one on get it.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        (status = 201, body = Revision, description = "Done; there was none before.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        (status = 409, body = shapes::Error, description = "Another instance has the instance id; there are as many instances as there may be; or the server has the one instance of all callers, and no other."),
        (status = 412, body = Conflict, description = "The instance has another revision by now, or there is none, or one where there must be none. Nothing was changed."),
        (status = 422, body = Wrong, description = "It is wrong. Nothing was changed."),
        RefusedChange, WrongRequest, Slow,
    ))]
pub async fn put_one(
    State(shared): State<Shared>,
    Name(name): Name,
    fields: HeaderMap,
    Change(body): Change,
) -> Result<Reply, Refusal> {
    let operands = shared.operated.operands.clone();
    let put = shared.in_turn(move || put(&operands, &name, &fields, &body)).await;
    shared.count();
    put
}

fn put(operands: &Operands, name: &str, fields: &HeaderMap, body: &[u8]) -> Result<Reply, Refusal> {
    let wanted = precondition(fields)?;
    let (key, described) = (operands.find(name).map_err(failed)?, description(body)?);
    let fleet = match operands {
        Operands::Many(fleet) => fleet,
        Operands::One(_) => {
            return match key {
                Some((_, control)) => replaced(&control, fields, body),
                None => Err(error(StatusCode::CONFLICT, OF_ALL)),
            };
        }
    };
    let canonical = fleet.callers().canonical(name).ok();
    let its = key.as_ref().map(|(key, _)| key.as_str()).or(canonical.as_deref());
    if let Some(id) = described.instance_id()
        && let Some((other, _)) = fleet.find(&id).filter(|(other, _)| Some(other.as_str()) != its)
    {
        let message = format!("the instance of {other} has the instance id {id}; give this one another, or none");
        return Err(error(StatusCode::CONFLICT, message));
    }
    if let Some((_, control)) = key {
        return replaced(&control, fields, body);
    }
    wanted.check_missing()?;
    if is_of_another_source(None, &described) {
        return Err(failed(another_source(&described)));
    }
    match fleet.insert_new(name, &described) {
        Ok(Some(control)) => {
            let warnings = or_say_why_not(control.warnings());
            let body = Revision::new(control.revision(), &warnings);
            Ok(of_revision(with_status(StatusCode::CREATED, &body), control.revision()))
        }
        // Another operator was faster.
        Ok(None) => Err(conflict("there is such an instance by now, and nothing was changed", None)),
        Err(wrong) => Err(failed(wrong)),
    }
}

const OF_ALL: &str = "this server has one instance, for all callers; for others too: imds serve --control --instances \
                      PATH --caller …";

/// Remove an instance
#[utoipa::path(delete, path = "/v1/instances/{key}", params(Key, IfMatch),
    responses(
        (status = 200, body = Removed, description = "Done. Its callers get 403 from the next request on."),
        (status = 409, body = shapes::Error, description = "It is the one instance of all callers."),
        (status = 412, body = Conflict, description = "The instance has another revision by now. Nothing was changed.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        RefusedChange, WrongRequest, NoInstance, Slow,
    ))]
pub async fn delete_one(
    State(shared): State<Shared>,
    Name(name): Name,
    fields: HeaderMap,
    Change(_): Change,
) -> Result<Reply, Refusal> {
    let operands = shared.operated.operands.clone();
    let removed = shared.in_turn(move || remove(&operands, &name, &fields)).await;
    shared.count();
    removed
}

fn remove(operands: &Operands, name: &str, fields: &HeaderMap) -> Result<Reply, Refusal> {
    let wanted = precondition(fields)?;
    let found = operands.find(name).map_err(failed)?;
    let (key, control) = found.ok_or_else(|| missing(name))?;
    let fleet: &ControlledFleet = match operands {
        Operands::Many(fleet) => fleet,
        Operands::One(_) => return Err(error(StatusCode::CONFLICT, OF_ALL)),
    };
    wanted.check(&control)?;
    let revision = control.revision();
    if let Precondition::Revision(wanted) = wanted
        && wanted != revision
    {
        return Err(failed(Error::Conflict { revision }));
    }
    match fleet.remove(&key) {
        true => Ok(ok(&Removed { removed: key, revision })),
        false => Err(missing(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_wrong_ones_told() {
        assert_eq!(read(""), Ok((None, 100)));
        assert_eq!(read("after=%5B2001:db8::1%5d&limit=1000"), Ok((Some("[2001:db8::1]".to_owned()), 1000)));
        for query in ["limit=0", "limit=1001", "limit=", "before=a", "after=%ff"] {
            assert!(read(query).unwrap_err().contains("expected"), "{query}");
        }
    }
}
