//! What must hold for any bytes that a client or an operator sends.
//!
//! Each function takes bytes as a fuzzer makes them and panics where the core
//! breaks a promise. `tests/fuzz/run` gives them to a fuzzer; the seeds in
//! `tests/fuzz/seeds`, among them every input that once broke a promise, are
//! replayed by `cargo test`.

mod description;
mod head;
mod path;
mod request;
mod token;

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
///     check(b"GET /latest/meta-data/ HTTP/1.1");
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

/// A header field: its name and its value.
type Field<'f> = (&'f str, &'f [u8]);

fn get<'i>(instance: &'i Instance, target: &[u8]) -> Answer<'i> {
    ask(instance, "GET", target, &[])
}

fn ask<'i>(instance: &'i Instance, method: &str, target: &[u8], fields: &[Field<'_>]) -> Answer<'i> {
    let moment = Moment { now_ms: NOW_MS, entropy: 1, ..Moment::default() };
    instance.answer(&head(method, target, fields), moment, None)
}

/// A head of its parts, as a shell writes it: what would begin another line is NUL.
fn head(method: &str, target: &[u8], fields: &[Field<'_>]) -> Vec<u8> {
    let fields = fields.iter().map(|(name, value)| [name.as_bytes(), b": ", value].concat());
    let lines = std::iter::once([method.as_bytes(), b" ", target, b" HTTP/1.1"].concat()).chain(fields);
    let mut head = Vec::new();
    for line in lines {
        head.extend(line.into_iter().map(|byte| if matches!(byte, b'\r' | b'\n') { 0 } else { byte }));
        head.extend(b"\r\n");
    }
    head.extend(b"\r\n");
    head
}
