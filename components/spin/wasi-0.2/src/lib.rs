//! The Spin adapter for engines that know `wasi:http` 0.2 only: older Spin and
//! other clouds. The same adapter, another face.

#![cfg(target_arch = "wasm32")]

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use imds_spin::{Answered, answer, wasi_http_0_2};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

struct Adapter;

wasip2::http::proxy::export!(Adapter);

impl Guest for Adapter {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let Some(Answered { reply, rest }) = at_once(answer(&wasi_http_0_2::head(&request))) else {
            return;
        };
        if !reply.delay.is_zero() {
            // An instance of the adapter has one request.
            thread::sleep(reply.delay);
        }
        wasi_http_0_2::send(&reply, out);
        let _ = at_once(rest.finish());
    }
}

/// What a future gives that never waits: calls to engines with WASI 0.2 hold
/// everything until they return.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(given) => Some(given),
        Poll::Pending => None,
    }
}
