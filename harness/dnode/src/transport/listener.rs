//! Accepts connections, over each transport.

use super::address::Way;
use super::tcp::Tcp;
#[cfg(feature = "websocket")]
use super::ws;
use super::{Address, Connection, Identity, Limits, ListenError, Scheme, Transport};
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

/// A socket that accepts connections.
pub enum Listener {
    /// By TCP.
    Tcp(TcpListener),
    /// By a Unix socket.
    Unix(UnixListener, SocketFile),
    /// By TLS.
    #[cfg(feature = "tls")]
    Tls(TcpListener, TlsAcceptor),
    /// By WebSocket, at this path.
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
        Listener::Tcp(listener)
    }
}

impl Listener {
    /// Listens at this address; over TLS with this identity.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn bind(address: &Address, identity: Option<&Identity>) -> Result<Listener, ListenError> {
        let fault = |source: io::Error| ListenError::Bind { address: address.to_string(), source };
        if identity.is_some() && address.scheme() != Scheme::Tls {
            return Err(ListenError::NotTls(address.to_string()));
        }
        match address.way() {
            Way::Memory(_) => Err(ListenError::Unreachable(address.to_string())),
            Way::Tcp(host) => Ok(Listener::Tcp(TcpListener::bind(host).await.map_err(fault)?)),
            Way::Unix(path) => {
                let listener = bind_unix(path).await.map_err(fault)?;
                Ok(Listener::Unix(listener, SocketFile::at(path)))
            }
            #[cfg(feature = "tls")]
            Way::Tls(host, _) => {
                let identity = identity.ok_or_else(|| ListenError::NoIdentity(address.to_string()))?;
                let acceptor = super::tls::acceptor(identity)?;
                Ok(Listener::Tls(TcpListener::bind(host).await.map_err(fault)?, acceptor))
            }
            #[cfg(feature = "websocket")]
            Way::Ws(host, path) => {
                Ok(Listener::Ws(TcpListener::bind(host).await.map_err(fault)?, path.as_str().into()))
            }
        }
    }

    /// Where it listens, as an address that reaches it: with the port that was taken for port 0.
    ///
    /// # Errors
    /// The socket's error.
    pub fn address(&self) -> io::Result<String> {
        let at = |listener: &TcpListener| listener.local_addr().map(reachable);
        Ok(match self {
            Listener::Tcp(listener) => at(listener)?.to_string(),
            Listener::Unix(_, file) => format!("unix:{}", file.path.display()),
            #[cfg(feature = "tls")]
            Listener::Tls(listener, _) => format!("tls://{}", at(listener)?),
            #[cfg(feature = "websocket")]
            Listener::Ws(listener, path) => format!("ws://{}{path}", at(listener)?),
        })
    }

    /// What the accepted connections cannot carry.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits::of(match self {
            Listener::Tcp(_) => Scheme::Tcp,
            Listener::Unix(..) => Scheme::Unix,
            #[cfg(feature = "tls")]
            Listener::Tls(..) => Scheme::Tls,
            #[cfg(feature = "websocket")]
            Listener::Ws(..) => Scheme::Ws,
        })
    }

    /// The next connection, before its handshake, so that a slow handshake does not delay the next connection.
    ///
    /// # Errors
    /// The socket's error.
    pub async fn accept(&self) -> io::Result<Arrival> {
        Ok(match self {
            Listener::Tcp(listener) => Arrival::Tcp(listener.accept().await?.0),
            Listener::Unix(listener, _) => Arrival::Unix(listener.accept().await?.0),
            #[cfg(feature = "tls")]
            Listener::Tls(listener, acceptor) => Arrival::Tls(listener.accept().await?.0, acceptor.clone()),
            #[cfg(feature = "websocket")]
            Listener::Ws(listener, path) => Arrival::Ws(listener.accept().await?.0, Arc::clone(path)),
        })
    }
}

/// The address by which a program on this machine reaches us.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The file of a Unix socket that we made. It is removed with the listener.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Its device and inode. Another file at the same path is not removed.
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

/// Which file is at this path, if it is a socket.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path).ok().filter(|it| it.file_type().is_socket())?;
    Some((metadata.dev(), metadata.ino()))
}

/// Listens at a path. A socket file that a server left behind is replaced; one that a server listens at is not, nor is any other file.
async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if identity(path).is_none() {
                let words = "the file there is not a socket; name another path, or remove it";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
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
pub enum Arrival {
    /// By TCP.
    Tcp(TcpStream),
    /// By a Unix socket.
    Unix(UnixStream),
    /// By TLS.
    #[cfg(feature = "tls")]
    Tls(TcpStream, TlsAcceptor),
    /// By WebSocket, for this path.
    #[cfg(feature = "websocket")]
    Ws(TcpStream, Arc<str>),
}

impl Arrival {
    /// Does the handshake of the transport.
    ///
    /// # Errors
    /// Why the handshake failed. The other end is at fault.
    pub async fn shake_hands(self) -> io::Result<Connection> {
        let transport: Box<dyn Transport> = match self {
            Arrival::Tcp(stream) => Box::new(Tcp::new(stream)?),
            Arrival::Unix(stream) => Box::new(stream),
            #[cfg(feature = "tls")]
            Arrival::Tls(stream, acceptor) => {
                Box::new(TlsStream::Server(acceptor.accept(Tcp::new(stream)?).await?))
            }
            #[cfg(feature = "websocket")]
            Arrival::Ws(stream, path) => Box::new(ws::accept(Tcp::new(stream)?, &path).await?),
        };
        Ok(Connection(transport))
    }
}
