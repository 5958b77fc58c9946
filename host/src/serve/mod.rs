//! Requests from sockets and from hyper, and their answers.
//!
//! [`Service`] answers a head; [`serve`] is the loop around a socket: admission of a
//! connection, then read, ask, write, until it ends.

mod admission;
mod body;
mod caller;
mod connection;
mod http;
mod input;
mod listener;
mod request_body;
mod service;
mod socket_options;
mod timer;

pub use self::body::Body;
pub use self::caller::{Caller, Instances};
pub use self::listener::serve;
pub use self::service::{HopLimit, Service};
