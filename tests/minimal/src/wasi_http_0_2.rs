//! For engines that know WASI 0.2 only.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Minimal;

wasip2::http::proxy::export!(Minimal);

impl Guest for Minimal {
    fn handle(_: IncomingRequest, out: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else {
            return ResponseOutparam::set(out, Ok(response));
        };
        if let Ok(stream) = body.write() {
            let _ = stream.check_write();
            let _ = stream.write(crate::BODY.as_bytes());
        }
        ResponseOutparam::set(out, Ok(response));
        let _ = OutgoingBody::finish(body, None);
    }
}
