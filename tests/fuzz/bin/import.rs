//! Gives the target to libFuzzer.
#![no_main]

#[path = "../import.rs"]
mod import;

libfuzzer_sys::fuzz_target!(|data: &[u8]| import::target(data));
