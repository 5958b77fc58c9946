// Signals, and the runtime that waits for them.

use std::thread;

use anyhow::Context;
use imds_host::ProcessSource;
use tokio::process::Child;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Threads for answering. An answer takes microseconds, so that a few serve a
/// whole machine's clients.
const THREADS_MAX: usize = 4;

/// The runtime of `serve` and `run`.
pub fn runtime() -> anyhow::Result<Runtime> {
    ensure_descriptors()?;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(processors.min(THREADS_MAX))
        .thread_name("imds")
        .enable_all()
        .build()
        .context("cannot start")
}

/// Pairs of file descriptors that a runtime opens when it starts, and a few more
/// for what it waits for.
#[cfg(unix)]
const PAIRS: usize = 4;

/// Fails where so few files may be open that tokio would panic.
#[cfg(unix)]
pub fn ensure_descriptors() -> anyhow::Result<()> {
    let pairs = (0..PAIRS).map(|_| std::os::unix::net::UnixStream::pair());
    pairs.collect::<Result<Vec<_>, _>>().map(drop).map_err(|error| {
        anyhow::anyhow!(
            "cannot start: {error}\n\
             help: allow this process more open files, for instance by `ulimit -n 1024` before"
        )
    })
}

#[cfg(not(unix))]
pub fn ensure_descriptors() -> anyhow::Result<()> {
    Ok(())
}

/// Does what a start takes, which may be long. A signal that asks the program to end
/// meanwhile ends it at once, with this status, and with all that it started. A hangup
/// waits for whoever takes the signals from then on.
pub fn starting<T>(
    runtime: &Runtime,
    mut signals: Signals,
    status: fn(Asked) -> u8,
    start: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(T, Signals)> {
    let (done, is_done) = oneshot::channel::<()>();
    let watching = runtime.spawn(async move {
        tokio::select! {
            asked = signals.end() => {
                ProcessSource::end_all();
                std::process::exit(status(asked).into())
            }
            _ = is_done => signals,
        }
    });
    let started = start();
    drop(done);
    let signals = runtime.block_on(watching)?;
    Ok((started?, signals))
}

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Windows has only one of them.
#[cfg_attr(not(unix), allow(dead_code))]
pub enum Asked {
    Hangup,
    Interrupt,
    Quit,
    Terminate,
}

#[cfg(unix)]
pub use self::unix::{Signals, has_terminal};

/// Elsewhere its end comes without a signal.
#[cfg(not(unix))]
pub fn has_terminal() -> bool {
    true
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io;

    use rustix::process::{Pid, Signal, getpgrp, kill_process};
    use rustix::termios::tcgetpgrp;
    use tokio::signal::unix::{Signal as Arrivals, SignalKind, signal};

    use super::{Asked, Child};

    /// From its making on, the signals no longer end the program by themselves.
    pub struct Signals {
        hangup: Option<Arrivals>,
        interrupt: Option<Arrivals>,
        quit: Option<Arrivals>,
        terminate: Option<Arrivals>,
    }

    impl Signals {
        /// Those of a server. That its terminal is gone is one of them, for the
        /// server may have to clean up, but not under `nohup`.
        pub fn for_server() -> io::Result<Self> {
            let hangup = unless_ignored(SignalKind::hangup())?;
            let interrupt = Some(signal(SignalKind::interrupt())?);
            let terminate = Some(signal(SignalKind::terminate())?);
            Ok(Self { hangup, interrupt, quit: None, terminate })
        }

        /// Those that are for a command: not what is ignored, as under `nohup`,
        /// for then the command ignores it too.
        pub fn for_command() -> io::Result<Self> {
            Ok(Self {
                hangup: unless_ignored(SignalKind::hangup())?,
                interrupt: unless_ignored(SignalKind::interrupt())?,
                quit: unless_ignored(SignalKind::quit())?,
                terminate: unless_ignored(SignalKind::terminate())?,
            })
        }

        /// Any but a hangup.
        pub async fn end(&mut self) -> Asked {
            tokio::select! {
                () = next(&mut self.interrupt) => Asked::Interrupt,
                () = next(&mut self.quit) => Asked::Quit,
                () = next(&mut self.terminate) => Asked::Terminate,
            }
        }

        pub async fn any(&mut self) -> Asked {
            tokio::select! {
                () = next(&mut self.hangup) => Asked::Hangup,
                () = next(&mut self.interrupt) => Asked::Interrupt,
                () = next(&mut self.quit) => Asked::Quit,
                () = next(&mut self.terminate) => Asked::Terminate,
            }
        }
    }

    fn unless_ignored(kind: SignalKind) -> io::Result<Option<Arrivals>> {
        if is_ignored(kind) { Ok(None) } else { signal(kind).map(Some) }
    }

    async fn next(arrivals: &mut Option<Arrivals>) {
        match arrivals {
            Some(arrivals) => drop(arrivals.recv().await),
            None => std::future::pending().await,
        }
    }

    /// As the system lists it: a bit for each signal that is ignored.
    #[cfg(target_os = "linux")]
    fn is_ignored(kind: SignalKind) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
        ignored.is_some_and(|bits| bits >> (kind.as_raw_value() - 1) & 1 == 1)
    }

    /// A child inherits what is ignored, and outlives it then.
    #[cfg(not(target_os = "linux"))]
    fn is_ignored(kind: SignalKind) -> bool {
        let signals_itself = format!("ulimit -c 0; kill -{} $$", kind.as_raw_value());
        let child = std::process::Command::new("sh").args(["-c", &signals_itself]).status();
        child.is_ok_and(|status| status.success())
    }

    /// Whether the program has a terminal that it answers to.
    pub fn has_terminal() -> bool {
        File::open("/dev/tty").is_ok()
    }

    impl Asked {
        /// The exit status of a program that it ended, as shells tell it.
        pub fn status(self) -> u8 {
            128 + match self {
                Self::Hangup => 1,
                Self::Interrupt => 2,
                Self::Quit => 3,
                Self::Terminate => 15,
            }
        }

        /// Whether it came from the terminal, as far as one can tell: then it came
        /// to the command too.
        pub fn is_from_terminal(self) -> bool {
            let in_foreground = || {
                let terminal = File::open("/dev/tty");
                terminal.is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
            };
            matches!(self, Self::Interrupt | Self::Quit) && in_foreground()
        }

        /// Passes the signal on.
        pub fn pass_on(self, child: &Child) {
            let signal = match self {
                Self::Hangup => Signal::HUP,
                Self::Interrupt => Signal::INT,
                Self::Quit => Signal::QUIT,
                Self::Terminate => Signal::TERM,
            };
            let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
            if let Some(pid) = pid.and_then(Pid::from_raw) {
                // It may have ended meanwhile.
                let _ = kill_process(pid, signal);
            }
        }
    }
}

/// Elsewhere there is only the terminal's interrupt.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn for_server() -> io::Result<Self> {
        Ok(Self)
    }

    pub fn for_command() -> io::Result<Self> {
        Ok(Self)
    }

    pub async fn end(&mut self) -> Asked {
        self.any().await
    }

    pub async fn any(&mut self) -> Asked {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Asked::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
impl Asked {
    pub fn status(self) -> u8 {
        1
    }

    pub fn is_from_terminal(self) -> bool {
        true
    }

    pub fn pass_on(self, _child: &Child) {}
}
