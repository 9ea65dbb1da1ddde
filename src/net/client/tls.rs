//! TLS towards origins: rustls does the protocol over memory, the socket only moves bytes.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::net::ring::{Lent, Socket};

/// Room for one read of ciphertext: a whole TLS record and its overhead.
const CIPHERTEXT_BYTES: usize = 20 * 1024;

/// How far an origin's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verification {
    /// Chain to a known authority, name and dates.
    Full,
    /// `tlsConfig.insecureSkipVerification`: any authority will do, but name and dates still count
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-extensions-integration-tls-config.html>).
    AnyAuthority,
}

/// The client configurations of a process; cheap to clone.
#[derive(Clone)]
pub struct TlsClients {
    full: Arc<ClientConfig>,
    any_authority: Arc<ClientConfig>,
}

impl TlsClients {
    /// Trusts the system's roots, with the bundled ones behind where the system has none.
    pub fn new() -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let roots = Arc::new(roots);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .expect("the provider supports the default versions")
        };
        let full = builder().with_root_certificates(roots.clone()).with_no_client_auth();
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .expect("a non-empty root store makes a verifier");
        let any_authority = builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyAuthority { inner, provider: provider.clone() }))
            .with_no_client_auth();
        Self { full: Arc::new(full), any_authority: Arc::new(any_authority) }
    }

    fn config(&self, verification: Verification) -> Arc<ClientConfig> {
        match verification {
            Verification::Full => self.full.clone(),
            Verification::AnyAuthority => self.any_authority.clone(),
        }
    }
}

impl Default for TlsClients {
    fn default() -> Self {
        Self::new()
    }
}

/// Checks a certificate but for who issued it.
#[derive(Debug)]
struct AnyAuthority {
    inner: Arc<WebPkiServerVerifier>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for AnyAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_name(&certificate, server_name)?;
        // The presented chain's own last certificate is taken as its root: dates and signatures are still checked.
        let mut roots = RootCertStore::empty();
        let root = intermediates.last().unwrap_or(end_entity);
        let _ = roots.add(root.clone().into_owned());
        let algorithms = self.provider.signature_verification_algorithms.all;
        match verify_server_cert_signed_by_trust_anchor(&certificate, &roots, intermediates, now, algorithms) {
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                Ok(ServerCertVerified::assertion())
            }
            // A self-signed server certificate is usually a CA certificate; that is one of the things this option allows.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_))) => Ok(ServerCertVerified::assertion()),
            checked => checked.map(|()| ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// A TLS connection to an origin.
pub struct TlsStream {
    socket: Socket,
    session: RefCell<ClientConnection>,
    /// Lent to the kernel while ciphertext is read; empty then.
    incoming: RefCell<Vec<u8>>,
    /// The part of `incoming` that the session has not taken yet: it takes none while decrypted bytes wait to be read.
    untaken: Cell<(usize, usize)>,
    /// Lent to the kernel while ciphertext is written; empty then.
    outgoing: RefCell<Vec<u8>>,
}

fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl TlsStream {
    /// Shakes hands as a client of `host`.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when TLS or the certificate is at fault, [`io::ErrorKind::InvalidInput`] when
    /// `host` is no server name, else the kernel's.
    pub async fn connect(
        socket: Socket,
        clients: &TlsClients,
        verification: Verification,
        host: &str,
    ) -> io::Result<Self> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the host is not a TLS server name"))?;
        let session = ClientConnection::new(clients.config(verification), name).map_err(broken)?;
        let stream = Self {
            socket,
            session: RefCell::new(session),
            incoming: RefCell::new(vec![0; CIPHERTEXT_BYTES]),
            untaken: Cell::default(),
            outgoing: RefCell::default(),
        };
        while stream.session.borrow().is_handshaking() {
            stream.flush().await?;
            if stream.session.borrow().is_handshaking() && !stream.receive().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        stream.flush().await?;
        Ok(stream)
    }

    /// The socket underneath.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Whether decrypted bytes wait to be read, or a fault that a read will tell.
    pub fn has_plaintext(&self) -> bool {
        self.decrypt().unwrap_or(true)
    }

    /// Waits until decrypted bytes can be read, or the end or a fault that a read will tell. Records that carry none,
    /// such as session tickets, are taken on the way. Dropping it loses nothing, and writing may go on meanwhile.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn readable(&self) -> io::Result<()> {
        while !self.has_plaintext() {
            self.socket.readable().await?;
            let arrived = self.socket.read_arrived(&mut self.incoming.borrow_mut())?;
            if arrived.is_some_and(|count| !self.take_in(count).unwrap_or(false)) {
                break;
            }
        }
        Ok(())
    }

    /// As [`Socket::read`].
    pub async fn read(&self, mut buffer: Vec<u8>, into: Range<usize>) -> Lent<usize> {
        loop {
            let taken = self.session.borrow_mut().reader().read(&mut buffer[into.clone()]);
            match taken {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // An end without close_notify may be a truncation: only a framed message may end so, and its framing
                // tells. To the reader it is the end of the stream either way.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return (Ok(0), buffer),
                done => return (done, buffer),
            }
            match self.decrypt() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => return (Err(error), buffer),
            }
            match self.receive().await {
                Ok(true) => {}
                Ok(false) => return (Ok(0), buffer),
                Err(error) => return (Err(error), buffer),
            }
            // Key updates and alerts may have to be answered.
            if let Err(error) = self.flush().await {
                return (Err(error), buffer);
            }
        }
    }

    /// As [`Socket::write_all`].
    pub async fn write_all(&self, buffer: Vec<u8>, range: Range<usize>) -> Lent<()> {
        let Range { mut start, end } = range;
        while start < end {
            let taken = self.session.borrow_mut().writer().write(&buffer[start..end]);
            match taken {
                Ok(bytes) => start += bytes,
                Err(error) => return (Err(error), buffer),
            }
            if let Err(error) = self.flush().await {
                return (Err(error), buffer);
            }
        }
        (Ok(()), buffer)
    }

    async fn flush(&self) -> io::Result<()> {
        loop {
            let mut outgoing = self.outgoing.take();
            outgoing.clear();
            {
                let mut session = self.session.borrow_mut();
                while session.wants_write() {
                    session.write_tls(&mut outgoing)?;
                }
            }
            if outgoing.is_empty() {
                self.outgoing.replace(outgoing);
                return Ok(());
            }
            let all = 0..outgoing.len();
            let (written, outgoing) = self.socket.write_all(outgoing, all).await;
            self.outgoing.replace(outgoing);
            written?;
        }
    }

    /// Reads ciphertext once, when what was read before has been taken. `false`: the peer closed.
    async fn receive(&self) -> io::Result<bool> {
        let incoming = self.incoming.take();
        let (read, incoming) = self.socket.read(incoming, 0..CIPHERTEXT_BYTES).await;
        self.incoming.replace(incoming);
        self.take_in(read?)
    }

    /// Gives the session `count` bytes of ciphertext that were read. `false`: there are none, for the peer closed.
    fn take_in(&self, count: usize) -> io::Result<bool> {
        if count == 0 {
            self.session.borrow_mut().read_tls(&mut io::empty())?;
            return Ok(false);
        }
        self.untaken.set((0, count));
        self.decrypt()?;
        Ok(true)
    }

    /// Gives the session ciphertext until it has decrypted something. `true`: something waits to be read.
    fn decrypt(&self) -> io::Result<bool> {
        let mut session = self.session.borrow_mut();
        let incoming = self.incoming.borrow();
        loop {
            let state = session.process_new_packets().map_err(broken)?;
            if state.plaintext_bytes_to_read() > 0 {
                return Ok(true);
            }
            let (start, end) = self.untaken.get();
            if start == end {
                return Ok(false);
            }
            let taken = session.read_tls(&mut &incoming[start..end])?;
            self.untaken.set((start + taken, end));
        }
    }
}
