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

    fn edit(description: String, change: String, now_ms: Option<u64>) -> Result<String, Vec<wit::Problem>> {
        crate::edit(&description, &change, now_ms).map_err(problems)
    }

    fn timeline(description: String, now_ms: u64) -> Result<Vec<wit::Happening>, Vec<wit::Problem>> {
        let happening = |it: crate::Happening| wit::Happening { at_ms: it.at_ms, what: it.what };
        let happenings = crate::timeline(&description, now_ms).map_err(problems)?;
        Ok(happenings.into_iter().map(happening).collect())
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
        let warning = |it: crate::Warning| wit::Warning { name: it.name.to_owned(), problem: problem(it.problem) };
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

    fn answer(&self, request: wit::Request, moment: wit::Moment) -> wit::Answer {
        let fields: Vec<Field<'_>> =
            request.fields.iter().map(|field| Field { name: &field.name, value: &field.value }).collect();
        let request =
            Request { method: &request.method, target: &request.target, fields: &fields, over_ipv6: request.over_ipv6 };
        let wit::Moment { now_ms, entropy, throttle_state, request_number } = moment;
        let moment = crate::Moment { now_ms, entropy, throttle_state, request_number };
        let answer = crate::Instance::answer(self, &request, moment);
        wit::Answer {
            status: answer.status,
            head: answer.head,
            body: answer.body,
            hop_limit: answer.hop_limit,
            delivery: answer.delivery.map(delivery),
            outcome: outcome(answer.outcome),
            throttle_state: answer.throttle_state,
        }
    }

    fn identity_document(&self, now_ms: u64) -> wit::IdentityDocument {
        let crate::IdentityDocument { text, signing_time_ms, since_ms } =
            crate::Instance::identity_document(self, now_ms);
        wit::IdentityDocument { text, signing_time_ms, since_ms }
    }
}

fn problems(problems: Vec<crate::Problem>) -> Vec<wit::Problem> {
    problems.into_iter().map(problem).collect()
}

fn delivery(delivery: crate::Delivery) -> wit::Delivery {
    match delivery {
        crate::Delivery::Delayed(ms) => wit::Delivery::Delayed(ms),
        crate::Delivery::Closed => wit::Delivery::Closed,
        crate::Delivery::Cut => wit::Delivery::Cut,
        crate::Delivery::Withheld => wit::Delivery::Withheld,
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
        crate::Outcome::NotRunning => wit::Outcome::NotRunning,
        crate::Outcome::FaultRefused => wit::Outcome::FaultRefused,
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
