//! Gives the target to libFuzzer.
#![no_main]

#[path = "../h1_head.rs"]
mod h1_head;

libfuzzer_sys::fuzz_target!(|data: &[u8]| h1_head::target(data));
