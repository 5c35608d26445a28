//! The other end of the transports: for the reference peer, and for whoever comes to us.

use super::address::Way;
use super::tcp::Tcp;
use super::{Address, Connection, Duplex, Limits, Transport, tls, ws};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::{TlsAcceptor, TlsStream};

/// What a server shows over TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The file of its certificate, and of those that lead from it to an authority.
    pub certificate: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

/// A place where connections come in.
pub enum Listener {
    /// By TCP.
    Tcp(TcpListener),
    /// By a Unix socket.
    Unix(UnixListener, SocketFile),
    /// By TLS.
    Tls(TcpListener, TlsAcceptor),
    /// By WebSocket, at this path.
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
    /// Why that is not possible, and who is at fault.
    pub async fn bind(address: &Address, identity: Option<&Identity>) -> Result<Listener, String> {
        let fault = |error: io::Error| format!("caller: cannot listen at {address}: {error}");
        if identity.is_some() && !matches!(address.way(), Way::Tls(..)) {
            return Err(format!(
                "caller: a certificate is for TLS, and {address} is not; write tls://HOST:PORT"
            ));
        }
        match address.way() {
            Way::Nowhere | Way::Memory(_) | Way::Awaited(_) => {
                Err(format!("caller: cannot listen at {address}: no other process comes there"))
            }
            Way::Tcp(host) => Ok(Listener::Tcp(TcpListener::bind(host).await.map_err(fault)?)),
            Way::Unix(path) => {
                let listener = bind_unix(path).await.map_err(fault)?;
                Ok(Listener::Unix(listener, SocketFile::at(path)))
            }
            Way::Tls(host, _) => {
                let Some(Identity { certificate, key }) = identity else {
                    return Err(
                        "caller: to listen at tls:// takes --tls-cert FILE and --tls-key FILE".to_owned()
                    );
                };
                let acceptor = tls::acceptor(certificate, key)?;
                Ok(Listener::Tls(TcpListener::bind(host).await.map_err(fault)?, acceptor))
            }
            Way::Ws(host, path) => {
                Ok(Listener::Ws(TcpListener::bind(host).await.map_err(fault)?, path.as_str().into()))
            }
        }
    }

    /// Where it listens, as an address that reaches it: with the port that was taken for port 0.
    ///
    /// # Errors
    /// What the socket says.
    pub fn address(&self) -> io::Result<String> {
        let at = |listener: &TcpListener| listener.local_addr().map(reachable);
        Ok(match self {
            Listener::Tcp(listener) => at(listener)?.to_string(),
            Listener::Unix(_, file) => format!("unix:{}", file.path.display()),
            Listener::Tls(listener, _) => format!("tls://{}", at(listener)?),
            Listener::Ws(listener, path) => format!("ws://{}{path}", at(listener)?),
        })
    }

    /// What the connections that come in cannot carry.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match self {
            Listener::Tcp(_) => Limits::TCP,
            Listener::Unix(..) => Limits::UNIX,
            Listener::Tls(..) => Limits::TLS,
            Listener::Ws(..) => Limits::WS,
        }
    }

    /// The next connection, before its handshake: who comes next need not wait for that.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn accept(&self) -> io::Result<Arrival> {
        Ok(match self {
            Listener::Tcp(listener) => Arrival::Tcp(listener.accept().await?.0),
            Listener::Unix(listener, _) => Arrival::Unix(listener.accept().await?.0),
            Listener::Tls(listener, acceptor) => Arrival::Tls(listener.accept().await?.0, acceptor.clone()),
            Listener::Ws(listener, path) => Arrival::Ws(listener.accept().await?.0, Arc::clone(path)),
        })
    }
}

/// The address at which a program on this machine reaches us.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The file of a socket of ours, which goes with it.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// What it was when it was made: another's in its place stays.
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

/// Listens at a path. A socket that a server left behind is in nobody's way; one where somebody answers is, and so is any other file.
async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if identity(path).is_none() {
                let words = "there is a file that is no socket; name another path, or remove it";
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

/// A connection that has come in.
pub enum Arrival {
    /// By TCP.
    Tcp(TcpStream),
    /// By a Unix socket.
    Unix(UnixStream),
    /// By TLS.
    Tls(TcpStream, TlsAcceptor),
    /// By WebSocket, for this path.
    Ws(TcpStream, Arc<str>),
}

impl Arrival {
    /// Does what comes before the first byte.
    ///
    /// # Errors
    /// Why there is no connection. The other end is at fault.
    pub async fn shake_hands(self) -> io::Result<Box<dyn Duplex>> {
        Ok(self.accepted().await?)
    }

    /// The same for the suite's end of a connection.
    ///
    /// # Errors
    /// Why there is no connection. The other end is at fault.
    pub async fn connection(self) -> io::Result<Connection> {
        Ok(Connection(self.accepted().await?))
    }

    async fn accepted(self) -> io::Result<Box<dyn Transport>> {
        Ok(match self {
            Arrival::Tcp(stream) => Box::new(Tcp::new(stream)?),
            Arrival::Unix(stream) => Box::new(stream),
            Arrival::Tls(stream, acceptor) => {
                Box::new(TlsStream::Server(acceptor.accept(Tcp::new(stream)?).await?))
            }
            Arrival::Ws(stream, path) => Box::new(ws::accept(Tcp::new(stream)?, &path).await?),
        })
    }
}
