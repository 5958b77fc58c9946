//! The component at work: a description and a request in, an answer out. Nothing
//! here knows of sockets.

mod bindings;
mod clock;
mod config;
mod contract_check;
mod deadline;
mod delivery;
mod entropy;
mod event;
mod instance;
mod lent;
mod limits;
mod message;
mod opening;
mod outcome;
mod pool;
mod recent;
mod request_head;
mod runtime;
mod session_version;
mod settings;
mod terms;
mod translated;
mod worker;

pub(crate) use self::bindings::exports::imds::service::metadata::InstanceStatus as Status;
pub use self::clock::{Clock, SystemClock};
pub use self::delivery::Delivery;
pub(crate) use self::entropy::Entropy;
pub use self::event::Happening;
pub use self::instance::Instance;
pub(crate) use self::instance::Reply;
pub use self::limits::RuntimeLimits;
pub use self::message::{Answer, Field, Moment, Request, RequestBody, Verdict};
pub(crate) use self::opening::Opening;
pub use self::outcome::{Explanation, Outcome};
pub use self::request_head::RequestHead;
pub use self::runtime::Runtime;
pub use self::session_version::SessionVersion;
pub use self::settings::{Secret, Settings};
pub(crate) use self::terms::Terms;
pub(crate) use self::worker::{Counts, ToSign};
pub(crate) use crate::identity::Signatures;

/// The component itself, as WebAssembly: for other engines, and for tests that
/// hold its list of imports to the empty list.
///
/// ```
/// assert_eq!(imds_host::COMPONENT[..4], *b"\0asm");
/// ```
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/imds.wasm"));
