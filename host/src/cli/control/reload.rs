// `/v1/reload` and `/v1/instances/{key}/reload`: reading descriptions again, for a
// client. Whoever has the files does it.

use anyhow::anyhow;
use axum::extract::State;
use hyper::StatusCode;
use imds_host::Control;
use tokio::sync::{mpsc, oneshot};

use super::super::warnings::Before;
use super::body::{Change, Name};
use super::document::{Key, NoInstance, RefusedChange, Slow, WrongRequest};
use super::operands::{Operands, missing};
use super::reply::{Refusal, Reply, error, failed, of_revision, ok};
use super::routes::Shared;
use super::shapes::{self, Revision, Wrong};

/// Read the descriptions' files again, as SIGHUP does
#[utoipa::path(post, path = "/v1/reload", responses(
    (status = 200, body = Revision, description = "Done.",
     headers(("ETag" = String, description = "The revision in quotes, for If-Match; of one instance."))),
    (status = 422, body = Wrong, description = "A file is wrong or cannot be read. Nothing was changed."),
    RefusedChange, Slow,
))]
pub async fn reload(State(shared): State<Shared>, Change(_): Change) -> Result<Reply, Refusal> {
    match &shared.operated.operands {
        Operands::One(control) => read_again(&shared, None, Some(control.clone())).await,
        // Of many, what is warned of goes to the log.
        Operands::Many(_) => read_again(&shared, None, None).await,
    }
}

/// Take all changes of one of the instances back
///
/// It is again what its file says, which is read again.
#[utoipa::path(post, path = "/v1/instances/{key}/reload", params(Key), responses(
    (status = 200, body = Revision, description = "Done.",
     headers(("ETag" = String, description = "The revision in quotes, for If-Match."))),
    (status = 409, body = shapes::Error, description = "No file describes it."),
    (status = 422, body = Wrong, description = "A file is wrong or cannot be read. Nothing was changed."),
    RefusedChange, WrongRequest, NoInstance, Slow,
))]
pub async fn reload_one(State(shared): State<Shared>, Name(name): Name, Change(_): Change) -> Result<Reply, Refusal> {
    let operands = &shared.operated.operands;
    let control = shared.named(name.clone()).await;
    match (operands, control) {
        (Operands::One(_), control) => read_again(&shared, None, Some(control?)).await,
        (_, Ok(control)) => {
            let key = control.key().unwrap_or_default().to_owned();
            read_again(&shared, Some(key), Some(control)).await
        }
        (Operands::Many(fleet), Err(refusal)) => {
            // One that was removed has its file still.
            let Ok(key) = fleet.callers().canonical(&name) else { return Err(refusal) };
            read_again(&shared, Some(key), None).await
        }
    }
}

/// One turn for all of it: whoever reads the file waits for none.
async fn read_again(shared: &Shared, key: Option<String>, control: Option<Control>) -> Result<Reply, Refusal> {
    let looking = control.clone();
    let (turn, before) =
        shared.turns.take().await?.call(move || looking.map(|control| (Before::of(&control), control))).await?;
    let is_known = control.is_some();
    let done = match shared.operated.reload.ask(key.clone()).await {
        Ok(done) => done,
        Err(wrong) if wrong.is::<NoFile>() => {
            let key = key.unwrap_or_default();
            return Err(if is_known { error(StatusCode::CONFLICT, wrong.to_string()) } else { missing(&key) });
        }
        Err(wrong) => return Err(failed(wrong)),
    };
    shared.count();
    let Some((before, control)) = before else {
        return Ok(ok(&Revision { revision: None, done: Some(done), warnings: Vec::new() }));
    };
    let revision = control.revision();
    let (_, warnings) = turn.call(move || before.new_ones_of(&control)).await?;
    Ok(of_revision(ok(&Revision { done: Some(done), ..Revision::new(revision, &warnings) }), revision))
}

/// No file describes the instance that is to be what its file says.
#[derive(Debug)]
pub struct NoFile(pub String);

impl std::fmt::Display for NoFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no file describes {}, which was added here; put another description, or remove it", self.0)
    }
}

impl std::error::Error for NoFile {}

/// What was done, in words. The revision is told beside it.
pub type Done = anyhow::Result<String>;

/// For whom to read again: the key of one of many, or none for all; and whom to tell.
pub type Wanted = (Option<String>, oneshot::Sender<Done>);

/// Asks for it.
#[derive(Clone)]
pub struct Reload(mpsc::Sender<Wanted>);

/// Is asked for it.
pub struct Asked(mpsc::Receiver<Wanted>);

/// So many clients wait for it at once.
const WAITING_MAX: usize = 8;

pub fn channel() -> (Reload, Asked) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Reload(sender), Asked(receiver))
}

impl Reload {
    pub async fn ask(&self, key: Option<String>) -> Done {
        let gone = || anyhow!("the program ends");
        let (sender, done) = oneshot::channel();
        self.0.send((key, sender)).await.map_err(|_| gone())?;
        done.await.map_err(|_| gone())?
    }
}

impl Asked {
    /// For whom, and whom to tell; never where nobody can ask.
    pub async fn next(&mut self) -> Wanted {
        match self.0.recv().await {
            Some(wanted) => wanted,
            None => std::future::pending().await,
        }
    }
}
