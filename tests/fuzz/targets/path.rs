//! Fuzzes [`imds_fuzz::path`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| imds_fuzz::path(bytes));
