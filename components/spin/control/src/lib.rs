//! What an operator asks and changes of the instances that Spin serves: the control of
//! the native runner, as a component beside the adapter, over the same key-value
//! store.
//!
//! ```text
//! HTTP ──► Access: is it on, is the secret right? ──► routes
//!                                                       │
//!   key-value store ◄── Lease, compare and swap ── edit, status (imds:service)
//! ```
//!
//! What an edit comes to and what an instance is, the component `imds:service` says.
//! Here is who may ask, which key is meant, and that no change is lost. The adapter
//! reads the store again within a second and needs to know nothing of this.

pub mod guard;
pub mod key;
pub mod revision;

#[cfg(target_arch = "wasm32")]
mod access;
#[cfg(target_arch = "wasm32")]
mod bindings;
#[cfg(target_arch = "wasm32")]
mod change;
#[cfg(target_arch = "wasm32")]
mod description;
#[cfg(target_arch = "wasm32")]
mod hidden;
#[cfg(target_arch = "wasm32")]
mod http;
#[cfg(target_arch = "wasm32")]
mod lease;
#[cfg(target_arch = "wasm32")]
mod list;
#[cfg(target_arch = "wasm32")]
mod reply;
#[cfg(target_arch = "wasm32")]
mod routes;
#[cfg(target_arch = "wasm32")]
mod settings;
#[cfg(target_arch = "wasm32")]
mod show;
