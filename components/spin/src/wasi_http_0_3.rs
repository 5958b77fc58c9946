//! The face for `wasi:http` 0.3, as Spin components have it.

use spin_sdk::http::Request;
use spin_sdk::http_service;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

use crate::service::{Answered, answer};
use crate::{Head, engine, respond};

#[http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let head = head(&request);
    drop(request);
    let Answered { reply, rest } = answer(&head).await;
    if !reply.delay.is_zero() {
        engine::pause(reply.delay).await;
    }
    respond(reply, rest.finish()).await
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
