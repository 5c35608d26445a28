//! How to get a connection to a peer: we dial its address, or it dials ours.

use super::host::Host;
use dnode::transport::{Address, Connection, Limits};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// How to get a connection to the peer.
#[derive(Debug, Clone)]
pub enum Route {
    /// We connect to this address.
    Dial(Address),
    /// The peer is a client that connects to us.
    Awaited(Arc<Host>),
}

impl Route {
    /// Opens a connection, or waits for the next one.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] after the deadline; otherwise those of [`Connection::open`] and
    /// [`Host::next`].
    pub async fn connect(&self, deadline: Instant) -> io::Result<Connection> {
        match self {
            Route::Dial(address) => match timeout_at(deadline, Connection::open(address)).await {
                Ok(opened) => opened,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            },
            Route::Awaited(host) => host.next(deadline).await,
        }
    }

    /// The host that the client connects to, if the peer is a client.
    #[must_use]
    pub fn host(&self) -> Option<&Arc<Host>> {
        match self {
            Route::Dial(_) => None,
            Route::Awaited(host) => Some(host),
        }
    }

    /// The address that we dial, if the peer is a server.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match self {
            Route::Dial(address) => Some(address),
            Route::Awaited(_) => None,
        }
    }

    /// The limits of its transport.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match self {
            Route::Dial(address) => address.limits(),
            Route::Awaited(host) => host.limits(),
        }
    }
}

impl From<Address> for Route {
    fn from(address: Address) -> Route {
        Route::Dial(address)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Dial(address) => address.fmt(f),
            Route::Awaited(host) => f.write_str(host.address()),
        }
    }
}
