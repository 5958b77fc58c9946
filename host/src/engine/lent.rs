use wasmtime::Store;
use wasmtime::component::{ComponentType, Func, Instance, Lift, ResourceAny, TypedFunc, WasmList};

use crate::engine::bindings::exports::imds::service::metadata as wit;

/// The answer of the contract with its bytes still in the component's memory: a
/// list that is copied out of it first would be copied twice on its way to a socket.
///
/// The bytes are good until the next call into the component, if its export has no
/// `cabi_post_…` that frees them as soon as the call returns. The embedded one has
/// none.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct LentAnswer {
    pub(crate) head: WasmList<u8>,
    pub(crate) body: WasmList<u8>,
    pub(crate) status: u16,
    pub(crate) outcome: wit::Outcome,
    #[component(name = "session-version")]
    pub(crate) session_version: Option<wit::SessionVersion>,
    #[component(name = "hop-limit")]
    pub(crate) hop_limit: Option<u8>,
    pub(crate) delivery: Option<wit::Delivery>,
    #[component(name = "request-body")]
    pub(crate) request_body: wit::RequestBody,
    #[component(name = "keep-alive")]
    pub(crate) keep_alive: bool,
    #[component(name = "throttle-state")]
    pub(crate) throttle_state: u64,
    #[component(name = "to-sign")]
    pub(crate) to_sign: Option<wit::IdentityDocument>,
}

/// What the function `answer` takes.
type Parameters<'a> = (ResourceAny, &'a [u8], wit::Moment, Option<wit::Signatures<'a>>);

/// The function `answer` of an instance of the component.
pub(crate) struct AnswerFunction(Func);

const INTERFACE: &str = "imds:service/metadata@0.2.0";

impl AnswerFunction {
    /// Fails where the component has none, or one of another type.
    pub(crate) fn of<T: 'static>(store: &mut Store<T>, instance: &Instance) -> wasmtime::Result<Self> {
        let interface = instance.get_export_index(&mut *store, None, INTERFACE);
        let index =
            interface.and_then(|it| instance.get_export_index(&mut *store, Some(&it), "[method]instance.answer"));
        let function = index.and_then(|index| instance.get_func(&mut *store, index));
        let function = function.ok_or_else(|| wasmtime::Error::msg("the component has no function `answer`"))?;
        function.typed::<Parameters<'_>, (LentAnswer,)>(&*store)?;
        Ok(Self(function))
    }

    #[allow(unsafe_code)]
    pub(crate) fn call<T: 'static>(
        &self,
        store: &mut Store<T>,
        instance: ResourceAny,
        head: &[u8],
        moment: wit::Moment,
        signatures: Option<wit::Signatures<'_>>,
    ) -> wasmtime::Result<LentAnswer> {
        // SAFETY: the types were compared when the function was looked up.
        let function = unsafe { TypedFunc::<Parameters<'_>, (LentAnswer,)>::new_unchecked(self.0) };
        Ok(function.call(store, (instance, head, moment, signatures))?.0)
    }
}
