//! Gives the target to libFuzzer.
#![no_main]

#[path = "../config.rs"]
mod config;
#[path = "../net.rs"]
mod net;

libfuzzer_sys::fuzz_target!(|data: &[u8]| config::target(data));
