//! How to get a connection to a peer: we dial its address, or it dials ours.

use super::host::Host;
use super::tap::Taps;
use crate::clock::{Clock, Moment};
use dnode::transport::{Address, Connection, Limits};
use std::fmt;
use std::io;
use std::sync::Arc;

/// How to get a connection to the peer.
#[derive(Debug, Clone)]
pub enum Route {
    /// We connect to this address. The clock counts the time that the peer there has, and the taps
    /// get the standard error of its processes, if we started them.
    Dial(Address, Clock, Taps),
    /// The peer is a client that connects to us.
    Awaited(Arc<Host>),
}

impl Route {
    /// Opens a connection, or waits for the next one.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] after the deadline; otherwise those of [`Connection::open`] and
    /// [`Host::next`].
    pub async fn connect(&self, deadline: Moment) -> io::Result<Connection> {
        match self {
            Route::Dial(address, clock, _) => {
                match clock.timeout_at(deadline, Connection::open(address)).await {
                    Ok(opened) => opened,
                    Err(_) => Err(io::ErrorKind::TimedOut.into()),
                }
            }
            Route::Awaited(host) => host.next(deadline).await,
        }
    }

    /// The host that the client connects to, if the peer is a client.
    #[must_use]
    pub fn host(&self) -> Option<&Arc<Host>> {
        match self {
            Route::Dial(..) => None,
            Route::Awaited(host) => Some(host),
        }
    }

    /// The address that we dial, if the peer is a server.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match self {
            Route::Dial(address, ..) => Some(address),
            Route::Awaited(_) => None,
        }
    }

    /// The clock that counts the time that the peer has.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        match self {
            Route::Dial(_, clock, _) => clock,
            Route::Awaited(host) => host.clock(),
        }
    }

    /// The taps on the standard error of the peer's processes.
    #[must_use]
    pub fn taps(&self) -> &Taps {
        match self {
            Route::Dial(_, _, taps) => taps,
            Route::Awaited(host) => host.taps(),
        }
    }

    /// The limits of its transport.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match self {
            Route::Dial(address, ..) => address.limits(),
            Route::Awaited(host) => host.limits(),
        }
    }
}

impl From<Address> for Route {
    fn from(address: Address) -> Route {
        Route::Dial(address, Clock::of_stranger(), Taps::default())
    }
}

#[cfg(test)]
impl Route {
    /// To an address in this process, for a test on a paused clock. Such a clock must not leave out
    /// time that the machine was busy: no test time passes meanwhile.
    pub(crate) fn on_paused_clock(address: Address) -> Route {
        let clock = Clock::unkept(dnode_reports::event::TimeBase::WallTime);
        Route::Dial(address, clock, Taps::default())
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Dial(address, ..) => address.fmt(f),
            Route::Awaited(host) => f.write_str(host.address()),
        }
    }
}
