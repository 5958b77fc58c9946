// `/v1/instances/{key}/secret`: one secret, for the person at the page who asks for it.
//
// It tells what the service tells the instance's own clients, and nothing besides: no
// field of a description. Where the credentials are real it tells no secret at all, so
// that this route does not lead to them, through whatever field somebody may have copied
// them. EC2's API is another matter: it returns user data, as EC2 does. Nor
// where each caller has an instance of its own: whoever reaches the listener need not
// be one of its callers.

use axum::extract::State;
use hyper::StatusCode;
use imds_host::{Control, DescribedSource, Error};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{Change, Name};
use super::document::{Key, NoInstance, RefusedChange, Slow, WrongRequest};
use super::guard::OfThePage;
use super::item::Asked;
use super::operands::Operands;
use super::reply::{Refusal, Reply, error, failed, ok};
use super::routes::Shared;
use super::shapes::{self, Item};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretWanted)]
pub struct Wanted {
    /// What to ask for, from the root.
    path: String,
    /// Whether to ask without a token.
    #[serde(default)]
    version1: bool,
}

/// What the service answers to a client of one of the instances, with its secret
///
/// Only the page at / asks, with its token. Nothing counts the request, and nothing is kept of it.
#[utoipa::path(post, path = "/v1/instances/{key}/secret", params(Key),
    request_body(description = "The one that is to be shown.", content((Wanted = "application/json"), (Wanted = "application/merge-patch+json"))),
    responses(
        (status = 200, body = Item, description = "The answer, whatever its status."),
        (status = 422, body = shapes::Error, description = "The body says no path."),
        RefusedChange, WrongRequest, NoInstance, Slow,
        (status = 403, body = shapes::Error, description = "Somebody else than the page asked; the credentials of the instance are real; or there are many instances, each with callers of its own. Then no secret is shown."),
    ))]
pub async fn post_secret(
    State(shared): State<Shared>,
    Name(name): Name,
    _: OfThePage,
    Change(body): Change,
) -> Result<Reply, Refusal> {
    let control = shared.named(name).await?;
    if let Operands::Many(_) = shared.operated.operands {
        let message = "each of these instances answers its own callers, who alone get its secrets";
        return Err(error(StatusCode::FORBIDDEN, message));
    }
    shared.in_turn(move || show(&control, &body)).await
}

fn show(control: &Control, body: &[u8]) -> Result<Reply, Refusal> {
    let asked = read(body)?;
    let refused = || {
        let message = "the credentials of this instance are real, and so none of its secrets is shown here; ask the \
                       service itself: imds get";
        Err(error(StatusCode::FORBIDDEN, message))
    };
    if is_real(control).map_err(failed)? {
        return refused();
    }
    let answer = asked.ask(control)?;
    // Its file may have been read again meanwhile, with another source.
    if is_real(control).map_err(failed)? {
        return refused();
    }
    Ok(ok(&Item::of(&asked.path, &answer)))
}

fn read(body: &[u8]) -> Result<Asked, Refusal> {
    let expected =
        "expected an object such as {\"path\": \"/latest/user-data\"}, and with it \"version1\": true or not";
    // What serde says may repeat what was sent.
    let Ok(Wanted { path, version1 }) = serde_json::from_slice(body) else {
        return Err(error(StatusCode::UNPROCESSABLE_ENTITY, expected));
    };
    Asked::of(path, version1).map_err(|wrong| error(StatusCode::UNPROCESSABLE_ENTITY, wrong))
}

/// Whether the credentials come from a source, now or from the begin, whether they are
/// there yet or not.
fn is_real(control: &Control) -> Result<bool, Error> {
    if control.credentials().is_some() || control.described_source().is_some() {
        return Ok(true);
    }
    let description = control.description()?;
    let json: serde_json::Value = serde_json::from_str(&description.to_json()).unwrap_or_default();
    Ok(DescribedSource::of(&description).is_some() || !json["iam-instance-profile"]["credentials-source"].is_null())
}

#[cfg(test)]
mod tests {
    use imds_host::{CredentialRefresher, Description, FunctionSource, RoleCredentials, Runtime};
    use serde_json::Value;

    use super::*;

    fn control(description: &str) -> Control {
        let description = Description::from_toml("secret.toml", description).unwrap();
        Control::open(&Runtime::new().unwrap(), &description).unwrap()
    }

    fn asked(control: &Control, body: &str) -> (u16, Value) {
        let reply = match show(control, body.as_bytes()) {
            Ok(reply) => reply,
            Err(refusal) => (*refusal).clone(),
        };
        assert_eq!(reply.headers()["cache-control"], "no-store");
        (reply.status().as_u16(), serde_json::from_str(reply.body()).unwrap())
    }

    const USER_DATA: &str = r#"{"path": "/latest/user-data"}"#;
    const ROLE: &str = r#"{"path": "/latest/meta-data/iam/security-credentials/imds"}"#;

    #[test]
    fn what_is_made_up_or_described_is_shown_and_counts_nowhere() {
        let control = control("user-data = 'hunter2'\nmetadata-options.http-tokens = 'required'");
        let (status, shown) = asked(&control, USER_DATA);
        assert_eq!((status, &shown["body"]), (200, &Value::from("hunter2")));
        assert!(asked(&control, ROLE).1["body"].as_str().unwrap().contains("SecretAccessKey"));
        let without = r#"{"path": "/latest/user-data", "version1": true}"#;
        assert_eq!(asked(&control, without).1["status"], 401);
        assert_eq!((control.journal().last(), control.journal().usage().len()), (0, 0));
    }

    #[test]
    fn where_the_credentials_are_real_no_secret_is_shown() {
        let described = control("user-data = 'hunter2'\niam-instance-profile.credentials-source.profile = 'dev'");
        let delivered = control("user-data = 'hunter2'");
        let source = FunctionSource::new("a test", || Ok(RoleCredentials::new("ASIAREAL", "hunter2", "hunter2")));
        let refresher = CredentialRefresher::start(source, delivered.clock()).unwrap();
        delivered.take_credentials_from(&refresher).unwrap();
        refresher.wait(std::time::Duration::from_secs(10));
        // Nor where the role is taken away for now.
        let taken = control(
            "user-data = 'hunter2'\niam-instance-profile.credentials-source.profile = 'dev'\n\
             timeline = [{ at = '+0s', iam-instance-profile = false }]",
        );
        for control in [described, delivered, taken] {
            for body in [USER_DATA, ROLE, r#"{"path": "/latest/meta-data/mac"}"#] {
                let (status, told) = asked(&control, body);
                assert_eq!(status, 403, "{told}");
                assert!(!told.to_string().contains("hunter2") && told["error"].as_str().unwrap().contains("are real"));
            }
        }
    }

    #[test]
    fn a_wrong_body_is_not_repeated() {
        let control = control("");
        for body in ["", "{}", "[]", r#"{"path": 7}"#, r#"{"path": "hunter2"}"#, r#"{"path": "/", "hunter2": 1}"#] {
            let (status, told) = asked(&control, body);
            assert!(status == 422 && !told.to_string().contains("hunter2"), "{body}: {told}");
        }
    }
}
