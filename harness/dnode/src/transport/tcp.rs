//! TCP, without the delays that its defaults add to short messages.

use super::stream::Transport;
use socket2::{Domain, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};

/// A TCP connection. TLS and WebSockets use it too.
#[derive(Debug)]
pub(super) struct Tcp {
    stream: TcpStream,
    /// The kernel may not have acknowledged the last bytes that we read.
    unacknowledged: bool,
    /// The system has reported that the peer reset the connection. It reports that only once, and
    /// the bytes before the reset may still be there to read.
    reset: bool,
}

impl Tcp {
    /// Connects to `host:port`. A peer that accepts the connection, sends something and resets it at
    /// once gives a connection from which that can be read.
    pub(super) async fn connect(address: &str) -> io::Result<Tcp> {
        let mut last = None;
        for place in lookup_host(address).await? {
            match Tcp::connect_to(place).await {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the host has no address")))
    }

    /// As `TcpStream::connect`, which would drop a connection that is reset while it waits.
    async fn connect_to(place: SocketAddr) -> io::Result<Tcp> {
        let socket = Socket::new(Domain::for_address(place), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&place.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        let stream = TcpStream::from_std(socket.into())?;
        stream.writable().await?;
        match stream.take_error()? {
            Some(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            error => Ok(Tcp { stream, unacknowledged: true, reset: error.is_some() }),
        }
    }

    pub(super) fn new(stream: TcpStream) -> io::Result<Tcp> {
        stream.set_nodelay(true)?;
        Ok(Tcp { stream, unacknowledged: true, reset: false })
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
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match read {
            Poll::Ready(Ok(())) if self.reset && buffer.filled().len() == before => {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            Poll::Ready(_) => self.unacknowledged = true,
            Poll::Pending => self.acknowledge(),
        }
        read
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let tcp = self.get_mut();
        let written = Pin::new(&mut tcp.stream).poll_write(cx, bytes);
        tcp.reset |=
            matches!(&written, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset);
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::Write;
    use std::net::TcpListener;
    use std::pin::pin;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Accepts a connection, sends a byte on it, and resets it.
    fn send_and_reset(listener: &TcpListener) {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"x").unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    #[tokio::test]
    async fn what_came_before_a_reset_can_be_read_whenever_the_reset_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        for connected in [false, true] {
            let mut connect = pin!(Tcp::connect(&address));
            let mut tcp = if connected {
                let tcp = connect.await.unwrap();
                send_and_reset(&listener);
                tcp
            } else {
                // It has begun to connect, and sees the result only when the runtime runs again.
                assert!(poll_fn(|cx| Poll::Ready(connect.as_mut().poll(cx))).await.is_pending());
                send_and_reset(&listener);
                connect.await.unwrap()
            };
            // The system reports the reset to the first that asks, which may be a writer.
            let _ = tcp.write(b"y").await;
            let mut buffer = [0; 2];
            assert_eq!(tcp.read(&mut buffer).await.unwrap(), 1, "connected: {connected}");
            let error = tcp.read(&mut buffer).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "connected: {connected}");
        }
    }

    #[tokio::test]
    async fn a_port_at_which_nobody_listens_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = Tcp::connect(&address).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
