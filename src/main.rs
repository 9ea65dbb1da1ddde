//! Ringgate.

fn main() {}
