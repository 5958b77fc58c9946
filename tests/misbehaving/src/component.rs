//! What it does, by name.

use std::hint::black_box;

use self::bindings::exports::imds::service::metadata as wit;
use crate::{MODE, modes};

/// What is generated passes pointers over the component's border; all that
/// misbehaves here does so in safe code.
#[allow(missing_docs, unsafe_code)]
mod bindings {
    use super::Component;

    wit_bindgen::generate!({ path: "../../wit", world: "imds" });

    export!(Component);
}

struct Component;

/// An instance that remembers its description.
struct Instance(String);

impl wit::Guest for Component {
    type Instance = Instance;

    fn schema() -> String {
        match mode() {
            modes::SCHEMA_TRAPS => trap(),
            modes::SCHEMA_LOOPS => endless_loop(),
            _ => "{}".to_owned(),
        }
    }

    fn fields_read() -> Vec<String> {
        match mode() {
            modes::FIELDS_READ_TRAPS => trap(),
            modes::FIELDS_READ_LOOPS => endless_loop(),
            modes::FIELDS_READ_GROWS => grow(),
            _ => vec!["host".to_owned()],
        }
    }

    fn explain(_: wit::Outcome) -> wit::Explanation {
        match mode() {
            modes::EXPLAIN_TRAPS => trap(),
            _ => wit::Explanation { reason: String::new(), remedy: String::new() },
        }
    }

    fn refuse_caller(head: Vec<u8>, moment: wit::Moment) -> wit::Answer {
        answer(&head, 0, moment)
    }

    fn edit(_: String, change: String, _: Option<u64>, _: Option<String>) -> Result<String, Vec<wit::Problem>> {
        Ok(change)
    }

    fn status(description: String, now_ms: u64, _: Option<String>) -> Result<wit::InstanceStatus, Vec<wit::Problem>> {
        let word = || "no word of the contract".to_owned();
        Ok(wit::InstanceStatus {
            instance_id: word(),
            state: word(),
            lifecycle: word(),
            metadata_options: wit::MetadataOptions {
                http_endpoint: word(),
                http_protocol_ipv6: word(),
                http_put_response_hop_limit: 0,
                http_tokens: word(),
                instance_metadata_tags: word(),
            },
            identity_document: no_document(),
            happenings: vec![wit::Happening { at_ms: now_ms, what: word() }, wit::Happening { at_ms: 0, what: word() }],
            description,
        })
    }

    fn speed_up(scenario: String, _: f64) -> Result<String, Vec<wit::Problem>> {
        Ok(scenario)
    }

    fn warnings(_: String, _: u64, _: Option<String>) -> Result<Vec<wit::Warning>, Vec<wit::Problem>> {
        Ok(Vec::new())
    }
}

impl wit::GuestInstance for Instance {
    fn item(&self, path: String, _: u64) -> Option<Vec<u8>> {
        Some(path.into_bytes())
    }

    fn open(description: String, _: wit::Settings) -> Result<wit::Instance, Vec<wit::Problem>> {
        let does = |word: &str| description.contains(word);
        match () {
            () if does("open traps") => trap(),
            () if does("open loops") => endless_loop(),
            () if does("open grows") => grow(),
            () if does("open refuses without a word") => Err(Vec::new()),
            () => Ok(wit::Instance::new(Instance(description))),
        }
    }

    fn answer(&self, head: Vec<u8>, moment: wit::Moment, _: Option<wit::Signatures>) -> wit::Answer {
        answer(&head, self.0.len(), moment)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.0.contains("closing traps") {
            trap();
        }
    }
}

/// Does what the target of a request tells; any other gets a plain answer.
fn answer(head: &[u8], description: usize, moment: wit::Moment) -> wit::Answer {
    let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let mut answer = answer_of(target.iter().copied().chain(format!(" of {description}").bytes()).collect());
    match target {
        b"/trap" => trap(),
        b"/loop" => endless_loop(),
        b"/grow" => grow(),
        b"/deep" => answer.body = vec![deep(1)],
        b"/measure" => answer = answer_of(measure().to_string().into_bytes()),
        b"/large" => answer = answer_of(vec![b'x'; 8 << 20]),
        b"/fields-without-end" => (0..50_000).for_each(|n| add(&mut answer, format!("X{n}: ").as_bytes())),
        b"/status-0" => answer.status = 0,
        b"/status-99" => answer.status = 99,
        b"/status-100" => answer.status = 100,
        b"/status-101" => answer.status = 101,
        b"/status-1000" => answer.status = 1000,
        b"/another-status" => answer.status = 404,
        b"/hop-limit-0" => answer.hop_limit = Some(0),
        b"/delay-without-end" => answer.delivery = Some(wit::Delivery::Delayed(u32::MAX)),
        b"/hop-limit-255" => answer.hop_limit = Some(255),
        b"/shorter" => answer.body.truncate(1),
        b"/longer" => answer.body.extend(b"HTTP/1.1 200 OK\r\n\r\n"),
        b"/two-lengths" => add(&mut answer, b"Content-Length: 1"),
        b"/no-number" => answer.head = b"HTTP/1.1 200 OK\r\nContent-Length: 1 000\r\n\r\n".to_vec(),
        b"/coded" => add(&mut answer, b"Transfer-Encoding: chunked"),
        b"/no-length" => answer.head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        b"/no-head" => answer.head.clear(),
        b"/no-head-but-a-body" => answer = wit::Answer { head: Vec::new(), body: answer.head, ..answer },
        b"/no-end" => answer.head.truncate(answer.head.len() - 2),
        b"/two-ends" => add(&mut answer, b"\r\nHTTP/1.1 200 OK"),
        b"/no-field" => add(&mut answer, b"X-Split"),
        b"/line-feed" => add(&mut answer, b"X-Value: 1\nX-Split: 1"),
        b"/no-ascii" => add(&mut answer, "X-Value: \u{0}\u{e4}".as_bytes()),
        b"/no-utf-8" => add(&mut answer, b"X-Value: \xff\xfe"),
        b"/no-name" => add(&mut answer, b"X Split: 1"),
        b"/signatures-wanted" => answer.outcome = wit::Outcome::SignaturesWanted,
        b"/signatures-always-wanted" => answer.to_sign = Some(no_document()),
        b"/throttle-state" => answer.throttle_state = moment.throttle_state.wrapping_add(1),
        b"/kept" => answer.keep_alive = true,
        b"/cut-and-kept" => (answer.delivery, answer.keep_alive) = (Some(wit::Delivery::Cut), true),
        b"/body-without-end" => answer.request_body = wit::RequestBody::Length(u64::MAX),
        b"/body-in-chunks" => answer.request_body = wit::RequestBody::Chunked,
        b"/body-unknown-and-kept" => {
            (answer.request_body, answer.keep_alive) = (wit::RequestBody::Unknown, true);
        }
        _ => {}
    }
    answer
}

fn answer_of(body: Vec<u8>) -> wit::Answer {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    wit::Answer {
        status: 200,
        head: head.into_bytes(),
        body,
        session_version: None,
        hop_limit: None,
        delivery: None,
        outcome: wit::Outcome::Found,
        request_body: wit::RequestBody::None,
        keep_alive: false,
        throttle_state: 0,
        to_sign: None,
    }
}

/// One more line in the head.
fn add(answer: &mut wit::Answer, line: &[u8]) {
    answer.head.truncate(answer.head.len() - 2);
    answer.head.extend([line, b"\r\n\r\n"].concat());
}

fn no_document() -> wit::IdentityDocument {
    wit::IdentityDocument { text: "no JSON".to_owned(), signing_time_ms: u64::MAX }
}

fn mode() -> &'static [u8; 24] {
    // Not known before the component runs.
    black_box(MODE)
}

fn trap() -> ! {
    panic!("as told")
}

fn endless_loop() -> ! {
    loop {
        black_box(());
    }
}

fn grow() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(vec![1_u8; 1 << 20]);
        black_box(&kept);
    }
}

/// All bytes that can be had, in pieces.
fn measure() -> usize {
    let mut kept: Vec<Vec<u8>> = Vec::with_capacity(1 << 16);
    loop {
        let mut piece = Vec::new();
        if kept.len() == kept.capacity() || piece.try_reserve_exact(1 << 16).is_err() {
            return kept.len() << 16;
        }
        kept.push(piece);
    }
}

fn deep(depth: u8) -> u8 {
    // No loop can be made of a function that is not known before.
    let deeper: fn(u8) -> u8 = black_box(deep);
    deeper(depth.wrapping_add(1)).wrapping_add(1)
}
