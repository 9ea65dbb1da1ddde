//! Listening sockets. Every shard binds its own TCP listener to the same address (`SO_REUSEPORT`), so the kernel spreads
//! connections; a Unix socket is bound once and its descriptor duplicated.

use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::Path;

use monoio::net::{TcpListener, UnixListener};
use socket2::{Domain, Protocol, SockAddr, SockFilter, SockRef, Socket as RawSocket, Type};

use super::ring::{self, Shutdown, Socket};

/// Connections that wait to be accepted, per listener. The kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A bound socket on its way to a shard's thread.
pub enum Bound {
    /// TCP.
    Tcp(StdTcpListener),
    /// Unix.
    Unix(StdUnixListener),
}

/// Binds a TCP listener that shares its address with those of the other shards.
///
/// # Errors
/// The kernel's: the address is in use by someone else, is not ours, or needs a privilege.
pub fn bind_tcp(address: SocketAddr) -> io::Result<Bound> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(Bound::Tcp(socket.into()))
}

/// Whether nobody else listens on `address`: `SO_REUSEPORT` would let two gateways of one user share it in silence.
///
/// # Errors
/// The kernel's, [`io::ErrorKind::AddrInUse`] when somebody does.
pub fn check_free(address: SocketAddr) -> io::Result<()> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))
}

/// Binds a Unix listener. A socket file that nobody answers on is replaced.
///
/// # Errors
/// The kernel's; [`io::ErrorKind::AddrInUse`] when somebody answers or the path is no socket.
pub fn bind_unix(path: &Path) -> io::Result<Bound> {
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() || StdUnixStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        std::fs::remove_file(path)?;
    }
    StdUnixListener::bind(path).map(Bound::Unix)
}

impl Bound {
    /// The address, with the port the kernel chose; `None` for a Unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    /// The same listening socket for another shard.
    ///
    /// # Errors
    /// The kernel's: no descriptor left.
    pub fn duplicate(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(listener) => listener.try_clone().map(Self::Tcp),
            Self::Unix(listener) => listener.try_clone().map(Self::Unix),
        }
    }
}

/// A socket filter that drops segments which open a connection: load the flags of the TCP header, keep SYN, pass what
/// has none.
const DROP_SYN: [SockFilter; 5] = [
    SockFilter::new(0x30, 0, 0, 13),
    SockFilter::new(0x54, 0, 0, 2),
    SockFilter::new(0x15, 0, 1, 0),
    SockFilter::new(0x06, 0, 0, u32::MAX),
    SockFilter::new(0x06, 0, 0, 0),
];

/// A listener of one shard.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// Unix.
    Unix(UnixListener),
}

impl Listener {
    /// The port it listens on; 80 for a Unix socket, behind which is whoever forwards to it.
    pub fn port(&self) -> u16 {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_or(80, |address| address.port()),
            Self::Unix(_) => 80,
        }
    }

    /// Takes a bound socket over; call it on the shard's thread, within its event loop.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(bound: Bound) -> io::Result<Self> {
        let nonblocking = monoio::utils::is_legacy();
        match bound {
            Bound::Tcp(listener) => {
                listener.set_nonblocking(nonblocking)?;
                TcpListener::from_std(listener).map(Self::Tcp)
            }
            Bound::Unix(listener) => {
                listener.set_nonblocking(nonblocking)?;
                UnixListener::from_std(listener).map(Self::Unix)
            }
        }
    }

    /// Lets no further connection begin. Those that have begun can still be accepted: closing a listener at once would
    /// reset what waits in its queue, requests and all.
    pub fn turn_away(&self) {
        if let Self::Tcp(listener) = self {
            // A kernel that refuses the filter costs those in the queue, nothing else.
            let _ = SockRef::from(&ring::borrow(&listener.as_raw_fd())).attach_filter(&DROP_SYN);
        }
    }

    /// Refuses connections from now on, and ends an accept that is under way.
    pub fn close(&self) {
        let descriptor = match self {
            Self::Tcp(listener) => listener.as_raw_fd(),
            Self::Unix(listener) => listener.as_raw_fd(),
        };
        ring::shutdown(descriptor, Shutdown::Both);
    }

    /// The next connection, with its peer's address where there is one. Never drop this future: it may hold a
    /// connection that the kernel has already given.
    ///
    /// # Errors
    /// The kernel's: [`is_out_of_descriptors`] tells those that call for patience.
    pub async fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Socket::tcp(stream), Some(peer)))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Socket::unix(stream), None))
            }
        }
    }
}

/// Whether the process or the system has no descriptor or memory left for another connection.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let out = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error.raw_os_error().is_some_and(|code| out.iter().any(|errno| errno.raw_os_error() == code))
}
