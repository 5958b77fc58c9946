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

mod control;
mod description;
mod engine;
mod error;
mod identity;
mod observe;
mod problem;
mod redact;
mod serve;

pub use control::{CallerKey, ClockState, Control, Fleet, Snapshot, VirtualClock, WrongSpeed};
pub use description::{Description, Scenario, Warning, Warnings};
pub use engine::{
    Answer, COMPONENT, Clock, Delivery, Explanation, Field, Happening, Instance, Limits, Moment, Outcome, Request,
    RequestBody, RequestHead, Runtime, Secret, SessionVersion, Settings, SystemClock, Verdict,
};
pub use error::Error;
pub use identity::{Certificate, IdentityKeys, IdentitySigning, KeyMaker};
pub use observe::{Answered, Journal, JournalEntry, Metrics, Observer, Trouble, Usage};
pub use problem::{Excerpt, Place, Problem, Problems};
pub use serve::{Body, Caller, HopLimit, Instances, Service, serve};

/// What a client sent, as a log may show it: of bounded length, without what a
/// terminal would obey, and without what looks like a key or a token. Whatever a
/// log, the journal, a control answer or a debug print shows of a request goes
/// through here.
pub mod shown {
    pub use crate::redact::{host, lines, method, target, text, user_agent};
}
