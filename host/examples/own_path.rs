//! A layer over the service that adds a path of its own, below which a platform serves
//! what EC2 does not have: `cargo run --example own_path`.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;

use hyper::body::Bytes;
use hyper::{Request, Response, StatusCode};
use imds_host::{Runtime, Service};

/// What both answer with.
type Body = http_body_util::Either<imds_host::Body, http_body_util::Full<Bytes>>;

/// The service, and `/platform/rack` beside it.
#[derive(Clone)]
struct WithRack {
    imds: Service,
    rack: &'static str,
}

impl<B: Send + 'static> hyper::service::Service<Request<B>> for WithRack {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        if request.uri().path() == "/platform/rack" {
            let response = Response::new(http_body_util::Either::Right(self.rack.into()));
            return Box::pin(async { Ok(response) });
        }
        let answer = hyper::service::Service::call(&self.imds, request);
        Box::pin(async { Ok(answer.await?.map(http_body_util::Either::Left)) })
    }
}

#[cfg_attr(test, tokio::test)]
async fn the_path_is_there_and_all_others_are_the_services() -> Result<(), Box<dyn Error>> {
    let layer = WithRack { imds: Service::new(Runtime::new()?.open(&Default::default())?), rack: "r-17\n" };
    let ask = |path: &str| Request::get(path).body(()).map(|request| hyper::service::Service::call(&layer, request));
    for (path, status) in
        [("/platform/rack", StatusCode::OK), ("/latest/", StatusCode::OK), ("/platform", StatusCode::NOT_FOUND)]
    {
        let response = ask(path)?.await?;
        println!("{} {path}", response.status());
        assert_eq!(response.status(), status);
    }
    Ok(())
}

#[cfg(not(test))]
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    the_path_is_there_and_all_others_are_the_services().await
}
