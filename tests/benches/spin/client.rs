//! Clients that keep a connection each, ask, and wait for the answer.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// What one or more rounds show.
#[derive(Default)]
pub struct Figures {
    latencies: Vec<Duration>,
    in_pieces: usize,
    time: Duration,
}

impl Figures {
    /// Adds those of another round.
    pub fn add(&mut self, other: Figures) {
        self.latencies.extend(other.latencies);
        self.in_pieces += other.in_pieces;
        self.time += other.time;
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    /// How many of a hundred answers came in more than one piece.
    pub fn in_pieces(&self) -> f64 {
        100.0 * self.in_pieces as f64 / self.latencies.len() as f64
    }

    /// The latency of half of the answers and of all but a hundredth, in milliseconds.
    pub fn percentiles(&mut self) -> String {
        self.latencies.sort_unstable();
        let at = |share: f64| {
            let index = (self.latencies.len() as f64 * share) as usize;
            self.latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
        };
        format!("{:.2}/{:.1}", at(0.5), at(0.99))
    }
}

/// Asks on so many connections for so long, each time for one of so many guests.
pub fn round(address: SocketAddr, connections: usize, guests: usize, time: Duration) -> Figures {
    let started = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|client| {
            thread::spawn(move || {
                let mut stream = TcpStream::connect(address).expect("Spin accepts");
                let mut figures = Figures::default();
                // Numbers that look random and are the same in every round.
                let mut number = client as u64 + 1;
                while started.elapsed() < time {
                    number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let asked = Instant::now();
                    let reads = ask(&mut stream, (number >> 33) as usize % guests);
                    figures.latencies.push(asked.elapsed());
                    figures.in_pieces += usize::from(reads > 1);
                }
                figures
            })
        })
        .collect();
    let mut all = Figures::default();
    clients.into_iter().for_each(|client| all.add(client.join().expect("answers")));
    Figures { time: started.elapsed(), ..all }
}

/// In how many reads the answer came.
fn ask(stream: &mut TcpStream, guest: usize) -> usize {
    let request =
        format!("GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: localhost\r\nx-guest: vm-{guest}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("Spin reads");
    let (mut answer, mut length) = ([0; 2048], 0);
    for reads in 1.. {
        let read = stream.read(&mut answer[length..]).expect("Spin answers");
        assert!(read > 0, "Spin closed the connection");
        length += read;
        if is_whole(&answer[..length]) {
            return reads;
        }
    }
    0
}

/// Whether an answer is there with the body that its head tells of.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|end| end == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    assert!(text.starts_with("http/1.1 200"), "{text}");
    let body = &answer[head + 4..];
    match text.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => body.len() >= length.parse().expect("a number"),
        // Chunks, as of a body without a length.
        None => body.ends_with(b"0\r\n\r\n"),
    }
}
