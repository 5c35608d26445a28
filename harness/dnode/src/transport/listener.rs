//! Accepts connections over any transport.

use super::address::{Address, Way};
use super::connection::Connection;
use super::error::ListenError;
use super::limits::{Limits, Scheme};
use super::tcp::Tcp;
#[cfg(feature = "tls")]
use super::tls;
use super::trust::Identity;
#[cfg(feature = "websocket")]
use super::ws;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
#[cfg(feature = "websocket")]
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
#[cfg(feature = "tls")]
use tokio_rustls::{TlsAcceptor, TlsStream};

/// A socket that accepts connections over any transport. A [`TcpListener`] converts into one.
pub struct Listener(Socket);

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
    #[cfg(feature = "tls")]
    Tls(TcpListener, TlsAcceptor),
    /// With the path that it serves.
    #[cfg(feature = "websocket")]
    Ws(TcpListener, Arc<str>),
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({:?})", self.address())
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Listener {
        Listener(Socket::Tcp(listener))
    }
}

impl Listener {
    /// Listens at this address. TLS needs an identity, and no other transport takes one.
    ///
    /// For a Unix socket this makes a file, and dropping the listener removes it. A socket file
    /// that a dead server left behind is replaced.
    ///
    /// # Errors
    /// [`ListenError`], if the system refuses, or the identity is missing, unusable or not needed.
    pub async fn bind(address: &Address, identity: Option<&Identity>) -> Result<Listener, ListenError> {
        let fault = |source: io::Error| ListenError::Bind { address: address.to_string(), source };
        if identity.is_some() && address.scheme() != Scheme::Tls {
            return Err(ListenError::NotTls(address.to_string()));
        }
        Ok(Listener(match address.way() {
            Way::Memory(_) => return Err(ListenError::Unreachable(address.to_string())),
            Way::Tcp(host) => Socket::Tcp(TcpListener::bind(host).await.map_err(fault)?),
            Way::Unix(path) => {
                let listener = bind_unix(path).await.map_err(fault)?;
                Socket::Unix(listener, SocketFile::at(path))
            }
            #[cfg(feature = "tls")]
            Way::Tls(host, _) => {
                let identity = identity.ok_or_else(|| ListenError::NoIdentity(address.to_string()))?;
                let acceptor = tls::acceptor(identity)?;
                Socket::Tls(TcpListener::bind(host).await.map_err(fault)?, acceptor)
            }
            #[cfg(feature = "websocket")]
            Way::Ws(host, path) => {
                Socket::Ws(TcpListener::bind(host).await.map_err(fault)?, path.as_str().into())
            }
        }))
    }

    /// An address that reaches this listener from the same machine. It has the real port if the
    /// listener was bound to port 0, and the loopback host if it was bound to all interfaces.
    ///
    /// # Errors
    /// The socket's error.
    pub fn address(&self) -> io::Result<String> {
        let at = |listener: &TcpListener| listener.local_addr().map(reachable);
        Ok(match &self.0 {
            Socket::Tcp(listener) => at(listener)?.to_string(),
            Socket::Unix(_, file) => format!("unix:{}", file.path.display()),
            #[cfg(feature = "tls")]
            Socket::Tls(listener, _) => format!("tls://{}", at(listener)?),
            #[cfg(feature = "websocket")]
            Socket::Ws(listener, path) => format!("ws://{}{path}", at(listener)?),
        })
    }

    /// The features that the accepted connections lack.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits::of(match &self.0 {
            Socket::Tcp(_) => Scheme::Tcp,
            Socket::Unix(..) => Scheme::Unix,
            #[cfg(feature = "tls")]
            Socket::Tls(..) => Scheme::Tls,
            #[cfg(feature = "websocket")]
            Socket::Ws(..) => Scheme::Ws,
        })
    }

    /// Accepts the next connection, before its handshake. A slow handshake thus does not delay the
    /// next connection.
    ///
    /// # Errors
    /// The socket's error.
    pub async fn accept(&self) -> io::Result<Arrival> {
        Ok(Arrival(match &self.0 {
            Socket::Tcp(listener) => Incoming::Tcp(listener.accept().await?.0),
            Socket::Unix(listener, _) => Incoming::Unix(listener.accept().await?.0),
            #[cfg(feature = "tls")]
            Socket::Tls(listener, acceptor) => Incoming::Tls(listener.accept().await?.0, acceptor.clone()),
            #[cfg(feature = "websocket")]
            Socket::Ws(listener, path) => Incoming::Ws(listener.accept().await?.0, Arc::clone(path)),
        }))
    }
}

/// The address that a program on this machine can connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The file of a Unix socket that we made. Dropping it removes the file.
struct SocketFile {
    path: PathBuf,
    /// The file's device and inode, so that we never remove another file at the same path.
    made: Option<(u64, u64)>,
}

impl SocketFile {
    fn at(path: &Path) -> SocketFile {
        SocketFile { path: path.to_owned(), made: identity(path) }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.made.is_some() && identity(&self.path) == self.made {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The device and inode of the socket at this path; `None` if there is no socket.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path).ok().filter(|it| it.file_type().is_socket())?;
    Some((metadata.dev(), metadata.ino()))
}

/// Listens at a path. Replaces a socket file that no server listens at any more, and no other file.
async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if identity(path).is_none() {
                let help = "the file there is not a socket; name another path, or remove it";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, help));
            }
            match UnixStream::connect(path).await {
                Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path)?;
                    UnixListener::bind(path)
                }
                _ => Err(error),
            }
        }
        bound => bound,
    }
}

/// An accepted connection, before the handshake of its transport.
pub struct Arrival(Incoming);

enum Incoming {
    Tcp(TcpStream),
    Unix(UnixStream),
    #[cfg(feature = "tls")]
    Tls(TcpStream, TlsAcceptor),
    /// With the path that the peer must name.
    #[cfg(feature = "websocket")]
    Ws(TcpStream, Arc<str>),
}

impl Arrival {
    /// Does the handshake of the transport. It waits as long as the peer does, so set a deadline.
    ///
    /// # Errors
    /// Why the handshake failed. The peer is at fault.
    pub async fn shake_hands(self) -> io::Result<Connection> {
        Ok(match self.0 {
            Incoming::Tcp(stream) => Connection::new(Tcp::new(stream)?),
            Incoming::Unix(stream) => Connection::new(stream),
            #[cfg(feature = "tls")]
            Incoming::Tls(stream, acceptor) => {
                Connection::new(TlsStream::Server(acceptor.accept(Tcp::new(stream)?).await?))
            }
            #[cfg(feature = "websocket")]
            Incoming::Ws(stream, path) => Connection::new(ws::accept(Tcp::new(stream)?, &path).await?),
        })
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Arrival")
    }
}
