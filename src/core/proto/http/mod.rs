//! What all versions of HTTP share (RFC 9110): methods, field names, status codes, authorities and dates.

mod authority;
pub mod coding;
mod date;
mod field;
mod method;
pub mod percent;
mod status;

pub use authority::Authority;
pub use date::{DateLine, IMF_FIXDATE_BYTES, imf_fixdate, parse_imf_fixdate};
pub use field::{FieldSet, KnownField};
pub use method::Method;
pub use status::Status;

/// A version of HTTP that this gateway reads as HTTP/1 messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// HTTP/1.0: no chunked coding, connections close unless both sides ask otherwise.
    Http10,
    /// HTTP/1.1: persistent connections, chunked coding, a required Host field.
    #[default]
    Http11,
}

impl Version {
    /// As it is spelled in a start line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}
