//! TCP, without the delays that its defaults add to short messages.

use super::stream::Transport;
use socket2::SockRef;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection. TLS and WebSockets use it too.
#[derive(Debug)]
pub(super) struct Tcp {
    stream: TcpStream,
    /// The kernel may not have acknowledged the last bytes that we read.
    unacknowledged: bool,
}

impl Tcp {
    /// Connects to `host:port`.
    pub(super) async fn connect(address: &str) -> io::Result<Tcp> {
        Tcp::new(TcpStream::connect(address).await?)
    }

    pub(super) fn new(stream: TcpStream) -> io::Result<Tcp> {
        stream.set_nodelay(true)?;
        Ok(Tcp { stream, unacknowledged: true })
    }

    /// Asks the kernel to acknowledge received bytes now. By default it delays this by about 40 ms,
    /// and a peer with Nagle's algorithm sends nothing meanwhile. The kernel forgets the option, so
    /// we set it before each wait.
    fn acknowledge(&mut self) {
        #[cfg(target_os = "linux")]
        if std::mem::take(&mut self.unacknowledged) {
            let _ = SockRef::from(&self.stream).set_tcp_quickack(true);
        }
    }

    /// Holds written bytes until the sending half is closed. Only Linux can do this.
    pub(super) fn cork(&self) {
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&self.stream).set_tcp_cork(true);
    }

    /// Makes the close of this connection a reset.
    pub(super) fn reset_at_close(&self) {
        // A zero linger turns the close into an RST.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

impl Transport for Tcp {
    fn hold_until_half_close(&self) {
        self.cork();
    }

    fn reset(self: Box<Self>) {
        self.reset_at_close();
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match read {
            Poll::Ready(_) => self.unacknowledged = true,
            Poll::Pending => self.acknowledge(),
        }
        read
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
