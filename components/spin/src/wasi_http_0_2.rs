//! How requests come and answers leave by `wasi:http` 0.2.

use wasip2::http::types::{
    ErrorCode, Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::OutputStream;

use crate::{Head, Reply, method_name};

/// Hands over an answer, without its delay.
pub fn send(reply: &Reply, out: ResponseOutparam) {
    let fields = match Fields::from_list(&reply.fields) {
        Ok(fields) => fields,
        // The component's are all right.
        Err(error) => return ResponseOutparam::set(out, Err(ErrorCode::InternalError(Some(error.to_string())))),
    };
    let response = OutgoingResponse::new(fields);
    // Refused only for numbers that are no status.
    let _ = response.set_status_code(reply.status);
    // What fails from here on is the peer's or the network's.
    let Ok(body) = response.body() else {
        return ResponseOutparam::set(out, Ok(response));
    };
    let stream = body.write().ok();
    // What fits goes ahead of the head, so that both leave in one packet.
    let ahead = stream.as_ref().map_or(0, |stream| write_ahead(stream, &reply.body));
    ResponseOutparam::set(out, Ok(response));
    if let Some(stream) = stream {
        for part in reply.body[ahead..].chunks(WRITE_BYTES_MAX) {
            let _ = stream.blocking_write_and_flush(part);
        }
    }
    let _ = OutgoingBody::finish(body, None);
}

/// As much as the interface lets one write.
pub const WRITE_BYTES_MAX: usize = 4096;

/// Writes what the engine takes at once; gives how much that was.
fn write_ahead(stream: &OutputStream, bytes: &[u8]) -> usize {
    let room = usize::try_from(stream.check_write().unwrap_or_default()).unwrap_or(WRITE_BYTES_MAX);
    let ahead = bytes.len().min(room).min(WRITE_BYTES_MAX);
    if stream.write(&bytes[..ahead]).is_ok() { ahead } else { 0 }
}

/// The head of a request.
pub fn head(request: &IncomingRequest) -> Head {
    Head::new(
        method_name!(request.method()),
        request.path_with_query(),
        request.headers().entries(),
        request.authority(),
    )
}
