//! Wire protocols as machines: bytes in, heads and body ranges out.

pub mod h1;
