//! The EC2 Instance Metadata Service (IMDS) as a pure function.
//!
//! ```text
//! description ──► Description ──► Facts ──► Tree ─┐
//! (JSON)          as written      complete       ├──► Instance::answer ──► Answer
//!                            request head, now ──┘
//! ```
//!
//! [`Instance::open`] reads a description of an EC2 instance, fills in what it
//! leaves out, and derives from it every path that the service has on such an
//! instance. [`Instance::answer`] then answers one request at a time: `http::head`
//! reads its head, `decide` decides, the one function with the order of checks, and
//! `http::answer` writes the answer.
//!
//! What always holds:
//!
//! - **No input from the side.** No clock, randomness, environment, file,
//!   socket or thread: time and entropy are arguments. Equal arguments give equal
//!   answers, natively and as a component.
//! - **No failure at run time.** Every request has an answer; a refusal is an
//!   answer. Only a description can be wrong, and then all that is wrong with
//!   it is told at once.
//! - **No state.** An instance never changes. Session tokens are sealed, not
//!   stored; the throttle's state is a number that goes in and out.
//!
//! Modules, in the order in which a request meets them: [`http`] (head in, answer
//! out), `decide`, `token`, `throttle`, [`version`], `tree`. Beside them [`description`], `facts` (what a description means) and `categories`
//! (which path shows which fact, since when); `timeline` changes descriptions and
//! tells what one makes of an instance at a time ([`edit`], [`speed_up`],
//! [`status`]); [`plausibility`] says what in a description cannot be real. `component` is the face of the
//! WebAssembly component and knows `wit/imds.wit`; nothing else does.
//!
//! Comments marked `DIFFERENCE:` tell where the behaviour departs from EC2 on
//! purpose, `UNRECORDED:` where no recording of EC2 exists and this is our choice.
//!
//! ```
//! use imds_core::{Instance, Moment, Settings};
//!
//! let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
//! let instance = Instance::open(r#"{"instance-type": "m7g.large"}"#, settings)?;
//! let head = b"GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n";
//! let answer = instance.answer(head, Moment { now_ms: 1_790_000_000_000, ..Moment::default() }, None);
//! assert_eq!((answer.status, &answer.body[..]), (200, &b"m7g.large"[..]));
//! # Ok::<(), Vec<imds_core::Problem>>(())
//! ```

mod categories;
#[cfg(target_arch = "wasm32")]
mod component;
mod container;
mod credentials;
mod decide;
pub mod description;
mod facts;
mod faults;
pub mod http;
mod instance;
mod outcome;
mod phase;
pub mod plausibility;
mod pretty;
mod refreshes;
mod split_mix;
mod throttle;
mod time;
mod timeline;
mod token;
mod tree;
pub mod version;

pub use categories::IdentityDocument;
pub use decide::SessionVersion;
pub use description::problem::{Position, Problem};
pub use faults::Delivery;
pub use http::{Answer, RequestBody};
pub use instance::{Instance, Moment, Settings, Signatures, refuse_caller};
pub use outcome::{Explanation, Outcome};
pub use plausibility::{Warning, warnings, warnings_in_scope};
pub use timeline::{Happening, MetadataOptions, Status, edit, speed_up, status};

/// The JSON Schema (draft 2020-12) of a description, as JSON text.
///
/// Made from the types of [`description`] by a test, which fails when the two
/// differ.
///
/// ```
/// assert!(imds_core::schema().contains("https://json-schema.org/draft/2020-12/schema"));
/// ```
pub fn schema() -> &'static str {
    include_str!("../description.schema.json")
}
