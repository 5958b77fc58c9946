//! Fuzzes [`imds_fuzz::request`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| imds_fuzz::request(bytes));
