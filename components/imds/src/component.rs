//! The component's face: `wit/imds.wit` to this crate's types and back, field
//! by field, without a decision.

use self::bindings::exports::imds::service::metadata as wit;
use crate::http::{Answer, FIELDS_READ, RequestBody};
use crate::{Delivery, IdentityDocument, Moment, Outcome, Problem, SessionVersion, Status, Warning};

mod answer;

/// What is generated passes pointers over the component's border, and so does
/// `answer`; nothing else in this crate does.
#[allow(unsafe_code)]
mod bindings {
    use super::Component;

    wit_bindgen::generate!({ path: "../../wit", world: "imds", skip: ["[method]instance.answer"] });

    export!(Component);
}

struct Component;

impl wit::Guest for Component {
    type Instance = crate::Instance;

    fn schema() -> String {
        crate::schema().to_owned()
    }

    fn fields_read() -> Vec<String> {
        FIELDS_READ.map(str::to_owned).to_vec()
    }

    fn explain(outcome: wit::Outcome) -> wit::Explanation {
        let explanation = outcome_in(outcome).explain();
        wit::Explanation { reason: explanation.reason.to_owned(), remedy: explanation.remedy.to_owned() }
    }

    fn refuse_caller(head: Vec<u8>, moment: wit::Moment) -> wit::Answer {
        answer(crate::refuse_caller(&head, moment_in(moment)))
    }

    fn edit(
        description: String,
        change: String,
        now_ms: Option<u64>,
        scope: Option<String>,
    ) -> Result<String, Vec<wit::Problem>> {
        crate::edit(&description, &change, now_ms, scope.as_deref()).map_err(problems)
    }

    fn status(
        description: String,
        now_ms: u64,
        scope: Option<String>,
    ) -> Result<wit::InstanceStatus, Vec<wit::Problem>> {
        crate::status(&description, now_ms, scope.as_deref()).map(status).map_err(problems)
    }

    fn speed_up(scenario: String, speed: f64) -> Result<String, Vec<wit::Problem>> {
        crate::speed_up(&scenario, speed).map_err(problems)
    }

    fn warnings(
        description: String,
        now_ms: u64,
        scope: Option<String>,
    ) -> Result<Vec<wit::Warning>, Vec<wit::Problem>> {
        let warnings = crate::warnings_in_scope(&description, now_ms, scope.as_deref()).map_err(problems)?;
        let warning = |it: Warning| wit::Warning { name: it.name.to_owned(), problem: problem(it.problem) };
        Ok(warnings.into_iter().map(warning).collect())
    }
}

impl wit::GuestInstance for crate::Instance {
    fn open(description: String, settings: wit::Settings) -> Result<wit::Instance, Vec<wit::Problem>> {
        let settings = crate::Settings {
            token_secret: settings.token_secret,
            allowed_hosts: settings.allowed_hosts,
            signs_identity: settings.signs_identity,
            scope: settings.scope,
        };
        crate::Instance::open(&description, settings).map(wit::Instance::new).map_err(problems)
    }

    fn item(&self, path: String, now_ms: u64) -> Option<Vec<u8>> {
        crate::Instance::item(self, &path, now_ms)
    }
}

fn moment_in(moment: wit::Moment) -> Moment {
    let wit::Moment { now_ms, entropy, throttle_state, request_number, over_ipv6, keep_alive } = moment;
    Moment { now_ms, entropy, throttle_state, request_number, over_ipv6, keep_alive }
}

fn answer(answer: Answer<'_>) -> wit::Answer {
    wit::Answer {
        head: answer.head,
        body: answer.body.into_owned(),
        status: answer.status,
        outcome: outcome(answer.outcome),
        session_version: answer.session_version.map(session_version),
        hop_limit: answer.hop_limit,
        delivery: answer.delivery.map(delivery),
        request_body: request_body(answer.request_body),
        keep_alive: answer.keep_alive,
        throttle_state: answer.throttle_state,
        to_sign: answer.to_sign.map(identity_document),
    }
}

fn status(status: Status) -> wit::InstanceStatus {
    wit::InstanceStatus {
        instance_id: status.instance_id,
        state: status.state.to_owned(),
        lifecycle: status.lifecycle.to_owned(),
        metadata_options: wit::MetadataOptions {
            http_endpoint: status.metadata_options.http_endpoint.to_owned(),
            http_protocol_ipv6: status.metadata_options.http_protocol_ipv6.to_owned(),
            http_put_response_hop_limit: status.metadata_options.http_put_response_hop_limit,
            http_tokens: status.metadata_options.http_tokens.to_owned(),
            instance_metadata_tags: status.metadata_options.instance_metadata_tags.to_owned(),
        },
        identity_document: identity_document(status.identity_document),
        happenings: status.happenings.into_iter().map(|it| wit::Happening { at_ms: it.at_ms, what: it.what }).collect(),
        description: status.description,
    }
}

fn identity_document(IdentityDocument { text, signing_time_ms }: IdentityDocument) -> wit::IdentityDocument {
    wit::IdentityDocument { text, signing_time_ms }
}

fn session_version(version: SessionVersion) -> wit::SessionVersion {
    match version {
        SessionVersion::One => wit::SessionVersion::One,
        SessionVersion::Two => wit::SessionVersion::Two,
    }
}

fn delivery(delivery: Delivery) -> wit::Delivery {
    match delivery {
        Delivery::Delayed(ms) => wit::Delivery::Delayed(ms),
        Delivery::Closed => wit::Delivery::Closed,
        Delivery::Cut => wit::Delivery::Cut,
        Delivery::Withheld => wit::Delivery::Withheld,
    }
}

fn request_body(body: RequestBody) -> wit::RequestBody {
    match body {
        RequestBody::None => wit::RequestBody::None,
        RequestBody::Length(length) => wit::RequestBody::Length(length),
        RequestBody::Chunked => wit::RequestBody::Chunked,
        RequestBody::Unknown => wit::RequestBody::Unknown,
    }
}

fn problems(problems: Vec<Problem>) -> Vec<wit::Problem> {
    problems.into_iter().map(problem).collect()
}

fn problem(problem: Problem) -> wit::Problem {
    wit::Problem {
        field: problem.field,
        in_name: problem.in_name,
        message: problem.message,
        help: problem.help,
        position: problem.position.map(|position| wit::Position { line: position.line, column: position.column }),
    }
}

/// Both ways from one list, so that no outcome can be left out of either.
macro_rules! outcomes {
    ($($name:ident),* $(,)?) => {
        fn outcome(outcome: Outcome) -> wit::Outcome {
            match outcome {
                $(Outcome::$name => wit::Outcome::$name,)*
            }
        }

        fn outcome_in(outcome: wit::Outcome) -> Outcome {
            match outcome {
                $(wit::Outcome::$name => Outcome::$name,)*
            }
        }
    };
}

outcomes! {
    NotRunning,
    HeadUnreadable,
    HeadTooLarge,
    NoInstance,
    FaultRefused,
    Throttled,
    Found,
    TokenIssued,
    MethodsListed,
    HostRefused,
    EndpointDisabled,
    Ipv6Disabled,
    TokenMethodRefused,
    Forwarded,
    TtlRefused,
    TokenMissing,
    TokenInvalid,
    TokenExpired,
    MethodRefused,
    NotFound,
    SignaturesWanted,
    CredentialsIdMissing,
    CredentialsIdUnknown,
    CredentialsNotDelivered,
    AuthorizationMissing,
    AuthorizationInvalid,
}
