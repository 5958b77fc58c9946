// What a client sends: read before anything is refused, since who still sends does not
// read; and looked at where a change wants it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Path};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::http::request::Parts;
use tokio::time::timeout;

use super::guard;
use super::reply::{Refusal, error};

/// No description is larger.
const BODY_BYTES: usize = 1 << 20;

/// Of a larger body so much is taken all the same, so that its sender reads why it
/// was refused.
const BODY_BYTES_TAKEN: usize = 8 << 20;

/// For the body, on this machine.
const BODY_TIME: Duration = Duration::from_secs(5);

/// What came, or why it cannot be taken.
#[derive(Clone)]
pub struct Sent(Arc<Result<Bytes, Refusal>>);

impl Sent {
    /// Reads a body, within the limits.
    pub async fn read(body: Body) -> Self {
        let read = match timeout(BODY_TIME, read(body)).await {
            Ok(body) => body,
            Err(_) => Err(error(StatusCode::REQUEST_TIMEOUT, "the body took too long; send it at once")),
        };
        Self(Arc::new(read))
    }
}

async fn read(mut body: Body) -> Result<Bytes, Refusal> {
    let (mut bytes, mut taken) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(error(StatusCode::BAD_REQUEST, "the body cannot be read; send all of it"));
        };
        let data = frame.into_data().unwrap_or_default();
        taken += data.len();
        if taken <= BODY_BYTES {
            bytes.extend_from_slice(&data);
        } else if taken > BODY_BYTES_TAKEN {
            break;
        }
    }
    if taken > BODY_BYTES {
        return Err(error(StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 1 MiB, and no description has"));
    }
    Ok(bytes.into())
}

/// The body of a change, which no web page could have sent unasked.
pub struct Change(pub Bytes);

impl<S: Sync> FromRequestParts<S> for Change {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        if let Some(refusal) = guard::refusal_of_change(parts) {
            return Err(refusal);
        }
        match parts.extensions.get::<Sent>().map(|sent| &*sent.0) {
            Some(Ok(bytes)) => Ok(Self(bytes.clone())),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Ok(Self(Bytes::new())),
        }
    }
}

/// The key or the instance id in a path.
pub struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(error(StatusCode::BAD_REQUEST, "the key is not percent-encoded as RFC 3986 says")),
        }
    }
}
