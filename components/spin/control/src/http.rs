//! The face for `wasi:http` 0.3, as Spin components have it.

use std::time::Duration;

use http_body_util::BodyExt;
use imds_spin::{Reply, head_of, log, respond};
use spin_sdk::http::Request;
use spin_sdk::http_service;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};

use crate::reply::error;
use crate::routes;

/// No description is larger: that of an instance is one value of the store.
const BODY_BYTES: usize = 1 << 20;

/// Of a larger body so much is taken all the same, so that its sender reads why it
/// was refused.
const BODY_BYTES_TAKEN: usize = 8 << 20;

/// How long a body may take, as with the native listener.
const BODY_TIME: Duration = Duration::from_secs(5);

#[http_service]
async fn handle(request: Request) -> Result<Response, ErrorCode> {
    let head = head_of(&request);
    let body = request.into_body();
    let reply = match routes::admit(&head).await {
        // Only of whom has the secret: it costs memory.
        Ok(admitted) => match read(body).await {
            Ok(body) => admitted.answer(&head, body).await,
            Err(refusal) => refusal,
        },
        Err(refusal) => refusal,
    };
    respond(with_length(reply, head.method == "HEAD"), async { log::write() }).await
}

async fn read(mut body: impl BodyExt<Data: AsRef<[u8]>> + Unpin) -> Result<Vec<u8>, Reply> {
    let reading = async {
        let (mut bytes, mut taken) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err(error(400, "the body cannot be read; send all of it"));
            };
            let Ok(data) = frame.into_data() else { continue };
            taken += data.as_ref().len();
            if taken <= BODY_BYTES {
                bytes.extend_from_slice(data.as_ref());
            } else if taken > BODY_BYTES_TAKEN {
                break;
            }
        }
        if taken > BODY_BYTES {
            return Err(error(413, "the body has more than 1 MiB, and no description has"));
        }
        Ok(bytes)
    };
    let late = || Err(error(408, "the body took too long; send it at once"));
    imds_spin::within(BODY_TIME, reading).await.unwrap_or_else(late)
}

/// What `reply` says, with its length: then an engine need not send it in chunks.
fn with_length(mut reply: Reply, is_head: bool) -> Reply {
    let length = reply.body.len().to_string();
    reply.fields.push(("Content-Length".to_owned(), length.into_bytes()));
    if is_head {
        reply.body.clear();
    }
    reply
}
