// Which processes still ask by version 1, for `/v1/usage`.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use imds_host::{Answered, Observer, SessionVersion, Usage, shown};

use super::{Process, Processes, add};

/// The processes of each client that asked by version 1. Clones are the same.
#[derive(Clone, Default)]
pub struct Clients {
    // Locked to add one, or to copy those of a client.
    found: Arc<Mutex<HashMap<Client, Vec<Process>>>>,
    /// To the thread that looks up, where requests do not wait for it.
    ask: Option<SyncSender<Question>>,
}

/// A client as the journal tells them apart: by address and user agent.
type Client = (IpAddr, Option<String>);

/// Whose connection is from here to there.
type Question = (Client, SocketAddr, SocketAddr);

/// As many as the journal counts one by one.
const CLIENTS_MAX: usize = 256;

/// A client that a crowd leaves out asks again.
const WAITING_MAX: usize = 16;

impl Clients {
    /// Looks up on its own thread: no request waits for it, and it can miss a client that
    /// ends at once. Without /proc it finds none.
    pub fn on_a_thread() -> Self {
        let mut clients = Self::default();
        let Some(processes) = Processes::new() else { return clients };
        let (ask, questions) = sync_channel::<Question>(WAITING_MAX);
        let found = clients.clone();
        let look_up = move || {
            for (client, peer, local) in questions {
                if let Some(process) = processes.of(peer, local) {
                    found.add_to(client, &process);
                }
            }
        };
        if thread::Builder::new().name("imds-processes".into()).spawn(look_up).is_ok() {
            clients.ask = Some(ask);
        }
        clients
    }

    /// Adds what is known of a request.
    pub fn add(&self, answered: &Answered<'_>, process: &Process) {
        if let Some((client, _, _)) = question(answered) {
            self.add_to(client, process);
        }
    }

    fn add_to(&self, client: Client, process: &Process) {
        let mut found = self.found();
        if found.len() < CLIENTS_MAX || found.contains_key(&client) {
            add(found.entry(client).or_default(), process);
        }
    }

    /// The processes of a client.
    pub fn of(&self, usage: &Usage) -> Vec<Process> {
        let client = usage.caller.filter(|_| !usage.is_rest).map(|caller| (caller, usage.user_agent.clone()));
        client.and_then(|client| self.found().get(&client).cloned()).unwrap_or_default()
    }

    fn found(&self) -> MutexGuard<'_, HashMap<Client, Vec<Process>>> {
        // Nothing panics while it is locked.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to look up of a request of version 1.
fn question(answered: &Answered<'_>) -> Option<Question> {
    let (peer, local) = answered.peer.zip(answered.local)?;
    let agent = || answered.head.user_agent().map(shown::user_agent);
    (answered.version == Some(SessionVersion::One)).then(|| ((peer.ip().to_canonical(), agent()), peer, local))
}

impl Observer for Clients {
    fn answered(&self, answered: &Answered<'_>) {
        if let Some((ask, question)) = self.ask.as_ref().zip(question(answered)) {
            // If the queue is full, this one is not looked up.
            let _ = ask.try_send(question);
        }
    }
}
