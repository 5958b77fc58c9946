//! The EC2 instance metadata service, for embedding: a description of an
//! instance in, the answers of 169.254.169.254 out.
//!
//! ```
//! use imds_host::{Description, Moment, Request, Runtime};
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
//! let instance = runtime.open(&description)?;
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
//! # What there is
//!
//! | to | take |
//! | --- | --- |
//! | answer heads in bytes, on a connection of your own | [`Instance::answer_head`] |
//! | answer requests of a server of your own | [`Service`], a [`hyper`] service |
//! | serve on listeners | [`serve`], or a [`Server`] with [`ConnectionLimits`] |
//! | change an instance while it is served | [`Control`], and a [`VirtualClock`] for its time |
//! | serve many, one to each caller | [`Fleet`] by a [`CallerKey`], or [`Instances`] of your own |
//! | be told of every answer | an [`Observer`]; [`Metrics`] counts for Prometheus, a [`Journal`] keeps the last requests |
//! | test a program of yours that asks the service | [`testing::Imds`], which stops when it is dropped |
//! | sign the identity document with keys of yours | [`IdentitySigning`] in [`Settings`] |
//! | bound the component, or run another | [`RuntimeLimits`]; `Runtime::with_component` with the feature `compiler` |
//!
//! # What to bring in
//!
//! | features | what there is | crates |
//! | --- | --- | --- |
//! | none | [`Runtime`], [`Instance`], [`Description`], keys and signatures: a head in, an answer out | no hyper, no tokio |
//! | `serve` | also everything that listens, is operated or stands in a test: [`Server`], [`Service`], [`Control`], [`Fleet`], [`testing`] | hyper, tokio |
//! | `cli`, `tls`: the default | also the program `imds` | clap |
//! | `compiler` | also components of your own | wasmtime's Cranelift |
//!
//! `docs/supply-chain.md` counts the crates of each.
//!
//! # How it is made
//!
//! ```text
//!  socket ──► Server ──► Service ──► Instance ──► Runtime ──► a worker's component
//!             admission   which        throttle,     lends a    wit/imds.wit:
//!             read, write instance?    signatures    worker     head in, answer out
//! ```
//!
//! All rules of the service live in a WebAssembly component ([`COMPONENT`])
//! that imports nothing: this crate carries, the component answers. It was
//! translated to machine code when this crate was built, so that a process
//! starts in milliseconds and brings no compiler.
//!
//! The crate's folders are rooms, and a room uses only those before it: `redact`,
//! `error`, `description` (texts and places in them), `identity` (keys and
//! signatures), `engine` (the component at work), `observe`, `serve` (sockets and
//! hyper), `control` (what an operator changes), `testing` (fixtures). The program is built on what this
//! page shows and nothing else.
//!
//! What always holds:
//!
//! - **No rule of IMDS is here.** Which answer, which change, which word about
//!   either: the component says. What only a socket or a key can do, is done on its
//!   word.
//! - **What fails in the component costs one request.** It has a bounded memory and
//!   a bounded time, and its worker is thrown away. Nothing that a client sends makes
//!   the process panic.
//! - **Nobody who answers waits for who changes.** No lock that an answer takes is
//!   held while the component runs, and none across an `await`. A [`Service`] in an
//!   executor and a [`Server`] keep its thread for the call into the component and no
//!   longer: microseconds, and where an instance is opened for its first request, the
//!   time of that, [`RuntimeLimits::call`] at most. What takes long says so:
//!   [`Runtime::open`], changes of a [`Control`], [`Service::respond`], reading files.
//! - **No secret is shown.** Tokens, keys, credentials and user data reach no debug
//!   print, no error, no log and no journal: what these show of a request goes through
//!   [`shown`].
//! - **A wrong change changes nothing.** All problems are told at once, each with its
//!   place in the text that was given.

#![deny(missing_debug_implementations)]
// The rooms that answer offer some things to those that serve alone.
#![cfg_attr(not(feature = "serve"), allow(dead_code, unused_imports))]

#[cfg(feature = "serve")]
mod control;
mod description;
mod engine;
mod error;
mod identity;
#[cfg(feature = "serve")]
mod observe;
mod problem;
mod redact;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
pub mod testing;

#[cfg(feature = "serve")]
pub use control::{
    CallerKey, ClockState, Control, Fleet, Interruption, InterruptionAction, MetadataOptions, Snapshot, VirtualClock,
    WrongCallerKey, WrongSpeed,
};
pub use description::{Description, Scenario, Warning, Warnings};
pub use engine::{
    Answer, COMPONENT, Clock, Delivery, Explanation, Field, Happening, Instance, Moment, Outcome, Request, RequestBody,
    RequestHead, Runtime, RuntimeLimits, Secret, SessionVersion, Settings, SystemClock, Verdict,
};
pub use error::Error;
pub use identity::{Certificate, IdentityKeys, IdentitySigning, KeyMaker};
#[cfg(feature = "serve")]
pub use observe::{Answered, Journal, JournalEntry, Metrics, Observer, Trouble, Usage};
pub use problem::{Excerpt, Place, Problem, Problems};
#[cfg(feature = "serve")]
pub use serve::{Body, Caller, ConnectionLimits, HopLimit, Instances, Server, Service, serve};

/// What a client sent, as a log may show it: of bounded length, without what a
/// terminal would obey, and without what looks like a key or a token. Whatever a
/// log, the journal, a control answer or a debug print shows of a request goes
/// through here.
pub mod shown {
    pub use crate::redact::{host, lines, method, target, text, user_agent};
}
