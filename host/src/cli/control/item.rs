// `/v1/get` and `/v1/instances/{key}/get`: what the service answers to a client,
// without its secrets.

use axum::extract::{RawQuery, State};
use hyper::StatusCode;
use imds_host::{Answer, Control, Description, Request};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::body::Name;
use super::document::{Key, NoInstance, Refused, Slow, WrongRequest};
use super::reply::{Refusal, Reply, error, failed, ok};
use super::routes::Shared;
use super::shapes::{self, Item};

/// Without a path, what there is to ask for.
const PATH: &str = "/latest/";

/// What the service answers to a client
///
/// Without its secrets. Nothing counts the request.
#[utoipa::path(get, path = "/v1/get",
    params(
        ("path" = Option<String>, Query, nullable = false, description = "What to ask for, from the root; /latest/ without it."),
        ("version1" = Option<bool>, Query, nullable = false, description = "Whether to ask without a token."),
        ("head" = Option<bool>, Query, nullable = false, description = "Whether to ask by HEAD."),
    ),
    responses(
        (status = 200, body = Item, description = "The answer, whatever its status."),
        Refused, WrongRequest, NoInstance, Slow,
        (status = 403, body = shapes::Error, description = "A web page asked, or the answer holds a secret: ask the service itself."),
    ))]
pub async fn get_item(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Result<Reply, Refusal> {
    let control = shared.operated.operands.only()?;
    shared.in_turn(move || get(&control, query.as_deref().unwrap_or_default())).await
}

/// What the service answers to a client of one of the instances
///
/// Without its secrets. Nothing counts the request.
#[utoipa::path(get, path = "/v1/instances/{key}/get",
    params(
        Key,
        ("path" = Option<String>, Query, nullable = false, description = "What to ask for, from the root; /latest/ without it."),
        ("version1" = Option<bool>, Query, nullable = false, description = "Whether to ask without a token."),
        ("head" = Option<bool>, Query, nullable = false, description = "Whether to ask by HEAD."),
    ),
    responses(
        (status = 200, body = Item, description = "The answer, whatever its status."),
        Refused, WrongRequest, NoInstance, Slow,
        (status = 403, body = shapes::Error, description = "A web page asked, or the answer holds a secret: ask the service itself."),
    ))]
pub async fn get_item_of_one(
    State(shared): State<Shared>,
    Name(name): Name,
    RawQuery(query): RawQuery,
) -> Result<Reply, Refusal> {
    let control = shared.named(name).await?;
    shared.in_turn(move || get(&control, query.as_deref().unwrap_or_default())).await
}

/// The answer to a request that nobody counts.
fn get(control: &Control, query: &str) -> Result<Reply, Refusal> {
    Asked::read(query).map_err(|wrong| error(StatusCode::BAD_REQUEST, wrong))?.answer(control)
}

/// What an operator wants to see.
#[derive(Debug, PartialEq)]
pub struct Asked {
    pub path: String,
    version1: bool,
    head: bool,
}

impl Asked {
    /// A path as it is, by GET.
    pub fn of(path: String, version1: bool) -> Result<Self, String> {
        Ok(Self { path: checked(path)?, version1, head: false })
    }

    fn read(query: &str) -> Result<Self, String> {
        let mut asked = Self { path: PATH.to_owned(), version1: false, head: false };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let flag = || value.parse().map_err(|_| format!("{name}: expected true or false"));
            match name {
                "path" => asked.path = decoded(value)?,
                "version1" => asked.version1 = flag()?,
                "head" => asked.head = flag()?,
                _ => return Err(format!("no parameter has this name: {name:.60}; expected path, version1, head")),
            }
        }
        Ok(asked)
    }

    /// The answer of the service, with its secrets.
    pub fn ask(&self, control: &Control) -> Result<Answer, Refusal> {
        let mut request = Request::get(&self.path);
        if self.head {
            request.method = "HEAD".to_owned();
        }
        if !self.version1 {
            let mut session = Request::get("/latest/api/token").with("X-aws-ec2-metadata-token-ttl-seconds", "60");
            session.method = "PUT".to_owned();
            let token = control.peek(&session).map_err(failed)?;
            if token.status == 200 {
                request = request.with("X-aws-ec2-metadata-token", token.body);
            }
        }
        control.peek(&request).map_err(failed)
    }

    fn answer(&self, control: &Control) -> Result<Reply, Refusal> {
        let answer = self.ask(control)?;
        if is_secret(&answer, &control.description().map_err(failed)?) {
            let message = format!(
                "{} holds a secret, and the control listener shows none; ask the service itself: imds get",
                self.path
            );
            return Err(error(StatusCode::FORBIDDEN, message));
        }
        Ok(ok(&Item::of(&self.path, &answer)))
    }
}

const EXPECTED: &str = "path: expected a path from the root, such as /latest/meta-data/instance-id";

/// A path as a request can have it, of a query.
fn decoded(value: &str) -> Result<String, String> {
    checked(percent_decode_str(value).decode_utf8().map_err(|_| EXPECTED)?.into_owned())
}

fn checked(path: String) -> Result<String, String> {
    let is_of_target = |byte: u8| byte.is_ascii_graphic() || byte >= 0x80;
    if path.starts_with('/') && path.bytes().all(is_of_target) { Ok(path) } else { Err(EXPECTED.to_owned()) }
}

/// Whether an answer shows what the description as the listener shows it does not: a value
/// that is hidden there, or a field that is named as secrets are, whoever made it up.
fn is_secret(answer: &Answer, description: &Description) -> bool {
    let Ok(body) = str::from_utf8(&answer.body) else {
        // Everything that is not secret is text.
        return true;
    };
    let fields = Description::from_json("the answer", body);
    if fields.is_ok_and(|fields| fields.to_json() != fields.to_json_without_secrets()) {
        return true;
    }
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
    let (whole, shown) = (read(description.to_json()), read(description.to_json_without_secrets()));
    let mut hidden = Vec::new();
    collect(&whole, &shown, &mut hidden);
    hidden.iter().any(|secret| shows(body, secret))
}

/// Short texts stand in others by chance.
const SHORT: usize = 8;

fn shows(body: &str, secret: &str) -> bool {
    let is_whole = body.trim() == secret.trim() && !body.trim().is_empty();
    is_whole || (secret.len() >= SHORT && body.contains(secret))
}

/// The texts of a description that are hidden where it is shown.
fn collect<'w>(whole: &'w Value, shown: &Value, hidden: &mut Vec<&'w str>) {
    match (whole, shown) {
        (Value::String(text), shown) if shown != whole => hidden.push(text),
        (Value::Object(fields), shown) => {
            fields.iter().for_each(|(name, field)| collect(field, shown.get(name).unwrap_or(&Value::Null), hidden));
        }
        (Value::Array(items), shown) => {
            let place = |place: usize| shown.get(place).unwrap_or(&Value::Null);
            items.iter().enumerate().for_each(|(index, item)| collect(item, place(index), hidden));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use imds_host::Runtime;
    use serde_json::json;

    use super::*;

    fn control(description: &str) -> Control {
        let description = Description::from_toml("item.toml", description).unwrap();
        Control::open(&Runtime::new().unwrap(), &description).unwrap()
    }

    fn status(control: &Control, path: &str) -> u16 {
        match get(control, &format!("path={path}")) {
            Ok(reply) => reply.status().as_u16(),
            Err(refusal) => refusal.status().as_u16(),
        }
    }

    #[test]
    fn an_answer_is_that_of_the_service_and_counts_nowhere() {
        let control =
            control("metadata-options.http-tokens = 'required'\nrequest-throttle = { burst = 1, per-second = 1 }");
        for _ in 0..3 {
            let answer: Value =
                serde_json::from_str(get(&control, "path=%2Flatest%2Fmeta-data%2Finstance-type").unwrap().body())
                    .unwrap();
            assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &json!("t3.micro")));
        }
        let refused: Value =
            serde_json::from_str(get(&control, "path=/latest/&version1=true").unwrap().body()).unwrap();
        assert_eq!((&refused["status"], &refused["outcome"]), (&json!(401), &json!("token-missing")));
        let head: Value = serde_json::from_str(get(&control, "head=true").unwrap().body()).unwrap();
        assert!(head["head"].as_str().unwrap().starts_with("HTTP/1.1 200 OK\r\n") && head["body"] == "");
        assert_eq!((control.journal().last(), control.journal().usage().len()), (0, 0));
    }

    #[test]
    fn no_secret_is_shown_whoever_made_it() {
        let control = control(
            r##"
            user-data = "#!/bin/sh\necho hunter2"
            tags = { Name = "web", db-password = "x", api-key = "hunter2hunter2" }
            metadata-options.instance-metadata-tags = "enabled"
            extra-entries = { "meta-data/mine" = "one of mine" }
            [iam-instance-profile]
            role-name = "role"
            "##,
        );
        for path in [
            "/latest/user-data",
            "/2021-07-15/user-data",
            "/latest/meta-data/tags/instance/db-password",
            "/latest/meta-data/tags/instance/api-key",
            "/latest/meta-data/iam/security-credentials/role",
            "/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
            "/latest/meta-data/mine",
        ] {
            assert_eq!(status(&control, path), 403, "{path}");
        }
        for path in [
            "/latest/meta-data/tags/instance/Name",
            "/latest/meta-data/tags/instance/",
            "/latest/meta-data/iam/security-credentials/",
            "/latest/meta-data/iam/info",
            "/latest/dynamic/instance-identity/document",
            "/latest/meta-data/mac",
            "/latest/nothing-here",
            "/latest/",
        ] {
            assert_eq!(status(&control, path), 200, "{path}");
        }
    }

    #[test]
    fn a_binary_secret_is_none_to_show_either() {
        let control = control("user-data-base64 = '/wD/'");
        assert_eq!(status(&control, "/latest/user-data"), 403);
    }

    #[test]
    fn wrong_parameters_are_told() {
        for query in
            ["x=1", "path=", "path=latest", "path=/a%20b", "path=/%ff", "head=1", "version1=", "path=/a%0d%0ab"]
        {
            assert!(Asked::read(query).unwrap_err().contains("expected"), "{query}");
        }
    }
}
