//! Plays the replay log (`docs/core-abi.md`) on the component in wasmtime, as hosts in
//! other languages do, and tells how many requests a second that makes, opening of
//! instances included.
//!
//! ```sh
//! cargo test --workspace --locked --test all -- replay_log   # writes the log
//! cargo bench --bench replay
//! ```

use std::time::Instant;

use imds_host::{Description, Moment, Runtime, Secret, Settings};
use serde_json::Value;

/// One line of the log.
enum Line {
    Open(Description, Settings),
    Ask { head: Vec<u8>, moment: Moment, answer: Vec<u8> },
}

fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/imds-component/replay.jsonl");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("NOT RUN: no log; cargo test --workspace --locked --test all -- replay_log writes it");
        return;
    };
    let lines: Vec<Line> = text.lines().filter_map(line).collect();
    let runtime = Runtime::new().expect("the component loads");
    let (mut best, mut asked) = (f64::INFINITY, 0);
    for _ in 0..5 {
        let started = Instant::now();
        asked = play(&runtime, &lines);
        best = best.min(started.elapsed().as_secs_f64());
    }
    println!("{asked} requests, all answered as in the log, {:.0} a second", f64::from(asked) / best);
}

/// A line as this host takes it; none for the second half of an exchange about a
/// signature, in which it signs by itself and otherwise than the log.
fn line(text: &str) -> Option<Line> {
    let line: Value = serde_json::from_str(text).expect("a line is JSON");
    let bytes = |value: &Value| -> Vec<u8> {
        let text = value.as_str().expect("bytes are a string");
        text.chars().map(|byte| u8::try_from(byte).expect("a character is a byte")).collect()
    };
    if let Some(open) = line.get("open") {
        let json = open["description"].as_str().expect("a description is a string");
        let description = Description::from_json("the log", json).unwrap_or_else(|error| panic!("{error}"));
        let secret: [u8; 32] = bytes(&open["settings"]["token-secret"]).try_into().expect("32 bytes");
        return Some(Line::Open(description, Settings::default().token_secret(Secret::new(secret))));
    }
    if line["answer"]["outcome"] == "signatures-wanted" || !line["signatures"].is_null() {
        return None;
    }
    let number = |name: &str| -> u64 {
        line["moment"][name].as_str().and_then(|number| number.parse().ok()).expect("a number is a string")
    };
    let moment = Moment::at(number("now-ms"), number("entropy"));
    let answer = [bytes(&line["answer"]["head"]), bytes(&line["answer"]["body"])].concat();
    Some(Line::Ask { head: bytes(&line["ask"]), moment, answer })
}

fn play(runtime: &Runtime, lines: &[Line]) -> u32 {
    let mut instance = None;
    let (mut asked, mut out) = (0, Vec::new());
    for line in lines {
        match line {
            Line::Open(description, settings) => {
                instance = Some(runtime.open_with(description, settings).unwrap_or_else(|error| panic!("{error}")));
            }
            Line::Ask { head, moment, answer } => {
                out.clear();
                instance.as_ref().expect("a log begins with an instance").answer_head(head, *moment, &mut out);
                assert!(out == *answer, "{}", head.escape_ascii());
                asked += 1;
            }
        }
    }
    asked
}
