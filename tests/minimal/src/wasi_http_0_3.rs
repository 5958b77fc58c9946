//! As a Spin component is written.

use spin_sdk::http::Request;
use spin_sdk::http_service;

#[cfg(not(feature = "get"))]
#[http_service]
async fn handle(_: Request) -> &'static str {
    crate::BODY
}

/// What stands in the store under the key of the guest.
#[cfg(feature = "get")]
#[http_service]
async fn handle(request: Request) -> String {
    let guest = request.headers().get("x-guest").and_then(|guest| guest.to_str().ok()).unwrap_or_default();
    let Ok(store) = spin_sdk::key_value::Store::open_default().await else {
        return String::new();
    };
    let value = store.get(format!("instances/{guest}")).await.ok().flatten();
    String::from_utf8(value.unwrap_or_default()).unwrap_or_default()
}
