//! Gives the target to libFuzzer.
#![no_main]

#[path = "../h1_chunked.rs"]
mod h1_chunked;

libfuzzer_sys::fuzz_target!(|data: &[u8]| h1_chunked::target(data));
