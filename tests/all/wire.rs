//! What clients do on a socket beside asking as usual, byte for byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, UNIX_EPOCH};

use imds_host::{Answered, ConnectionLimits, Outcome, Service};
use tokio::net::TcpListener;

use crate::ways::{TOKIO, open_in_component, read_toml};

/// A server of one instance, at 2026-10-01T00:00:00Z.
pub struct Server {
    pub address: SocketAddr,
    told: Receiver<(u16, Outcome, String)>,
}

impl Server {
    pub fn start(keep_alive: bool) -> Self {
        Self::of("", keep_alive)
    }

    fn of(description: &str, keep_alive: bool) -> Self {
        Self::within(ConnectionLimits::default(), description, keep_alive)
    }

    pub fn within(limits: ConnectionLimits, description: &str, keep_alive: bool) -> Self {
        let (tell, told) = mpsc::channel();
        let observer = move |answered: &Answered<'_>| {
            let _ = tell.send((answered.status, answered.outcome, format!("{answered:?}")));
        };
        let service = Service::new(open_in_component(&read_toml(description)))
            .clock(|| UNIX_EPOCH + Duration::from_secs(1_790_812_800))
            .keep_alive(keep_alive)
            .observer(observer);
        let listener = TOKIO.block_on(TcpListener::bind("127.0.0.1:0")).expect("a loopback port is free");
        let address = listener.local_addr().expect("a listener has an address");
        // Ends with the test process.
        TOKIO.spawn(imds_host::Server::new(service).limits(limits).serve(listener, std::future::pending()));
        Self { address, told }
    }

    /// A connection on which nothing was said yet.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server accepts");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
        stream
    }

    /// All that comes until the server closes. Our side stays open.
    pub fn ask(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).expect("the server reads");
        rest(&mut stream)
    }
}

/// All that comes until the server closes.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut received = String::new();
    stream.read_to_string(&mut received).expect("the server answers and closes");
    received
}

/// The head of `head-of-400-is-like-that-of-401.http`.
pub fn refusal(status: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: 0\r\nDate: Thu, 01 Oct 2026 00:00:00 GMT\r\nServer: EC2ws\r\n\
         Connection: close\r\nContent-Type: text/plain\r\n\r\n"
    )
}

#[test]
fn heads_that_cannot_be_read_get_the_head_of_400() {
    let server = Server::start(false);
    for head in [
        &b"GET /hunter2 b HTTP/1.1\r\nHost: localhost"[..],
        b"GET /\x01 HTTP/1.1\r\nHost: localhost",
        b"GET /\x7f HTTP/1.1\r\nHost: localhost",
        b"GET /\xff HTTP/1.1\r\nHost: localhost",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: \x01",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: 1\r\n 2",
        b"GET / HTTP/1.1\r\nContent-Length: many",
        b"GET / HTTP/1.1\r\nContent-Length: 18446744073709551616",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip",
        b"GET /",
        b"PRI * HTTP/2.0\r\n\r\nSM",
    ] {
        let shown = head.escape_ascii();
        assert_eq!(server.ask([head, b"\r\n\r\n"].concat()), refusal("400 Bad Request"), "{shown}");
        let (status, outcome, told) = server.told.recv().expect("the observer is told");
        assert_eq!((status, outcome), (400, Outcome::HeadUnreadable), "{shown}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    assert!(server.told.try_recv().is_err(), "once each");
}

/// Some clients are told to ask for `<role>` and do.
#[test]
fn angle_brackets_and_grave_accents_are_part_of_a_path() {
    let server = Server::of("extra-entries = { 'meta-data/<x>`y`' = 'found' }", false);
    for (target, status) in [("<x>`y`", "200 OK"), ("iam/security-credentials/<role>", "404 Not Found")] {
        let received = server.ask(format!("GET /latest/meta-data/{target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(received.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{received}");
    }
}

/// Nobody knows that of it.
#[test]
fn a_stopped_instance_is_silent_to_what_cannot_be_read_too() {
    let server = Server::of("state = 'stopped'", true);
    for head in ["GET / HTTP/1.1\r\nHost: localhost", "GET /a b HTTP/1.1", "no head"] {
        assert_eq!(server.ask(format!("{head}\r\n\r\n")), "", "{head}");
    }
}

#[test]
fn heads_above_the_limits_get_the_same_head_with_431() {
    let server = Server::start(false);
    for head in [
        format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(16 << 10)),
        format!("GET / HTTP/1.1\r\n{}\r\n", "A: 1\r\n".repeat(65)),
    ] {
        assert_eq!(server.ask(head), refusal("431 Request Header Fields Too Large"));
        let (status, outcome, _) = server.told.recv().expect("the observer is told");
        assert_eq!((status, outcome), (431, Outcome::HeadTooLarge));
    }
}

#[test]
fn a_head_that_cannot_be_read_ends_a_kept_connection_after_its_answers() {
    let server = Server::start(true);
    let received = server.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /a b HTTP/1.1\r\n\r\n");
    let (first, last) = received.split_at(received.find("HTTP/1.1 400").expect("both are answered"));
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n") && first.ends_with("\nlatest"), "{received}");
    assert_eq!(last, refusal("400 Bad Request"));
}

#[test]
fn a_client_of_http_1_0_is_answered_in_1_1_and_told_that_the_connection_ends() {
    let get = |fields: &str| format!("GET /latest/meta-data/instance-type HTTP/1.0\r\nHost: localhost\r\n{fields}\r\n");
    let usual = Server::start(false).ask(get("").replace("1.0", "1.1"));
    assert!(usual.starts_with("HTTP/1.1 200 OK\r\n") && usual.contains("\r\nConnection: close\r\n"), "{usual}");
    for fields in ["", "Connection: keep-alive\r\n"] {
        assert_eq!(Server::start(false).ask(get(fields)), usual);
    }

    let server = Server::start(true);
    let closed = server.ask(get("").repeat(2));
    assert!(closed.starts_with("HTTP/1.1 200 OK\r\n"), "{closed}");
    assert_eq!((closed.matches("HTTP/1.").count(), closed.matches("\r\nConnection: close\r\n").count()), (1, 1));

    let kept = server.ask(get("Connection: Keep-Alive\r\n") + &get(""));
    let (first, second) = kept.split_at(kept.rfind("HTTP/1.1 200 OK\r\n").expect("there is an answer"));
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n") && first.contains("\r\nConnection: keep-alive\r\n"), "{kept}");
    assert!(second.contains("\r\nConnection: close\r\n"), "{kept}");
}

#[test]
fn a_second_request_on_a_connection_that_closes_is_not_answered() {
    let received = Server::start(false).ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2));
    assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{received}");
    assert_eq!(received.matches("HTTP/1.1").count(), 1, "{received}");
}

#[test]
fn answers_far_larger_than_a_head_arrive_whole() {
    let large = "x".repeat(1 << 18);
    let server = Server::of(&format!("[extra-entries]\n\"meta-data/x\" = \"{large}\"\n"), true);
    let get = "GET /latest/meta-data/x HTTP/1.1\r\nHost: localhost\r\n";
    let received = server.ask(format!("{get}\r\n{get}Connection: close\r\n\r\n"));
    assert_eq!(received.matches("HTTP/1.1 200 OK\r\n").count(), 2);
    assert_eq!(received.matches(&large).count(), 2);
}

#[test]
fn a_token_is_issued_whatever_body_comes_or_does_not() {
    let server = Server::start(false);
    for (field, body) in [
        ("Content-Length: 0", ""),
        ("Content-Length: 2", "{}"),
        ("Transfer-Encoding: chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "no chunk"),
    ] {
        let received = server.ask(format!(
            "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\n\
             X-aws-ec2-metadata-token-ttl-seconds: 60\r\n{field}\r\n\r\n{body}"
        ));
        assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{field}, {body}: {received}");
    }
}

/// A client that waits to be asked for its body need not send it, and one that
/// announces more than there can be sends less.
#[test]
fn an_answer_does_not_wait_for_a_body_without_end() {
    let server = Server::start(true);
    let put = "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n";
    for fields in ["Content-Length: 18446744073709551615", "Content-Length: 2\r\nExpect: 100-continue"] {
        let received = server.ask(format!("{put}{fields}\r\n\r\n"));
        assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{fields}: {received}");
        assert!(received.contains("\r\nConnection: close\r\n") && !received.contains(" 100 "), "{fields}: {received}");
    }
}

#[test]
fn methods_with_a_body_are_refused_elsewhere() {
    let server = Server::start(false);
    for method in ["POST", "PUT"] {
        let received = server
            .ask(format!("{method} /latest/meta-data/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=b"));
        assert_eq!(received, refusal("403 Forbidden"), "{method}");
    }
}

#[test]
fn a_kept_connection_ends_after_a_body_that_is_not_read_to_its_end() {
    let server = Server::start(true);
    let body = "x".repeat(100 << 10);
    for version in ["1.1", "1.0"] {
        let received = server.ask(format!(
            "POST / HTTP/{version}\r\nHost: localhost\r\nConnection: keep-alive\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert!(received.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{received}");
        assert!(received.contains("\r\nConnection: close\r\n") && !received.contains("keep-alive"), "{received}");
    }
}
