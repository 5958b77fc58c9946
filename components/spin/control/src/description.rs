//! The host's rules of what may be shown of a description and of a text. They are
//! the same files, so that an operator is shown the same wherever an instance is
//! served. The host is published as a crate that needs no other of this repository,
//! and a component cannot depend on the host: so neither can be a crate here.

// There is more in them than a component uses.
#![allow(dead_code, unused_imports)]

#[path = "../../../../host/src/redact/mod.rs"]
pub mod redact;
#[path = "../../../../host/src/description/secrets/mod.rs"]
pub mod secrets;
