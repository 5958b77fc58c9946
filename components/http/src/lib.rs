//! The EC2 Instance Metadata Service for every engine that speaks `wasi:http` 0.2,
//! and has neither Spin's key-value store nor its variables.
//!
//! A face and nothing more: the component `imds:service` decides every answer. What
//! is written of a request and read of an answer, and what variables mean, is in
//! `imds-spin`. Here is what such an engine brings: the clock, randomness, standard
//! error and, with the feature `environment`, the environment.
//!
//! The target is `wasm32-unknown-unknown`: the standard library of WASI imports more
//! than the proxy world has. So nothing here may ask `std` for time or files.

#![deny(missing_docs)]
#![cfg(target_arch = "wasm32")]

mod operator;

use std::cell::Cell;

use imds_spin::metadata::{Instance, Moment, fields_read};
use imds_spin::{Failure, Head, Reply, deliver, log, wasi_http_0_2};
use wasip2::cli::stderr::get_stderr;
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};
use wasip2::random::random::get_random_u64;

thread_local! {
    // Of use where an engine gives an instance of the face more than one request.
    static OPEN: Cell<Option<Instance>> = const { Cell::new(None) };
    static THROTTLE_STATE: Cell<u64> = const { Cell::new(0) };
}

struct Face;

wasip2::http::proxy::export!(Face);

impl Guest for Face {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let reply = answer(&wasi_http_0_2::head(&request)).unwrap_or_else(|failure| {
            log::line(format!("{}: {}", failure.status(), failure.for_log()));
            Reply::text(failure.status(), &format!("imds: {failure}"))
        });
        if let Ok(ns @ 1..) = u64::try_from(reply.delay.as_nanos()) {
            monotonic_clock::subscribe_duration(ns).block();
        }
        wasi_http_0_2::send(&reply, out);
        write_log();
    }
}

fn answer(head: &Head) -> Result<Reply, Failure> {
    if let Some((status, why)) = head.too_long() {
        return Ok(Reply::text(status, &format!("imds: {why}")));
    }
    let bytes = head.write(&fields_read());
    let entropy = get_random_u64();
    let moment = Moment {
        now_ms: now_ms(),
        entropy,
        throttle_state: THROTTLE_STATE.get(),
        // Nobody counts the requests of all instances: shares of faults hold with any number.
        request_number: entropy,
        // The proxy world tells no address of the client.
        over_ipv6: false,
        keep_alive: false,
    };
    let instance = OPEN.take().map_or_else(operator::open, Ok)?;
    let answer = instance.answer(&bytes, moment, None);
    OPEN.set(Some(instance));
    THROTTLE_STATE.set(answer.throttle_state);
    Ok(deliver(answer))
}

fn now_ms() -> u64 {
    let now = wall_clock::now();
    now.seconds.saturating_mul(1000).saturating_add(u64::from(now.nanoseconds / 1_000_000))
}

/// Writes what was logged: `std` has no standard error on this target.
fn write_log() {
    let stderr = get_stderr();
    for part in log::take().as_bytes().chunks(wasi_http_0_2::WRITE_BYTES_MAX) {
        // Nobody is left to be told that this failed.
        let _ = stderr.blocking_write_and_flush(part);
    }
}
