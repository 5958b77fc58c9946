// Signals, and the runtime that waits for them.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// Threads for answering. An answer takes microseconds, so that a few serve a
/// whole machine's clients.
const THREADS_MAX: usize = 4;

/// The runtime of `serve` and `run`.
pub fn runtime() -> io::Result<Runtime> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread().worker_threads(processors.min(THREADS_MAX)).thread_name("imds").enable_all().build()
}

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGINT: from the terminal, which sends it to the command of `imds run` too.
    Interrupt,
    /// SIGTERM: to this process alone.
    Terminate,
}

/// From its making on, the signals no longer end the program by themselves.
#[cfg(unix)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub async fn any(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        }
    }
}

/// Elsewhere there is only the terminal's interrupt.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub async fn any(&mut self) -> Asked {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Asked::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
