//! Gives the target to libFuzzer.
#![no_main]

#[path = "../jsonpath.rs"]
mod jsonpath;

libfuzzer_sys::fuzz_target!(|data: &[u8]| jsonpath::target(data));
