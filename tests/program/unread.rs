//! Standard error that nobody reads: the service goes on, and the program ends.

use std::io::{PipeReader, PipeWriter, pipe};

use super::*;

#[test]
fn serve_answers_and_ends_when_nobody_reads_its_log() {
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "127.0.0.1:0", "--log", "all", "--keep-alive"]);
    let mut unread = Unread::spawn(&mut imds);
    let address = unread.lines_until("serve --instance instance.toml\n");
    let address = address.lines().find_map(|line| line.strip_prefix("imds: listening on http://")).unwrap().to_owned();
    unread.lines_until("\n");
    unread.fill();
    ask_thousands(&address);
    kill(&unread.child, "TERM");
    assert_eq!(unread.end(), Some(0));
}

#[test]
fn run_ends_with_its_command_when_nobody_reads_its_log() {
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--log", "all", "--keep-alive", "--require-v2", "--", "sh", "-c"]);
    imds.arg("echo \"$AWS_EC2_METADATA_SERVICE_ENDPOINT\"; cat; exit 7");
    // Else a note on credentials may come.
    imds.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let mut unread = Unread::spawn(imds.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut line = String::new();
    BufReader::new(unread.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    unread.fill();
    ask_thousands(line.trim_end().strip_prefix("http://").unwrap());
    drop(unread.child.stdin.take());
    assert_eq!(unread.end(), Some(7));
}

/// So many that the log has something to say all the time.
fn ask_thousands(address: &str) {
    let some = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(999);
    let last = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for _ in 0..3 {
        let answers = request(address, &format!("{some}{last}"));
        assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 1000);
    }
}

/// A process of `imds` whose standard error is a pipe in the hands of the
/// test; killed when dropped.
struct Unread {
    child: Child,
    reader: PipeReader,
    writer: PipeWriter,
}

impl Unread {
    fn spawn(imds: &mut Command) -> Self {
        let (reader, writer) = pipe().unwrap();
        let child = imds.stderr(writer.try_clone().unwrap()).spawn().unwrap();
        Self { child, reader, writer }
    }

    /// All up to the end of the line that ends with `last`.
    fn lines_until(&mut self, last: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(last.as_bytes()) {
            let mut byte = [0];
            self.reader.read_exact(&mut byte).unwrap();
            read.extend(byte);
        }
        text(&read)
    }

    /// Fills the pipe, which is empty before.
    fn fill(&mut self) {
        self.writer.write_all(&[b'x'; 1 << 16]).unwrap();
    }

    /// Waits for the end of the process, with its pipe still full.
    fn end(&mut self) -> Option<i32> {
        let id = self.child.id();
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            let child = &mut self.child;
            scope.spawn(move || tell.send(child.wait().unwrap().code()));
            told.recv_timeout(DEADLINE).unwrap_or_else(|_| {
                // Or the scope would not end either.
                let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
                panic!("imds does not end")
            })
        })
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
