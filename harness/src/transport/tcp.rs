//! TCP.

use socket2::SockRef;
use std::io;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// One TCP connection to a peer.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// Why the peer cannot be reached.
    pub async fn open(address: &str) -> io::Result<Connection> {
        Connection::accepted(TcpStream::connect(address).await?)
    }

    /// The same for a connection that a peer opened to us.
    ///
    /// # Errors
    /// What the socket says.
    pub fn accepted(stream: TcpStream) -> io::Result<Connection> {
        stream.set_nodelay(true)?;
        let connection = Connection { stream };
        connection.acknowledge_at_once();
        Ok(connection)
    }

    /// A peer's Nagle algorithm waits for our acknowledgement, which the kernel delays by about 40 ms unless it is told
    /// not to; it forgets, so it is told again at each read.
    fn acknowledge_at_once(&self) {
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&self.stream).set_tcp_quickack(true);
    }

    /// Waits until the connection can be read, or, where `write` is wanted, written.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn ready(&self, write: bool) -> io::Result<()> {
        let interest = if write { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        self.stream.ready(interest).await.map(|_| ())
    }

    /// Reads what is there: 0 is the end of the stream, [`io::ErrorKind::WouldBlock`] means nothing yet.
    ///
    /// # Errors
    /// What the socket says; a reset too.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.acknowledge_at_once();
        self.stream.try_read(buffer)
    }

    /// Writes what fits.
    ///
    /// # Errors
    /// What the socket says.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_write(bytes)
    }

    /// What is written from now on waits until our sending half is closed, so that the last bytes and the end of the stream
    /// reach the peer together, every time. Elsewhere than on Linux they may come one after the other.
    pub fn hold_until_half_close(&self) {
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&self.stream).set_tcp_cork(true);
    }

    /// Closes our sending half.
    ///
    /// # Errors
    /// What the socket says.
    pub fn half_close(&self) -> io::Result<()> {
        SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write)
    }

    /// Aborts the connection: the other end sees a reset.
    pub fn reset(self) {
        // A zero linger turns the close into an RST.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}
