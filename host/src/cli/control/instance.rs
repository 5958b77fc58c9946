// `/v1/instance` and `/v1/instances/{key}`: what an instance is, and changes of it.

use axum::extract::State;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use imds_host::{Control, DescribedSource, Description};

use super::super::warnings::Before;
use super::body::{Change, Name};
use super::document::{CHANGE, DESCRIPTION, IfMatch, Key, NoInstance, Refused, RefusedChange, Slow, WrongRequest};
use super::operands::{Operands, missing};
use super::precondition::{EXPECTED, Precondition};
use super::reply::{Refusal, Reply, error, failed, of_revision, ok};
use super::routes::Shared;
use super::shapes::{Conflict, Instance, Revision, Wrong};

/// What the instance is now
#[utoipa::path(get, path = "/v1/instance", responses(
    (status = 200, body = Instance, description = "All of one moment, without secrets.",
     headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
    Refused, NoInstance, Slow,
))]
pub async fn get_instance(State(shared): State<Shared>) -> Result<Reply, Refusal> {
    let control = shared.operated.operands.only()?;
    shared.in_turn(move || shown(&control)).await
}

/// Change the instance
#[utoipa::path(patch, path = "/v1/instance", params(IfMatch),
    request_body(description = CHANGE, content((Object = "application/json"), (Object = "application/merge-patch+json"))),
    responses(
        (status = 200, body = Revision, description = "Done. Requests from the next one on get it. A change that says only what is so already keeps the revision.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        (status = 412, body = Conflict, description = "The instance has another revision by now. Nothing was changed.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        (status = 422, body = Wrong, description = "It is wrong. Nothing was changed."),
        RefusedChange, WrongRequest, NoInstance, Slow,
    ))]
pub async fn patch_instance(
    State(shared): State<Shared>,
    fields: HeaderMap,
    Change(body): Change,
) -> Result<Reply, Refusal> {
    let control = shared.operated.operands.only()?;
    shared.in_turn(move || edited(&control, &fields, &body)).await
}

/// Describe the instance anew, whatever edits there were
#[utoipa::path(put, path = "/v1/instance", params(IfMatch),
    request_body(description = DESCRIPTION, content((Object = "application/json"), (Object = "application/merge-patch+json"))),
    responses(
        (status = 200, body = Revision, description = "Done. Requests from the next one on get it.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        (status = 412, body = Conflict, description = "The instance has another revision by now. Nothing was changed.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        (status = 422, body = Wrong, description = "It is wrong. Nothing was changed."),
        RefusedChange, WrongRequest, NoInstance, Slow,
    ))]
pub async fn put_instance(
    State(shared): State<Shared>,
    fields: HeaderMap,
    Change(body): Change,
) -> Result<Reply, Refusal> {
    let control = shared.operated.operands.only()?;
    shared.in_turn(move || replaced(&control, &fields, &body)).await
}

/// What one of the instances is now
#[utoipa::path(get, path = "/v1/instances/{key}", params(Key), responses(
    (status = 200, body = Instance, description = "All of one moment, without secrets.",
     headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
    Refused, NoInstance, WrongRequest, Slow,
))]
pub async fn get_one(State(shared): State<Shared>, Name(name): Name) -> Result<Reply, Refusal> {
    let operands = shared.operated.operands.clone();
    shared.in_turn(move || shown(&found(&operands, &name)?)).await
}

/// Change one of the instances
#[utoipa::path(patch, path = "/v1/instances/{key}", params(Key, IfMatch),
    request_body(description = CHANGE, content((Object = "application/json"), (Object = "application/merge-patch+json"))),
    responses(
        (status = 200, body = Revision, description = "Done. Requests from the next one on get it. A change that says only what is so already keeps the revision.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        (status = 412, body = Conflict, description = "The instance has another revision by now. Nothing was changed.",
         headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
        (status = 422, body = Wrong, description = "It is wrong. Nothing was changed."),
        RefusedChange, WrongRequest, NoInstance, Slow,
    ))]
pub async fn patch_one(
    State(shared): State<Shared>,
    Name(name): Name,
    fields: HeaderMap,
    Change(body): Change,
) -> Result<Reply, Refusal> {
    let operands = shared.operated.operands.clone();
    shared.in_turn(move || edited(&found(&operands, &name)?, &fields, &body)).await
}

fn found(operands: &Operands, name: &str) -> Result<Control, Refusal> {
    match operands.find(name) {
        Ok(found) => found.map(|(_, control)| control).ok_or_else(|| missing(name)),
        Err(wrong) => Err(failed(wrong)),
    }
}

/// What an instance is now, without its secrets.
fn shown(control: &Control) -> Result<Reply, Refusal> {
    let snapshot = control.snapshot().map_err(failed)?;
    let body = Instance::of(&snapshot).map_err(failed)?;
    Ok(of_revision(ok(&body), snapshot.revision))
}

/// A piece of a description, merged into what the instance is.
fn edited(control: &Control, fields: &HeaderMap, body: &[u8]) -> Result<Reply, Refusal> {
    change(control, fields, body, |change, revision| match revision {
        Some(revision) => control.edit_revision(revision, change),
        None => control.edit(change),
    })
}

/// Another description in the place of all that was.
pub fn replaced(control: &Control, fields: &HeaderMap, body: &[u8]) -> Result<Reply, Refusal> {
    change(control, fields, body, |description, revision| match revision {
        _ if is_of_another_source(Some(control), description) => Err(another_source(description)),
        Some(revision) => control.replace_revision(revision, description),
        None => control.replace(description),
    })
}

fn change(
    control: &Control,
    fields: &HeaderMap,
    body: &[u8],
    change: impl FnOnce(&Description, Option<u64>) -> Result<u64, imds_host::Error>,
) -> Result<Reply, Refusal> {
    let wanted = precondition(fields)?;
    let read = description(body)?;
    wanted.check(control)?;
    let before = Before::of(control);
    let revision = change(&read, wanted.revision()).map_err(failed)?;
    Ok(of_revision(ok(&Revision::new(revision, &before.new_ones_of(control))), revision))
}

pub fn precondition(fields: &HeaderMap) -> Result<Precondition, Refusal> {
    Precondition::read(fields).ok_or_else(|| error(StatusCode::BAD_REQUEST, EXPECTED))
}

/// The description, or the piece of one, that a body is.
pub fn description(body: &[u8]) -> Result<Description, Refusal> {
    let wrong = |message| Err(error(StatusCode::BAD_REQUEST, message));
    let Ok(text) = str::from_utf8(body) else { return wrong("the body is not UTF-8; send JSON text") };
    if text.contains("\"(hidden)\"") {
        return wrong(
            "\"(hidden)\" stands for a secret where a description is shown; give the secret, or leave the field out of \
             a change",
        );
    }
    match Description::from_json("the request", text) {
        Ok(read) => Ok(read),
        Err(imds_host::Error::Invalid(mut problems)) => {
            // It has no file's name.
            for problem in problems.list.iter_mut().filter(|problem| problem.message == "this is TOML") {
                problem.help = Some("send JSON; imds ctl edit takes TOML".to_owned());
            }
            Err(failed(imds_host::Error::Invalid(problems)))
        }
        Err(wrong) => Err(failed(wrong)),
    }
}

/// Whoever may change the instance is not to have this program run commands and read
/// files: that is a matter of its own files and flags. A change is refused by the
/// component, which lets no instance change its source.
pub fn is_of_another_source(present: Option<&Control>, description: &Description) -> bool {
    let present = present.and_then(Control::described_source);
    DescribedSource::of(description).is_some_and(|source| present != Some(source))
}

pub fn another_source(description: &Description) -> imds_host::Error {
    let problem = imds_host::Problem {
        field: "/iam-instance-profile/credentials-source".to_owned(),
        in_name: false,
        message: "an operator cannot name a source of credentials".to_owned(),
        help: Some("put it into the file that imds reads, or start it with --credentials".to_owned()),
        place: None,
        set_by: None,
    };
    imds_host::Error::Invalid(description.place_problems(vec![problem]))
}
