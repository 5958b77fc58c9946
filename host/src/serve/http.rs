// hyper's types and bytes. No decisions.

use hyper::ext::ReasonPhrase;
use hyper::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use crate::engine::Verdict;
use crate::serve::body::Body;
use crate::serve::service::HopLimit;

/// The fields by which a server frames a request on its connection, which is the
/// server's business.
const FRAMING: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING];

/// The head of a request that a server has read.
pub(crate) fn head_in(parts: &Parts) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(parts.method.as_str().as_bytes());
    head.push(b' ');
    match parts.uri.path_and_query() {
        Some(path) if parts.uri.authority().is_none() => head.extend_from_slice(path.as_str().as_bytes()),
        _ => head.extend_from_slice(parts.uri.to_string().as_bytes()),
    }
    head.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in parts.headers.iter().filter(|(name, _)| !FRAMING.contains(name)) {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The answer as a response.
///
/// The map of header fields keeps the order in which they are added, and a server
/// can write their names in title case, which is how EC2 spells them.
pub(crate) fn response_out(mut bytes: Vec<u8>, verdict: &Verdict) -> Response<Body> {
    let body = bytes.split_off(verdict.head_length.min(bytes.len()));
    let mut response = Response::new(Body::new(body));
    let status = StatusCode::from_u16(verdict.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.status_mut() = status;
    let mut lines = str::from_utf8(&bytes).unwrap_or_default().lines();
    let reason = lines.next().and_then(|line| line.splitn(3, ' ').nth(2)).unwrap_or_default();
    // The usual one a server writes itself.
    if status.canonical_reason() != Some(reason)
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        response.extensions_mut().insert(reason);
    }
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        // The contract promises printable ASCII; what breaks it is left out.
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
            continue;
        };
        response.headers_mut().append(name, value);
    }
    if let Some(delivery) = verdict.delivery {
        response.extensions_mut().insert(delivery);
    }
    if let Some(hop_limit) = verdict.hop_limit {
        response.extensions_mut().insert(HopLimit(hop_limit));
    }
    response
}
