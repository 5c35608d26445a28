//! The target of a run: an address, a command that we start, a client, or the reference peer.

use super::host::Host;
use super::template::Template;
use dnode::transport::{Address, AddressError, Trust};
use dnode_spec::dialect::Dialect;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a program may take from its start to its first connection, by default.
pub const START: Duration = Duration::from_secs(30);

/// The peer under test.
#[derive(Debug, Clone)]
pub enum Target {
    /// The project's own reference peer, on a loopback port, in this dialect.
    Reference(Dialect),
    /// A server that someone else starts, and how long to wait until it listens; `None`: it must
    /// listen already.
    Address(Address, Option<Duration>),
    /// A program that we start. It listens at the address of the template, after this time at the
    /// latest.
    Exec(String, Template, Duration),
    /// A client that connects to us.
    Client(Arc<Host>),
}

impl Target {
    /// Reads an address; see [`Address::parse`]. TLS connections trust the certificate authorities
    /// of this system.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Target, AddressError> {
        Address::parse(text, &Trust::System).map(|address| Target::Address(address, None))
    }

    /// A program that listens on TCP at 127.0.0.1 and the port `{port}`.
    #[must_use]
    pub fn exec(command: &str) -> Target {
        Target::Exec(command.to_owned(), Template::tcp(), START)
    }

    /// Whether several peers can be started at the same time.
    #[must_use]
    pub fn is_many(&self) -> bool {
        match self {
            Target::Address(..) => false,
            Target::Reference(_) | Target::Exec(..) => true,
            Target::Client(host) => host.is_one_of_many(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Reference(_) => f.write_str("the reference peer"),
            Target::Address(address, _) => address.fmt(f),
            Target::Exec(command, ..) => f.write_str(command),
            Target::Client(host) => match &host.listen().exec {
                Some(command) => f.write_str(command),
                None => write!(f, "the client that connects to {}", host.address()),
            },
        }
    }
}
