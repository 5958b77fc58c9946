//! Clients that mean harm or are broken: each gets the answer that stands here,
//! and nobody else notices.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use imds_host::ConnectionLimits;

use crate::wire::{Server, refusal, rest};

const GET: &str = "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\n\r\n";
/// Its own answer is told from that of [`GET`].
const LAST: &str = "GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const ID: &str = "i-0123456789abcdef0";

/// No test comes near it where all is well.
const LONG: Duration = Duration::from_secs(3600);

/// Sends a byte of `bytes` every few milliseconds until something comes, which
/// is returned, or the connection ends.
fn dribble(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(5))).expect("a time-out can be set");
    let mut first = [0; 1];
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            return String::new();
        }
        match stream.read(&mut first) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) | Ok(0) => return String::new(),
            Ok(_) => {
                stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
                return char::from(first[0]).to_string() + &rest(stream);
            }
        }
    }
    panic!("all {} bytes were taken", bytes.len())
}

#[test]
fn a_head_that_dribbles_gets_no_answer() {
    let limits = ConnectionLimits::default().head_time(Duration::from_millis(100));
    for keep_alive in [false, true] {
        let server = Server::within(limits.clone(), "", keep_alive);
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{}", "A: b\r\n".repeat(60));
        assert_eq!(dribble(&mut server.connect(), head.as_bytes()), "");
        assert!(server.ask(LAST).starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn a_body_that_dribbles_costs_its_connection_and_not_the_answer() {
    let limits = ConnectionLimits::default().body_time(Duration::from_millis(100));
    let server = Server::within(limits, "", true);
    let mut stream = server.connect();
    stream.write_all(GET.replace("\r\n\r\n", "\r\nContent-Length: 4000\r\n\r\n").as_bytes()).expect("the server reads");
    let received = dribble(&mut stream, &[b'x'; 4000]);
    assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{received}");
    assert!(received.contains("\r\nConnection: close\r\n") && received.ends_with(ID), "{received}");
}

/// It gets the answer before its body is read, and goes on sending for a while.
#[test]
fn who_still_sends_a_body_when_the_answer_comes_gets_it_whole() {
    let limits = ConnectionLimits::default().body_time(Duration::from_millis(500));
    for keep_alive in [false, true] {
        for expects in ["", "Expect: 100-continue\r\n"] {
            let server = Server::within(limits.clone(), "", keep_alive);
            let mut stream = server.connect();
            let head = GET.replace("\r\n\r\n", &format!("\r\n{expects}Content-Length: 60\r\n\r\n"));
            stream.write_all(head.as_bytes()).expect("the server reads");
            assert!(rest(&mut stream).ends_with(ID), "{keep_alive} {expects}");
            // A socket that was closed would have reset the connection by the second one.
            for _ in 0..2 {
                stream.write_all(&[b'x'; 10]).expect("the server still reads");
            }
        }
    }
}

/// The answer is asked for once more, to say that the connection ends.
#[test]
fn a_request_whose_body_does_not_end_counts_once() {
    let limits = ConnectionLimits::default().body_time(Duration::from_millis(50));
    let server = Server::within(limits, "request-throttle = { burst = 2, per-second = 1 }", true);
    let put = "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n";
    let received = server.ask(format!("{put}Content-Length: 60\r\n\r\nabc"));
    assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{received}");
    assert!(received.contains("\r\nConnection: close\r\n"), "{received}");
    // The token is good, and of the two requests that the clock allows one is left.
    let token = received.split("\r\n\r\n").nth(1).expect("there is a body");
    let last = LAST.replace("\r\n\r\n", &format!("\r\nX-aws-ec2-metadata-token: {token}\r\n\r\n"));
    assert!(server.ask(&last).ends_with("t3.micro"));
    assert!(server.ask(&last).starts_with("HTTP/1.1 503 "));
}

#[test]
fn a_kept_connection_without_requests_ends() {
    let limits = ConnectionLimits::default().head_time(Duration::from_millis(50));
    let server = Server::within(limits, "", true);
    let received = server.ask(GET);
    assert!(received.starts_with("HTTP/1.1 200 OK\r\n") && received.ends_with(ID), "{received}");
}

/// The one place is that of a client which does not take what it asked for. It
/// loses it long before it may take no longer.
#[test]
fn who_does_not_read_keeps_nobody_out() {
    let large = format!("[extra-entries]\n\"meta-data/x\" = \"{}\"\n", "x".repeat(1 << 18));
    let limits = ConnectionLimits::default().connections(1).head_time(LONG).write_time(LONG);
    let server = Server::within(limits, &large, true);
    let mut stalled = server.connect();
    // More than the buffers between the two hold.
    let asked = "GET /latest/meta-data/x HTTP/1.1\r\nHost: x\r\n\r\n".repeat(128);
    stalled.write_all(asked.as_bytes()).expect("the server reads");
    let received = server.ask(LAST);
    assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{received}");
    let mut left = Vec::new();
    // Reset or closed.
    let _ = stalled.read_to_end(&mut left);
    assert!(left.len() < 128 << 18, "it got all");
}

/// Linux has the whole of 127.0.0.0/8 as its own.
#[cfg(target_os = "linux")]
mod flood;

#[test]
fn who_closes_its_side_gets_what_it_asked_for_whole() {
    let asked = |bytes: &str, keep_alive| {
        let mut stream =
            Server::within(ConnectionLimits::default().head_time(LONG).body_time(LONG), "", keep_alive).connect();
        stream.write_all(bytes.as_bytes()).expect("the server reads");
        stream.shutdown(Shutdown::Write).expect("a side can be closed");
        rest(&mut stream)
    };
    let announced = GET.replace("\r\n\r\n", "\r\nContent-Length: 9\r\n\r\nabc");
    for keep_alive in [false, true] {
        for nothing in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n"] {
            assert_eq!(asked(nothing, keep_alive), "", "{nothing:?}");
        }
        for whole in [GET, &announced] {
            let received = asked(whole, keep_alive);
            assert!(received.starts_with("HTTP/1.1 200 OK\r\n") && received.ends_with(ID), "{received}");
        }
    }
    let received = asked(&GET.repeat(3), true);
    assert_eq!(received.matches(ID).count(), 3, "{received}");
}

/// In the order of the requests, of which each has its own answer.
#[test]
fn pipelined_requests_are_answered_in_order_and_after_close_none() {
    let items = ["instance-id", "instance-type", "ami-id", "nothing", "mac"];
    let asked: String = items.map(|item| GET.replace("instance-id", item)).concat();
    let alone = items.map(|item| Server::start(true).ask(LAST.replace("instance-type", item)));
    let kept = Server::start(true).ask(asked.clone() + LAST);
    let mut left = kept.as_str();
    for answer in &alone {
        // Alone its connection closes.
        let expected = answer.replace("Connection: close\r\n", "");
        left = left.strip_prefix(&expected).unwrap_or_else(|| panic!("{expected}\nat\n{left}"));
    }
    assert!(left.starts_with("HTTP/1.1 200 OK\r\n") && left.ends_with("t3.micro"), "{left}");
    let closed = Server::start(false).ask(asked + LAST);
    assert_eq!((closed.matches("HTTP/1.1 ").count(), closed.ends_with(ID)), (1, true), "{closed}");
    let in_the_midst = Server::start(true).ask(GET.to_owned() + LAST + GET);
    assert_eq!(in_the_midst.matches("HTTP/1.1 200 OK").count(), 2, "{in_the_midst}");
}

#[test]
fn what_is_no_head_gets_400() {
    let server = Server::start(true);
    for head in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b" GET / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\n\r\n",
        b"G\xc3\xa9T / HTTP/1.1\r\n\r\n",
        b"/ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"GET / HTTP/1.2\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / http/1.1\r\n\r\n",
        b"GET / HTTP/1.1 x\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\r\n\r\n",
        b"GET / HTTP/1.1\r\nA b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \x7f\r\n\r\n",
    ] {
        assert_eq!(server.ask(head), refusal("400 Bad Request"), "{}", head.escape_ascii());
    }
}

/// Robustness of RFC 9112, section 2.2.
#[test]
fn empty_lines_before_a_head_and_lone_line_feeds_in_it_are_taken() {
    for head in [format!("\r\n\r\n{LAST}"), LAST.replace("\r\n", "\n")] {
        assert!(Server::start(true).ask(head).ends_with("t3.micro"));
    }
}

/// The answer is that of the request without it, and the next request begins
/// behind it: also where it looks like one itself.
#[test]
fn a_body_on_any_method_changes_nothing() {
    let server = Server::start(true);
    let chunked = format!("{:x}\r\n{GET}\r\n0\r\n\r\n", GET.len());
    let folded = format!("3;a=b\r\nabc\r\n{:X}\r\n{GET}\r\n00\r\nTrailer: x\r\n\r\n", GET.len());
    let length = format!("Content-Length: {}", GET.len());
    let twice = format!("{length}\r\n{length}");
    for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "LIST"] {
        let target = if method == "CONNECT" { "x:80" } else { "/latest/meta-data/instance-id" };
        let ask = |fields: &str, body: &str| {
            server.ask(format!("{method} {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n{body}{LAST}"))
        };
        let without = ask("", "");
        assert!(without.ends_with("t3.micro"), "{without}");
        assert_eq!(without.matches("HTTP/1.1 ").count(), 2, "{without}");
        for (field, body) in [
            ("Content-Length: 0", ""),
            (&length, GET),
            (&twice, GET),
            ("Transfer-Encoding: chunked", &chunked),
            ("Transfer-Encoding: Chunked", &folded),
            ("Transfer-Encoding: gzip, chunked", &chunked),
        ] {
            assert_eq!(ask(&format!("{field}\r\n"), body), without, "{method}, {field}");
        }
    }
}

/// Where two readers could disagree about the end of a request, nothing behind
/// it is taken for another one (RFC 9112, sections 6.1 to 6.3 and 11.2).
#[test]
fn what_leaves_the_end_of_a_request_in_doubt_ends_the_connection() {
    // What does not come is not waited for.
    let server = Server::within(ConnectionLimits::default().body_time(Duration::from_millis(50)), "", true);
    let chunked = "3\r\nabc\r\n0\r\n\r\n";
    let refused = refusal("400 Bad Request");
    for (fields, body, answered) in [
        ("Content-Length: 3\r\nContent-Length: 4", "abcd", false),
        ("Content-Length: 3, 3", "abc", false),
        ("Content-Length: 3, 4", "abcd", false),
        ("Content-Length: +3", "abc", false),
        ("Content-Length: -3", "abc", false),
        ("Content-Length: 3.0", "abc", false),
        ("Content-Length: 0x3", "abc", false),
        ("Content-Length: 3 3", "abc", false),
        ("Content-Length:", "", false),
        ("Content-Length: 18446744073709551616", "abc", false),
        ("Transfer-Encoding: gzip", "abc", false),
        ("Transfer-Encoding: identity", "abc", false),
        ("Transfer-Encoding: xchunked", chunked, false),
        ("Transfer-Encoding: chunked, gzip", chunked, false),
        ("Transfer-Encoding: identity\r\nContent-Length: 3", "abc", false),
        ("Transfer-Encoding : chunked", chunked, false),
        ("Transfer-Encoding:\r\n chunked", chunked, false),
        // The coding counts, and the connection ends.
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", chunked, true),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3", chunked, true),
        // Bodies that are wrong in themselves.
        ("Transfer-Encoding: chunked", "x\r\nabc\r\n0\r\n\r\n", true),
        ("Transfer-Encoding: chunked", "-3\r\nabc\r\n0\r\n\r\n", true),
        ("Transfer-Encoding: chunked", "3\r\nabcd\r\n0\r\n\r\n", true),
        ("Transfer-Encoding: chunked", "3\nabc\n0\n\n", true),
        ("Transfer-Encoding: chunked", "ffffffffffffffffff\r\nabc\r\n0\r\n\r\n", true),
        ("Content-Length: 400", "abc", true),
        ("Content-Length: 18446744073709551615", "abc", true),
    ] {
        let received = server.ask(format!(
            "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n{fields}\r\n\r\n{body}{LAST}"
        ));
        assert!(!received.contains("t3.micro"), "{fields}: {received}");
        if answered {
            assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{fields}: {received}");
            assert!(received.contains("\r\nConnection: close\r\n"), "{fields}: {received}");
        } else {
            assert_eq!(received, refused, "{fields}");
        }
    }
    // A body longer than told is the head of the next request, and that is none.
    let received = server.ask(GET.replace("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\na\x01bc\r\n\r\n"));
    assert!(received.contains(ID) && received.ends_with(&refused), "{received}");
}

#[test]
fn what_never_ends_gets_431() {
    let server = Server::within(ConnectionLimits::default().head_time(LONG), "", true);
    let began = Instant::now();
    for endless in ["x", "GET /", "GET / HTTP/1.1\r\nA: ", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let piece = if endless.ends_with("\r\n") { "A: b\r\n" } else { "aaaaaaaa" };
        let received = server.ask(endless.to_owned() + &piece.repeat(4096));
        assert_eq!(received, refusal("431 Request Header Fields Too Large"), "{endless:?}");
    }
    assert!(began.elapsed() < LONG / 60);
}
