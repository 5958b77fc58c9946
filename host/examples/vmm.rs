//! Answers a guest whose network is your own code: bytes in, bytes out, and neither a
//! socket nor an executor: `cargo run --example vmm`.
//!
//! A virtual machine monitor ends the guest's TCP itself. It hands the bytes of a
//! connection to 169.254.169.254:80 in, in pieces as they come, and sends what comes out.

use imds_host::{Clock, Error, Instance, Moment, Runtime, SystemClock, Verdict};

/// One connection of the guest.
struct Connection {
    instance: Instance,
    received: Vec<u8>,
}

/// No client of the service sends more. What is cut off here is answered by 431.
const HEAD_MAX: usize = 16 << 10;

impl Connection {
    /// Takes a piece in. Returns the answer and what the connection owes its client
    /// (a hop limit, a delay, whether it stays open) once the head is whole.
    fn receive(&mut self, piece: &[u8], entropy: u64) -> Option<(Vec<u8>, Verdict)> {
        self.received.extend_from_slice(piece);
        let end = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| at + 4);
        let end = end.or_else(|| (self.received.len() >= HEAD_MAX).then_some(HEAD_MAX))?.min(HEAD_MAX);
        let head: Vec<u8> = self.received.drain(..end).collect();
        let mut out = Vec::new();
        let verdict = self.instance.answer_head(&head, Moment::at(SystemClock.now_ms(), entropy), &mut out);
        Some((out, verdict))
    }
}

#[cfg_attr(test, test)]
fn a_guest_is_answered() -> Result<(), Error> {
    let instance = Runtime::new()?.open(&Default::default())?;
    let mut connection = Connection { instance: instance.clone(), received: Vec::new() };
    assert!(connection.receive(b"GET /latest/meta-data/instance-type HT", 1).is_none());
    let (answer, verdict) =
        connection.receive(b"TP/1.1\r\nHost: 169.254.169.254\r\n\r\n", 2).expect("the head is whole");
    println!("{}", String::from_utf8_lossy(&answer));
    assert!(answer.ends_with(b"\r\n\r\nt3.micro"));
    assert!(!verdict.keep_alive, "the service closes after each answer");

    // A token's answer may cross one hop: its packets leave with a TTL of 1.
    let mut connection = Connection { instance, received: Vec::new() };
    let put = b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
    let (_, verdict) = connection.receive(put, 3).expect("the head is whole");
    assert_eq!(verdict.hop_limit, Some(1));
    Ok(())
}

fn main() -> Result<(), Error> {
    a_guest_is_answered()
}
