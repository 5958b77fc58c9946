//! A component behind the interface of the service that does all it should not:
//! what it does is in the target of a request, in the description, or in the
//! bytes of the component itself.
//!
//! `tests/all/isolation.rs` builds it and shows that the runner goes on.

#[cfg(target_arch = "wasm32")]
mod component;

/// What the functions do that take no argument: a test writes another word of
/// this length over it in the component's bytes, of which this is one place.
pub static MODE: &[u8; 24] = b"mode: behaves           ";

/// The words for [`MODE`].
pub mod modes {
    /// The names of the request fields are never told: a trap.
    pub const FIELDS_READ_TRAPS: &[u8; 24] = b"mode: fields-read traps ";
    /// They are never told: an endless loop.
    pub const FIELDS_READ_LOOPS: &[u8; 24] = b"mode: fields-read loops ";
    /// They fill all memory.
    pub const FIELDS_READ_GROWS: &[u8; 24] = b"mode: fields-read grows ";
    /// The schema is never told: a trap.
    pub const SCHEMA_TRAPS: &[u8; 24] = b"mode: schema traps      ";
    /// It is never told: an endless loop.
    pub const SCHEMA_LOOPS: &[u8; 24] = b"mode: schema loops      ";
    /// Outcomes are never explained: a trap.
    pub const EXPLAIN_TRAPS: &[u8; 24] = b"mode: explain traps     ";
}
