use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::running::{self, Running};
use super::{BYTES_MAX, CredentialSource, Fetch, RoleCredentials, SourceError, TIME_LIMIT, version_1};

/// A command that prints credentials as a `credential_process` of the AWS
/// configuration does. No shell reads it. What it prints goes nowhere else, and what
/// it writes to standard error goes nowhere.
///
/// ```
/// use imds_host::{CredentialSource, ProcessSource};
///
/// let source = ProcessSource::new("/usr/bin/aws-vault", ["export", "--format=json", "dev"]);
/// assert_eq!(source.name(), "the command aws-vault");
/// ```
#[derive(Clone)]
pub struct ProcessSource {
    program: OsString,
    arguments: Vec<OsString>,
    time_limit: Duration,
    read: fn(&[u8]) -> Result<RoleCredentials, SourceError>,
}

impl ProcessSource {
    /// A command with its arguments.
    ///
    /// ```
    /// let _source = imds_host::ProcessSource::new("my-credentials", ["--role", "build"]);
    /// ```
    pub fn new<A: Into<OsString>>(program: impl Into<OsString>, arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            time_limit: TIME_LIMIT,
            read: version_1::read,
        }
    }

    /// The same, which may take so long; 30 seconds by default. Then it is ended, with
    /// all processes of its group.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let _source = imds_host::ProcessSource::new("my-credentials", [""; 0]).with_time_limit(Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit: time_limit.min(LONGEST), ..self }
    }

    /// Ends all commands of all sources of this process, with their groups; none starts
    /// any more. For a program on its way out: they would outlive it.
    ///
    /// ```
    /// imds_host::ProcessSource::end_all();
    /// ```
    pub fn end_all() {
        running::end_all();
    }

    /// The same for a command of `aws sts`.
    pub(super) fn of_sts(self) -> Self {
        Self { read: version_1::read_of_sts, ..self }
    }

    fn run(&self) -> Result<RoleCredentials, SourceError> {
        let until = Instant::now() + self.time_limit;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running::start(&mut command).map_err(|error| match error.kind() {
            ErrorKind::NotFound => self.not_found(),
            kind => SourceError::NotStarted(kind),
        })?;
        let credentials = self.read_from(&mut running, until)?;
        running.let_be();
        Ok(credentials)
    }

    fn not_found(&self) -> SourceError {
        let program = self.shown();
        match self.program.to_string_lossy() == program {
            true => SourceError::NoCommand { program },
            false => SourceError::OneText { program },
        }
    }

    /// The command without arguments, should somebody have written them behind it, into
    /// the same text.
    fn shown(&self) -> String {
        let program = self.program.to_string_lossy();
        program.split(char::is_whitespace).next().unwrap_or_default().to_owned()
    }

    fn read_from(&self, running: &mut Running, until: Instant) -> Result<RoleCredentials, SourceError> {
        let timed_out = || SourceError::TimedOut(self.time_limit);
        let failed = |error: io::Error| SourceError::Unreadable(error.kind());
        let stdout = running.stdout().ok_or(SourceError::Unreadable(ErrorKind::BrokenPipe))?;
        let output = output(stdout, until).map_err(failed)?.ok_or_else(timed_out)?;
        if output.1 > BYTES_MAX {
            return Err(SourceError::TooLarge);
        }
        let status = loop {
            match running.ended().map_err(failed)? {
                Some(status) => break status,
                None if Instant::now() >= until => return Err(timed_out()),
                None => thread::sleep(POLL),
            }
        };
        if status != Some(0) {
            return Err(SourceError::Exited(status));
        }
        (self.read)(&output.0[..output.1])
    }
}

/// No clock overflows by it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Between two looks at a command that closed its output and has not ended.
const POLL: Duration = Duration::from_millis(5);

/// What a command prints, in memory that is wiped, and how long it is, up to one byte
/// more than it may have. None where it does not end in time.
type Output = (Zeroizing<Vec<u8>>, usize);

#[cfg(unix)]
fn output(mut stdout: ChildStdout, until: Instant) -> io::Result<Option<Output>> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut bytes = Zeroizing::new(vec![0; BYTES_MAX + 1]);
    let mut length = 0;
    while length < bytes.len() {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        // There is something, or its end.
        match stdout.read(&mut bytes[length..])? {
            0 => break,
            read => length += read,
        }
    }
    Ok(Some((bytes, length)))
}

/// Elsewhere a thread waits, which ends when the command does.
#[cfg(not(unix))]
fn output(mut stdout: ChildStdout, until: Instant) -> io::Result<Option<Output>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(vec![0; BYTES_MAX + 1]);
        let mut length = 0;
        let read = loop {
            match stdout.read(&mut bytes[length..]) {
                Ok(0) => break Ok((bytes, length)),
                Ok(read) => length += read,
                Err(error) => break Err(error),
            }
        };
        // Who asked may have given up.
        let _ = sender.send(read);
    });
    match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(read) => read.map(Some),
        Err(_) => Ok(None),
    }
}

impl CredentialSource for ProcessSource {
    fn name(&self) -> String {
        let program = self.shown();
        let name = Path::new(&program).file_name().unwrap_or(OsStr::new(&program));
        format!("the command {}", name.to_string_lossy())
    }

    fn fetch(&self) -> Fetch<'_> {
        Box::pin(async { self.run() })
    }

    fn time_limit(&self) -> Duration {
        // It keeps the limit itself.
        self.time_limit + Duration::from_secs(1)
    }
}

// Its arguments may be secrets.
impl fmt::Debug for ProcessSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessSource").field("program", &self.shown()).finish_non_exhaustive()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_stand_in_the_name_of_the_command_are_not_shown() {
        for (program, name, shown) in [
            ("/nope/get-creds --password hunter2", "the command get-creds", "/nope/get-creds"),
            ("get-creds\thunter2", "the command get-creds", "get-creds"),
            ("get-creds --url=https://a/hunter2", "the command get-creds", "get-creds"),
        ] {
            let source = ProcessSource::new(program, [""; 0]);
            assert_eq!(source.name(), name);
            let error = source.run().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("there is no command {shown}: write each argument as an item of its own")
            );
            assert!(!format!("{source:?} {error:?}").contains("hunter2"));
        }
    }
}
