//! The component's face: `wit/imds.wit` to this crate's types and back, field
//! by field, without a decision.

use self::bindings::exports::imds::service::metadata as wit;
use crate::http::{FIELDS_READ, Field, Request};

/// What is generated passes pointers over the component's border; nothing else
/// in this crate does.
#[allow(unsafe_code)]
mod bindings {
    use super::Component;

    wit_bindgen::generate!({ path: "../../wit", world: "imds" });

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
}

impl wit::GuestInstance for crate::Instance {
    fn open(description: String, settings: wit::Settings) -> Result<wit::Instance, Vec<wit::Problem>> {
        let settings = crate::Settings {
            token_secret: settings.token_secret,
            allowed_hosts: settings.allowed_hosts,
            signs_identity: settings.signs_identity,
        };
        match crate::Instance::open(&description, settings) {
            Ok(instance) => Ok(wit::Instance::new(instance)),
            Err(problems) => Err(problems.into_iter().map(problem).collect()),
        }
    }

    fn answer(&self, request: wit::Request, moment: wit::Moment) -> wit::Answer {
        let fields: Vec<Field<'_>> =
            request.fields.iter().map(|field| Field { name: &field.name, value: &field.value }).collect();
        let request =
            Request { method: &request.method, target: &request.target, fields: &fields, over_ipv6: request.over_ipv6 };
        let moment =
            crate::Moment { now_ms: moment.now_ms, entropy: moment.entropy, throttle_state: moment.throttle_state };
        let answer = crate::Instance::answer(self, &request, moment);
        wit::Answer {
            status: answer.status,
            head: answer.head,
            body: answer.body,
            hop_limit: answer.hop_limit,
            outcome: outcome(answer.outcome),
            throttle_state: answer.throttle_state,
        }
    }

    fn identity_document(&self) -> wit::IdentityDocument {
        let document = crate::Instance::identity_document(self);
        wit::IdentityDocument { text: document.text, signing_time_ms: document.signing_time_ms }
    }
}

fn problem(problem: crate::Problem) -> wit::Problem {
    wit::Problem {
        field: problem.field,
        in_name: problem.in_name,
        message: problem.message,
        help: problem.help,
        position: problem.position.map(|position| wit::Position { line: position.line, column: position.column }),
    }
}

fn outcome(outcome: crate::Outcome) -> wit::Outcome {
    match outcome {
        crate::Outcome::Throttled => wit::Outcome::Throttled,
        crate::Outcome::Found => wit::Outcome::Found,
        crate::Outcome::TokenIssued => wit::Outcome::TokenIssued,
        crate::Outcome::MethodsListed => wit::Outcome::MethodsListed,
        crate::Outcome::HostRefused => wit::Outcome::HostRefused,
        crate::Outcome::EndpointDisabled => wit::Outcome::EndpointDisabled,
        crate::Outcome::Ipv6Disabled => wit::Outcome::Ipv6Disabled,
        crate::Outcome::TokenMethodRefused => wit::Outcome::TokenMethodRefused,
        crate::Outcome::Forwarded => wit::Outcome::Forwarded,
        crate::Outcome::TtlRefused => wit::Outcome::TtlRefused,
        crate::Outcome::TokenMissing => wit::Outcome::TokenMissing,
        crate::Outcome::TokenInvalid => wit::Outcome::TokenInvalid,
        crate::Outcome::TokenExpired => wit::Outcome::TokenExpired,
        crate::Outcome::MethodRefused => wit::Outcome::MethodRefused,
        crate::Outcome::NotFound => wit::Outcome::NotFound,
        crate::Outcome::SignaturesWanted => wit::Outcome::SignaturesWanted,
    }
}
