//! Wire protocols as machines: bytes in, heads and body ranges out.
//!
//! `http` holds what every version of HTTP shares: methods, field names, status codes, authorities, dates. `h1` reads
//! and writes HTTP/1.1 messages. Nothing here performs I/O, and nothing here knows what a gateway does with a message.

pub mod h1;
pub mod http;
pub mod proxy;
