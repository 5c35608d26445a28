//! Addresses as people write them.

use super::memory::Peer;
#[cfg(feature = "tls")]
use super::tls::Trusted;
use super::{AddressError, Duplex, Limits, Trust};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// How to reach a peer, and over which transport. It is displayed as it was written.
#[derive(Debug, Clone)]
pub struct Address {
    text: Arc<str>,
    way: Way,
}

/// The transport of an address, with its parameters.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// `host:port`.
    Tcp(String),
    Unix(PathBuf),
    /// `host:port`.
    #[cfg(feature = "tls")]
    Tls(String, Trusted),
    /// `host:port`, and the path.
    #[cfg(feature = "websocket")]
    Ws(String, String),
    Memory(Arc<Peer>),
}

/// The transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `HOST:PORT` or `tcp://HOST:PORT`.
    Tcp,
    /// `unix:PATH`.
    Unix,
    /// `tls://HOST:PORT`.
    Tls,
    /// `ws://HOST:PORT/PATH`.
    Ws,
    /// A stream in this process.
    Memory,
}

impl Address {
    /// Reads `HOST:PORT`, `tcp://HOST:PORT`, `unix:PATH`, `tls://HOST:PORT` or `ws://HOST:PORT/PATH`. `trust` says which certificates
    /// are accepted over TLS.
    ///
    /// # Errors
    /// [`AddressError`]; the file of an authority is read here.
    pub fn parse(text: &str, trust: &Trust) -> Result<Address, AddressError> {
        Address::read(text, trust, 1)
    }

    /// Reads an address to listen at. Port 0 means any free port.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse_to_listen(text: &str) -> Result<Address, AddressError> {
        Address::read(text, &Trust::Anything, 0)
    }

    fn read(text: &str, trust: &Trust, first: u16) -> Result<Address, AddressError> {
        let malformed = || AddressError::Malformed(text.to_owned());
        let host = |rest: &str| host_and_port(rest.trim_end_matches('/'), first).ok_or_else(malformed);
        let way = match text.split_once("://") {
            Some(("tcp", rest)) => Way::Tcp(host(rest)?),
            #[cfg(feature = "tls")]
            Some(("tls", rest)) => Way::Tls(host(rest)?, Trusted::new(trust.clone())?),
            #[cfg(feature = "websocket")]
            Some(("ws", rest)) => {
                let (at, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
                Way::Ws(host(at)?, path.to_owned())
            }
            Some(("unix", path)) => return Err(AddressError::UnixUrl(path.to_owned())),
            Some((scheme, _)) => return Err(AddressError::Scheme(scheme.to_owned())),
            None => match text.strip_prefix("unix:") {
                Some("") => return Err(malformed()),
                Some(path) => Way::Unix(path.into()),
                None => Way::Tcp(host(text)?),
            },
        };
        let address = Address { text: text.into(), way };
        if *trust != Trust::System && first > 0 && address.scheme() != Scheme::Tls {
            return Err(AddressError::NotTls(text.to_owned()));
        }
        Ok(address)
    }

    /// The address of a peer in this process. `connect` is called once for each connection; it returns this end of a stream whose other end
    /// the peer serves. `name` is displayed.
    pub fn in_memory<S: Duplex + 'static>(
        name: &str,
        connect: impl Fn() -> S + Send + Sync + 'static,
    ) -> Address {
        Address { text: name.into(), way: Way::Memory(Arc::new(Peer::new(connect))) }
    }

    pub(super) fn way(&self) -> &Way {
        &self.way
    }

    /// The transport.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match &self.way {
            Way::Tcp(_) => Scheme::Tcp,
            Way::Unix(_) => Scheme::Unix,
            #[cfg(feature = "tls")]
            Way::Tls(..) => Scheme::Tls,
            #[cfg(feature = "websocket")]
            Way::Ws(..) => Scheme::Ws,
            Way::Memory(_) => Scheme::Memory,
        }
    }

    /// `host:port`, if the peer is reached by plain TCP.
    #[must_use]
    pub fn tcp(&self) -> Option<&str> {
        match &self.way {
            Way::Tcp(host) => Some(host),
            _ => None,
        }
    }

    /// The certificates that are accepted, if the transport is TLS.
    #[must_use]
    pub fn trust(&self) -> Option<&Trust> {
        match &self.way {
            #[cfg(feature = "tls")]
            Way::Tls(_, trusted) => Some(&trusted.trust),
            _ => None,
        }
    }

    /// Whether the system chooses the port.
    #[must_use]
    pub fn takes_any_port(&self) -> bool {
        self.scheme() != Scheme::Unix
            && self.scheme() != Scheme::Memory
            && self
                .text
                .split_once("://")
                .map_or(&*self.text, |(_, rest)| rest)
                .split('/')
                .next()
                .is_some_and(|host| host.ends_with(":0"))
    }

    /// What its transport cannot carry.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits::of(self.scheme())
    }
}

/// `host:port` with a port of at least `first`.
fn host_and_port(text: &str, first: u16) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port >= first);
    (!host.is_empty() && !host.contains('/') && port.is_some()).then(|| text.to_owned())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As [`Address::parse`] reads it; over TLS the authorities of the system are trusted.
impl std::str::FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        Address::parse(text, &Trust::System)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        let same = match (&self.way, &other.way) {
            (Way::Memory(a), Way::Memory(b)) => Arc::ptr_eq(a, b),
            // A name in memory may look like any address.
            (Way::Memory(_), _) | (_, Way::Memory(_)) => false,
            _ => self.trust() == other.trust(),
        };
        same && self.text == other.text
    }
}

impl Eq for Address {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, AddressError> {
        Address::parse(text, &Trust::System)
    }

    #[test]
    fn an_address_is_displayed_as_written() {
        for text in ["localhost:5050", "[::1]:5050", "tcp://localhost:5050", "unix:/run/a socket"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    #[cfg(all(feature = "tls", feature = "websocket"))]
    fn an_address_of_an_optional_transport_is_displayed_as_written() {
        for text in ["tls://localhost:1", "ws://127.0.0.1:5050/dnode/websocket"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_address_says_what_to_write_instead() {
        for (bad, instead) in [
            ("localhost", "write HOST:PORT"),
            (":5050", "write HOST:PORT"),
            ("localhost:0", "write HOST:PORT"),
            ("localhost:99999", "write HOST:PORT"),
            ("unix:", "unix:PATH"),
            ("unix:///run/x", "write unix:/run/x"),
            ("wss://localhost:1/dnode", "wss:// is not supported"),
            #[cfg(feature = "tls")]
            ("tls://localhost", "tls://HOST:PORT"),
            #[cfg(feature = "websocket")]
            ("ws://localhost/dnode", "ws://HOST:PORT/PATH"),
        ] {
            let error = parse(bad).unwrap_err().to_string();
            assert!(error.contains(instead), "{bad}: {error}");
        }
        assert!(Address::parse_to_listen("127.0.0.1:0").unwrap().takes_any_port());
        assert!(!parse("127.0.0.1:5050").unwrap().takes_any_port());
    }

    #[test]
    #[cfg(feature = "tls")]
    fn only_a_tls_address_takes_certificates() {
        let error = Address::parse("localhost:1", &Trust::Anything).unwrap_err();
        assert!(error.to_string().contains("tls://"), "{error}");
        let address = Address::parse("tls://localhost:1", &Trust::Anything).unwrap();
        assert_eq!(address.trust(), Some(&Trust::Anything));
        let missing = Address::parse("tls://localhost:1", &Trust::Authority("/no/such.pem".into()));
        assert!(missing.unwrap_err().to_string().starts_with("/no/such.pem"));
    }
}
