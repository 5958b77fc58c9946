//! `spin up` itself, where there is a Spin program.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::engine::CONTROL;
use super::program::serves_wasi_0_3;
use super::way::{delivered, request, signed_json};
use crate::case::{Case, Expected, Step};
use crate::shell::workspace;
use crate::ways::{Received, Sent, Way, receive};

/// Spin with the instances of all cases in its store, chosen by a header field.
pub struct SpinUp {
    process: Child,
    address: SocketAddr,
    keys: BTreeMap<String, String>,
    state: PathBuf,
}

impl SpinUp {
    pub fn start(program: &Path, cases: &[&Case]) -> SpinUp {
        // Builds what Spin loads.
        std::sync::LazyLock::force(&CONTROL);
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free");
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("spin-{}", address.port()));
        let mut command = Command::new(program);
        command.arg("up").arg("--listen").arg(address.to_string()).arg("--state-dir").arg(&state);
        command.args(["--quiet", "--variable", "callers=header:x-case"]);
        let mut keys = BTreeMap::new();
        for case in cases {
            let key = keys.len().to_string();
            keys.entry(case.description.clone()).or_insert_with(|| {
                command.arg("--key-value").arg(format!("instances/{key}={}", signed_json(&case.description)));
                key
            });
        }
        command.current_dir(workspace()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("Spin starts");
        let spin = SpinUp { process, address, keys, state };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "Spin listens within a minute");
            std::thread::yield_now();
        }
        spin
    }

    /// How many of so many answers on a kept connection come in one piece, each of
    /// another instance as long as there are others. Who gets the head alone waits 40 ms.
    pub fn answers_in_one_piece(&self, answers: usize) -> usize {
        let mut stream = TcpStream::connect(self.address).expect("Spin accepts");
        let mut whole = 0;
        for key in (0..self.keys.len()).cycle().take(answers) {
            let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\nx-case: {key}\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("Spin reads");
            let (mut answer, mut reads) = (Vec::new(), 0);
            while !is_whole(&answer) {
                let mut part = [0; 4096];
                let length = stream.read(&mut part).expect("Spin answers");
                assert!(length > 0, "Spin closed the connection");
                answer.extend(&part[..length]);
                reads += 1;
            }
            whole += usize::from(reads == 1);
        }
        whole
    }

    /// The way to the instance with this description.
    pub fn way(&self, description: &str) -> impl Way + use<> {
        Caller { address: self.address, key: self.keys[description].clone() }
    }
}

impl Drop for SpinUp {
    fn drop(&mut self) {
        // Spin ends what it started when it is asked to end.
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.state);
    }
}

/// Whether an answer is there with its body.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&answer[..head]);
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|length| length.parse().ok()).expect("an answer tells its length");
    answer.len() == head + 4 + length
}

/// Whether a case holds at any time and of one description: Spin's clock cannot
/// be moved, and the store is filled before the start.
pub fn is_steady(case: &Case) -> bool {
    case.steps.iter().all(|step| matches!(step, Step::Exchange(_)))
}

#[test]
fn only_a_spin_that_serves_the_application_is_started() {
    let serves = ["spin 4.1.0-pre0 (94a8fc8a 2026-08-21)", "spin 4.1.2", "spin 4.10.0", "spin 5.0.0"];
    let others = ["spin 4.0.9 (94a8fc8a 2026-08-21)", "spin 3.5.1", "Spin Version 6.5.2 -- 6 December 2019", ""];
    assert!(serves.into_iter().all(serves_wasi_0_3) && !others.into_iter().any(serves_wasi_0_3));
}

struct Caller {
    address: SocketAddr,
    key: String,
}

impl Way for Caller {
    fn answer(&mut self, sent: &Sent, _now_ms: u64) -> Received {
        let mut sent = sent.clone();
        // What becomes of the connection is Spin's; here it is to close.
        sent.fields.retain(|(name, _)| !name.eq_ignore_ascii_case("connection"));
        sent.fields.push(("Connection".to_owned(), b"close".to_vec()));
        sent.fields.push(("x-case".to_owned(), self.key.as_bytes().to_vec()));
        let mut received = receive(self.address, &sent.head());
        received.fields.retain(|(name, _)| name != "connection");
        received
    }

    fn describe(&mut self, _toml: &str) {
        unreachable!("of a steady case");
    }

    fn carries(&self, sent: &Sent) -> Result<(), &'static str> {
        request(sent).map(drop)
    }

    /// The clock is the machine's.
    fn delivered(&self, expected: &Expected) -> Expected {
        let mut expected = delivered(expected);
        expected.fields.iter_mut().filter(|(name, _)| name == "date").for_each(|(_, value)| "*".clone_into(value));
        expected
    }
}
