// hyper's types, bytes and the plain types. No decisions.

use std::borrow::Cow;

use hyper::body::Bytes;
use hyper::ext::ReasonPhrase;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue, LAST_MODIFIED,
    SERVER,
};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use crate::engine::{Answer, fields, reason};
use crate::serve::body::Body;
use crate::serve::service::HopLimit;

/// The target as sent.
pub(crate) fn target(parts: &Parts) -> Cow<'_, str> {
    match parts.uri.path_and_query() {
        Some(path) if parts.uri.authority().is_none() => path.as_str().into(),
        _ => parts.uri.to_string().into(),
    }
}

/// The fields that the component reads.
pub(crate) fn fields_in<'p>(parts: &'p Parts, fields_read: &[String]) -> Vec<(&'p str, &'p [u8])> {
    let fields = parts.headers.iter();
    let fields = fields.filter(|(name, _)| fields_read.iter().any(|read| read == name.as_str()));
    fields.map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// The answer as a response; `Connection` is dropped where connections are kept.
///
/// The map of header fields keeps the order in which they are added, and the
/// server writes their names in title case, which is how EC2 spells them.
pub(crate) fn response_out(answer: Answer, keep_alive: bool) -> Response<Body> {
    let mut response = Response::new(Body::new(answer.body));
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.status_mut() = status;
    // Values stay where they are: each is a slice of the head.
    let head = Bytes::from(answer.head);
    let mut lines = str::from_utf8(&head).unwrap_or_default().lines();
    let reason = reason(lines.next());
    // hyper writes the usual one itself.
    if status.canonical_reason() != Some(reason)
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        response.extensions_mut().insert(reason);
    }
    let map = response.headers_mut();
    map.reserve(FIELDS);
    for (name, value) in fields(lines) {
        let value = HeaderValue::from_maybe_shared(head.slice_ref(value.as_bytes()));
        // The contract promises printable ASCII; what breaks it is left out.
        let (Some(name), Ok(value)) = (field_name(name), value) else {
            continue;
        };
        if !(keep_alive && name == CONNECTION) {
            map.append(name, value);
        }
    }
    if let Some(delivery) = answer.delivery {
        response.extensions_mut().insert(delivery);
    }
    if let Some(hop_limit) = answer.hop_limit {
        response.extensions_mut().insert(HopLimit(hop_limit));
    }
    response
}

/// As many fields as the longest head has.
const FIELDS: usize = 8;

/// The name of a field; of those that the service sends, without making it anew
/// for each answer.
fn field_name(name: &str) -> Option<HeaderName> {
    const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
    Some(match name {
        "Accept-Ranges" => ACCEPT_RANGES,
        "Allow" => ALLOW,
        "Connection" => CONNECTION,
        "Content-Length" => CONTENT_LENGTH,
        "Content-Type" => CONTENT_TYPE,
        "Date" => DATE,
        "Last-Modified" => LAST_MODIFIED,
        "Server" => SERVER,
        "X-Aws-Ec2-Metadata-Token-Ttl-Seconds" => TTL,
        other => HeaderName::from_bytes(other.as_bytes()).ok()?,
    })
}
