// hyper's types, bytes and the plain types. No decisions.

use hyper::body::Bytes;
use hyper::ext::ReasonPhrase;
use hyper::header::{CONNECTION, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use crate::body::Body;
use crate::message::{Answer, Field, Request};
use crate::service::HopLimit;

/// The request as the component sees it, with the fields that it reads.
pub(crate) fn request_in(parts: &Parts, target: &str, over_ipv6: bool, fields_read: &[String]) -> Request {
    let fields = parts.headers.iter();
    let fields = fields.filter(|(name, _)| fields_read.iter().any(|read| read == name.as_str()));
    Request {
        method: parts.method.as_str().to_owned(),
        target: target.to_owned(),
        fields: fields.map(|(name, value)| Field::new(name.as_str(), value.as_bytes())).collect(),
        over_ipv6,
    }
}

/// The answer as a response; `Connection` is dropped where connections are kept.
///
/// The map of header fields keeps the order in which they are added, and the
/// server writes their names in title case, which is how EC2 spells them.
pub(crate) fn response_out(answer: Answer, keep_alive: bool) -> Response<Body> {
    let mut response = Response::new(Body::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for field in answer.fields {
        // The contract promises printable ASCII; what breaks it is left out.
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(field.name.as_bytes()), HeaderValue::from_maybe_shared(Bytes::from(field.value)))
        else {
            continue;
        };
        if !(keep_alive && name == CONNECTION) {
            response.headers_mut().append(name, value);
        }
    }
    if let Ok(reason) = ReasonPhrase::try_from(answer.reason) {
        response.extensions_mut().insert(reason);
    }
    if let Some(hop_limit) = answer.hop_limit {
        response.extensions_mut().insert(HopLimit(hop_limit));
    }
    response
}

/// An answer without a body as bytes, where hyper has no request that it could
/// answer.
pub(crate) fn bytes_out(answer: &Answer) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} {}\r\n", answer.status, answer.reason).into_bytes();
    for field in &answer.fields {
        bytes.extend([field.name.as_bytes(), b": ", &field.value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes
}
