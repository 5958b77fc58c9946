//! Requests from sockets and from hyper, and their answers.
//!
//! [`Service`] answers a head; [`Server`] is the loop around sockets: admission of a
//! connection, then read, ask, write, until it ends.

mod admission;
mod body;
mod caller;
mod connection;
mod http;
mod input;
mod limits;
mod request_body;
mod server;
mod service;
mod socket_options;
mod timer;

pub use self::body::Body;
pub use self::caller::{Caller, Guest, Instances};
pub use self::limits::ConnectionLimits;
pub use self::server::{Server, serve};
pub use self::service::{HopLimit, Service};
