//! The EC2 Instance Metadata Service (IMDS) as a pure function.
//!
//! ```text
//! description ──► Description ──► Facts ──► Tree ─┐
//! (JSON)          as written      complete       ├──► Instance::answer ──► Answer
//!                                 request, now ──┘
//! ```
//!
//! [`Instance::open`] reads a description of an EC2 instance, fills in what it
//! leaves out, and derives from it every path that the service has on such an
//! instance. [`Instance::answer`] then answers one request at a time; the order
//! in which it checks a request stands in one function, `Instance::decide`.
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
//! Modules, in the order in which a request meets them: [`http`] values,
//! `target` (paths), `token`, [`version`], `tree`, [`answer`](mod@answer). Beside
//! them [`description`], `facts` (what a description means) and `categories`
//! (which path shows which fact, since when); `timeline` changes descriptions and
//! tells what one makes of an instance at a time ([`edit`], [`speed_up`],
//! [`status`]); [`plausibility`] says what in a description cannot be real. `component` is the face of the
//! WebAssembly component and knows `wit/imds.wit`; nothing else does.
//!
//! Comments marked `DIFFERENCE:` tell where the behaviour departs from EC2 on
//! purpose, `UNRECORDED:` where no recording of EC2 exists and this is our choice.
//!
//! ```
//! use imds_core::{Instance, Moment, Settings, http::{Field, Request}};
//!
//! let settings = Settings { token_secret: vec![7; 32], ..Settings::default() };
//! let instance = Instance::open(r#"{"instance-type": "m7g.large"}"#, settings)?;
//! let request = Request {
//!     method: "GET",
//!     target: "/latest/meta-data/instance-type",
//!     fields: &[Field { name: "Host", value: b"169.254.169.254" }],
//!     ..Request::default()
//! };
//! let answer = instance.answer(&request, Moment { now_ms: 1_790_000_000_000, ..Moment::default() });
//! assert_eq!((answer.status, &answer.body[..]), (200, &b"m7g.large"[..]));
//! # Ok::<(), Vec<imds_core::Problem>>(())
//! ```

pub mod answer;
mod categories;
#[cfg(target_arch = "wasm32")]
mod component;
mod credentials;
pub mod description;
mod facts;
mod faults;
mod host;
pub mod http;
mod instance;
mod phase;
pub mod plausibility;
mod pretty;
mod refreshes;
mod split_mix;
mod target;
mod throttle;
mod time;
mod timeline;
mod token;
mod tree;
pub mod version;

pub use answer::{Answer, Outcome};
pub use categories::IdentityDocument;
pub use description::problem::{Position, Problem};
pub use faults::Delivery;
pub use instance::{Instance, Moment, Settings};
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
