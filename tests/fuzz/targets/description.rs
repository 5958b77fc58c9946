//! Fuzzes [`imds_fuzz::description`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| imds_fuzz::description(bytes));
