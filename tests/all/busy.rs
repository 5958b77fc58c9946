//! A valid description is served, however large it is and whatever else runs.
//!
//! Deadlines count the time for which a call runs, so that a call that waits for
//! a processor is not stopped; and what a few kilobytes of text can ask for is
//! bounded, so that no call runs for long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use imds_host::{Control, Description, Error, Moment, Request, Runtime, Settings, VirtualClock};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const START_MS: u64 = 1_790_812_800_000;

/// All processors have twice as much to do as they can, as long as `run` takes, or
/// for two minutes.
fn with_all_processors_busy(run: impl FnOnce()) {
    let done = AtomicBool::new(false);
    let end = Instant::now() + Duration::from_secs(120);
    thread::scope(|scope| {
        for _ in 0..2 * thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) && Instant::now() < end {
                    std::hint::spin_loop();
                }
            });
        }
        // They end also where it panics.
        struct Done<'d>(&'d AtomicBool);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _done = Done(&done);
        run();
    });
}

/// A description with so many interfaces, changes and entries; a change is of the
/// kind of its number.
fn described(interfaces: usize, groups: usize, entries: usize, changes: &[u8]) -> Value {
    let list = |number: usize, item: &dyn Fn(usize) -> Value| (0..number).map(item).collect::<Vec<Value>>();
    let entry = |number: usize| (format!("meta-data/rack/{number}"), json!("v"));
    let change = |(number, kind): (usize, &u8)| {
        let mut change = match kind {
            0 => json!({ "tags": { "n": number.to_string() } }),
            1 => json!({ "public-ip-address": format!("203.0.113.{number}") }),
            2 => json!({ "state": if number % 2 == 0 { "stopped" } else { "running" } }),
            3 => json!({ "extra-entries": { "meta-data/rack/n": number.to_string() } }),
            _ => json!({ "metadata-options": { "instance-metadata-tags": "enabled" } }),
        };
        change["at"] = json!(format!("+{}s", number + 1));
        change
    };
    json!({
        "timeline-start": "2026-10-01T00:00:00Z",
        "network-interfaces": list(interfaces, &|_| json!({})),
        "security-groups": list(groups, &|_| json!({})),
        "extra-entries": (0..entries).map(entry).collect::<serde_json::Map<_, _>>(),
        "timeline": changes.iter().enumerate().map(change).collect::<Vec<Value>>(),
    })
}

/// Whether the description is valid. What is valid answers, now and after all of
/// its changes, can be edited, and tells what happens.
fn is_valid_and_served(runtime: &Runtime, description: &Value) -> bool {
    let description = Description::from_json("generated", &description.to_string()).expect("it is JSON");
    let instance = match runtime.open(&description) {
        Ok(instance) => instance,
        Err(Error::Invalid(problems)) => {
            assert!(problems.list.iter().all(|problem| !problem.message.contains("trap")), "{problems}");
            return false;
        }
        Err(error) => panic!("{error:?}"),
    };
    for second in [0, 1, 2, 64, 127, 128, 129] {
        let moment = Moment::at(START_MS + second * 1000, second);
        for path in ["/latest/meta-data/", "/latest/meta-data/network/interfaces/macs/", "/latest/meta-data/rack/7"] {
            instance.try_answer(&Request::get(path), moment).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        }
    }
    let start = std::time::UNIX_EPOCH + Duration::from_millis(START_MS);
    let control = Control::open_with(runtime, &description, &Settings::default(), VirtualClock::paused_at(start))
        .expect("it was valid before");
    control.timeline().expect("what happens can be told");
    runtime.warnings(&description, start).unwrap_or_else(|error| panic!("{error:?}"));
    let edit = Description::from_json("edit", r#"{"tags": {"edited": "yes"}}"#).expect("it is JSON");
    match control.edit(&edit) {
        Ok(_) | Err(Error::Invalid(_)) => true,
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn what_is_valid_is_served_with_all_processors_busy() {
    let runtime = Runtime::new().expect("the component is embedded");
    with_all_processors_busy(|| {
        // What found the rule: 3.5 and 6 KB of text that were called valid and not served.
        assert!(is_valid_and_served(&runtime, &described(30, 1, 0, &[0; 128])));
        assert!(is_valid_and_served(&runtime, &described(128, 1, 0, &[0; 40])));
        assert!(is_valid_and_served(&runtime, &described(128, 1, 0, &[1; 40])));
        // As much as is allowed of each.
        assert!(is_valid_and_served(&runtime, &described(128, 1, 0, &[1; 63])));
        assert!(is_valid_and_served(&runtime, &described(128, 64, 0, &[])));
        assert!(is_valid_and_served(&runtime, &described(1, 1, 1000, &[3; 15])));
        assert!(is_valid_and_served(&runtime, &described(63, 1, 127, &[2; 127])));
        // Blocks that are stated once and shown on every interface, and paths of many names.
        let mut shared = described(128, 1, 0, &[1; 3]);
        let blocks: Vec<Value> = (0..15).map(|n| json!(format!("2001:db8:{n:x}:100::/64"))).collect();
        shared["network-interfaces"][0]["subnet-ipv6-cidr-blocks"] = json!(blocks);
        assert!(is_valid_and_served(&runtime, &shared));
        let mut deep = described(1, 1, 0, &[0; 1]);
        let path = |n: usize| (format!("meta-data/x{n}{}", "/a".repeat(28)), json!("v"));
        deep["extra-entries"] = (0..1000).map(path).collect::<serde_json::Map<_, _>>().into();
        assert!(is_valid_and_served(&runtime, &deep));
        let strategy = (1..=128_usize, 1..=64_usize, 0..=1024_usize, prop::collection::vec(0..5_u8, 0..=128));
        let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
        runner
            .run(&strategy, |(interfaces, groups, entries, changes)| {
                is_valid_and_served(&runtime, &described(interfaces, groups, entries, &changes));
                Ok(())
            })
            .unwrap_or_else(|failed| panic!("{failed}"));
    });
}

#[test]
fn too_much_is_refused_in_a_sentence_with_its_number() {
    let runtime = Runtime::new().expect("the component is embedded");
    for (description, expected) in [
        (
            described(128, 1024, 0, &[]),
            "expected at most 8192 network interfaces, addresses, blocks and security groups in all, found 131072",
        ),
        (
            described(128, 1, 0, &[1; 128]),
            "64 changes describe 8320 network interfaces, addresses, blocks and security groups anew, and 8192 are the \
             most in all",
        ),
        (
            {
                let mut shared = described(128, 1, 0, &[1; 2]);
                let blocks: Vec<Value> = (0..1000).map(|n| json!(format!("2001:db8:{n:x}:100::/64"))).collect();
                shared["network-interfaces"][0]["subnet-ipv6-cidr-blocks"] = json!(blocks);
                shared
            },
            "expected at most 8192 network interfaces, addresses, blocks and security groups in all, found 128128",
        ),
        (
            described(1, 1, 1024, &[0; 40]),
            "16 changes describe 17408 extra entries anew, and 16384 are the most in all",
        ),
    ] {
        let description = Description::from_json("large", &description.to_string()).expect("it is JSON");
        let Err(Error::Invalid(problems)) = runtime.open(&description) else {
            panic!("that was no valid description");
        };
        assert_eq!(problems.list[0].message, expected);
    }
}
