//! TCP.

use super::Transport;
use socket2::SockRef;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// One TCP connection; what is built on TCP is built on this.
#[derive(Debug)]
pub(super) struct Tcp {
    stream: TcpStream,
}

impl Tcp {
    /// Connects to `host:port`.
    pub(super) async fn connect(address: &str) -> io::Result<Tcp> {
        Tcp::new(TcpStream::connect(address).await?)
    }

    pub(super) fn new(stream: TcpStream) -> io::Result<Tcp> {
        stream.set_nodelay(true)?;
        let connection = Tcp { stream };
        connection.acknowledge_at_once();
        Ok(connection)
    }

    /// A peer's Nagle algorithm waits for our acknowledgement, which the kernel delays by about 40 ms unless it is told
    /// not to; it forgets, so it is told again at each read.
    fn acknowledge_at_once(&self) {
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&self.stream).set_tcp_quickack(true);
    }

    /// Holds what is written until the sending half is closed. Elsewhere than on Linux the last bytes and the end may come one after
    /// the other.
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

    fn abort(self: Box<Self>) {
        self.reset_at_close();
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Telling the kernel costs a call, so not each time that there is nothing to read.
        ready!(self.stream.poll_read_ready(cx))?;
        self.acknowledge_at_once();
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
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
