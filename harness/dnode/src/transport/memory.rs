//! A peer in the same process, reached without a socket.

use super::stream::{Duplex, Transport};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A peer in this process. The function connects to it.
pub(super) struct Peer {
    connect: Box<dyn Fn() -> Box<dyn Duplex> + Send + Sync>,
}

impl Peer {
    pub(super) fn new<S: Duplex + 'static>(connect: impl Fn() -> S + Send + Sync + 'static) -> Peer {
        Peer { connect: Box::new(move || Box::new(connect())) }
    }

    pub(super) fn connect(&self) -> Memory {
        Memory((self.connect)())
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer")
    }
}

/// This end of a stream in memory.
pub(super) struct Memory(Box<dyn Duplex>);

impl Transport for Memory {
    fn reset(self: Box<Self>) {}
}

impl AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Memory {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
