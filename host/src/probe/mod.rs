//! A client of the metadata service that returns answers as they were sent.
//!
//! SDKs hide what a check needs to see: the order of the header fields, the reason phrase,
//! how the connection ends. This client sends plain [`Request`](crate::Request)s and returns each [`Reply`]
//! with its head as it was sent. It opens a connection for each request, as clients of the
//! service do, and limits every wait.
//!
//! ```no_run
//! use imds_host::Request;
//! use imds_host::probe::{Client, Endpoint};
//!
//! let client = Client::new(Endpoint::parse("http://127.0.0.1:1338")?);
//! let reply = client.exchange(&Request::get("/latest/meta-data/ami-id"))?;
//! assert_eq!((reply.status, reply.field("Server")), (200, Some("EC2ws")));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod client;
mod endpoint;
mod no_reply;
mod reply;

pub use client::Client;
pub use endpoint::{Endpoint, WrongEndpoint};
pub use no_reply::NoReply;
pub use reply::Reply;
