//! Requests from sockets and from hyper, and their answers.

mod admission;
mod body;
mod buffers;
mod caller;
mod connection;
mod exchange;
mod fault_delivery;
mod http;
mod server;
mod service;

pub use self::body::Body;
pub use self::caller::{Caller, Instances};
pub use self::server::serve;
pub use self::service::{HopLimit, Service};
