//! A peer that is reached without a socket: in the same process, or over the pipes of another one.

use super::limits::Scheme;
use super::stream::{Duplex, Transport};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A peer without an address that others know. The function connects to it.
pub(super) struct Peer {
    scheme: Scheme,
    connect: Box<dyn Fn() -> io::Result<Box<dyn Duplex>> + Send + Sync>,
}

impl Peer {
    pub(super) fn new<S: Duplex + 'static>(
        scheme: Scheme,
        connect: impl Fn() -> io::Result<S> + Send + Sync + 'static,
    ) -> Peer {
        Peer { scheme, connect: Box::new(move || Ok(Box::new(connect()?))) }
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn connect(&self) -> io::Result<Memory> {
        (self.connect)().map(Memory)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer")
    }
}

/// This end of the stream.
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
