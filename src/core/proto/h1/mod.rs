//! HTTP/1.1 as a machine (RFC 9112): heads, bodies and the bytes of answers.
//!
//! It owns syntax and framing: where a message starts and ends, and which bytes are its fields and its content. It
//! does not own connections, time or policy: the driver reads into a buffer, calls [`parse_request`] or
//! [`parse_response`] until the head is complete, feeds what follows to a [`BodyDecoder`], and writes with the
//! functions of [`write`]. Limits come in as [`HeadLimits`]; a deadline is the driver's.
//!
//! One rule decides every doubtful case: **what two servers could read differently is refused.** A gateway stands
//! between a client and an origin, and each tolerance of one of them is a request hidden from the other. The reasons are
//! the variants of [`Refusal`]; after one the connection has to close, because nobody knows where the next message
//! would start.

mod body;
mod chunked;
mod class;
mod fields;
mod framing;
mod head;
mod refusal;
mod request;
mod response;
mod span;
mod target;
pub mod write;

pub use body::BodyDecoder;
pub use chunked::{
    CHUNK_LINE_BYTES_MAX, Chunked, EXTENSION_BYTES_MAX, Step, TRAILER_BYTES_MAX, TRAILER_FIELDS_MAX,
    encode_chunk_header,
};
pub use fields::{Field, Fields};
pub use framing::{CONNECTION_OPTIONS_MAX, Framing};
pub use head::{EMPTY_LINES_MAX, HeadLimits, Progress};
pub use refusal::Refusal;
pub use request::{RequestHead, parse_request};
pub use response::{ResponseHead, parse_response};
pub use span::Span;
pub use target::TargetForm;
