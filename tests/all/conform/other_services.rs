//! Services that are none, or that fail: the suite comes to an end, claims nothing for
//! them, and tells nothing that is secret.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use imds_host::conform::{Outcome, Suite};
use imds_host::probe::{Client, Endpoint};

use super::{client, start};

/// A service that treats each connection so, and is told how many came before.
fn serve(answer: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let endpoint = format!("http://{}", listener.local_addr().expect("it has an address"));
    let (answer, number) = (std::sync::Arc::new(answer), AtomicUsize::new(0));
    // It stays until the tests end.
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let (answer, number) = (answer.clone(), number.fetch_add(1, Ordering::Relaxed));
            thread::spawn(move || {
                let _ = client.set_read_timeout(Some(Duration::from_millis(500)));
                let _ = client.read(&mut [0; 4096]);
                answer(number, &mut client);
            });
        }
    });
    endpoint
}

fn impatient(endpoint: &str) -> Client {
    Client::new(Endpoint::parse(endpoint).expect("a URL")).timeout(Duration::from_millis(150))
}

fn suite() -> Suite {
    // Nothing of theirs moves with time.
    Suite::new().hostile().wait_by(|_| ())
}

#[test]
fn what_never_answers_in_http_is_no_service() {
    let began = Instant::now();
    for (name, endpoint) in [
        ("closes", serve(|_, _| ())),
        ("is silent", serve(|_, _| thread::sleep(Duration::from_secs(2)))),
        ("speaks something else", serve(|_, client| drop(client.write_all(b"SSH-2.0-x\r\n")))),
        ("has an endless head", serve(|_, client| while client.write_all(&[b'x'; 4096]).is_ok() {})),
        (
            "has an endless body",
            serve(|_, client| {
                let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while client.write_all(&[b'x'; 4096]).is_ok() {}
            }),
        ),
        (
            "has a body that is cut off",
            serve(|_, client| drop(client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))),
        ),
    ] {
        assert!(suite().run(&impatient(&endpoint)).is_err(), "a service that {name}");
    }
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn what_answers_and_is_no_metadata_service_is_told() {
    const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>";
    const MOVED: &str = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    for (answer, what) in [
        (PAGE, "GET /latest/meta-data/instance-id gets 200 OK with the content type text/html"),
        (MOVED, "GET /latest/meta-data/instance-id gets 302 Found with no content type"),
        (BUSY, "GET /latest/meta-data/instance-id gets 503 Busy with no content type"),
    ] {
        let endpoint = serve(move |_, client| drop(client.write_all(answer.as_bytes())));
        let report = suite().run(&client(&endpoint)).unwrap_or_else(|none| panic!("{answer}: {none}"));
        assert_eq!(report.no_service(), Some(what));
        assert!(report.judged().is_empty());
        assert!(report.requests_sent() < 50, "{answer}: {} requests", report.requests_sent());
    }
}

#[test]
fn items_that_no_listing_names_are_asked_for() {
    let imds = start("");
    let unlisted = super::Flaw::Http(
        |_| (),
        |asked, answered| {
            if asked.is("GET", "/latest/") || asked.is("GET", "/latest/meta-data/") {
                answered.refuse(404, "Not Found");
            }
        },
    );
    let flawed = super::Flawed::start(unlisted, &imds);
    let names = ["format-of-ami-ids", "format-of-the-instance-type", "format-of-the-place", "format-of-macs"];
    let suite = Suite::new().only(&names).expect("they are checks");
    let report = suite.run(&flawed.client()).unwrap_or_else(|none| panic!("{none}"));
    assert!(report.judged().iter().all(|judged| *judged.outcome() == Outcome::Held), "{:?}", report.judged());
}

#[test]
fn a_service_that_stops_answering_is_not_asked_on_and_on() {
    let page = |number: usize, client: &mut TcpStream| {
        if number < 5 {
            let _ = client.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        }
    };
    let client = client(&serve(page));
    let report = suite().run(&client).unwrap_or_else(|none| panic!("{none}"));
    let gone = Outcome::Unanswered("not asked: the endpoint has stopped answering".to_owned());
    let unasked = report.judged().iter().filter(|judged| *judged.outcome() == gone).count();
    assert!(unasked > 50, "{unasked}");
    assert!(client.requests_sent() < 40, "{}", client.requests_sent());
}

#[test]
fn a_run_keeps_within_its_bounds() {
    let imds = start("");
    let client = client(&imds.endpoint());
    let report = suite().bounds(20, Duration::from_secs(60)).run(&client).unwrap_or_else(|none| panic!("{none}"));
    assert_eq!(client.requests_sent(), 20);
    let unanswered = |judged: &&imds_host::conform::Judged| matches!(judged.outcome(), Outcome::Unanswered(_));
    assert!(report.judged().iter().filter(unanswered).count() > 50);
    let none = suite().bounds(1000, Duration::ZERO).run(&client).unwrap_or_else(|none| panic!("{none}"));
    assert!(none.judged().iter().all(|judged| unanswered(&judged)));
}

/// The same in every place where an answer has room.
#[test]
fn nothing_of_a_token_and_nothing_that_looks_like_a_key_is_told() {
    const SECRET: &str = "wJalrXUtnFEMI0K7MDENG0bPxRfiCYEXAMPLEKEY";
    let endpoint = serve(|_, client| {
        let body = format!("{{ \"SecretAccessKey\" : \"{SECRET}\" }}");
        let head = ["Server", "Content-Type", "Date", "Last-Modified", "Allow", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"];
        let head: String = head.iter().map(|name| format!("{name}: {SECRET}\r\n")).collect();
        let length = body.len();
        let _ = write!(client, "HTTP/1.1 200 {SECRET}\r\n{SECRET}: x\r\n{head}Content-Length: {length}\r\n\r\n{body}");
    });
    let report = suite().run(&client(&endpoint)).unwrap_or_else(|none| panic!("{none}"));
    let document = serde_json::to_string(&report.document()).expect("it has a form in JSON");
    assert!(document.contains("\"broken\""));
    for part in [SECRET, &SECRET[..20], &SECRET[20..]] {
        assert!(!document.contains(part), "{part} of {document}");
        assert!(!format!("{report:?}").contains(part), "{part}");
    }
    // Tokens that are good are told by their length.
    let imds = start("metadata-options.http-tokens = 'required'");
    let teapot = super::Flaw::Http(
        |_| (),
        |asked, answered| {
            if !asked.is_put() {
                answered.set_status(418, "No");
            }
        },
    );
    let flawed = super::Flawed::start(teapot, &imds);
    // What cannot be read has no token, and needs a connection.
    let suite = Suite::new().wait_by(|_| ());
    let report = suite.run(&flawed.client()).unwrap_or_else(|none| panic!("{none}"));
    let document = serde_json::to_string(&report.document()).expect("it has a form in JSON");
    assert!(!document.contains("AQAEAA") && document.contains("X-aws-ec2-metadata-token: <"), "{document}");
}
