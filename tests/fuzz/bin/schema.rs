//! Gives the target to libFuzzer.
#![no_main]

#[path = "../schema.rs"]
mod schema;

libfuzzer_sys::fuzz_target!(|data: &[u8]| schema::target(data));
