// Which path does what.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use imds_host::Control;
use serde_json::json;
use tokio::time::timeout;

use super::super::warnings::Before;
use super::reply::{Reply, add_warnings, error, failed, method_not_allowed, of_revision, ok, page};
use super::turns::Turns;
use super::{Operated, Reload, clock, guard, instance, item, requests};

/// The document that describes all this.
pub const OPENAPI: &str = include_str!("openapi.json");

/// All paths with their methods. `GET` brings `HEAD` with it.
const ROUTES: [(&str, &[&str]); 10] = [
    ("/v1/instance", &["GET", "PATCH", "PUT"]),
    ("/v1/get", &["GET"]),
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

pub async fn answer(shared: Arc<(Operated, Turns)>, request: Request<Incoming>) -> Reply {
    let (Operated { control, page: told, clients, reload }, turns) = &*shared;
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
    match (method, path) {
        ("PATCH", "/v1/instance") => {
            in_turn(turns, control, move |control| instance::patch(control, &parts, &body)).await
        }
        ("PUT", "/v1/instance") => in_turn(turns, control, move |control| instance::put(control, &parts, &body)).await,
        (_, "/v1/instance") => in_turn(turns, control, instance::get).await,
        ("POST", _) => read_again(turns, control, reload).await.unwrap_or_else(|refusal| refusal),
        (_, "/v1/get") => {
            in_turn(turns, control, move |control| item::get(control, parts.uri.query().unwrap_or_default())).await
        }
        ("PATCH", "/v1/clock") => clock::patch(control.clock(), &body),
        (_, "/v1/clock") => clock::get(control.clock()),
        (_, "/v1/requests") => requests::get(control, parts.uri.query().unwrap_or_default()).await,
        (_, "/v1/usage") => requests::usage(control.journal(), clients),
        (_, "/metrics") => page(told.text()),
        (_, "/openapi.json") => super::reply::document(OPENAPI),
        (_, "/health") => ok(&json!({ "status": "ok" })),
        _ => ok(&json!({ "paths": ROUTES.map(|(path, _)| path), "described-by": "/openapi.json" })),
    }
}

/// What has the component open descriptions, which takes milliseconds of a processor.
async fn in_turn(turns: &Turns, control: &Control, call: impl FnOnce(&Control) -> Reply + Send + 'static) -> Reply {
    let control = control.clone();
    let called = match turns.take().await {
        Ok(turn) => turn.call(move || call(&control)).await,
        Err(refusal) => Err(refusal),
    };
    called.map_or_else(|refusal| refusal, |(_, reply)| reply)
}

/// One turn for all of it: whoever reads the file waits for none.
async fn read_again(turns: &Turns, control: &Control, reload: &Reload) -> Result<Reply, Reply> {
    let looking = control.clone();
    let (turn, before) = turns.take().await?.call(move || Before::of(&looking)).await?;
    let done = reload.ask().await.map_err(|error| failed(&error))?;
    let revision = control.revision();
    let looking = control.clone();
    let (_, warnings) = turn.call(move || before.new_ones_of(&looking)).await?;
    let mut body = json!({ "revision": revision, "done": done });
    add_warnings(&mut body, &warnings);
    Ok(of_revision(ok(&body), revision))
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
