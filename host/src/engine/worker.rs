use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceAny;
use wasmtime::{Store, StoreLimits};

use crate::engine::bindings::Imds;
use crate::engine::bindings::exports::imds::service::metadata as wit;
use crate::engine::deadline::Deadline;
use crate::engine::delivery::Delivery;
use crate::engine::event::Happening;
use crate::engine::instance::Opening;
use crate::engine::message::{Answer, Moment, RequestRef};
use crate::engine::outcome::Outcome;
use crate::engine::recent::Recent;
use crate::problem::{Finding, NamedFindings};

/// One instance of the component in memory of its own. It makes one call at a
/// time; after a trap it cannot be entered again and must be thrown away.
pub(crate) struct Worker {
    store: Store<Bounds>,
    component: Imds,
    opened: Recent<ResourceAny>,
}

impl Worker {
    pub(crate) fn new(store: Store<Bounds>, component: Imds) -> Self {
        Self { store, component, opened: Recent::new() }
    }

    /// Begins what is to run within one deadline.
    pub(crate) fn begin(&mut self) {
        self.store.data_mut().deadline.begin();
        // At the next move of the epoch the deadline is asked for the first time.
        self.store.set_epoch_deadline(1);
    }

    pub(crate) fn schema(&mut self) -> wasmtime::Result<String> {
        let service = self.component.imds_service_metadata();
        service.call_schema(&mut self.store)
    }

    pub(crate) fn fields_read(&mut self) -> wasmtime::Result<Vec<String>> {
        let service = self.component.imds_service_metadata();
        service.call_fields_read(&mut self.store)
    }

    /// Opens a description to see whether it is valid.
    pub(crate) fn try_open(&mut self, opening: &Opening) -> wasmtime::Result<Result<(), Vec<Finding>>> {
        Ok(match self.open(opening)? {
            Ok(resource) => {
                resource.resource_drop(&mut self.store)?;
                Ok(())
            }
            Err(problems) => Err(problems.into_iter().map(Finding::from).collect()),
        })
    }

    /// Answers for the instance `id`, which is opened here on its first use,
    /// and tells the throttle's state after that.
    // A struct of them would be made and taken apart once, by the runtime's one call.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn answer(
        &mut self,
        id: u64,
        opening: &Arc<Opening>,
        request: RequestRef<'_>,
        moment: Moment,
        counts: Counts,
        instances: usize,
    ) -> wasmtime::Result<(Answer, u64)> {
        let resource = self.resource(id, opening, instances)?;
        let fields: Vec<_> = request.fields.iter().map(|&(name, value)| wit::Field { name, value }).collect();
        let request = wit::Request {
            method: request.method,
            target: request.target,
            fields: &fields,
            over_ipv6: request.over_ipv6,
        };
        let moment = wit::Moment {
            now_ms: moment.now_ms,
            entropy: moment.entropy,
            throttle_state: counts.throttle_state,
            request_number: counts.request_number,
        };
        let instance = self.component.imds_service_metadata().instance();
        let answer = instance.call_answer(&mut self.store, resource, request, moment)?;
        let throttle_state = answer.throttle_state;
        Ok((answer.into(), throttle_state))
    }

    /// The identity document of the instance `id` as of `now_ms`.
    pub(crate) fn identity_document(
        &mut self,
        id: u64,
        opening: &Arc<Opening>,
        now_ms: u64,
        instances: usize,
    ) -> wasmtime::Result<IdentityDocument> {
        let resource = self.resource(id, opening, instances)?;
        let instance = self.component.imds_service_metadata().instance();
        let document = instance.call_identity_document(&mut self.store, resource, now_ms)?;
        Ok(IdentityDocument {
            text: document.text,
            signing_time_ms: document.signing_time_ms,
            since_ms: document.since_ms,
        })
    }

    /// Changes a description, as of `now_ms` or before the launch.
    pub(crate) fn edit(
        &mut self,
        description: &str,
        change: &str,
        now_ms: Option<u64>,
    ) -> wasmtime::Result<Result<String, Vec<Finding>>> {
        let service = self.component.imds_service_metadata();
        let edited = service.call_edit(&mut self.store, description, change, now_ms)?;
        Ok(edited.map_err(|problems| problems.into_iter().map(Finding::from).collect()))
    }

    /// Lets a scenario happen faster.
    pub(crate) fn speed_up(&mut self, scenario: &str, speed: f64) -> wasmtime::Result<Result<String, Vec<Finding>>> {
        let service = self.component.imds_service_metadata();
        let faster = service.call_speed_up(&mut self.store, scenario, speed)?;
        Ok(faster.map_err(|problems| problems.into_iter().map(Finding::from).collect()))
    }

    /// What happens to the instance of a description.
    pub(crate) fn timeline(
        &mut self,
        description: &str,
        now_ms: u64,
    ) -> wasmtime::Result<Result<Vec<Happening>, Vec<Finding>>> {
        let service = self.component.imds_service_metadata();
        let happenings = service.call_timeline(&mut self.store, description, now_ms)?;
        Ok(match happenings {
            Ok(happenings) => {
                Ok(happenings.into_iter().map(|it| Happening { at_ms: it.at_ms, what: it.what }).collect())
            }
            Err(problems) => Err(problems.into_iter().map(Finding::from).collect()),
        })
    }

    /// What a description says that cannot be real, each with its rule's name.
    pub(crate) fn warnings(
        &mut self,
        description: &str,
        now_ms: u64,
        scope: Option<&str>,
    ) -> wasmtime::Result<Result<NamedFindings, Vec<Finding>>> {
        let service = self.component.imds_service_metadata();
        let warnings = service.call_warnings(&mut self.store, description, now_ms, scope)?;
        Ok(match warnings {
            Ok(warnings) => Ok(warnings.into_iter().map(|it| (it.name, it.problem.into())).collect()),
            Err(problems) => Err(problems.into_iter().map(Finding::from).collect()),
        })
    }

    fn resource(&mut self, id: u64, opening: &Opening, instances: usize) -> wasmtime::Result<ResourceAny> {
        if let Some(resource) = self.opened.get(id) {
            return Ok(*resource);
        }
        // Instances whose handles are gone are among those not used for long.
        while let Some(resource) = self.opened.make_room(instances) {
            resource.resource_drop(&mut self.store)?;
        }
        let resource = self.open(opening)?.map_err(|problems| {
            // It was valid when the handle was made, and equal arguments give equal results.
            wasmtime::Error::msg(format!("a valid description became invalid in {} places", problems.len()))
        })?;
        self.opened.insert(id, resource);
        Ok(resource)
    }

    fn open(&mut self, opening: &Opening) -> wasmtime::Result<Result<ResourceAny, Vec<wit::Problem>>> {
        let allowed: Vec<&str> = opening.allowed_hosts().iter().map(String::as_str).collect();
        let settings = wit::Settings {
            token_secret: opening.token_secret(),
            allowed_hosts: &allowed,
            signs_identity: opening.signs_identity(),
            scope: opening.scope(),
        };
        let instance = self.component.imds_service_metadata().instance();
        instance.call_open(&mut self.store, &opening.document, settings)
    }
}

/// What was counted of an instance's requests.
#[derive(Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) throttle_state: u64,
    pub(crate) request_number: u64,
}

/// What signatures are made from.
pub(crate) struct IdentityDocument {
    pub(crate) text: String,
    pub(crate) signing_time_ms: u64,
    /// 0 where it always was this one.
    pub(crate) since_ms: u64,
}

/// What a worker may take.
pub(crate) struct Bounds {
    /// Of memory.
    pub(crate) memory: StoreLimits,
    /// Of time, for the call in progress.
    pub(crate) deadline: Deadline,
}

impl From<wit::Answer> for Answer {
    fn from(answer: wit::Answer) -> Self {
        Self {
            status: answer.status,
            head: answer.head,
            body: answer.body,
            hop_limit: answer.hop_limit,
            delivery: answer.delivery.map(Delivery::from),
            outcome: answer.outcome.into(),
        }
    }
}

impl From<wit::Delivery> for Delivery {
    fn from(delivery: wit::Delivery) -> Self {
        match delivery {
            wit::Delivery::Delayed(ms) => Self::Delayed(Duration::from_millis(ms.into())),
            wit::Delivery::Closed => Self::Closed,
            wit::Delivery::Cut => Self::Cut,
            wit::Delivery::Withheld => Self::Withheld,
        }
    }
}

impl From<wit::Outcome> for Outcome {
    fn from(outcome: wit::Outcome) -> Self {
        match outcome {
            wit::Outcome::NotRunning => Self::NotRunning,
            wit::Outcome::FaultRefused => Self::FaultRefused,
            wit::Outcome::Throttled => Self::Throttled,
            wit::Outcome::Found => Self::Found,
            wit::Outcome::TokenIssued => Self::TokenIssued,
            wit::Outcome::MethodsListed => Self::MethodsListed,
            wit::Outcome::HostRefused => Self::HostRefused,
            wit::Outcome::EndpointDisabled => Self::EndpointDisabled,
            wit::Outcome::Ipv6Disabled => Self::Ipv6Disabled,
            wit::Outcome::TokenMethodRefused => Self::TokenMethodRefused,
            wit::Outcome::Forwarded => Self::Forwarded,
            wit::Outcome::TtlRefused => Self::TtlRefused,
            wit::Outcome::TokenMissing => Self::TokenMissing,
            wit::Outcome::TokenInvalid => Self::TokenInvalid,
            wit::Outcome::TokenExpired => Self::TokenExpired,
            wit::Outcome::MethodRefused => Self::MethodRefused,
            wit::Outcome::NotFound => Self::NotFound,
            wit::Outcome::SignaturesWanted => Self::SignaturesWanted,
        }
    }
}

impl From<wit::Problem> for Finding {
    /// Without the position in the text: that text is JSON, since this host made it.
    fn from(problem: wit::Problem) -> Self {
        Self { field: problem.field, in_name: problem.in_name, message: problem.message, help: problem.help }
    }
}
