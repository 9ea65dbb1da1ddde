//! A connection to an origin, over http or https.

use std::io;
use std::ops::Range;

use super::tls::TlsStream;
use crate::net::ring::{Lent, Socket};

/// One connection, plain or inside TLS.
pub enum OriginStream {
    /// http
    Plain(Socket),
    /// https
    Tls(Box<TlsStream>),
}

impl OriginStream {
    /// Waits until something can be read. Dropping it loses nothing, and writing may go on meanwhile.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.readable().await,
            Self::Tls(stream) => stream.readable().await,
        }
    }

    /// Reads into `buffer[into]`; `Ok(0)` is the end of the stream.
    ///
    /// # Errors
    /// The kernel's, or [`io::ErrorKind::InvalidData`] when TLS breaks.
    pub async fn read(&self, buffer: Vec<u8>, into: Range<usize>) -> Lent<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer, into).await,
            Self::Tls(stream) => stream.read(buffer, into).await,
        }
    }

    /// Writes all of `buffer[range]`.
    ///
    /// # Errors
    /// As for [`OriginStream::read`].
    pub async fn write_all(&self, buffer: Vec<u8>, range: Range<usize>) -> Lent<()> {
        match self {
            Self::Plain(socket) => socket.write_all(buffer, range).await,
            Self::Tls(stream) => stream.write_all(buffer, range).await,
        }
    }

    /// Whether an idle connection can still be used: nothing came that nobody asked for, and it was not closed.
    pub fn is_quiet(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_quiet(),
            Self::Tls(stream) => !stream.has_plaintext() && stream.socket().is_quiet(),
        }
    }

    /// The socket underneath, for deadlines.
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.socket(),
        }
    }
}
