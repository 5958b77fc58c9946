// Which path does what.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use tokio::task::block_in_place;
use tokio::time::timeout;

use super::super::warnings::Before;
use super::reply::{Reply, add_warnings, error, failed, method_not_allowed, of_revision, ok, page};
use super::turns::Turns;
use super::{Operated, clock, guard, instance, requests};

/// The document that describes all this.
pub const OPENAPI: &str = include_str!("openapi.json");

/// All paths with their methods. `GET` brings `HEAD` with it.
const ROUTES: [(&str, &[&str]); 9] = [
    ("/v1/instance", &["GET", "PATCH", "PUT"]),
    ("/v1/clock", &["GET", "PATCH"]),
    ("/v1/requests", &["GET"]),
    ("/v1/usage", &["GET"]),
    ("/v1/reload", &["POST"]),
    ("/metrics", &["GET"]),
    ("/health", &["GET"]),
    ("/openapi.json", &["GET"]),
    ("/", &["GET"]),
];

/// No description is larger.
const BODY_BYTES: usize = 1 << 20;

/// Of a larger body so much is taken all the same, so that its sender reads why it
/// was refused.
const BODY_BYTES_TAKEN: usize = 8 << 20;

/// For the body, on this machine.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Where the component opens descriptions, which takes milliseconds of a processor.
const TAKE_TURNS: [&str; 2] = ["/v1/instance", "/v1/reload"];

pub async fn answer(shared: Arc<(Operated, Turns)>, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    // Before anything is refused: who still sends does not read.
    let body = match timeout(BODY_TIME, read(body)).await {
        Ok(body) => body,
        Err(_) => Err(error(StatusCode::REQUEST_TIMEOUT, "the body took too long; send it at once")),
    };
    if let Some(refusal) = guard::refusal(&parts) {
        return refusal;
    }
    let path = parts.uri.path();
    let Some((_, methods)) = ROUTES.iter().find(|(known, _)| *known == path) else {
        let known: Vec<_> = ROUTES.iter().map(|(path, _)| *path).collect();
        return error(StatusCode::NOT_FOUND, format!("nothing is at this path; expected one of {}", known.join(", ")));
    };
    let method = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    if !methods.contains(&method) {
        return method_not_allowed(&methods.join(", ").replace("GET", "GET, HEAD"));
    }
    if method != "GET"
        && let Some(refusal) = guard::refusal_of_change(&parts)
    {
        return refusal;
    }
    let body = match body {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let (Operated { control, page: told, reload }, turns) = &*shared;
    let _turn = match TAKE_TURNS.contains(&path) {
        true => match turns.take().await {
            Ok(turn) => Some(turn),
            Err(refusal) => return refusal,
        },
        false => None,
    };
    match (method, path) {
        ("PATCH", "/v1/instance") => instance::patch(control, &parts, &body),
        ("PUT", "/v1/instance") => instance::put(control, &parts, &body),
        ("PATCH", "/v1/clock") => clock::patch(control.clock(), &body),
        ("POST", _) => {
            let before = block_in_place(|| Before::of(control));
            match reload.ask().await {
                Ok(read) => {
                    let revision = control.revision();
                    let mut body = json!({ "revision": revision, "done": read });
                    add_warnings(&mut body, &block_in_place(|| before.new_ones_of(control)));
                    of_revision(ok(&body), revision)
                }
                Err(error) => failed(&error),
            }
        }
        (_, "/v1/instance") => instance::get(control),
        (_, "/v1/clock") => clock::get(control.clock()),
        (_, "/v1/requests") => requests::get(control, parts.uri.query().unwrap_or_default()).await,
        (_, "/v1/usage") => requests::usage(control.journal()),
        (_, "/metrics") => page(told.text()),
        (_, "/openapi.json") => super::reply::document(OPENAPI),
        (_, "/health") => ok(&json!({ "status": "ok" })),
        _ => ok(&json!({ "paths": ROUTES.map(|(path, _)| path), "described-by": "/openapi.json" })),
    }
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, Reply> {
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
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_document_has_all_paths_and_methods_and_no_other() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let described: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(move |method| (path.as_str(), method.to_ascii_uppercase()))
            })
            .collect();
        let routes =
            ROUTES.iter().flat_map(|(path, methods)| methods.iter().map(|method| (*path, (*method).to_owned())));
        assert_eq!(described, routes.collect());
    }
}
