//! Gives the target to libFuzzer.
#![no_main]

#[path = "../vtl.rs"]
mod vtl;

libfuzzer_sys::fuzz_target!(|data: &[u8]| vtl::target(data));
