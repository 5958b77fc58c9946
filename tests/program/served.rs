//! A process of `imds serve`, and what is said to it.

use std::sync::mpsc::Receiver;

use super::*;

/// A process of `imds serve` that has said that it is ready; killed when dropped.
pub struct Served {
    pub child: Child,
    pub addresses: Vec<String>,
    /// Which came before it was ready.
    pub notes: Vec<String>,
    pub lines: Receiver<String>,
}

impl Served {
    pub fn start(flags: &[&str]) -> Self {
        let mut imds = Command::new(IMDS);
        imds.args(["serve", "--listen", "127.0.0.1:0"]).args(flags);
        Self::spawn(imds, 1)
    }

    pub fn spawn(mut imds: Command, listeners: usize) -> Self {
        let mut child = imds.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut served = Self { child, addresses: Vec::new(), notes: Vec::new(), lines };
        while served.addresses.len() < listeners {
            let line = served.lines.recv_timeout(DEADLINE).unwrap();
            if ["imds: note: ", "imds: warning: ", "{"].iter().any(|begin| line.starts_with(begin)) {
                served.notes.push(line);
                continue;
            }
            let address = line.strip_prefix("imds: listening on http://");
            served.addresses.push(address.unwrap_or_else(|| panic!("not a ready line: {line}")).to_owned());
        }
        served
    }

    pub fn connect(&self) -> TcpStream {
        connect(&self.addresses[0])
    }

    pub fn request(&self, text: &str) -> String {
        request(&self.addresses[0], text)
    }

    pub fn token(&self) -> String {
        let answer = self.request(
            "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n",
        );
        let token = answer.split("\r\n\r\n").nth(1).unwrap();
        assert_eq!(token.len(), 56, "{answer}");
        token.to_owned()
    }

    pub fn get_with_token(&self, target: &str, token: &str) -> String {
        self.request(&format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token: {token}\r\n\r\n"))
    }

    /// Waits for a line on standard error that contains `wanted`.
    pub fn line_with(&self, wanted: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("no line with {wanted}"));
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// How many files and sockets the process has open.
    #[cfg(target_os = "linux")]
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    #[cfg(unix)]
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        kill(&self.child, "TERM");
        self.child.wait().unwrap()
    }

    /// Ends the process and returns the rest of its standard error.
    #[cfg(unix)]
    pub fn end_of_log(mut self) -> String {
        assert!(self.terminate().success());
        let mut log = String::new();
        while let Ok(line) = self.lines.recv_timeout(DEADLINE) {
            log.push_str(&line);
            log.push('\n');
        }
        log
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Sends a text and returns all that comes until the connection ends.
pub fn request(address: &str, text: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The status line and the names of the fields of an answer.
pub fn names_of_head(answer: &str) -> Vec<&str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.split("\r\n")
        .enumerate()
        .map(|(index, line)| if index == 0 { line } else { line.split(':').next().unwrap_or_default() })
        .collect()
}
