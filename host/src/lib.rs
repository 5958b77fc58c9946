//! The EC2 instance metadata service, for embedding: a description of an
//! instance in, the answers of 169.254.169.254 out.
//!
//! ```
//! use imds_host::{Description, Moment, Request, Runtime, Settings};
//!
//! // What the instance is. Every field has a default.
//! let description = Description::from_toml("web-1.toml", r#"
//!     instance-type = "m7g.large"
//!
//!     [metadata-options]
//!     http-tokens = "required"
//! "#)?;
//!
//! // One runtime serves any number of instances, from any number of threads.
//! let runtime = Runtime::new()?;
//! let instance = runtime.open(&description, &Settings::default())?;
//!
//! // Requests and answers are plain values, and so is the time: no socket, no clock.
//! let now = Moment::at(1_764_000_000_000, 1);
//! let put = Request { method: "PUT".into(), ..Request::get("/latest/api/token") };
//! let answer = instance.answer(&put.with("X-aws-ec2-metadata-token-ttl-seconds", "60"), now);
//! let token = answer.body;
//!
//! let get = Request::get("/latest/meta-data/instance-type");
//! assert_eq!(instance.answer(&get, now).status, 401);
//! let answer = instance.answer(&get.with("X-aws-ec2-metadata-token", token), now);
//! assert_eq!(answer.body, b"m7g.large");
//! # Ok::<_, imds_host::Error>(())
//! ```
//!
//! [`serve`] puts a [`Service`] on a listener; as a [`hyper`] service it mounts
//! in servers of other kinds. An [`Observer`] is told of every answer:
//! [`Metrics`] is one that counts for Prometheus, [`Journal`] one that keeps the
//! last requests. A [`VirtualClock`] moves the time.
//!
//! All rules of the service live in a WebAssembly component ([`COMPONENT`])
//! that imports nothing: this crate carries, the component answers. It was
//! translated to machine code when this crate was built, so that a process
//! starts in milliseconds and brings no compiler.

mod bindings;
mod body;
mod buffers;
mod caller;
mod clock;
mod connection;
mod control;
mod deadline;
mod delivery;
mod description;
mod document;
mod engine;
mod entropy;
mod error;
mod excerpt;
mod exchange;
mod fleet;
mod happening;
mod http;
mod identity;
mod instance;
mod journal;
mod limits;
mod lines;
mod locate;
mod message;
mod metrics;
mod observer;
mod outcome;
mod places;
mod printable;
mod problem;
mod promises;
mod recent;
mod rfc3339;
mod runtime;
mod scenario;
mod secrets;
mod server;
mod service;
mod session_version;
mod settings;
pub mod shown;
mod snapshot;
mod struck;
mod terms;
mod virtual_clock;
mod warning;
mod worker;

pub use body::Body;
pub use caller::{Caller, Instances};
pub use clock::{Clock, SystemClock};
pub use control::Control;
pub use delivery::Delivery;
pub use description::Description;
pub use error::Error;
pub use fleet::{CallerKey, Fleet};
pub use happening::Happening;
pub use identity::{Certificate, IdentityKeys, IdentitySigning, KeyMaker};
pub use instance::Instance;
pub use journal::{Journal, JournalEntry, Usage};
pub use limits::Limits;
pub use message::{Answer, Field, Moment, Request};
pub use metrics::Metrics;
pub use observer::{Answered, Observer, Trouble};
pub use outcome::Outcome;
pub use problem::{Excerpt, Place, Problem, Problems};
pub use runtime::Runtime;
pub use scenario::Scenario;
pub use server::serve;
pub use service::{HopLimit, Service};
pub use session_version::SessionVersion;
pub use settings::{Secret, Settings};
pub use snapshot::Snapshot;
pub use virtual_clock::{ClockState, VirtualClock, WrongSpeed};
pub use warning::{Warning, Warnings};

/// The component itself, as WebAssembly: for other engines, and for tests that
/// hold its list of imports to the empty list.
///
/// ```
/// assert_eq!(imds_host::COMPONENT[..4], *b"\0asm");
/// ```
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/imds.wasm"));
