//! What becomes of answers that are not sent whole and at once.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::{Answered, Description, Observer, Runtime, Service};

/// Far above what anything takes that does not hang.
const DEADLINE: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(3600);
/// So long a test looks whether nothing comes.
const SHORT: Duration = Duration::from_millis(50);

const GET: &str = "GET /latest/meta-data/mac HTTP/1.1\r\nHost: x\r\n\r\n";
const MAC: &str = "0a:87:40:4a:4a:11";
/// What no fault of these tests strikes.
const OTHER: &str = "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\n\r\n";
const ID: &str = "i-0123456789abcdef0";

struct Server {
    address: SocketAddr,
    gone: mpsc::Receiver<()>,
    stop: Option<oneshot::Sender<()>>,
}

/// Tells of connections that end.
struct Gone(mpsc::Sender<()>);

impl Observer for Gone {
    fn answered(&self, _: &Answered<'_>) {}
    fn disconnected(&self) {
        let _ = self.0.send(());
    }
}

impl Server {
    /// Faults of this kind strike requests for `meta-data/mac`.
    fn striking(kind: &str, keep_alive: bool, limits: ConnectionLimits) -> Self {
        Self::start(&format!("[[faults]]\npaths = ['/*/meta-data/mac']\nkind = {kind}"), keep_alive, limits)
    }

    fn start(description: &str, keep_alive: bool, limits: ConnectionLimits) -> Self {
        let description = Description::from_toml("faults.toml", description).unwrap();
        let instance = Runtime::new().unwrap().open(&description).unwrap();
        let (tell_gone, gone) = mpsc::channel();
        let service = Service::new(instance).keep_alive(keep_alive).observer(Gone(tell_gone));
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                crate::Server::new(service).limits(limits).serve(listener, async { drop(stopped.await) }).await;
            });
        });
        Self { address: told.recv().unwrap(), gone, stop: Some(stop) }
    }

    fn send(&self, requests: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(requests.as_bytes()).unwrap();
        stream
    }

    fn ask(&self, requests: &str) -> String {
        rest(&self.send(requests))
    }
}

/// All that comes until the server closes, which must not reset.
fn rest(mut stream: &TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn nothing_comes(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let read = stream.read(&mut [0; 1]);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    read.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// Goes without a farewell, so that the server cannot take it for one who
/// still waits.
fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

fn one_place() -> ConnectionLimits {
    ConnectionLimits::default().connections(1).head_time(LONG).write_time(LONG)
}

#[test]
fn a_delayed_answer_comes_whole_after_its_time() {
    for keep_alive in [false, true] {
        let server = Server::striking("'delay'\ndelay = '50ms'", keep_alive, ConnectionLimits::default());
        let began = Instant::now();
        let stream = server.send(&GET.repeat(2));
        // Who closes its side still waits.
        stream.shutdown(Shutdown::Write).unwrap();
        let received = rest(&stream);
        let answers = received.matches("HTTP/1.1 200 OK\r\n").count();
        assert_eq!(answers, if keep_alive { 2 } else { 1 }, "{received}");
        assert!(received.ends_with(MAC), "{received}");
        assert!(began.elapsed() >= Duration::from_millis(50) * u32::try_from(answers).unwrap());
    }
}

#[test]
fn a_closed_connection_ends_at_once_and_behind_the_answers_before() {
    let server = Server::striking("'close'", false, ConnectionLimits::default());
    assert_eq!(server.ask(GET), "");
    let server = Server::striking("'close'", true, ConnectionLimits::default());
    let received = server.ask(&[OTHER, OTHER, GET, OTHER].concat());
    assert_eq!((received.matches("HTTP/1.1 ").count(), received.matches(ID).count()), (2, 2), "{received}");
    assert!(received.ends_with(ID), "{received}");
}

#[test]
fn an_instance_that_does_not_run_closes() {
    let server = Server::start("state = 'stopped'", false, ConnectionLimits::default());
    assert_eq!(server.ask(GET), "");
}

#[test]
fn a_cut_body_comes_up_to_the_cut_and_the_connection_closes() {
    for keep_alive in [false, true] {
        for length in [1, 2, 17, 3_000_000] {
            let body: String = (0..length).map(|place| char::from(b'a' + (place % 23) as u8)).collect();
            let server = Server::start(
                &format!("faults = [{{ kind = 'cut' }}]\nextra-entries = {{ 'meta-data/x' = '{body}' }}"),
                keep_alive,
                ConnectionLimits::default(),
            );
            let asked = "GET /latest/meta-data/x HTTP/1.1\r\nHost: x\r\n\r\n";
            let received = server.ask(&asked.repeat(2));
            let (head, received) = received.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
            assert!(head.contains(&format!("\r\nContent-Length: {length}\r\n")), "{head}");
            assert!(received == &body[..length / 2], "{} of {length}", received.len());
        }
    }
}

#[test]
fn nothing_comes_of_what_is_withheld_and_a_client_that_goes_is_noticed() {
    for requests in [GET.to_owned(), [OTHER, GET, OTHER].concat()] {
        let server = Server::striking("'withhold'", true, ConnectionLimits::default().write_time(LONG));
        let mut stream = server.send(&requests);
        if requests != GET {
            let mut received = String::new();
            while !received.ends_with(ID) {
                let mut piece = [0; 1024];
                let count = stream.read(&mut piece).unwrap();
                received.push_str(str::from_utf8(&piece[..count]).unwrap());
            }
        }
        assert!(nothing_comes(&stream));
        // One that closed its side may wait all the same.
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(nothing_comes(&stream));
        let another = server.send(GET);
        assert!(nothing_comes(&another));
        assert!(server.gone.try_recv().is_err());
        reset(another);
        server.gone.recv_timeout(DEADLINE).unwrap();
    }
}

#[test]
fn who_closed_its_side_is_not_waited_for_long() {
    let limits = ConnectionLimits::default().write_time(SHORT);
    let server = Server::striking("'withhold'", false, limits);
    let stream = server.send(GET);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&stream), "");
}

#[test]
fn a_client_that_goes_before_its_delayed_answer_is_noticed() {
    let server = Server::striking("'delay'\ndelay = '60s'", false, ConnectionLimits::default());
    let stream = server.send(GET);
    assert!(nothing_comes(&stream));
    reset(stream);
    server.gone.recv_timeout(DEADLINE).unwrap();
}

#[test]
fn who_waits_for_what_a_fault_holds_back_keeps_nobody_out() {
    for kind in ["'withhold'", "'delay'\ndelay = '60s'"] {
        for closes_its_side in [false, true] {
            let server = Server::striking(kind, true, one_place());
            let waiting = server.send(GET);
            assert!(nothing_comes(&waiting));
            if closes_its_side {
                waiting.shutdown(Shutdown::Write).unwrap();
            }
            let other = server.send(OTHER);
            other.shutdown(Shutdown::Write).unwrap();
            assert!(rest(&other).ends_with(ID), "{kind}");
            assert_eq!(rest(&waiting), "", "{kind}");
        }
    }
}

#[test]
fn stopping_ends_what_a_fault_holds_back() {
    let limits = ConnectionLimits::default().stop_time(LONG);
    for (kind, limits) in [("'withhold'", limits.clone()), ("'delay'\ndelay = '60s'", limits.stop_time(SHORT))] {
        let mut server = Server::striking(kind, true, limits);
        let waiting = server.send(GET);
        assert!(nothing_comes(&waiting));
        drop(server.stop.take());
        assert_eq!(rest(&waiting), "", "{kind}");
    }
    // One that is to come in the time for stopping comes.
    let mut server = Server::striking("'delay'\ndelay = '200ms'", true, ConnectionLimits::default());
    let waiting = server.send(GET);
    assert!(nothing_comes(&waiting));
    drop(server.stop.take());
    assert!(rest(&waiting).ends_with(MAC));
}
