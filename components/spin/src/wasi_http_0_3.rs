//! The face for `wasi:http` 0.3.

use bytes::Bytes;
use spin_sdk::http::{FullBody, HeaderName, HeaderValue, Request, Response, StatusCode};

use crate::head::{Head, Reply};
use crate::service;

#[spin_sdk::http_service]
async fn answer(request: Request) -> Response<FullBody<Bytes>> {
    response(service::answer(&head(&request)))
}

fn head(request: &Request) -> Head {
    let uri = request.uri();
    let mut fields: Vec<(String, Vec<u8>)> =
        request.headers().iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    // Engines move it out of the fields.
    if let (None, Some(authority)) = (request.headers().get("host"), uri.authority()) {
        fields.push(("host".to_owned(), authority.as_str().as_bytes().to_vec()));
    }
    Head {
        method: request.method().to_string(),
        target: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        fields,
    }
}

fn response(reply: Reply) -> Response<FullBody<Bytes>> {
    let mut response = Response::new(FullBody::new(Bytes::from(reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.fields {
        // The component's are all right; another would be left out.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
