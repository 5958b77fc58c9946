//! Serves many guests over vsock, each the instance of its context ID, which a guest
//! cannot forge: `cargo run --example vsock`. A platform also bounds each guest's connections.

use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};
use std::time::Duration;

use imds_host::{Clock, Description, Instance, Moment, Runtime, SystemClock};
use socket2::{Domain, SockAddr, Socket, Type};

/// The instances of three guests. Context IDs up to 2 are the host's.
fn guests() -> Result<HashMap<u32, Instance>, imds_host::Error> {
    let runtime = Runtime::new()?;
    let guest = |cid: u32| {
        let mut description = Description::default();
        description.set_text("/instance-id", &format!("i-{cid:017x}"), "vsock.rs");
        Ok((cid, runtime.open(&description)?))
    };
    (3..6).map(guest).collect()
}

/// Answers one request.
fn answer(instance: &Instance, mut connection: impl Read + Write) -> Result<(), Box<dyn Error>> {
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") && head.len() < 16 << 10 {
        match connection.read(&mut piece)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    let mut out = Vec::new();
    instance.answer_head(&head, Moment::at(SystemClock.now_ms(), getrandom::u64()?), &mut out);
    Ok(connection.write_all(&out)?)
}

#[cfg_attr(test, test)]
fn each_guest_sees_its_own_instance() -> Result<(), Box<dyn Error>> {
    let (guest, host) = Socket::pair(Domain::UNIX, Type::STREAM, None)?;
    (&guest).write_all(b"GET /latest/meta-data/instance-id HTTP/1.1\r\n\r\n")?;
    answer(&guests()?[&4], host)?;
    let answered = std::io::read_to_string(guest)?;
    assert!(answered.ends_with("\r\n\r\ni-00000000000000004"), "{answered}");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    each_guest_sees_its_own_instance()?;
    let (guests, listener) = (guests()?, Socket::new(Domain::VSOCK, Type::STREAM, None)?);
    listener.bind(&SockAddr::vsock(u32::MAX, 16925))?;
    listener.listen(128)?;
    println!("a guest with the context ID 3, 4 or 5 asks at VSOCK-CONNECT:2:16925");
    loop {
        let (connection, peer) = listener.accept()?;
        let Some(instance) = peer.as_vsock_address().and_then(|(cid, _)| guests.get(&cid)) else { continue };
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        let instance = instance.clone();
        std::thread::spawn(move || answer(&instance, connection).map_err(|error| eprintln!("{error}")));
    }
}
