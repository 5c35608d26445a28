//! What is tested: an address, a command that we start, or the reference peer.

use crate::host::Host;
use crate::transport::tls::Trust;
use crate::transport::{Address, Template};
use dnode_spec::dialect::Dialect;
use std::fmt;
use std::sync::Arc;

/// A peer as the caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The project's own reference peer, on a loopback port, speaking this dialect.
    Reference(Dialect),
    /// A peer that is there.
    Address(Address),
    /// A program that listens by TCP at the port that we give it.
    Exec(String),
    /// A program that listens where the template says, at the port or the socket that we give it.
    ExecAt(String, Template),
    /// A client that comes to us.
    Client(Arc<Host>),
}

impl Target {
    /// Reads an address; see [`Address::parse`]. Over TLS the authorities of this system are trusted.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead. The text says who is at fault.
    pub fn parse(text: &str) -> Result<Target, String> {
        Address::parse(text, &Trust::System).map(Target::Address)
    }

    /// Whether several can be started, each by itself.
    #[must_use]
    pub fn is_many(&self) -> bool {
        match self {
            Target::Address(_) => false,
            Target::Reference(_) | Target::Exec(_) | Target::ExecAt(..) => true,
            Target::Client(host) => host.is_one_of_many(),
        }
    }

    /// The arguments that name this target on the command line.
    #[must_use]
    pub fn arguments(&self) -> String {
        match self {
            Target::Reference(_) => String::new(),
            Target::Address(address) => address.arguments(),
            Target::Exec(command) => format!("--exec {}", quote(command)),
            Target::ExecAt(command, at) => format!("--exec {} {}", quote(command), at.arguments()),
            Target::Client(host) => host.listen().arguments(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Reference(_) => f.write_str("the reference peer"),
            Target::Address(address) => address.fmt(f),
            Target::Exec(command) | Target::ExecAt(command, _) => f.write_str(command),
            Target::Client(host) => match &host.listen().exec {
                Some(command) => f.write_str(command),
                None => write!(f, "the client that connects to {}", host.address()),
            },
        }
    }
}

/// The word as a POSIX shell reads it back.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_named_again_by_its_arguments() {
        let target = Target::parse("tcp://localhost:5050").unwrap();
        assert_eq!(target.arguments(), "tcp://localhost:5050");
        let at = Template::parse("tls://localhost:{port}", &Trust::Authority("my ca.pem".into()));
        assert!(at.is_err(), "there is no such file");
        let at = Template::parse("tls://localhost:{port}", &Trust::Anything).unwrap();
        assert_eq!(
            Target::ExecAt("node x.js {port}".to_owned(), at).arguments(),
            "--exec 'node x.js {port}' --at 'tls://localhost:{port}' --tls-insecure"
        );
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quote("callback/unknown-id"), "callback/unknown-id");
        assert_eq!(quote("node it's.js {port}"), r"'node it'\''s.js {port}'");
    }
}
