//! How answers leave, for each component that has answers of its own.
//!
//! They are not made by the SDK's conversions: an engine that gets the head before the
//! body sends two packets, and a client that keeps its connection waits 40 ms for the
//! second. So the body is on its way before the head is handed over, and whatever else
//! there is to do comes behind both.

use std::future::poll_fn;
use std::task::Poll;

use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::spawn;

use crate::Reply;

/// Hands over an answer. `rest` is what nobody has to wait for.
///
/// Fails where a field is none that HTTP can carry.
pub async fn respond(reply: Reply, rest: impl Future<Output = ()> + 'static) -> Result<Response, ErrorCode> {
    let fields = Fields::from_list(&reply.fields).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    // Without trailers, once the writer is dropped: behind the body, because what comes to
    // an end before it lets Spin's engine pause between head and body.
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    if reply.body.is_empty() {
        spawn(rest);
        return Ok(with_status(Response::new(fields, None, no_trailers).0, reply.status));
    }
    let (mut writer, body) = wit_stream::new();
    let response = with_status(Response::new(fields, Some(body), no_trailers).0, reply.status);
    let mut writing = Box::pin(async move {
        // What is not taken is nobody's loss: the client is gone.
        drop(writer.write_all(reply.body).await);
        drop((writer, trailers));
        rest.await;
    });
    let written = poll_fn(|cx| Poll::Ready(writing.as_mut().poll(cx).is_ready())).await;
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
