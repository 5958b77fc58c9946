use std::time::Duration;

use wasmtime::component::{Instance, ResourceAny};
use wasmtime::{Store, StoreLimits};

use crate::engine::bindings::Imds;
use crate::engine::bindings::exports::imds::service::metadata as wit;
use crate::engine::deadline::Deadline;
use crate::engine::delivery::Delivery;
use crate::engine::lent::AnswerFunction;
use crate::engine::message::{Moment, RequestBody, Verdict};
use crate::engine::opening::Opening;
use crate::engine::outcome::{Explanation, Outcome};
use crate::engine::recent::Recent;
use crate::engine::session_version::SessionVersion;
use crate::identity::Signatures;
use crate::problem::{Finding, NamedFindings};

/// One instance of the component in memory of its own. It makes one call at a
/// time; after a trap it cannot be entered again and must be thrown away.
pub(crate) struct Worker {
    store: Store<Bounds>,
    component: Imds,
    /// The function `answer` where it lends its lists; none where they are copied.
    lends: Option<AnswerFunction>,
    opened: Recent<ResourceAny>,
}

impl Worker {
    /// `lends` says whether the component lends the lists of an answer until the next
    /// call; any other may free them as soon as a call returns.
    pub(crate) fn new(mut store: Store<Bounds>, instance: &Instance, lends: bool) -> wasmtime::Result<Self> {
        let component = Imds::new(&mut store, instance)?;
        let lends = lends.then(|| AnswerFunction::of(&mut store, instance)).transpose()?;
        Ok(Self { store, component, lends, opened: Recent::new() })
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

    /// Opens the instance `id` and keeps it for its first request.
    pub(crate) fn open_kept(
        &mut self,
        id: u64,
        opening: &Opening,
        instances: usize,
    ) -> wasmtime::Result<Result<(), Vec<Finding>>> {
        self.make_room(instances)?;
        Ok(match self.open(opening)? {
            Ok(resource) => {
                self.opened.insert(id, resource);
                Ok(())
            }
            Err(problems) => Err(problems.into_iter().map(Finding::from).collect()),
        })
    }

    /// Answers for the instance `id`, which is opened here on its first use, and
    /// appends the answer to `out`.
    pub(crate) fn answer(
        &mut self,
        id: u64,
        opening: &Opening,
        instances: usize,
        asked: Asked<'_>,
        out: &mut Vec<u8>,
    ) -> wasmtime::Result<Told> {
        let resource = self.resource(id, opening, instances)?;
        let signatures = asked.signatures.map(|it| wit::Signatures {
            signature: &it.signature,
            pkcs7: &it.pkcs7,
            rsa2048: &it.rsa2048,
        });
        let Some(function) = &self.lends else {
            let instance = self.component.imds_service_metadata().instance();
            let answer = instance.call_answer(&mut self.store, resource, asked.head, asked.moment(), signatures)?;
            out.extend_from_slice(&answer.head);
            out.extend_from_slice(&answer.body);
            return Ok(answer.into());
        };
        let answer = function.call(&mut self.store, resource, asked.head, asked.moment(), signatures)?;
        let [head, body] = [&answer.head, &answer.body].map(|list| list.as_le_slice(&self.store));
        out.reserve(head.len() + body.len());
        out.extend_from_slice(head);
        out.extend_from_slice(body);
        let head_length = head.len();
        Ok(Told {
            verdict: Verdict {
                status: answer.status,
                outcome: answer.outcome.into(),
                version: answer.session_version.map(SessionVersion::from),
                hop_limit: answer.hop_limit,
                delivery: answer.delivery.map(Delivery::from),
                request_body: answer.request_body.into(),
                keep_alive: answer.keep_alive,
                head_length,
            },
            throttle_state: answer.throttle_state,
            to_sign: answer.to_sign.map(ToSign::from),
        })
    }

    /// The item or listing of an instance at a path.
    #[cfg(feature = "ec2")]
    pub(crate) fn item(
        &mut self,
        id: u64,
        opening: &Opening,
        instances: usize,
        path: &str,
        now_ms: u64,
    ) -> wasmtime::Result<Option<Vec<u8>>> {
        let resource = self.resource(id, opening, instances)?;
        let instance = self.component.imds_service_metadata().instance();
        instance.call_item(&mut self.store, resource, path, now_ms)
    }

    /// Answers a caller that has no instance.
    pub(crate) fn refuse_caller(&mut self, asked: Asked<'_>, out: &mut Vec<u8>) -> wasmtime::Result<Verdict> {
        let service = self.component.imds_service_metadata();
        let answer = service.call_refuse_caller(&mut self.store, asked.head, asked.moment())?;
        out.extend_from_slice(&answer.head);
        out.extend_from_slice(&answer.body);
        Ok(Told::from(answer).verdict)
    }

    /// What an outcome means.
    pub(crate) fn explain(&mut self, outcome: wit::Outcome) -> wasmtime::Result<Explanation> {
        let service = self.component.imds_service_metadata();
        let wit::Explanation { reason, remedy } = service.call_explain(&mut self.store, outcome)?;
        Ok(Explanation { reason, remedy })
    }

    /// Changes a description, as of `now_ms` or before the launch.
    pub(crate) fn edit(
        &mut self,
        description: &str,
        change: &str,
        now_ms: Option<u64>,
        scope: Option<&str>,
    ) -> wasmtime::Result<Result<String, Vec<Finding>>> {
        let service = self.component.imds_service_metadata();
        let edited = service.call_edit(&mut self.store, description, change, now_ms, scope)?;
        Ok(edited.map_err(|problems| problems.into_iter().map(Finding::from).collect()))
    }

    /// Lets a scenario happen faster.
    pub(crate) fn speed_up(&mut self, scenario: &str, speed: f64) -> wasmtime::Result<Result<String, Vec<Finding>>> {
        let service = self.component.imds_service_metadata();
        let faster = service.call_speed_up(&mut self.store, scenario, speed)?;
        Ok(faster.map_err(|problems| problems.into_iter().map(Finding::from).collect()))
    }

    /// What the instance of a description is.
    pub(crate) fn status(
        &mut self,
        description: &str,
        now_ms: u64,
        scope: Option<&str>,
    ) -> wasmtime::Result<Result<wit::InstanceStatus, Vec<Finding>>> {
        let service = self.component.imds_service_metadata();
        let status = service.call_status(&mut self.store, description, now_ms, scope)?;
        Ok(status.map_err(|problems| problems.into_iter().map(Finding::from).collect()))
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
        self.make_room(instances)?;
        let resource = self.open(opening)?.map_err(|problems| {
            // It was valid when the handle was made, and equal arguments give equal results.
            wasmtime::Error::msg(format!("a valid description became invalid in {} places", problems.len()))
        })?;
        self.opened.insert(id, resource);
        Ok(resource)
    }

    fn make_room(&mut self, instances: usize) -> wasmtime::Result<()> {
        // Instances whose handles are gone are among those not used for long.
        while let Some(resource) = self.opened.make_room(instances) {
            resource.resource_drop(&mut self.store)?;
        }
        Ok(())
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

/// A request and what a shell knows of it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) head: &'r [u8],
    pub(crate) moment: Moment,
    pub(crate) counts: Counts,
    pub(crate) signatures: Option<&'r Signatures>,
}

/// What was counted of an instance's requests.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) throttle_state: u64,
    pub(crate) request_number: u64,
}

impl Asked<'_> {
    fn moment(&self) -> wit::Moment {
        let Moment { now_ms, entropy, over_ipv6, keep_alive } = self.moment;
        let Counts { throttle_state, request_number } = self.counts;
        wit::Moment { now_ms, entropy, throttle_state, request_number, over_ipv6, keep_alive }
    }
}

/// What the component says beside the bytes of an answer.
pub(crate) struct Told {
    pub(crate) verdict: Verdict,
    pub(crate) throttle_state: u64,
    pub(crate) to_sign: Option<ToSign>,
}

/// What signatures are made from.
#[derive(Clone, Debug)]
pub(crate) struct ToSign {
    pub(crate) text: String,
    pub(crate) signing_time_ms: u64,
}

impl From<wit::Answer> for Told {
    fn from(answer: wit::Answer) -> Self {
        Self {
            verdict: Verdict {
                status: answer.status,
                outcome: answer.outcome.into(),
                version: answer.session_version.map(SessionVersion::from),
                hop_limit: answer.hop_limit,
                delivery: answer.delivery.map(Delivery::from),
                request_body: answer.request_body.into(),
                keep_alive: answer.keep_alive,
                head_length: answer.head.len(),
            },
            throttle_state: answer.throttle_state,
            to_sign: answer.to_sign.map(ToSign::from),
        }
    }
}

impl From<wit::IdentityDocument> for ToSign {
    fn from(document: wit::IdentityDocument) -> Self {
        Self { text: document.text, signing_time_ms: document.signing_time_ms }
    }
}

/// What a worker may take.
pub(crate) struct Bounds {
    /// Of memory.
    pub(crate) memory: StoreLimits,
    /// Of time, for the call in progress.
    pub(crate) deadline: Deadline,
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

impl From<wit::SessionVersion> for SessionVersion {
    fn from(version: wit::SessionVersion) -> Self {
        match version {
            wit::SessionVersion::One => Self::One,
            wit::SessionVersion::Two => Self::Two,
        }
    }
}

impl From<wit::RequestBody> for RequestBody {
    fn from(body: wit::RequestBody) -> Self {
        match body {
            wit::RequestBody::None => Self::None,
            wit::RequestBody::Length(length) => Self::Length(length),
            wit::RequestBody::Chunked => Self::Chunked,
            wit::RequestBody::Unknown => Self::Unknown,
        }
    }
}

/// Both ways from one list, so that no outcome can be left out of either.
macro_rules! outcomes {
    ($($name:ident),* $(,)?) => {
        impl From<wit::Outcome> for Outcome {
            fn from(outcome: wit::Outcome) -> Self {
                match outcome {
                    $(wit::Outcome::$name => Self::$name,)*
                }
            }
        }

        impl Outcome {
            /// That of the contract; none for one of the shell.
            pub(crate) fn of_the_contract(self) -> Option<wit::Outcome> {
                match self {
                    $(Self::$name => Some(wit::Outcome::$name),)*
                    Self::Failed => None,
                }
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

impl From<wit::Problem> for Finding {
    /// Without the position in the text: that text is JSON, since this host made it.
    fn from(problem: wit::Problem) -> Self {
        Self { field: problem.field, in_name: problem.in_name, message: problem.message, help: problem.help }
    }
}
