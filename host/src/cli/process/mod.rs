// Which process asks. On Linux /proc tells; elsewhere nothing is said.

mod clients;
#[cfg(target_os = "linux")]
mod linux;

use std::fmt;
use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(target_os = "linux")]
use std::sync::{Arc, Mutex, PoisonError};

use imds_host::{Answered, SessionVersion};
use serde::Serialize;
#[cfg(target_os = "linux")]
use tokio::task::block_in_place;
use utoipa::ToSchema;

pub use self::clients::Clients;
use super::network_namespace::NetworkNamespace;

/// A process as it is shown: of its command line the program and its script alone, for
/// other arguments may be secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Process {
    #[schema(minimum = 1)]
    pub pid: u32,
    /// The program, and the script that it runs, such as `python3 agent.py`; no other arguments.
    pub command: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} ({})", self.pid, self.command)
    }
}

/// The most that are kept of a client: a program that was started a thousand times needs
/// no thousand numbers.
const KEPT: usize = 8;

/// Each may cost one more thread.
#[cfg(target_os = "linux")]
const WAITING_MAX: usize = 16;

/// Adds a process to those of a client, once, while there is room.
pub fn add(processes: &mut Vec<Process>, process: &Process) {
    if processes.len() < KEPT && !processes.contains(process) {
        processes.push(process.clone());
    }
}

/// Whether it matters who sent a request: one of version 1, or one that was refused.
pub fn matters(answered: &Answered<'_>) -> bool {
    answered.version == Some(SessionVersion::One) || is_refused(answered.status)
}

/// Whether an answer is a refusal. That there is nothing at a path is none.
pub fn is_refused(status: u16) -> bool {
    status >= 400 && status != 404
}

/// Finds the process at the other end of a connection. Clones find by one budget.
#[derive(Clone)]
pub struct Processes {
    #[cfg(target_os = "linux")]
    finder: Arc<Mutex<linux::Finder>>,
    /// How many look up or wait to.
    #[cfg(target_os = "linux")]
    waiting: Arc<AtomicUsize>,
    /// There is none of these.
    #[cfg(not(target_os = "linux"))]
    never: std::convert::Infallible,
}

#[cfg(target_os = "linux")]
impl Processes {
    /// Finds the processes of connections in this thread's network; `None` without /proc.
    pub fn new() -> Option<Self> {
        linux::Finder::open().map(|finder| Self { finder: Arc::new(Mutex::new(finder)), waiting: Arc::default() })
    }

    /// The same in a network namespace.
    pub fn inside(namespace: &NetworkNamespace) -> anyhow::Result<Option<Self>> {
        namespace.enter(Self::new)
    }

    /// The process whose connection from `peer` to `local` is open. Reads files of /proc,
    /// which takes milliseconds; tasks of tokio's that wait for this thread go to another
    /// meanwhile. Above its budget, and in a crowd, it finds none.
    pub fn of(&self, peer: SocketAddr, local: SocketAddr) -> Option<Process> {
        let is_crowd = self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX;
        let found = if is_crowd {
            None
        } else {
            // Nothing panics while it is locked.
            block_in_place(|| self.finder.lock().unwrap_or_else(PoisonError::into_inner).find(peer, local))
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        found
    }
}

#[cfg(not(target_os = "linux"))]
impl Processes {
    pub fn new() -> Option<Self> {
        None
    }

    pub fn inside(_: &NetworkNamespace) -> anyhow::Result<Option<Self>> {
        Ok(None)
    }

    pub fn of(&self, _: SocketAddr, _: SocketAddr) -> Option<Process> {
        match self.never {}
    }
}
