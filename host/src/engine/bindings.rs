// The contract as Rust types; only `worker.rs` uses them.

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
