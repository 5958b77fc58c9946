//! Mounts the service in an application on axum, through a tower service, beside paths
//! of the application's own: `cargo run --example axum`.

use std::convert::Infallible;
use std::error::Error;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use imds_host::{Runtime, Service};
use tokio::net::TcpListener;

/// The application: its own path, and the metadata service for all others.
fn application() -> Result<Router, imds_host::Error> {
    let imds = Service::new(Runtime::new()?.open(&Default::default())?);
    let metadata = tower::service_fn(move |request: Request| {
        let imds = imds.clone();
        async move {
            let response: Response<imds_host::Body> = hyper::service::Service::call(&imds, request).await?;
            Ok::<_, Infallible>(response.map(Body::new))
        }
    });
    Ok(Router::new().route("/healthz", get(|| async { "ok\n" })).fallback_service(metadata))
}

#[cfg_attr(not(test), allow(dead_code))]
#[cfg_attr(test, tokio::test)]
async fn both_answer() -> Result<(), Box<dyn Error>> {
    use tower::ServiceExt;
    for (path, status, expected) in [("/healthz", 200, "ok\n"), ("/latest/meta-data/instance-type", 200, "t3.micro")] {
        let response = application()?.oneshot(Request::get(path).body(Body::empty())?).await?;
        assert_eq!(response.status(), status);
        assert_eq!(axum::body::to_bytes(response.into_body(), 100).await?, expected);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("curl http://{0}/healthz http://{0}/latest/meta-data/", listener.local_addr()?);
    axum::serve(listener, application()?).await?;
    Ok(())
}
