//! The face for `wasi:http` 0.3, as Spin components have it.
//!
//! The answer is not one of the SDK's conversions, because of how it leaves: an
//! engine that gets the head before the body sends two packets, and a client that
//! keeps its connection waits 40 ms for the second. So the body is on its way before
//! the head is handed over, and whatever else there is to do comes behind both.

use std::future::poll_fn;
use std::task::Poll;

use spin_sdk::http::Request;
use spin_sdk::http_service;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::spawn;

use crate::service::{Answered, Rest, answer};
use crate::{Head, Reply, engine};

#[http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let head = head(&request);
    drop(request);
    let Answered { reply, rest } = answer(&head).await;
    if !reply.delay.is_zero() {
        engine::pause(reply.delay).await;
    }
    respond(reply, rest).await
}

fn head(request: &Request) -> Head {
    let fields = request.headers().iter();
    Head::new(
        request.method().as_str().to_owned(),
        request.uri().path_and_query().map(|target| target.as_str().to_owned()),
        fields.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect(),
        request.uri().authority().map(|authority| authority.as_str().to_owned()),
    )
}

async fn respond(reply: Reply, rest: Rest) -> Result<Response, ErrorCode> {
    let fields = Fields::from_list(&reply.fields).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    // Without trailers, once the writer is dropped: behind the body, because what comes to
    // an end before it lets Spin's engine pause between head and body.
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    if reply.body.is_empty() {
        spawn(rest.finish());
        return Ok(with_status(Response::new(fields, None, no_trailers).0, reply.status));
    }
    let (mut writer, body) = wit_stream::new();
    let response = with_status(Response::new(fields, Some(body), no_trailers).0, reply.status);
    let mut writing = Box::pin(async move {
        // What is not taken is nobody's loss: the client is gone.
        drop(writer.write_all(reply.body).await);
        drop((writer, trailers));
        rest.finish().await;
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
