//! The EC2 Instance Metadata Service behind a Spin HTTP trigger.
//!
//! ```text
//! HTTP ──► Head ──► Callers::instance_of ──► which instance?
//!                          │
//!   variables, key-value store ──► description ──► imds:service (a component of its own)
//!                                                        │
//! HTTP ◄── Reply ◄───────────────────────────────────────┘
//! ```
//!
//! An adapter and nothing more: what an instance's service answers, the
//! component `imds:service` decides, the same file that the native runner
//! embeds. Spin composes the two by `spin.toml`. Here is what Spin brings and
//! the component must not know: [`Variables`], the key-value store, the clock,
//! randomness, and who calls ([`Callers`]).
//!
//! Engines create and drop instances of the adapter as they like, many at
//! once. So nothing that matters lives in its memory: a secret that was made is
//! kept in the store. What was read serves for a second, is read again behind an
//! answer, and goes on while the store is out.
//!
//! The face of this crate is `wasi:http` 0.3, for Spin 4.1 and later (feature
//! `wasi-http-0-3`); the crate in `wasi-0.2` has another for engines that know
//! WASI 0.2 only, and `components/http` one for engines that have none of Spin's
//! interfaces, which takes from here what links none of them. The crate in `control`
//! is another component, for operators, over the same store.

pub mod callers;
pub mod head;
pub mod keys;
pub mod proxies;
pub mod variables;

#[cfg(target_arch = "wasm32")]
mod bindings;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
mod engine;
#[cfg(target_arch = "wasm32")]
mod failure;
#[cfg(target_arch = "wasm32")]
mod faults;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
mod instances;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
mod known;
#[cfg(target_arch = "wasm32")]
pub mod log;
#[cfg(target_arch = "wasm32")]
mod opening;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
mod refusals;
#[cfg(all(target_arch = "wasm32", target_os = "wasi", feature = "http-types"))]
mod request;
#[cfg(all(target_arch = "wasm32", target_os = "wasi", feature = "http-types"))]
mod response;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
mod secret;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
mod service;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
pub mod store;
#[cfg(target_arch = "wasm32")]
mod store_error;
#[cfg(all(target_arch = "wasm32", feature = "wasi-http-0-2"))]
pub mod wasi_http_0_2;
#[cfg(all(target_arch = "wasm32", target_os = "wasi", feature = "wasi-http-0-3"))]
mod wasi_http_0_3;

#[cfg(target_arch = "wasm32")]
pub use bindings::metadata;
pub use callers::Callers;
#[cfg(all(target_arch = "wasm32", target_os = "wasi", feature = "asynchronous"))]
pub use engine::variable;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
pub use engine::{pause, within};
#[cfg(target_arch = "wasm32")]
pub use failure::Failure;
#[cfg(target_arch = "wasm32")]
pub use faults::deliver;
pub use head::{Head, Reply};
#[cfg(target_arch = "wasm32")]
pub use opening::{open, wrong_options};
pub use proxies::Proxies;
#[cfg(all(target_arch = "wasm32", target_os = "wasi", feature = "http-types"))]
pub use request::head_of;
#[cfg(all(target_arch = "wasm32", target_os = "wasi", feature = "http-types"))]
pub use response::respond;
#[cfg(all(target_arch = "wasm32", target_os = "wasi"))]
pub use service::{Answered, Rest, answer, now_ms};
pub use variables::Variables;
