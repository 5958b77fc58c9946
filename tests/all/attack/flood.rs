use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::net::TcpSocket;

use super::*;
use crate::ways::TOKIO;

const FLOODER: &str = "127.0.0.2:0";

fn connect_from(source: &str, server: SocketAddr) -> TcpStream {
    let connect = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(source.parse().expect("an address"))?;
        socket.connect(server).await?.into_std()
    };
    let stream = TOKIO.block_on(connect).expect("the server accepts");
    stream.set_nonblocking(false).expect("a socket can block");
    stream
}

fn few() -> ConnectionLimits {
    ConnectionLimits::default().connections(8).connections_per_caller(4).head_time(LONG).body_time(LONG)
}

fn ask_on(stream: &mut TcpStream) -> String {
    stream.write_all(GET.as_bytes()).expect("the connection is open");
    let mut received = String::new();
    while !received.ends_with(ID) {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).expect("the server answers");
        assert_ne!(count, 0, "closed after {received:?}");
        received.push_str(std::str::from_utf8(&piece[..count]).expect("ASCII"));
    }
    received
}

#[test]
fn a_flood_from_one_address_leaves_the_connections_of_others_open() {
    let server = Server::within(few(), "", true);
    // Idle for longer than any of the flood will be.
    let mut kept: Vec<TcpStream> = (0..4).map(|_| server.connect()).collect();
    kept.iter_mut().for_each(|stream| drop(ask_on(stream)));
    for sent in ["", "GET / HT", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"] {
        let mut flood: Vec<TcpStream> = (0..100).map(|_| connect_from(FLOODER, server.address)).collect();
        for stream in &mut flood {
            // Reset where it had to go already.
            let _ = stream.write_all(sent.as_bytes());
        }
        kept.iter_mut().for_each(|stream| assert!(ask_on(stream).starts_with("HTTP/1.1 200 OK\r\n"), "{sent:?}"));
    }
}

#[test]
fn a_flood_from_one_address_keeps_nobody_else_out() {
    let server = Server::within(few(), "", false);
    let address = server.address;
    let flooding = AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut open = VecDeque::new();
                while flooding.load(Ordering::Relaxed) {
                    open.push_back(connect_from(FLOODER, address));
                    if open.len() > 64 {
                        open.pop_front();
                    }
                }
            });
        }
        for _ in 0..50 {
            assert!(server.ask(LAST).starts_with("HTTP/1.1 200 OK\r\n"));
        }
        flooding.store(false, Ordering::Relaxed);
    });
}

/// A crowd whose answers a fault holds back: each waits, and the last ones as
/// many as there are places.
#[test]
fn a_thousand_that_a_fault_keeps_waiting_keep_nobody_else_out() {
    for kind in ["kind = 'withhold'", "kind = 'delay', delay = '60s'"] {
        let faults = format!("faults = [{{ {kind}, paths = ['/latest/user-data'] }}]");
        let server = Server::within(few(), &faults, true);
        let mut kept: Vec<TcpStream> = (0..2).map(|_| server.connect()).collect();
        kept.iter_mut().for_each(|stream| drop(ask_on(stream)));
        let mut crowd = VecDeque::new();
        for count in 1..=1000 {
            let mut stream = connect_from(FLOODER, server.address);
            // Reset where it had to go already.
            let _ = stream.write_all(b"GET /latest/user-data HTTP/1.1\r\nHost: x\r\n\r\n");
            crowd.push_back(stream);
            if crowd.len() > 64 {
                crowd.pop_front();
            }
            if count % 100 == 0 {
                kept.iter_mut().for_each(|stream| drop(ask_on(stream)));
                assert!(server.ask(LAST).starts_with("HTTP/1.1 200 OK\r\n"), "{kind}, after {count}");
            }
        }
    }
}

/// Nine addresses, each with its whole share of the places, whose clients ask
/// again as soon as they have their answer: none waits for as long as one must
/// that has to leave.
#[test]
fn kept_connections_that_never_rest_keep_no_newcomer_out() {
    let limits = few().connections(9).connections_per_caller(1);
    let server = Server::within(limits, "", true);
    let address = server.address;
    let (asking, asked) = (AtomicBool::new(true), AtomicUsize::new(0));
    // When the test fails too: it waits for its threads.
    let stop = Stop(&asking);
    std::thread::scope(|scope| {
        for number in 2..11 {
            let (asking, asked) = (&asking, &asked);
            scope.spawn(move || {
                let connect = || connect_from(&format!("127.0.0.{number}:0"), address);
                let mut kept = connect();
                while asking.load(Ordering::Relaxed) {
                    let is_kept = ask_again(&mut kept);
                    asked.fetch_add(1, Ordering::Relaxed);
                    if !is_kept {
                        kept = connect();
                    }
                }
            });
        }
        // They have all places now, as nearly always from here on.
        while asked.load(Ordering::Relaxed) < 100 {
            std::thread::yield_now();
        }
        for _ in 0..20 {
            assert!(server.ask(LAST).starts_with("HTTP/1.1 200 OK\r\n"));
        }
        drop(stop);
    });
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Asks on a kept connection, if it is open still. False if it must not be asked
/// again.
fn ask_again(stream: &mut TcpStream) -> bool {
    let mut received = String::new();
    let mut piece = [0; 1024];
    if stream.write_all(GET.as_bytes()).is_err() {
        return false;
    }
    while !received.ends_with(ID) {
        match stream.read(&mut piece) {
            Ok(count @ 1..) => received.push_str(std::str::from_utf8(&piece[..count]).expect("ASCII")),
            // It had to leave before it was asked.
            _ => return false,
        }
    }
    !received.contains("\r\nConnection: close\r\n")
}

#[test]
fn one_address_may_have_all_places_that_nobody_else_wants() {
    let server = Server::within(few(), "", true);
    let mut kept: Vec<TcpStream> = (0..8).map(|_| connect_from(FLOODER, server.address)).collect();
    for _ in 0..2 {
        kept.iter_mut().for_each(|stream| drop(ask_on(stream)));
    }
}
