//! Gives the target to libFuzzer.
#![no_main]

#[path = "../sigv4.rs"]
mod sigv4;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sigv4::target(data));
