//! Gives the target to libFuzzer.
#![no_main]

#[path = "../tape.rs"]
mod tape;

libfuzzer_sys::fuzz_target!(|data: &[u8]| tape::target(data));
