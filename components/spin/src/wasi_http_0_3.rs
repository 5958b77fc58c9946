//! The face for `wasi:http` 0.3, as Spin components have it.

use spin_sdk::http::Request;
use spin_sdk::http_service;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

use crate::service::{Answered, answer};
use crate::{engine, head_of, respond};

#[http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let head = head_of(&request);
    drop(request);
    let Answered { reply, rest } = answer(&head).await;
    if !reply.delay.is_zero() {
        engine::pause(reply.delay).await;
    }
    respond(reply, rest.finish()).await
}
