//! The common part of all transports: a stream of bytes in each direction, and how to close it.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

/// Bytes in both directions at the same time: reads do not wait for writes, and writes do not wait
/// for reads.
///
/// Every tokio stream of this kind implements it. A shutdown closes the sending half if the
/// transport has halves, and the whole connection otherwise.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A transport: a stream with operations beyond moving bytes.
pub(super) trait Transport: Duplex {
    /// See [`Connection::hold_until_half_close`](super::Connection::hold_until_half_close).
    fn hold_until_half_close(&self) {}

    /// See [`Connection::reset`](super::Connection::reset).
    fn reset(self: Box<Self>);
}

/// How long [`close`] and [`drain`] read.
pub(crate) const DRAIN: Duration = Duration::from_secs(1);

/// Closes a stream in order: shuts the sending half down, then reads and drops bytes until the peer
/// closes, for at most one second.
///
/// TCP turns the close into a reset if received bytes are still unread, and the peer may then lose
/// the last bytes that it was sent.
///
/// # Errors
/// The stream's error.
pub async fn close(mut stream: impl Duplex) -> io::Result<()> {
    stream.shutdown().await?;
    drain(stream).await
}

/// Reads and drops bytes until the peer closes, for at most one second. The caller has already
/// closed the sending half.
pub(crate) async fn drain(mut stream: impl Duplex) -> io::Result<()> {
    let mut sink = tokio::io::sink();
    let drain = tokio::io::copy(&mut stream, &mut sink);
    match tokio::time::timeout(DRAIN, drain).await {
        Ok(drained) => drained.map(|_| ()),
        Err(_) => Ok(()),
    }
}
