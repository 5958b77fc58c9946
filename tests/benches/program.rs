//! The program: from its start to the first answer, and its memory while it
//! issues a million tokens.
//!
//! ```sh
//! cargo bench --bench program
//! ```

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 30;
const TOKENS: usize = 1_000_000;
const CONNECTIONS: usize = 16;

fn main() {
    let mut starts: Vec<Duration> = (0..STARTS).map(|_| start_to_first_answer()).collect();
    starts.sort();
    println!("start to first answer, of {STARTS} starts: least {:.1?}, median {:.1?}", starts[0], starts[STARTS / 2]);

    let served = Served::start(&["--keep-alive", "--log", "off"]);
    ask(served.address, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    println!("{:>9} tokens: resident {}", 0, served.resident());
    let request = b"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n";
    let mut streams: Vec<TcpStream> = (0..CONNECTIONS).map(|_| served.connect()).collect();
    let mut issued = 0;
    for part in [TOKENS / 100, TOKENS / 10, TOKENS / 2, TOKENS] {
        while issued < part {
            for stream in &mut streams {
                stream.write_all(request).expect("the program reads");
            }
            for stream in &mut streams {
                read_token(stream);
                issued += 1;
            }
        }
        println!("{issued:>9} tokens: resident {}", served.resident());
    }
}

fn start_to_first_answer() -> Duration {
    let started = Instant::now();
    let served = Served::start(&[]);
    ask(served.address, b"GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\n\r\n");
    started.elapsed()
}

/// Asks on a connection that the program closes.
fn ask(address: SocketAddr, request: &[u8]) {
    let mut stream = TcpStream::connect(address).expect("the program accepts");
    stream.write_all(request).expect("the program reads");
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).expect("the program answers");
    assert_eq!(answer, *b"HTTP/1.1 200 OK");
}

/// Reads up to the end of a token, which is the end of the answer.
fn read_token(stream: &mut TcpStream) {
    let (mut answer, mut length) = ([0; 512], 0);
    while !answer[..length].ends_with(b"==") {
        let read = stream.read(&mut answer[length..]).expect("the program answers");
        assert!(read > 0, "the program closed the connection");
        length += read;
    }
}

/// `imds serve` on a free port.
struct Served {
    process: Child,
    address: SocketAddr,
}

impl Served {
    fn start(arguments: &[&str]) -> Served {
        let mut process = Command::new(env!("CARGO_BIN_EXE_imds"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            // Not in a home: the first start would keep keys there.
            .env_remove("STATE_DIRECTORY")
            .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let mut told = BufReader::new(process.stderr.take().expect("it has a standard error"));
        told.read_line(&mut line).expect("it says where it listens");
        let address = line.trim_end().rsplit('/').next().and_then(|address| address.parse().ok());
        // What else it says goes nowhere.
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        Served { process, address: address.unwrap_or_else(|| panic!("no address in {line:?}")) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the program accepts");
        stream.set_nodelay(true).expect("it can be set");
        stream
    }

    /// The memory that it holds, where the system tells.
    fn resident(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.map_or("not told".to_owned(), |line| line.trim().to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
