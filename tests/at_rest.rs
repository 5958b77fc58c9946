//! What an instance takes while nobody asks for it. A process of its own, so
//! that nothing else counts.

use std::fs;
use std::io::{self, Write};

use imds_host::{CallerKey, Fleet, Runtime};

/// Enough that what the process takes besides is nothing among them.
const NUMBER: usize = 20_000;

/// Of each, description and all: what stands beside the description is its key, what
/// the allocator adds, and a place in a table of which up to half is free.
const BYTES_MAX: usize = 600;

#[test]
fn one_of_thousands_takes_little_more_than_its_description_at_rest() {
    let user_data = "x".repeat(400);
    let runtime = Runtime::new().unwrap();
    let fleet = Fleet::new(&runtime, CallerKey::own(|_, _| None)).unwrap();
    let insert = |number: usize| {
        let text = format!(r#"{{"instance-id": "i-{number:017x}", "user-data": "{user_data}"}}"#);
        fleet.insert_json(&number.to_string(), "test", &text).unwrap();
    };
    // After the first, the process has what it needs to open others.
    insert(0);
    let Some(before) = resident_bytes() else {
        // Not by a macro: of tests that pass, what macros print is not shown.
        let line = b"SKIPPED: this system does not tell the memory of a process in /proc/self/status\n";
        io::stderr().write_all(line).unwrap();
        return;
    };
    (1..=NUMBER).for_each(insert);
    let bytes = (resident_bytes().unwrap() - before) / NUMBER;
    // Less than its description would be a wrong measurement.
    assert!((400..BYTES_MAX).contains(&bytes), "{bytes} bytes each");
}

/// The memory of this process; none where the system does not tell it this way.
fn resident_bytes() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}
