//! Waking a shard from another thread: one byte through a socket pair, so that the shard's loop needs no foreign wakers
//! and pays nothing for them while nobody calls.

use std::io::{self, Write};
use std::os::unix::net::UnixStream as StdUnixStream;

use monoio::net::UnixStream;

use super::ring::Socket;

/// The end that other threads hold. Cheap to call; may be called at any time.
pub struct Waker(StdUnixStream);

impl Waker {
    /// Wakes the shard. A full pipe means that a wake-up is already on its way.
    pub fn wake(&self) {
        let _ = (&self.0).write(&[1]);
    }
}

/// The end that becomes a [`Wakeups`] on the shard's thread.
pub struct WakeupsSeed(StdUnixStream);

/// A connected pair.
///
/// # Errors
/// The kernel's, when no descriptor is left.
pub fn pair() -> io::Result<(Waker, WakeupsSeed)> {
    let (theirs, ours) = StdUnixStream::pair()?;
    theirs.set_nonblocking(true)?;
    Ok((Waker(theirs), WakeupsSeed(ours)))
}

/// The shard's end.
pub struct Wakeups {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Wakeups {
    /// Takes the end over; call it on the shard's thread, within its event loop.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(seed: WakeupsSeed) -> io::Result<Self> {
        seed.0.set_nonblocking(monoio::utils::is_legacy())?;
        Ok(Self { socket: Socket::unix(UnixStream::from_std(seed.0)?), buffer: vec![0; 64] })
    }

    /// Waits for at least one wake-up since the last call. `false`: every [`Waker`] is gone.
    pub async fn next(&mut self) -> bool {
        let buffer = std::mem::take(&mut self.buffer);
        let all = 0..buffer.len();
        let (read, buffer) = self.socket.read(buffer, all).await;
        self.buffer = buffer;
        matches!(read, Ok(bytes) if bytes > 0)
    }
}
