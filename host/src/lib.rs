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
//! # What to use
//!
//! | to | use |
//! | --- | --- |
//! | answer heads in bytes, on your own connection | [`Instance::answer_head`] |
//! | answer the requests of your own server | [`Service`], a [`hyper`] service |
//! | serve on listeners | [`serve`], or a [`Server`] with [`ConnectionLimits`] |
//! | change an instance while it is served | [`Control`], and a [`VirtualClock`] for its time |
//! | give a role real credentials | a [`CredentialSource`], and a [`CredentialRefresher`] that asks it |
//! | let `aws ec2`, boto3 and others operate what is served | [`Ec2Api`], with the feature `ec2` |
//! | serve many, one to each caller | [`Fleet`] by a [`CallerKey`], or your own [`Instances`] |
//! | change many while they are served | [`ControlledFleet`], which has a [`Control`] for each |
//! | observe every answer | an [`Observer`]; [`Metrics`] counts for Prometheus, a [`Journal`] keeps the last requests |
//! | judge a service that claims to be EC2's | a [`conform::Suite`], with the feature `conform`; [`probe`] is its client |
//! | record what a service serves, and compare services | a [`capture::Capturer`], with the feature `conform` |
//! | test a program that asks the service | [`testing::Imds`], which stops when it is dropped |
//! | sign the identity document with your own keys | [`IdentitySigning`] in [`Settings`] |
//! | bound the component, or run another | [`RuntimeLimits`]; `Runtime::with_component` with the feature `compiler` |
//!
//! # Features
//!
//! | features | what they contain | crates |
//! | --- | --- | --- |
//! | none | [`Runtime`], [`Instance`], [`Description`], keys and signatures: a head in, an answer out | no hyper, no tokio |
//! | `serve` | also everything for listening, operating and testing: [`Server`], [`Service`], [`Control`], [`Fleet`], [`testing`] | hyper, tokio |
//! | `ec2` | also EC2's own API over instances under control: [`Ec2Api`] | quick-xml |
//! | `conform` | also checks and captures of any endpoint: [`conform`], [`capture`], [`probe`] | |
//! | `cli`, `tls`: the default | also the program `imds` | clap |
//! | `compiler` | also your own components | wasmtime's Cranelift |
//!
//! `docs/supply-chain.md` counts the crates of each.
//!
//! # How it works
//!
//! ```text
//!  socket ──► Server ──► Service ──► Instance ──► Runtime ──► a worker's component
//!             admission   which        throttle,     lends a    wit/imds.wit:
//!             read, write instance?    signatures    worker     head in, answer out
//! ```
//!
//! All rules of the service live in a WebAssembly component ([`COMPONENT`])
//! that imports nothing: this crate passes requests in and answers out. The build
//! of this crate translates the component to machine code, so a process starts in
//! milliseconds and contains no compiler.
//!
//! The crate's folders are rooms, and a room uses only those before it: `redact`,
//! `error`, `description` (texts and places in them), `identity` (keys and
//! signatures), `engine` (running the component), `observe`, `serve` (sockets and
//! hyper), `credentials` (where real ones come from), `control` (what an operator
//! changes), `ec2` (EC2's own API over that), `probe` (a client that returns
//! answers as they were sent), `conform` (a judge of other services), `capture` (records
//! of what a service serves), `testing` (fixtures). The program uses only what this page
//! shows.
//!
//! Guarantees:
//!
//! - **Nothing that this crate serves is decided in it.** The component decides answers,
//!   changes and messages about them. This crate does what needs a socket or a key, as
//!   the component says. What [`conform`] knows of the real service judges
//!   other services, and a test holds it to the component.
//! - **A failure in the component costs one request.** The component has bounded
//!   memory and time, and a failure discards its worker. No client can make the
//!   process panic.
//! - **Answers never wait for changes.** No lock that an answer takes is held while
//!   the component runs, and none across an `await`. A [`Service`] in an executor and
//!   a [`Server`] occupy their thread only during the call into the component: some
//!   microseconds, or, for the first request to an instance, the time to open it, at
//!   most [`RuntimeLimits::call`]. Slow functions say so in their documentation:
//!   [`Runtime::open`], changes of a [`Control`], [`Service::respond`], reading files.
//! - **No secret is shown.** Tokens, keys, credentials and user data never reach a
//!   debug print, an error, a log or a journal: everything that these show of a
//!   request passes through [`shown`].
//! - **A wrong change changes nothing.** The error has all problems, each with its
//!   place in the given text.

#![deny(missing_debug_implementations)]
// The rooms that answer offer some things to those that serve alone.
#![cfg_attr(not(feature = "serve"), allow(dead_code, unused_imports))]

#[cfg(feature = "conform")]
pub mod capture;
#[cfg(feature = "conform")]
pub mod conform;
#[cfg(feature = "serve")]
mod control;
#[cfg(feature = "serve")]
mod credentials;
mod description;
#[cfg(feature = "ec2")]
mod ec2;
mod engine;
mod error;
mod identity;
#[cfg(feature = "serve")]
mod observe;
#[cfg(feature = "conform")]
pub mod probe;
mod problem;
mod redact;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "serve")]
pub mod testing;

#[cfg(feature = "serve")]
pub use control::{
    CallerKey, ClockState, Control, ControlledFleet, CredentialRefresher, CredentialsState, FetchFailure, Fleet,
    Interruption, InterruptionAction, MetadataOptions, Snapshot, Subscription, VirtualClock, WrongCallerKey,
    WrongSpeed,
};
#[cfg(feature = "serve")]
pub use credentials::{
    CredentialSource, DescribedSource, EnvironmentSource, Fetch, FileSource, FunctionSource, ProcessSource,
    ProfileSource, RoleCredentials, SourceError,
};
pub use description::{Description, Scenario, Warning, Warnings};
#[cfg(feature = "ec2")]
pub use ec2::{Ec2Answer, Ec2Api};
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
pub use serve::{Body, Caller, ConnectionLimits, Guest, HopLimit, Instances, Server, Service, serve};

/// What a client sent, as a log may show it: of bounded length, without what a
/// terminal would obey, and without what looks like a key or a token. Whatever a
/// log, the journal, a control answer or a debug print shows of a request goes
/// through here.
pub mod shown {
    pub use crate::redact::{host, lines, method, target, text, user_agent};
}
