// Files that are read: each has a bound, and opening none takes without end. Of an
// open pipe or a terminal, what its writer sends is waited for.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use imds_host::{Description, Error};

/// No file that a flag names is larger than this, but one with the descriptions
/// of many instances.
pub const BYTES_MAX: u64 = 1 << 20;

/// For whoever is to write into a named pipe: much longer than a shell takes to
/// start both sides.
const WRITER_TIME: Duration = Duration::from_secs(2);

/// Opens what can be read: a file, a device, or a pipe that has a writer.
pub fn open(path: &Path) -> io::Result<File> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    if is_pipe(kind) { open_pipe(path, WRITER_TIME) } else { File::open(path) }
}

/// All bytes of a file, at most `BYTES_MAX`.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

/// The description in a file.
pub fn description(path: &Path) -> Result<Description, Error> {
    let file = open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Description::read_from(&path.display().to_string(), file)
}

/// The system lets whoever opens a named pipe wait for a writer, however long.
/// Pipes that a shell passes, as in `<(…)`, are open already and open at once.
fn open_pipe(path: &Path, patience: Duration) -> io::Result<File> {
    let (sender, opened) = mpsc::channel();
    let path = path.to_owned();
    // Without a writer it stays until the program ends.
    thread::Builder::new().name("imds-pipe".into()).spawn(move || sender.send(File::open(path)))?;
    opened.recv_timeout(patience).unwrap_or_else(|_| {
        Err(io::Error::other(format!(
            "it is a pipe, and nobody opened it to write within {} seconds",
            patience.as_secs_f64()
        )))
    })
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_kind: FileType) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_pipe_without_a_writer_is_given_up_and_one_with_a_writer_is_read() {
        let pipe = |name: &str| {
            let pipe = std::env::temp_dir().join(format!("imds-{name}-{}", std::process::id()));
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            pipe
        };
        let silent = pipe("silent");
        let error = open_pipe(&silent, Duration::ZERO).unwrap_err();
        assert_eq!(error.to_string(), "it is a pipe, and nobody opened it to write within 0 seconds");
        // A pipe of its own: the thread that still waits for the other would take its writer.
        let written = pipe("written");
        let writer = thread::spawn({
            let written = written.clone();
            move || fs::write(written, "instance-type = 'm7g.large'")
        });
        assert_eq!(description(&written).unwrap().to_json(), r#"{"instance-type":"m7g.large"}"#);
        writer.join().unwrap().unwrap();
        fs::remove_file(silent).unwrap();
        fs::remove_file(written).unwrap();
    }

    #[test]
    fn what_never_ends_and_what_is_no_file_is_refused() {
        let wrong = |path: &str| read(Path::new(path)).unwrap_err().to_string();
        assert_eq!(wrong("/dev/zero"), "it is larger than 1 MiB");
        assert_eq!(wrong("/"), "it is a directory");
        assert_eq!(read(Path::new("/dev/null")).unwrap(), b"");
    }
}
