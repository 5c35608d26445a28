//! TLS over TCP, by rustls, and what its users configure.
//!
//! Our half is closed by a `close_notify` and the end of the TCP stream behind it. Versions 1.2 and 1.3, no client certificates.

use std::path::PathBuf;

#[cfg(feature = "tls")]
pub(super) use rustls::{Trusted, acceptor, connect};

/// Which certificates of servers are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Those of the authorities that this system trusts.
    #[default]
    System,
    /// Those of the authorities in this PEM file, and no others.
    Authority(PathBuf),
    /// All: for tests.
    Anything,
}

/// The certificate that a server shows, in PEM format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The file of the certificate and of those that lead from it to an authority.
    pub certificate: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

#[cfg(feature = "tls")]
mod rustls;
