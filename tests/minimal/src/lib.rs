//! The least that Spin can serve: what the adapter is measured beside, by
//! `tests/benches/spin`.

#[cfg(all(target_arch = "wasm32", feature = "wasi-http-0-2"))]
mod wasi_http_0_2;
#[cfg(all(target_arch = "wasm32", feature = "wasi-http-0-3", not(feature = "wasi-http-0-2")))]
mod wasi_http_0_3;

/// The body of every answer: as long as an instance id.
pub const BODY: &str = "i-0123456789abcdef0";
