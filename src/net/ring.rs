//! Buffers lent to the kernel, and the sockets that lend them. The only module with `unsafe`.
//!
//! A [`Socket`] takes a buffer by value, lends it to the kernel for one operation and hands it back with the result. No
//! operation is ever dropped to cancel it: a deadline shuts the socket down, which ends what is pending on it, and the
//! future that waits for it runs to its end. So no byte is lost and no descriptor leaks.
//!
//! The runtime is monoio, on io_uring where the kernel allows it and on epoll elsewhere. [`Driver::probe`] chooses.

use std::cell::{Cell, UnsafeCell};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use monoio::buf::{IoBuf, IoBufMut};
use monoio::io::{AsyncReadRent, AsyncWriteRent, CancelableAsyncReadRent};
use monoio::net::{TcpStream, UnixStream};
use monoio::{IoUringDriver, LegacyDriver, RuntimeBuilder};

/// Entries of a shard's submission queue. A full queue is flushed, not refused, so this bounds a batch, not the load.
const RING_ENTRIES: u32 = 2048;

/// From this size on, a buffer is filled and emptied at once if the socket allows it, while it lies in the cache. The
/// operations of a turn are carried out together: many large buffers would push each other out before they are sent.
const AT_ONCE_BYTES: usize = 32 * 1024;

/// So many reads in a row are done at once, the next one by an operation: a peer that sends as fast as we read must not
/// keep the shard to itself.
const AT_ONCE_READS: u8 = 4;

/// How a shard waits for the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// io_uring with `SINGLE_ISSUER` and `DEFER_TASKRUN` (Linux 6.1): completions wait until the shard asks.
    RingDeferred,
    /// io_uring with `COOP_TASKRUN` and `TASKRUN_FLAG` (Linux 5.19).
    RingCooperative,
    /// io_uring without flags. On a virtual machine a third dearer per request than the first.
    RingPlain,
    /// epoll: everything works, for kernels and containers that refuse io_uring.
    Epoll,
}

impl Driver {
    /// Name in the start banner and in `/metrics`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RingDeferred => "io_uring (SINGLE_ISSUER, DEFER_TASKRUN)",
            Self::RingCooperative => "io_uring (COOP_TASKRUN, TASKRUN_FLAG)",
            Self::RingPlain => "io_uring (no flags)",
            Self::Epoll => "epoll",
        }
    }

    /// The best driver that this kernel grants this process, tried by building a small ring with each set of flags.
    /// `MONOIO_FORCE_LEGACY_DRIVER=1` forces epoll.
    pub fn probe() -> Self {
        if !monoio::utils::detect_uring() {
            return Self::Epoll;
        }
        [Self::RingDeferred, Self::RingCooperative, Self::RingPlain]
            .into_iter()
            .find(|driver| driver.ring().build(8).is_ok())
            .unwrap_or(Self::Epoll)
    }

    fn ring(self) -> io_uring::Builder {
        let mut ring = io_uring::IoUring::builder();
        match self {
            Self::RingDeferred => ring.setup_single_issuer().setup_defer_taskrun(),
            Self::RingCooperative => ring.setup_coop_taskrun().setup_taskrun_flag(),
            Self::RingPlain | Self::Epoll => &mut ring,
        };
        ring
    }

    /// Runs `future` to its end on a new event loop of this thread.
    ///
    /// # Errors
    /// The kernel's, when it grants no ring or no epoll descriptor.
    pub fn run<F: Future>(self, future: F) -> io::Result<F::Output> {
        if self == Self::Epoll {
            let mut runtime =
                RuntimeBuilder::<LegacyDriver>::new().with_entries(RING_ENTRIES).enable_timer().build()?;
            return Ok(runtime.block_on(future));
        }
        let mut runtime = RuntimeBuilder::<IoUringDriver>::new()
            .uring_builder(self.ring())
            .with_entries(RING_ENTRIES)
            .enable_timer()
            .build()?;
        Ok(runtime.block_on(future))
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connected stream socket of one shard.
///
/// Methods take `&self` so that one task may read while it writes. At most one read and one write may be under way at a
/// time; debug builds check it.
pub struct Socket {
    stream: UnsafeCell<Stream>,
    /// Reads done at once since the last operation.
    reads_at_once: Cell<u8>,
}

pub use monoio::io::{CancelHandle, Canceller};

/// Whether an operation ended because it was cancelled.
pub fn is_cancelled(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::CANCELED.raw_os_error())
}

/// What an operation gives back: its result, and the buffer that was lent.
pub type Lent<T> = (io::Result<T>, Vec<u8>);

impl Socket {
    /// Takes over an accepted or connected TCP stream. Small writes are not delayed (`TCP_NODELAY`).
    pub fn tcp(stream: TcpStream) -> Self {
        // A socket that was reset meanwhile refuses the option; its first read will say so.
        let _ = stream.set_nodelay(true);
        Self::of(Stream::Tcp(stream))
    }

    fn of(stream: Stream) -> Self {
        Self { stream: UnsafeCell::new(stream), reads_at_once: Cell::new(0) }
    }

    /// Takes over an accepted or connected Unix stream.
    pub fn unix(stream: UnixStream) -> Self {
        Self::of(Stream::Unix(stream))
    }

    /// Takes over one end of a pair of connected Unix sockets.
    ///
    /// # Errors
    /// The kernel's.
    pub fn pair_end(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(monoio::utils::is_legacy())?;
        UnixStream::from_std(stream).map(Self::unix)
    }

    /// Takes over a descriptor of any kind of which only [`Socket::readable`] will be asked. The runtime knows no other
    /// kinds than streams.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn watch(descriptor: OwnedFd) -> io::Result<Self> {
        UnixStream::from_std(descriptor.into()).map(Self::unix)
    }

    /// Takes the stream off the event loop. Every operation on it must have ended.
    pub(super) fn detach(self) -> Detached {
        match self.stream.into_inner() {
            Stream::Tcp(stream) => Detached::Tcp(own(stream.into_raw_fd())),
            Stream::Unix(stream) => Detached::Unix(own(stream.into_raw_fd())),
        }
    }

    /// Connects to `address` over TCP.
    ///
    /// # Errors
    /// The kernel's: refused, unreachable, no descriptor left.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        TcpStream::connect_addr(address).await.map(Self::tcp)
    }

    /// Justification: a proxied exchange uploads a body while it waits for the answer, so both directions of one socket
    /// are in use at once, and monoio's own split costs an allocation a connection.
    /// Safety: monoio declares its streams safe to split into a read and a write half (`unsafe impl Split`): the halves
    /// share only the descriptor's count. This type is neither `Send` nor `Sync`, and no reference made here outlives
    /// the call that makes the operation, which clones the descriptor before it returns.
    #[allow(clippy::mut_from_ref, reason = "the two halves share no mutable state, see above")]
    #[allow(unsafe_code, reason = "see above")]
    fn stream(&self) -> &mut Stream {
        unsafe { &mut *self.stream.get() }
    }

    /// Waits until there is something to read, or the end of the stream, without lending a buffer.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn readable(&self) -> io::Result<()> {
        match self.stream() {
            Stream::Tcp(stream) => stream.readable(false).await,
            Stream::Unix(stream) => stream.readable(false).await,
        }
    }

    /// Reads into `buffer[into]`. `Ok(0)` is the end of the stream. The buffer's length does not change: it is a fixed
    /// piece of memory, of which the caller knows the filled part.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn read(&self, mut buffer: Vec<u8>, into: Range<usize>) -> Lent<usize> {
        debug_assert!(into.start < into.end, "a read needs room");
        if let Some(count) = self.read_at_once(&mut buffer[into.clone()]) {
            return (Ok(count), buffer);
        }
        let slice = Fixed(buffer).slice_mut(into);
        let (result, slice) = match self.stream() {
            Stream::Tcp(stream) => stream.read(slice).await,
            Stream::Unix(stream) => stream.read(slice).await,
        };
        (result, slice.into_inner().0)
    }

    /// As [`Socket::read`], but `cancel` ends it early: with what had arrived by then, or with an error for which
    /// [`is_cancelled`] is true. Either way the buffer comes back and no byte is lost.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn read_until_cancelled(&self, buffer: Vec<u8>, into: Range<usize>, cancel: CancelHandle) -> Lent<usize> {
        debug_assert!(into.start < into.end, "a read needs room");
        let slice = Fixed(buffer).slice_mut(into);
        let (result, slice) = match self.stream() {
            Stream::Tcp(stream) => stream.cancelable_read(slice, cancel).await,
            Stream::Unix(stream) => stream.cancelable_read(slice, cancel).await,
        };
        (result, slice.into_inner().0)
    }

    /// Writes all of `buffer[range]`.
    ///
    /// # Errors
    /// The kernel's; how much was written before is not known.
    pub async fn write_all(&self, mut buffer: Vec<u8>, range: Range<usize>) -> Lent<()> {
        let Range { mut start, end } = range;
        start += self.write_at_once(&buffer[start..end]);
        while start < end {
            let slice = buffer.slice(start..end);
            let (result, slice) = match self.stream() {
                Stream::Tcp(stream) => stream.write(slice).await,
                Stream::Unix(stream) => stream.write(slice).await,
            };
            buffer = slice.into_inner();
            match result {
                Ok(0) => return (Err(io::ErrorKind::WriteZero.into()), buffer),
                Ok(written) => start += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (Err(error), buffer),
            }
        }
        (Ok(()), buffer)
    }

    /// What has arrived, if this is a large buffer and something has. Errors are left to the operation that follows.
    fn read_at_once(&self, into: &mut [u8]) -> Option<usize> {
        let before = self.reads_at_once.replace(0);
        if into.len() < AT_ONCE_BYTES || before == AT_ONCE_READS {
            return None;
        }
        let read = rustix::net::recv(borrow(&self.descriptor()), into, rustix::net::RecvFlags::DONTWAIT);
        let (count, _) = read.ok()?;
        self.reads_at_once.set(before + 1);
        Some(count)
    }

    /// Reads what has arrived, without waiting; `None`: nothing has. `Some(0)` is the end of the stream.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read_arrived(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        match rustix::net::recv(borrow(&self.descriptor()), into, rustix::net::RecvFlags::DONTWAIT) {
            Ok((count, _)) => Ok(Some(count)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How much of a large piece the socket took. Errors are left to the operation that follows.
    fn write_at_once(&self, piece: &[u8]) -> usize {
        if piece.len() < AT_ONCE_BYTES {
            return 0;
        }
        let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
        rustix::net::send(borrow(&self.descriptor()), piece, flags).unwrap_or(0)
    }

    /// The descriptor, to shut down on a deadline. Valid while this socket lives.
    pub fn descriptor(&self) -> RawFd {
        match self.stream() {
            Stream::Tcp(stream) => stream.as_raw_fd(),
            Stream::Unix(stream) => stream.as_raw_fd(),
        }
    }

    /// Ends one or both directions now. What is pending in them completes: reads with the end of the stream, writes with
    /// a broken pipe.
    pub fn shutdown(&self, how: Shutdown) {
        shutdown(self.descriptor(), how);
    }

    /// Whether something has arrived that was not read yet.
    pub fn has_data(&self) -> bool {
        let mut byte = [0_u8; 1];
        let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
        let peeked = rustix::net::recv(borrow(&self.descriptor()), &mut byte[..], flags);
        peeked.is_ok_and(|(count, _)| count > 0)
    }

    /// Whether an idle connection can still be used: its peer has neither closed it nor sent anything unasked.
    pub fn is_quiet(&self) -> bool {
        let mut byte = [0_u8; 1];
        let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
        let peeked = rustix::net::recv(borrow(&self.descriptor()), &mut byte[..], flags);
        matches!(peeked, Err(error) if error == rustix::io::Errno::AGAIN)
    }
}

/// A connected stream without an event loop.
pub(super) enum Detached {
    Tcp(OwnedFd),
    Unix(OwnedFd),
}

impl Detached {
    /// Gives the stream to this thread's event loop. Its options are what they were.
    ///
    /// # Errors
    /// The kernel's; the stream is closed.
    pub(super) fn attach(self) -> io::Result<Socket> {
        let stream = match self {
            Self::Tcp(descriptor) => Stream::Tcp(TcpStream::from_std(descriptor.into())?),
            Self::Unix(descriptor) => Stream::Unix(UnixStream::from_std(descriptor.into())?),
        };
        Ok(Socket::of(stream))
    }
}

impl AsFd for Detached {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(descriptor) | Self::Unix(descriptor) => descriptor.as_fd(),
        }
    }
}

/// A buffer whose length stays what it is, however much was read into it: monoio truncates a plain vector to what it
/// read, and growing it again would cost writing zeros.
struct Fixed(Vec<u8>);

/// Justification: the trait is unsafe to implement.
/// Safety: the vector's memory does not move when `Fixed` does, and all of its length is initialised.
#[allow(unsafe_code, reason = "see above")]
unsafe impl IoBuf for Fixed {
    fn read_ptr(&self) -> *const u8 {
        self.0.as_ptr()
    }

    fn bytes_init(&self) -> usize {
        self.0.len()
    }
}

/// Justification: the trait is unsafe to implement.
/// Safety: as above; what is written lies within the initialised length, which therefore need not change.
#[allow(unsafe_code, reason = "see above")]
unsafe impl IoBufMut for Fixed {
    fn write_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    fn bytes_total(&mut self) -> usize {
        self.0.len()
    }

    unsafe fn set_init(&mut self, _: usize) {}
}

/// Which directions of a socket end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Nothing more is read; what is owed can still be written.
    Read,
    /// Nothing more is written: the peer sees the end.
    Write,
    /// Neither.
    Both,
}

/// Shuts a descriptor down. One that is no longer connected is left as it is.
pub(super) fn shutdown(descriptor: RawFd, how: Shutdown) {
    let how = match how {
        Shutdown::Read => rustix::net::Shutdown::Read,
        Shutdown::Write => rustix::net::Shutdown::Write,
        Shutdown::Both => rustix::net::Shutdown::Both,
    };
    let _ = rustix::net::shutdown(borrow(&descriptor), how);
}

/// Justification: monoio's streams give up only a raw descriptor.
/// Safety: `into_raw_fd` has given the descriptor away: nobody else closes it.
#[allow(unsafe_code, reason = "see above")]
fn own(descriptor: RawFd) -> OwnedFd {
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Justification: monoio's streams lend only a raw descriptor.
/// Safety: callers pass the descriptor of a socket they hold, or one in a deadline table whose entry is removed before
/// its socket is dropped; the borrow ends with the call it is made for.
#[allow(unsafe_code, reason = "see above")]
pub(super) fn borrow(descriptor: &RawFd) -> BorrowedFd<'_> {
    unsafe { BorrowedFd::borrow_raw(*descriptor) }
}
