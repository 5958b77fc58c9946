//! The face for `wasi:http` 0.2.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};

use crate::head::{Head, Reply};
use crate::service;

struct Adapter;

wasip2::http::proxy::export!(Adapter);

impl Guest for Adapter {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let reply = service::answer(&head(&request));
        let (response, body) = response(&reply);
        ResponseOutparam::set(out, Ok(response));
        // What fails from here on is the peer's or the network's.
        if let Some(body) = body {
            if let Ok(stream) = body.write() {
                for part in reply.body.chunks(WRITE_BYTES_MAX) {
                    let _ = stream.blocking_write_and_flush(part);
                }
            }
            let _ = OutgoingBody::finish(body, None);
        }
    }
}

/// As much as the interface lets one write.
const WRITE_BYTES_MAX: usize = 4096;

fn head(request: &IncomingRequest) -> Head {
    let mut fields: Vec<(String, Vec<u8>)> = request.headers().entries();
    fields.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
    // Engines move it out of the fields.
    if let (false, Some(authority)) = (fields.iter().any(|(name, _)| name == "host"), request.authority()) {
        fields.push(("host".to_owned(), authority.into_bytes()));
    }
    Head { method: method(request.method()), target: request.path_with_query().unwrap_or_default(), fields }
}

fn method(method: Method) -> String {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(other) => return other,
    }
    .to_owned()
}

fn response(reply: &Reply) -> (OutgoingResponse, Option<OutgoingBody>) {
    let fields = Fields::new();
    for (name, value) in &reply.fields {
        // The component's are all right; another would be left out.
        let _ = fields.append(name, value);
    }
    let response = OutgoingResponse::new(fields);
    let _ = response.set_status_code(reply.status);
    let body = response.body().ok();
    (response, body)
}
