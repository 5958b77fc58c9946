//! HTTP/1.1: a request head in, an answer out.

pub mod answer;
pub mod head;
pub(crate) mod host;
pub(crate) mod target;

pub use answer::Answer;
pub use head::{Head, RequestBody, Unreadable};

/// The host that the client believes to talk to.
pub const HOST: &str = "host";
/// A session token, sent with a request.
pub const TOKEN: &str = "x-aws-ec2-metadata-token";
/// The lifetime wanted for a session token, in seconds.
pub const TOKEN_TTL_SECONDS: &str = "x-aws-ec2-metadata-token-ttl-seconds";
/// Added by proxies; its presence refuses everything that has to do with tokens.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// The token of a container.
pub const AUTHORIZATION: &str = "authorization";

/// The fields that decide an answer, as opposed to those that frame the request
/// on its connection: a shell that got a parsed request may leave out all others.
pub const FIELDS_READ: [&str; 5] = [HOST, TOKEN, TOKEN_TTL_SECONDS, FORWARDED_FOR, AUTHORIZATION];
