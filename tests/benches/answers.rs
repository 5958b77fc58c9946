//! What one answer costs: in the core as a Rust library, and through the
//! component in wasmtime.
//!
//! ```sh
//! cargo bench --bench answers
//! ```
//!
//! Each figure is the least of many rounds, in nanoseconds a call: what a busy
//! machine adds is left out as far as it can be. Compare ratios, not figures of
//! different machines.

use std::hint::black_box;
use std::time::Instant;

use imds_core::http::Field;
use imds_host::{Description, Runtime, Secret, Settings};

const NOW_MS: u64 = 1_790_800_000_000;
const SECRET: [u8; 32] = [7; 32];
const ROUNDS: u32 = 200;
const CALLS: u32 = 500;

/// A request: what it is called, its method, its target, whether it carries a
/// token, and the status of its answer.
type Kind = (&'static str, &'static str, &'static str, bool, u16);

const KINDS: [Kind; 8] = [
    ("item with a token", "GET", "/latest/meta-data/instance-id", true, 200),
    ("item without one", "GET", "/latest/meta-data/instance-id", false, 200),
    ("listing with a token", "GET", "/latest/meta-data/", true, 200),
    ("a token", "PUT", "/latest/api/token", false, 200),
    ("404", "GET", "/latest/meta-data/nothing-here", true, 404),
    ("401", "GET", "/latest/meta-data/instance-id", true, 401),
    ("user data of 16 KiB", "GET", "/latest/user-data", true, 200),
    ("identity document", "GET", "/latest/dynamic/instance-identity/document", true, 200),
];

fn main() {
    let mut description = Description::default();
    description.set_user_data(&[b'x'; 16 << 10], "the benchmark");
    let native = Native::open(&description.to_json());
    let settings = Settings::default().token_secret(Secret::new(SECRET));
    let runtime = Runtime::new().expect("the component loads");
    let component = runtime.open_with(&description, &settings).unwrap_or_else(|error| panic!("{error}"));

    println!("{:<22} {:>12} {:>12} {:>7}", "nanoseconds a call", "the core", "component", "ratio");
    for (name, method, target, with_token, status) in KINDS {
        let token = match (with_token, status) {
            (true, 401) => Some(b"AQAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==".to_vec()),
            (true, _) => Some(native.token()),
            (false, _) => None,
        };
        let fields = fields(token);
        let core_fields: Vec<Field<'_>> = fields.iter().map(|(name, value)| Field { name, value }).collect();
        let core_request = imds_core::http::Request { method, target, fields: &core_fields, over_ipv6: false };
        let mut request = imds_host::Request { method: method.into(), ..imds_host::Request::get(target) };
        for (name, value) in &fields {
            request = request.with(*name, value.clone());
        }

        let core = least(|| native.answer(black_box(&core_request)).status, status);
        let moment = imds_host::Moment::at(NOW_MS, 1);
        let through = least(|| component.answer(black_box(&request), moment).status, status);
        println!("{name:<22} {core:>12.0} {through:>12.0} {:>7.1}", through / core);
    }
}

struct Native(imds_core::Instance);

impl Native {
    fn open(description: &str) -> Native {
        let settings = imds_core::Settings { token_secret: SECRET.to_vec(), ..Default::default() };
        Native(imds_core::Instance::open(description, settings).unwrap_or_else(|problems| panic!("{problems:?}")))
    }

    fn answer(&self, request: &imds_core::http::Request<'_>) -> imds_core::Answer {
        self.0.answer(request, imds_core::Moment { now_ms: NOW_MS, entropy: 1, throttle_state: 0, request_number: 0 })
    }

    fn token(&self) -> Vec<u8> {
        let fields = fields(None);
        let fields: Vec<Field<'_>> = fields.iter().map(|(name, value)| Field { name, value }).collect();
        let request = imds_core::http::Request {
            method: "PUT",
            target: "/latest/api/token",
            fields: &fields,
            ..Default::default()
        };
        self.answer(&request).body
    }
}

/// The fields of a request that the component says it reads, as a shell hands
/// them over.
fn fields(token: Option<Vec<u8>>) -> Vec<(&'static str, Vec<u8>)> {
    let mut fields = vec![("host", b"169.254.169.254".to_vec())];
    match token {
        Some(token) => fields.push(("x-aws-ec2-metadata-token", token)),
        None => fields.push(("x-aws-ec2-metadata-token-ttl-seconds", b"21600".to_vec())),
    }
    fields
}

/// The nanoseconds of one call in the quickest round.
fn least(mut call: impl FnMut() -> u16, status: u16) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..CALLS {
            assert_eq!(black_box(call()), status);
        }
        least = least.min(started.elapsed().as_nanos() as f64 / f64::from(CALLS));
    }
    least
}
