// Calls over HTTP: who may make them, and how many at once.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use imds_host::{Ec2Answer, Ec2Api, Metrics};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::super::control::Operands;
use super::super::operator::host;

/// Answers calls that come over HTTP.
#[derive(Clone)]
pub struct Ec2 {
    api: Ec2Api,
    turns: Arc<Semaphore>,
    /// What counts the instances, and where they are.
    counted: Option<(Metrics, Operands)>,
}

/// No call is larger.
const BODY_BYTES: usize = 1 << 20;

/// For the body, on this machine.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Each call takes a thread, and a worker with its memory, which clients of the
/// instances need too.
const AT_ONCE: usize = 4;

/// SDKs wait a minute for an answer.
const WAIT: Duration = Duration::from_secs(30);

impl Ec2 {
    /// `metrics` tells how many instances there are after each call.
    pub fn new(api: Ec2Api, operands: Option<Operands>, metrics: Option<Metrics>) -> Self {
        Self { api, turns: Arc::new(Semaphore::new(AT_ONCE)), counted: metrics.zip(operands) }
    }

    /// Answers calls before a router sees them, which answers all else.
    pub fn beside(self, router: Router) -> Router {
        let answer = move |request: axum::extract::Request, next: Next| {
            let ec2 = self.clone();
            async move {
                match is_call(&request) {
                    true => ec2.answer(request).await.into_response(),
                    false => next.run(request).await,
                }
            }
        };
        Router::new().fallback_service(router).layer(middleware::from_fn(answer))
    }

    /// Answers a request, whose body it reads.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<String>
    where
        B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let (parts, body) = request.into_parts();
        // Before anything is refused: who still sends does not read.
        let read = timeout(BODY_TIME, Limited::new(body, BODY_BYTES).collect()).await;
        let answer = match read {
            Ok(Ok(body)) => self.answer_read(&parts, body.to_bytes().to_vec()).await,
            Ok(Err(error)) if error.is::<LengthLimitError>() => Ec2Answer::invalid("The body has more than 1 MiB"),
            Ok(Err(_)) => Ec2Answer::invalid("The body cannot be read. Send all of it."),
            Err(_) => Ec2Answer::invalid("The body took too long. Send it at once."),
        };
        response(answer)
    }

    /// Answers a request whose body was read.
    async fn answer_read(&self, parts: &Parts, body: Vec<u8>) -> Ec2Answer {
        if let Some(refusal) = refusal(parts) {
            return refusal;
        }
        let form = match parts.method {
            Method::POST => body,
            _ => parts.uri.query().unwrap_or_default().as_bytes().to_vec(),
        };
        let Ok(Ok(turn)) = timeout(WAIT, Arc::clone(&self.turns).acquire_owned()).await else {
            return Ec2Answer::unavailable("There are too many calls at once. Try again.");
        };
        let ec2 = self.clone();
        let answered = spawn_blocking(move || {
            let _turn = turn;
            let answer = ec2.api.answer(&form);
            if let Some((metrics, operands)) = &ec2.counted {
                metrics.set_instances(operands.len() as u64);
            }
            answer
        });
        answered.await.unwrap_or_else(|_| Ec2Answer::unavailable("The call failed. Try again."))
    }
}

/// Whether a request is one for EC2's API, where there is something else beside it.
fn is_call<B>(request: &Request<B>) -> bool {
    let has_action =
        || request.uri().query().is_some_and(|query| query.split('&').any(|part| part.starts_with("Action=")));
    request.uri().path() == "/" && (request.method() == Method::POST || has_action())
}

/// The answer to a request that is no call of a program on this machine; none to any
/// other. A web page could make a browser send a form to here, but not with a field
/// that says who signed it: for that browsers ask first, and get no permission.
fn refusal(parts: &Parts) -> Option<Ec2Answer> {
    if !host::is_wanted(parts) {
        return Some(Ec2Answer::forbidden(host::WANTED));
    }
    let site = parts.headers.get("sec-fetch-site");
    if parts.headers.contains_key(ORIGIN) || site.is_some_and(|site| site != "none") {
        return Some(Ec2Answer::forbidden("Web pages get nothing here. Ask with the AWS CLI or an SDK."));
    }
    if !parts.headers.contains_key(AUTHORIZATION) && !parts.headers.contains_key("x-amz-date") {
        return Some(Ec2Answer::unsigned());
    }
    if parts.uri.path() != "/" {
        return Some(Ec2Answer::invalid("Calls go to the path /"));
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match parts.method {
        Method::GET => None,
        Method::POST if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") => None,
        Method::POST => Some(Ec2Answer::invalid("The body is a form: application/x-www-form-urlencoded")),
        _ => Some(Ec2Answer::invalid("A call is a POST, or a GET")),
    }
}

fn response(answer: Ec2Answer) -> Response<String> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Ec2Answer::CONTENT_TYPE));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: Method, target: &str, fields: &[(&str, &str)]) -> Option<u16> {
        let request = fields.iter().fold(Request::builder().method(method).uri(target), |request, (name, value)| {
            request.header(*name, *value)
        });
        refusal(&request.body(()).unwrap().into_parts().0).map(|answer| answer.status)
    }

    #[test]
    fn web_pages_and_what_nobody_signed_are_refused() {
        let host = ("host", "127.0.0.1:1341");
        let signed = ("authorization", "AWS4-HMAC-SHA256 Credential=any");
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let post = |fields: &[(&str, &str)]| status(Method::POST, "/", fields);
        assert_eq!(post(&[host, signed, form]), None);
        assert_eq!(post(&[host, ("x-amz-date", "20261001T000000Z"), form]), None);
        assert_eq!(status(Method::GET, "/?Action=DescribeInstances", &[host, signed]), None);
        for fields in [
            &[host, form][..],
            &[signed, form],
            &[("host", "attacker.example"), signed, form],
            &[host, signed, form, ("origin", "null")],
            &[host, signed, form, ("sec-fetch-site", "same-origin")],
        ] {
            assert_eq!(post(fields), Some(403), "{fields:?}");
        }
        assert_eq!(status(Method::GET, "/?X-Amz-Signature=s", &[host]), Some(403));
        assert_eq!(post(&[host, signed]), Some(400));
        assert_eq!(status(Method::POST, "/v1/instance", &[host, signed, form]), Some(400));
        assert_eq!(status(Method::DELETE, "/", &[host, signed]), Some(400));
    }
}
