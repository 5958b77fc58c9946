//! The service for the tests of other programs.

mod environment;

pub use self::environment::Environment;
