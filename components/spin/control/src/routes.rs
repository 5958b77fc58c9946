//! Which path does what.

use std::time::Instant;

use imds_spin::store::Store;
use imds_spin::{Callers, Head, Reply, log};
use serde_json::json;

use crate::key::Key;
use crate::reply::{document, error, failed, with_field, with_status};
use crate::settings::Settings;
use crate::{access, change, guard, list, show};

/// The document that describes all this.
const OPENAPI: &str = include_str!("../openapi.json");

/// All paths behind the component's own, with their methods. `GET` brings `HEAD` with
/// it.
const ROUTES: [(&str, &[&str]); 5] = [
    ("/v1/instances", &["GET"]),
    (MANY, &["GET", "PATCH", "PUT", "DELETE"]),
    ("/v1/instance", &["GET", "PATCH", "PUT"]),
    ("/openapi.json", &["GET"]),
    ("/", &["GET"]),
];

const MANY: &str = "/v1/instances/{key}";

/// What the native listener has and Spin has no place for, and why.
const ELSEWHERE: [(&str, &str); 5] = [
    ("/v1/clock", "instances on Spin have the engine's clock, which nobody moves; ask the native runner for another"),
    ("/v1/requests", "the adapter keeps no requests; its log has refusals with their reasons"),
    ("/v1/usage", "the adapter does not count requests; its log tells of version 1"),
    ("/v1/reload", "descriptions on Spin come from the store, which is read all the time; put one there"),
    ("/metrics", "Spin has the metrics of what it serves"),
];

/// Where Spin tells the path that it routed to the component. A client can send one
/// too; Spin appends its own.
const ROUTE: &str = "spin-component-route";

/// A request that is let in.
pub struct Admitted {
    settings: Settings,
    store: Store,
}

/// What a request is about.
pub struct Asked<'r> {
    /// The operator's settings.
    pub settings: &'r Settings,
    /// The store of the application.
    pub store: &'r Store,
    /// The head of the request.
    pub head: &'r Head,
}

/// Looks at who asks.
pub async fn admit(head: &Head) -> Result<Admitted, Reply> {
    let settings = Settings::read().await?;
    if let Some(why) = guard::web_page(head) {
        log::refusal(Instant::now(), || "control: 403: the request may come from a web page".to_owned());
        return Err(error(403, why));
    }
    let store = Store::open().await.map_err(|trouble| failed(&trouble))?;
    access::check(head, &settings.secret, &store).await?;
    Ok(Admitted { settings, store })
}

impl Admitted {
    /// Does what the request asks for.
    pub async fn answer(&self, head: &Head, body: Vec<u8>) -> Reply {
        let asked = Asked { settings: &self.settings, store: &self.store, head };
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        let path = below_route(head, path);
        let Some((methods, key)) = route(path) else {
            let elsewhere = ELSEWHERE.iter().find(|(known, _)| *known == path);
            return elsewhere.map_or_else(nowhere, |(_, why)| error(404, *why));
        };
        let method = if head.method == "HEAD" { "GET" } else { head.method.as_str() };
        if !methods.contains(&method) {
            let allowed = methods.join(", ").replace("GET", "GET, HEAD");
            return with_field(error(405, format!("this path takes {allowed}")), "Allow", &allowed);
        }
        if let (true, Some(why)) = (method != "GET", guard::not_json(head)) {
            return error(415, why);
        }
        let key = match key {
            None if path == "/v1/instances" => return list::get(&asked, query).await,
            None if path == "/openapi.json" => return document(200, OPENAPI.to_owned()),
            None if path == "/v1/instance" => match self.settings.variables.callers {
                Callers::One => Key::one(),
                _ => return error(404, "the variable `callers` maps requests to many; ask for /v1/instances/{key}"),
            },
            None => {
                let paths = ROUTES.map(|(path, _)| path);
                return with_status(200, &json!({ "paths": paths, "described-by": "/openapi.json" }));
            }
            Some(encoded) => match Key::of_many(encoded) {
                Ok(key) => key,
                Err(wrong) => return error(400, wrong),
            },
        };
        match method {
            "PATCH" => change::patch(&asked, &key, body).await,
            "PUT" => change::put(&asked, &key, body).await,
            "DELETE" => change::remove(&asked, &key).await,
            _ => show::get(&asked, &key).await,
        }
    }
}

/// The methods of a path, and the key in it.
fn route(path: &str) -> Option<(&'static [&'static str], Option<&str>)> {
    let methods = |wanted: &str| ROUTES.iter().find(|(known, _)| *known == wanted).map(|(_, methods)| *methods);
    match path.strip_prefix("/v1/instances/") {
        Some(key) if !key.contains('/') => Some((methods(MANY)?, Some(key))),
        _ => Some((methods(path)?, None)),
    }
}

/// The path behind the one that Spin routes to this component.
fn below_route<'h>(head: &Head, path: &'h str) -> &'h str {
    let route = head.values(ROUTE).next_back().and_then(|route| std::str::from_utf8(route).ok());
    let below = route.and_then(|route| path.strip_prefix(route.trim_end_matches('/')));
    match below.unwrap_or(path) {
        "" => "/",
        path => path,
    }
}

fn nowhere() -> Reply {
    let known = ROUTES.map(|(path, _)| path).join(", ");
    error(404, format!("nothing is at this path; expected one of {known}"))
}
