//! Ways to reach a peer: one file each, behind one trait.
//!
//! A [`Connection`] moves bytes and knows nothing of lines or messages. An [`Address`] says which way to take, a [`Listener`] is the
//! other end of the same ways, and [`Limits`] says what a way cannot carry, so that no peer is blamed for what its transport lacks.
//!
//! Deliberately absent: a task that copies. Whoever waits for a connection polls the socket itself.

mod address;
mod limits;
mod listener;
pub mod memory;
mod tcp;
pub mod tls;
mod unix;
mod ws;

pub use address::{Address, Template};
pub use limits::Limits;
pub use listener::{Arrival, Identity, Listener};

use address::Way;
use std::fmt;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

/// Bytes both ways at the same time: reading never waits for writing, nor writing for reading. A shutdown ends our half where the
/// transport knows halves, and the whole where it does not.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// How long a connection that this end has closed is still read for.
pub(crate) const DRAIN: Duration = Duration::from_secs(1);

/// Closes in order: what the other end still sends is read, for unread bytes would turn the close into a reset.
pub(crate) async fn close(mut stream: impl Duplex) -> io::Result<()> {
    stream.shutdown().await?;
    drain(stream).await
}

/// Reads to the end what still comes after our half was closed, for a while.
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
    /// What is written from now on waits until our half is ended, so that the last bytes and the end of the stream reach the peer
    /// together, every time, where the system can do that.
    fn hold_until_half_close(&self) {}

    /// Ends the connection at once: with a reset, where the transport has one.
    fn abort(self: Box<Self>);
}

/// One connection to a peer.
pub struct Connection(Box<dyn Transport>);

impl Connection {
    /// Opens a connection to this address.
    ///
    /// # Errors
    /// Why the peer cannot be reached. [`io::ErrorKind::InvalidInput`] says that the caller is at fault, [`io::ErrorKind::InvalidData`]
    /// that the peer does not speak this transport: another attempt would end the same way.
    pub async fn open(address: &Address) -> io::Result<Connection> {
        let transport: Box<dyn Transport> = match address.way() {
            Way::Nowhere => return Err(io::ErrorKind::AddrNotAvailable.into()),
            Way::Tcp(host) => Box::new(tcp::Tcp::connect(host).await?),
            Way::Unix(path) => Box::new(unix::connect(path).await?),
            Way::Tls(host, trust) => Box::new(tls::connect(host, trust).await?),
            Way::Ws(host, path) => Box::new(ws::connect(host, path).await?),
            Way::Memory(peer) => Box::new(peer.connect()),
            Way::Awaited(host) => return Box::pin(host.next(Instant::now())).await,
        };
        Ok(Connection(transport))
    }

    /// The bytes.
    pub(crate) fn stream(&mut self) -> &mut dyn Transport {
        &mut *self.0
    }

    /// The bytes, to keep.
    pub(crate) fn into_stream(self) -> Box<dyn Transport> {
        self.0
    }

    /// What is written from now on waits until our half is ended, so that the last bytes and the end of the stream reach the peer
    /// together, every time, where the system can do that.
    pub fn hold_until_half_close(&self) {
        self.0.hold_until_half_close();
    }

    /// Ends the connection at once: the other end sees a reset, where the transport has one.
    pub fn reset(self) {
        self.0.abort();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}
