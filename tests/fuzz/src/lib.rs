//! What must hold for any bytes that a client or an operator sends.
//!
//! Each function takes bytes as a fuzzer makes them and panics where the core
//! breaks a promise. `tests/fuzz/run` gives them to a fuzzer; the seeds in
//! `tests/fuzz/seeds`, among them every input that once broke a promise, are
//! replayed by `cargo test`.

mod description;
mod path;
mod request;
mod token;

use imds_core::http::{Field, Request};
use imds_core::{Answer, Instance, Moment, Settings};

pub use description::description;
pub use path::path;
pub use request::request;
pub use token::token;

/// A fuzz target: its name, which is that of its folder of seeds, and what it
/// checks.
pub type Target = (&'static str, fn(&[u8]));

/// All fuzz targets.
///
/// ```
/// for (_name, check) in imds_fuzz::TARGETS {
///     check(b"GET /latest/meta-data/");
/// }
/// ```
pub const TARGETS: [Target; 4] = [("request", request), ("path", path), ("token", token), ("description", description)];

/// A time after every default, in milliseconds.
const NOW_MS: u64 = 1_790_800_000_000;

fn settings() -> Settings {
    Settings { token_secret: vec![7; 32], ..Settings::default() }
}

fn open(description: &str) -> Instance {
    Instance::open(description, settings()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn get(instance: &Instance, target: &str) -> Answer {
    ask(instance, "GET", target, &[])
}

fn ask(instance: &Instance, method: &str, target: &str, fields: &[Field<'_>]) -> Answer {
    let request = Request { method, target, fields, ..Request::default() };
    instance.answer(&request, Moment { now_ms: NOW_MS, entropy: 1, throttle_state: 0, request_number: 0 })
}
