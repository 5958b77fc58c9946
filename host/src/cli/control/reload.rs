// Reading the description again, for a client: whoever has the file does it.

use anyhow::anyhow;
use tokio::sync::{mpsc, oneshot};

/// What was done, in words. The revision is told beside it.
pub type Done = anyhow::Result<String>;

/// Asks for it.
#[derive(Clone)]
pub struct Reload(mpsc::Sender<oneshot::Sender<Done>>);

/// Is asked for it.
pub struct Asked(mpsc::Receiver<oneshot::Sender<Done>>);

/// So many clients wait for it at once.
const WAITING_MAX: usize = 8;

pub fn channel() -> (Reload, Asked) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Reload(sender), Asked(receiver))
}

impl Reload {
    pub async fn ask(&self) -> Done {
        let gone = || anyhow!("the program ends");
        let (sender, done) = oneshot::channel();
        self.0.send(sender).await.map_err(|_| gone())?;
        done.await.map_err(|_| gone())?
    }
}

impl Asked {
    /// Whom to tell; never where nobody can ask.
    pub async fn next(&mut self) -> oneshot::Sender<Done> {
        match self.0.recv().await {
            Some(sender) => sender,
            None => std::future::pending().await,
        }
    }
}
