//! Connections over TCP, Unix sockets, TLS and WebSockets.
//!
//! An [`Address`] names a transport and a place. [`Connection::open`] connects to it, and a
//! [`Listener`] accepts connections at it. A connection moves bytes and knows nothing of lines or
//! messages. [`Limits`] lists the features that a transport lacks.
//!
//! The transports start no task: the caller polls the socket.

mod address;
mod connection;
mod error;
mod limits;
mod listener;
mod memory;
mod stream;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod trust;
mod unix;
#[cfg(feature = "websocket")]
mod ws;

pub use address::Address;
pub use connection::Connection;
pub use error::{AddressError, CertificateError, ListenError};
pub use limits::{Limits, Scheme};
pub use listener::{Arrival, Listener};
pub(crate) use stream::{DRAIN, drain};
pub use stream::{Duplex, close};
pub use trust::{Identity, Trust};
