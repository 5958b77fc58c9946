//! A Redis of the benchmark's own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Redis {
    process: Child,
    address: SocketAddr,
}

impl Redis {
    /// Starts it on a free port, without files, if there is the program.
    pub fn start() -> Option<Redis> {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free");
        let mut command = Command::new("redis-server");
        command.args(["--port", &address.port().to_string(), "--save", "", "--bind", "127.0.0.1"]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().ok()?;
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "Redis listens within ten seconds");
            std::thread::yield_now();
        }
        Some(Redis { process, address })
    }

    /// Describes so many guests.
    pub fn fill(&self, guests: usize) {
        let mut stream = TcpStream::connect(self.address).expect("Redis accepts");
        let mut answers = BufReader::new(stream.try_clone().expect("a socket has two ends"));
        for guest in 0..guests {
            stream.write_all(format!("SET instances/vm-{guest} {{}}\r\n").as_bytes()).expect("Redis reads");
            let mut answer = String::new();
            answers.read_line(&mut answer).expect("Redis answers");
            assert_eq!(answer, "+OK\r\n");
        }
    }

    /// A file that makes it the store of an application.
    pub fn runtime_config(&self) -> String {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spin-bench-redis.toml");
        let text = format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://{}\"\n", self.address);
        std::fs::write(&file, text).expect("a file can be written");
        file.display().to_string()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
