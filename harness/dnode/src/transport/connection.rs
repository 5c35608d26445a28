//! A connection over any transport.

use super::address::{Address, Way};
use super::stream::Transport;
#[cfg(feature = "tls")]
use super::tls;
#[cfg(feature = "websocket")]
use super::ws;
use super::{tcp, unix};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection to a peer: a stream of bytes over any transport.
pub struct Connection(Box<dyn Transport>);

impl Connection {
    pub(super) fn new(transport: impl Transport + 'static) -> Connection {
        Connection(Box::new(transport))
    }

    /// Connects to this address, and does the handshake of its transport. It waits as long as the
    /// system does, so set a deadline.
    ///
    /// # Errors
    /// Why the peer cannot be reached. The kind says whether a retry can help:
    /// - [`io::ErrorKind::InvalidInput`]: the address, the path or the trusted certificates are
    ///   wrong. The caller is at fault.
    /// - [`io::ErrorKind::InvalidData`]: the peer does not speak this transport.
    /// - any other kind: the system's error. A retry may succeed.
    pub async fn open(address: &Address) -> io::Result<Connection> {
        Ok(match address.way() {
            Way::Tcp(host) => Connection::new(tcp::Tcp::connect(host).await?),
            Way::Unix(path) => Connection::new(unix::connect(path).await?),
            #[cfg(feature = "tls")]
            Way::Tls(host, trusted) => Connection::new(tls::connect(host, trusted).await?),
            #[cfg(feature = "websocket")]
            Way::Ws(host, path) => Connection::new(ws::connect(host, path).await?),
            Way::Memory(peer) => Connection::new(peer.connect()?),
        })
    }

    /// Holds all bytes that are written from now on until the sending half is closed, so that the
    /// last bytes and the end of the stream reach the peer together. Works over TCP and TLS on
    /// Linux, and does nothing otherwise.
    pub fn hold_until_half_close(&self) {
        self.0.hold_until_half_close();
    }

    /// Ends the connection at once. The peer sees a reset if the transport has one
    /// ([`Limits::reset`](super::Limits::reset)).
    pub fn reset(self) {
        self.0.reset();
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
