//! Fuzzes [`imds_fuzz::token`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| imds_fuzz::token(bytes));
