//! The credential endpoints of containers: what a task of ECS gets from the
//! container agent at 169.254.170.2, a pod of EKS from the Pod Identity Agent at
//! 169.254.170.23.
//!
//! Sources: the agents' public code (amazon-ecs-agent, `tmds/handlers`;
//! eks-pod-identity-agent, `pkg/handlers` and `internal/validation`), and for heads
//! the HTTP server of Go, in which both are written. There is no recording, so all
//! here is inferred from code.
//!
//! DIFFERENCE: their paths answer wherever the metadata service does, so that one
//! listener serves both; no path of EC2's service is like them. Who has no
//! `container-credentials` in the description has none of it.

use crate::credentials::{Issued, RoleCredentials};
use crate::http::Head;
use crate::http::answer::{AgentBody, Reply};
use crate::http::target::Target;
use crate::outcome::Outcome;
use crate::time::Time;

/// The credentials of one container.
pub struct Container {
    /// Whose agent delivers them.
    pub service: Service,
    /// What `Authorization` must be, if it must be anything.
    pub authorization: Option<String>,
    /// The role whose credentials they are.
    pub role_arn: String,
    /// The account of the role.
    pub account_id: String,
    /// The credentials; `None` where the instance has no role.
    pub credentials: Option<RoleCredentials>,
}

/// Whose agent delivers credentials.
pub enum Service {
    /// ECS: under an id in the path.
    Ecs {
        /// The id.
        id: String,
    },
    /// EKS Pod Identity: by the token alone.
    Eks,
}

/// What the agents call the credentials that a task asks for, by the version of the path.
const V1: &str = "CredentialsV1Request";
const V2: &str = "CredentialsV2Request";

/// The answer of an agent, where the target is a path of one and a container has
/// credentials.
///
/// Both agents answer every method alike. The order of checks is theirs: the id,
/// then what there is under it. DIFFERENCE: `authorization-token` beside an id, which
/// the agent of ECS does not ask for; it is checked as if the id were wrong.
pub fn answer(
    containers: &[Container],
    head: &Head<'_>,
    target: &Target<'_>,
    now: Time,
) -> Option<Result<Reply<'static>, Outcome>> {
    if containers.is_empty() {
        return None;
    }
    let mut segments = target.segments();
    let version = segments.next().filter(|version| ["v1", "v2"].contains(version))?;
    if segments.next() != Some("credentials") {
        return None;
    }
    let rest = segments.clone().next();
    let has_more = segments.nth(1).is_some();
    Some(match (version, rest) {
        ("v2", rest) => task(containers, V2, rest.unwrap_or_default(), has_more, head, now),
        // Older versions of the agent told tasks to ask by a query.
        (_, None) => match id_in_query(head.target) {
            Some(id) => task(containers, V1, id, false, head, now),
            None if containers.iter().any(|container| matches!(container.service, Service::Eks)) => {
                pod(containers, head, now)
            }
            None => task(containers, V1, "", false, head, now),
        },
        (_, Some(_)) => return None,
    })
}

/// What the agent of ECS answers to a task that asks by an id.
fn task(
    containers: &[Container],
    request: &'static str,
    id: &str,
    has_more: bool,
    head: &Head<'_>,
    now: Time,
) -> Result<Reply<'static>, Outcome> {
    let refused = |outcome: Outcome, code: &str, message: &str| {
        let status = outcome.status().0;
        let body = format!(r#"{{"code":"{code}","message":"{request}: {message}","HTTPErrorCode":{status}}}"#);
        Ok(Reply::Agent { outcome, body: AgentBody::Json(body) })
    };
    if id.is_empty() {
        return refused(Outcome::CredentialsIdMissing, "NoIdInRequest", "No Credential ID in the request");
    }
    // All are compared, whichever it is: the time must not tell how much of an id is right.
    let found = containers.iter().fold(None, |found, container| match &container.service {
        Service::Ecs { id: own } if is_same(own, id.as_bytes()) => Some(container),
        _ => found,
    });
    let Some(container) = found.filter(|container| !has_more && container.is_authorized(head)) else {
        return refused(Outcome::CredentialsIdUnknown, "InvalidIdInRequest", "Credentials not found");
    };
    let Some(issued) = container.issued(now) else {
        let code = "CredentialsUninitialized";
        return refused(Outcome::CredentialsNotDelivered, code, "Credentials uninitialized for ID");
    };
    let body = json(&[
        ("RoleArn", &container.role_arn),
        ("AccessKeyId", &issued.access_key_id),
        ("SecretAccessKey", &issued.secret_access_key),
        ("Token", &issued.session_token),
        ("Expiration", &issued.expiration.rfc3339()),
    ]);
    Ok(Reply::Agent { outcome: Outcome::Found, body: AgentBody::Json(body) })
}

/// What the Pod Identity Agent answers.
///
/// UNRECORDED: what is said to a token of no association, and where the role cannot be
/// had: both come from a service behind the agent, which passes its status on.
/// DIFFERENCE: `Host` may be any that is allowed, not only 169.254.170.23, and a token
/// need not be a JWT.
fn pod(containers: &[Container], head: &Head<'_>, now: Time) -> Result<Reply<'static>, Outcome> {
    let refused = |outcome, message: &str| Ok(Reply::Agent { outcome, body: AgentBody::Text(format!("{message}\n")) });
    let Some(authorization) = head.authorization.filter(|value| !value.is_empty()) else {
        return refused(Outcome::AuthorizationMissing, "Service account token cannot be empty");
    };
    let found = containers.iter().fold(None, |found, container| match (&container.service, &container.authorization) {
        (Service::Eks, Some(own)) if is_same(own, authorization) => Some(container),
        _ => found,
    });
    let Some(container) = found else {
        return refused(Outcome::AuthorizationInvalid, "Service account token is not that of a known association");
    };
    let Some(issued) = container.issued(now) else {
        return refused(Outcome::CredentialsNotDelivered, "Credentials cannot be fetched");
    };
    let body = json(&[
        ("AccessKeyId", &issued.access_key_id),
        ("SecretAccessKey", &issued.secret_access_key),
        ("Token", &issued.session_token),
        ("AccountId", &container.account_id),
        ("Expiration", &issued.expiration.rfc3339()),
    ]);
    Ok(Reply::Agent { outcome: Outcome::Found, body: AgentBody::Json(body) })
}

impl Container {
    fn is_authorized(&self, head: &Head<'_>) -> bool {
        self.authorization.as_ref().is_none_or(|own| is_same(own, head.authorization.unwrap_or_default()))
    }

    /// The credentials in force, if there are any.
    fn issued(&self, now: Time) -> Option<Issued> {
        let credentials = self.credentials.as_ref().filter(|credentials| credentials.from <= now)?;
        // A container has no session token, and gets what version 2 delivers.
        credentials.issued(now, true).ok()
    }
}

/// The value of `id` in the query of a target.
fn id_in_query(target: &str) -> Option<&str> {
    let query = target.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix("id="))
}

/// Whether two texts are the same, in time that depends on their lengths only.
fn is_same(own: &str, sent: &[u8]) -> bool {
    let differs = own.bytes().zip(sent).fold(0, |differs, (own, sent)| differs | (own ^ sent));
    core::hint::black_box(differs) == 0 && own.len() == sent.len()
}

/// An object as Go's encoder writes it, without white space.
fn json(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", fields.join(","))
}

/// A string as Go's encoder writes it: it escapes what HTML would take for its own.
fn quoted(text: &str) -> String {
    let quoted = crate::pretty::quoted(text);
    quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
