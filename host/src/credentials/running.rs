//! The commands that run, all in one place: a program on its way out ends them.

use std::io;
use std::process::{Child, ChildStdout, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether the last look at a command found its end, and which: an exit status, or none
/// for a signal.
pub(super) type Ended = Option<Option<i32>>;

/// A command that is ended with all processes of its group, unless it succeeded.
pub(super) struct Running {
    child: Child,
    is_let_be: bool,
}

#[derive(Default)]
struct Commands {
    /// Their groups. Each is taken out before the command is waited for: from then on,
    /// its number may be another's.
    groups: Vec<u32>,
    is_over: bool,
}

static COMMANDS: Mutex<Commands> = Mutex::new(Commands { groups: Vec::new(), is_over: false });

fn commands() -> MutexGuard<'static, Commands> {
    COMMANDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all that run; none starts any more.
pub(super) fn end_all() {
    let mut commands = commands();
    commands.is_over = true;
    commands.groups.iter().for_each(|group| kill(*group));
}

impl Running {
    /// Starts a command, in a group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        // Held meanwhile, so that none is overlooked.
        let mut commands = commands();
        if commands.is_over {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        commands.groups.push(child.id());
        Ok(Self { child, is_let_be: false })
    }

    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether it ended. It stays until it is dropped: so long, its group is its own.
    #[cfg(unix)]
    pub(super) fn ended(&mut self) -> io::Result<Ended> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};

        let Some(leader) = pid(self.child.id()) else { return Err(io::ErrorKind::InvalidInput.into()) };
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(leader), look)?;
        Ok(status.map(|status| status.exit_status()))
    }

    #[cfg(not(unix))]
    pub(super) fn ended(&mut self) -> io::Result<Ended> {
        Ok(self.child.try_wait()?.map(|status| status.code()))
    }

    /// It did what it was to: what it left behind goes on.
    pub(super) fn let_be(mut self) {
        self.is_let_be = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut commands = commands();
        // Where somebody else waited for it, its number may be another's.
        if !self.is_let_be && self.ended().is_ok() {
            kill(self.child.id());
            let _ = self.child.kill();
        }
        commands.groups.retain(|group| *group != self.child.id());
        drop(commands);
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
fn kill(group: u32) {
    if let Some(group) = pid(group) {
        // All of it may have ended a moment ago.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

#[cfg(unix)]
fn pid(number: u32) -> Option<rustix::process::Pid> {
    i32::try_from(number).ok().and_then(rustix::process::Pid::from_raw)
}

/// Elsewhere there are no groups.
#[cfg(not(unix))]
fn kill(_group: u32) {}
