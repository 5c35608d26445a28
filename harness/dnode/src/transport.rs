//! Ways to reach a peer: one file each, behind one trait.
//!
//! A [`Connection`] moves bytes and knows nothing of lines or messages. An [`Address`] says which transport to use, a [`Listener`] accepts
//! connections over the same transports, and [`Limits`] says what a transport cannot carry.
//!
//! Deliberately absent: a task that copies bytes. The caller polls the socket itself.

mod address;
mod error;
mod limits;
mod listener;
mod memory;
mod tcp;
mod tls;
mod unix;
#[cfg(feature = "websocket")]
mod ws;

pub use address::{Address, Scheme};
pub use error::{AddressError, CertificateError, ListenError};
pub use limits::Limits;
pub use listener::{Arrival, Listener};
pub use tls::{Identity, Trust};

use address::Way;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Bytes in both directions at the same time: reading never waits for writing, nor writing for reading. A shutdown closes our half if the
/// transport has halves, and the whole connection otherwise.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// How long [`close`] and [`drain`] read.
pub(crate) const DRAIN: Duration = Duration::from_secs(1);

/// Closes a stream in order: shuts our half down, then reads for up to a second, because unread bytes would turn the close into a reset.
///
/// # Errors
/// The stream's error.
pub async fn close(mut stream: impl Duplex) -> io::Result<()> {
    stream.shutdown().await?;
    drain(stream).await
}

/// Reads and drops the bytes that still come after our half was closed, for up to a second.
pub(crate) async fn drain(mut stream: impl Duplex) -> io::Result<()> {
    let mut nowhere = tokio::io::sink();
    let drain = tokio::io::copy(&mut stream, &mut nowhere);
    match tokio::time::timeout(DRAIN, drain).await {
        Ok(drained) => drained.map(|_| ()),
        Err(_) => Ok(()),
    }
}

/// What a transport does beyond moving bytes.
pub(crate) trait Transport: Duplex {
    /// See [`Connection::hold_until_half_close`].
    fn hold_until_half_close(&self) {}

    /// See [`Connection::reset`].
    fn abort(self: Box<Self>);
}

/// One connection to a peer: a stream of bytes over any transport.
pub struct Connection(Box<dyn Transport>);

impl Connection {
    /// Opens a connection to this address.
    ///
    /// # Errors
    /// Why the peer cannot be reached. With [`io::ErrorKind::InvalidInput`] the caller is at fault, with [`io::ErrorKind::InvalidData`] the
    /// peer does not speak this transport: in both cases a retry would fail in the same way.
    pub async fn open(address: &Address) -> io::Result<Connection> {
        let transport: Box<dyn Transport> = match address.way() {
            Way::Tcp(host) => Box::new(tcp::Tcp::connect(host).await?),
            Way::Unix(path) => Box::new(unix::connect(path).await?),
            #[cfg(feature = "tls")]
            Way::Tls(host, trusted) => Box::new(tls::connect(host, trusted).await?),
            #[cfg(feature = "websocket")]
            Way::Ws(host, path) => Box::new(ws::connect(host, path).await?),
            Way::Memory(peer) => Box::new(peer.connect()),
        };
        Ok(Connection(transport))
    }

    /// Holds back everything that is written from now on until our half is closed, so that the last bytes and the end of the stream reach
    /// the peer together. It does nothing if the system cannot do that.
    pub fn hold_until_half_close(&self) {
        self.0.hold_until_half_close();
    }

    /// Ends the connection at once: the other end sees a reset, if the transport has one.
    pub fn reset(self) {
        self.0.abort();
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}
