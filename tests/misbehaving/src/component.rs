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

    fn edit(_: String, change: String, _: Option<u64>) -> Result<String, Vec<wit::Problem>> {
        Ok(change)
    }

    fn timeline(_: String, _: u64) -> Result<Vec<wit::Happening>, Vec<wit::Problem>> {
        Ok(Vec::new())
    }

    fn speed_up(scenario: String, _: f64) -> Result<String, Vec<wit::Problem>> {
        Ok(scenario)
    }

    fn warnings(_: String, _: u64, _: Option<String>) -> Result<Vec<wit::Warning>, Vec<wit::Problem>> {
        Ok(Vec::new())
    }
}

impl wit::GuestInstance for Instance {
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

    fn answer(&self, request: wit::Request, moment: wit::Moment) -> wit::Answer {
        let mut answer = answer(&request.target, self.0.len());
        match request.target.as_str() {
            "/trap" => trap(),
            "/loop" => endless_loop(),
            "/grow" => grow(),
            "/deep" => answer.body = vec![deep(1)],
            "/measure" => answer = answer_of(measure().to_string().into_bytes()),
            "/large" => answer = answer_of(vec![b'x'; 8 << 20]),
            "/fields-without-end" => (0..50_000).for_each(|n| add(&mut answer, &format!("X{n}: "))),
            "/status-0" => answer.status = 0,
            "/status-99" => answer.status = 99,
            "/status-100" => answer.status = 100,
            "/status-101" => answer.status = 101,
            "/status-1000" => answer.status = 1000,
            "/another-status" => answer.status = 404,
            "/hop-limit-0" => answer.hop_limit = Some(0),
            "/delay-without-end" => answer.delivery = Some(wit::Delivery::Delayed(u32::MAX)),
            "/hop-limit-255" => answer.hop_limit = Some(255),
            "/shorter" => answer.body.truncate(1),
            "/longer" => answer.body.extend(b"HTTP/1.1 200 OK\r\n\r\n"),
            "/two-lengths" => add(&mut answer, "Content-Length: 1"),
            "/no-number" => answer.head = "HTTP/1.1 200 OK\r\nContent-Length: 1 000\r\n\r\n".to_owned(),
            "/coded" => add(&mut answer, "Transfer-Encoding: chunked"),
            "/no-length" => answer.head = "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
            "/no-end" => answer.head.truncate(answer.head.len() - 2),
            "/two-ends" => add(&mut answer, "\r\nHTTP/1.1 200 OK"),
            "/no-field" => add(&mut answer, "X-Split"),
            "/line-feed" => add(&mut answer, "X-Value: 1\nX-Split: 1"),
            "/no-ascii" => add(&mut answer, "X-Value: \u{0}\u{e4}"),
            "/no-name" => add(&mut answer, "X Split: 1"),
            "/signatures-wanted" => answer.outcome = wit::Outcome::SignaturesWanted,
            "/throttle-state" => answer.throttle_state = moment.throttle_state.wrapping_add(1),
            _ => {}
        }
        answer
    }

    fn identity_document(&self, _: u64) -> wit::IdentityDocument {
        wit::IdentityDocument { text: "no JSON".to_owned(), signing_time_ms: u64::MAX, since_ms: 0 }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.0.contains("closing traps") {
            trap();
        }
    }
}

/// What a plain answer tells.
fn answer(target: &str, description: usize) -> wit::Answer {
    answer_of(format!("{target} of {description}").into_bytes())
}

fn answer_of(body: Vec<u8>) -> wit::Answer {
    wit::Answer {
        status: 200,
        head: format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len()),
        body,
        hop_limit: None,
        delivery: None,
        outcome: wit::Outcome::Found,
        throttle_state: 0,
    }
}

/// One more line in the head.
fn add(answer: &mut wit::Answer, line: &str) {
    answer.head.truncate(answer.head.len() - 2);
    answer.head.push_str(&format!("{line}\r\n\r\n"));
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
