//! The face for `wasi:http` 0.3.
//!
//! Written against the interface itself and not the SDK's conversions, because
//! of how an answer leaves: an engine that gets the head before the body sends
//! two packets, and a client that keeps its connection waits 40 ms for the
//! second. So the body is on its way before the head is handed over.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use spin_sdk::wasip3::clocks::monotonic_clock;
use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::spawn;

use crate::{Head, Reply, answer, method_name};

struct Adapter;

spin_sdk::wasip3::http::service::export!(Adapter);

impl Guest for Adapter {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let head = head(&request);
        drop(request);
        let reply = answer(&head);
        if !reply.delay.is_zero() {
            monotonic_clock::wait_for(u64::try_from(reply.delay.as_nanos()).unwrap_or(u64::MAX)).await;
        }
        respond(reply).await
    }
}

fn head(request: &Request) -> Head {
    Head::new(
        method_name!(request.get_method()),
        request.get_path_with_query(),
        request.get_headers().copy_all(),
        request.get_authority(),
    )
}

async fn respond(reply: Reply) -> Result<Response, ErrorCode> {
    let fields = Fields::from_list(&reply.fields).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    // Without trailers, whenever the writer is dropped.
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    drop(trailers);
    if reply.body.is_empty() {
        return Ok(with_status(Response::new(fields, None, no_trailers).0, reply.status));
    }
    let (mut writer, body) = wit_stream::new();
    let response = with_status(Response::new(fields, Some(body), no_trailers).0, reply.status);
    // What is not taken is nobody's loss: the client is gone.
    let mut writing = Box::pin(async move { drop(writer.write_all(reply.body).await) });
    let written = poll_fn(|cx| Poll::Ready(pin!(&mut writing).poll(cx).is_ready())).await;
    if !written {
        spawn(writing);
    }
    Ok(response)
}

fn with_status(response: Response, status: u16) -> Response {
    // Refused only for numbers that are no status.
    let _ = response.set_status_code(status);
    response
}
