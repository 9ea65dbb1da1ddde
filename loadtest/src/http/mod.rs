//! The little HTTP/1.1 (RFC 9112) that a generator and a stub must read.
//!
//! These machines find where messages begin and end and what their status is. They keep no bodies, touch no
//! sockets, and trust their peer more than a gateway may: a load generator that refuses what a gateway would
//! refuse measures nothing.

pub mod chunked;
pub mod head;
pub mod request;
pub mod response;

/// What was wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The first line is not that of a request or an answer.
    StartLine,
    /// Content-Length is not a number, or a head is longer than [`head::HEAD_BYTES_MAX`].
    Head,
    /// A chunk does not begin with a size or does not end with a line end.
    Chunk,
}
