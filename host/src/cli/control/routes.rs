// Which path does what.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderMap};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Sent;
use super::document::{self, Refused, Slow};
use super::reply::{Refusal, Reply, error, failed, method_not_allowed, ok};
use super::shapes::{Health, Paths};
use super::turns::Turns;
use super::web_page::{self, Token, WebPage};
use super::{Operated, clock, guard, instance, instances, item, reload, reply, requests, secret};

/// What all requests share.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

pub struct Inner {
    pub operated: Operated,
    pub turns: Turns,
    paths: Vec<String>,
    document: String,
    page: WebPage,
}

impl Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    /// Makes a call that has the component open descriptions, which takes milliseconds
    /// of a processor.
    pub async fn in_turn(
        &self,
        call: impl FnOnce() -> Result<Reply, Refusal> + Send + 'static,
    ) -> Result<Reply, Refusal> {
        self.turns.take().await?.call(call).await?.1
    }

    /// The control of an instance, by its key or its id.
    pub async fn named(&self, name: String) -> Result<imds_host::Control, Refusal> {
        self.operated.operands.named(&self.turns, name).await
    }

    /// Counts the instances, after one was added or removed.
    pub fn count(&self) {
        self.operated.page.metrics.set_instances(self.operated.operands.len() as u64);
    }
}

/// All paths, and the document that describes them.
fn paths() -> (Router<Shared>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(document::without_paths())
        .routes(routes!(instance::get_instance, instance::patch_instance, instance::put_instance))
        .routes(routes!(instances::list))
        .routes(routes!(instance::get_one, instance::patch_one, instances::put_one, instances::delete_one))
        .routes(routes!(clock::get_clock, clock::patch_clock))
        .routes(routes!(clock::get_clock_of_one, clock::patch_clock_of_one))
        .routes(routes!(requests::get_requests))
        .routes(routes!(requests::get_requests_of_one))
        .routes(routes!(item::get_item))
        .routes(routes!(item::get_item_of_one))
        .routes(routes!(secret::post_secret))
        .routes(routes!(requests::get_usage))
        .routes(routes!(requests::get_usage_of_one))
        .routes(routes!(reload::reload))
        .routes(routes!(reload::reload_one))
        .routes(routes!(metrics))
        .routes(routes!(health))
        .routes(routes!(openapi))
        .routes(routes!(schema))
        .routes(routes!(root))
        .split_for_parts()
}

/// What answers, behind all guards.
pub fn router(operated: Operated) -> anyhow::Result<Router> {
    let token = Token::random()?;
    let page = WebPage::new(&token);
    let (router, document) = paths();
    let paths = document.paths.paths.keys().cloned().collect();
    // Of the types here, JSON can always be made.
    let document = document.to_pretty_json().unwrap_or_default();
    let shared = Shared(Arc::new(Inner { operated, turns: Turns::default(), paths, document, page }));
    let router: Router = router.fallback(nowhere).with_state(shared);
    // Around all of it, with what a router itself answers.
    Ok(Router::new().fallback_service(router).layer(middleware::from_fn_with_state(Arc::new(token), guarded)))
}

/// Refuses what may come from a web page, whatever it asks for. The body is taken
/// before: who still sends does not read.
async fn guarded(State(token): State<Arc<Token>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let sent = Sent::read(body).await;
    if let Some(refusal) = guard::refusal(&parts, &token) {
        return refusal.into_response();
    }
    parts.extensions.insert(sent);
    parts.extensions.insert(token);
    let response = next.run(Request::from_parts(parts, axum::body::Body::empty())).await;
    let allowed = response.headers().get(ALLOW).and_then(|allowed| allowed.to_str().ok());
    match (response.status(), allowed) {
        (StatusCode::METHOD_NOT_ALLOWED, Some(allowed)) => {
            method_not_allowed(&allowed.split(',').map(str::trim).collect::<Vec<_>>().join(", ")).into_response()
        }
        _ => response,
    }
}

async fn nowhere(State(shared): State<Shared>) -> Refusal {
    let known = shared.paths.join(", ");
    error(StatusCode::NOT_FOUND, format!("nothing is at this path; expected one of {known}"))
}

/// The paths; for browsers, a page
#[utoipa::path(get, path = "/", responses(
    (status = 200, description = "All paths; where Accept has text/html, a page to look at instances and change them.",
     content((Paths = "application/json"), (String = "text/html"))),
    Refused,
))]
async fn root(State(shared): State<Shared>, fields: HeaderMap) -> Response {
    match web_page::is_wanted(&fields) {
        true => shared.page.answer(),
        false => ok(&Paths { paths: shared.paths.clone(), described_by: "/openapi.json" }).into_response(),
    }
}

/// This document
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, body = Object, content_type = "application/json", description = "It."), Refused))]
async fn openapi(State(shared): State<Shared>) -> Reply {
    reply::document(&shared.document)
}

/// What describes descriptions, and changes of them
///
/// As `imds schema` prints it.
#[utoipa::path(get, path = "/v1/schema", responses(
    (status = 200, body = Object, content_type = "application/json", description = "A JSON Schema, draft 2020-12; $defs/Change is that of a change."),
    Refused, Slow,
))]
async fn schema(State(shared): State<Shared>) -> Result<Reply, Refusal> {
    let operands = shared.operated.operands.clone();
    shared.in_turn(move || operands.runtime().schema().map(|schema| reply::document(&schema)).map_err(failed)).await
}

/// Whether it serves
#[utoipa::path(get, path = "/health", responses((status = 200, body = Health, description = "It does."), Refused))]
async fn health() -> Reply {
    ok(&Health { status: "ok" })
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, description = "The page, in the text format 0.0.4."), Refused))]
async fn metrics(State(shared): State<Shared>) -> Reply {
    reply::page(shared.operated.page.text())
}
