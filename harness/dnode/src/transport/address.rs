//! Addresses as people write them.

use super::error::AddressError;
use super::limits::{Limits, Scheme};
use super::memory::Peer;
use super::stream::Duplex;
#[cfg(feature = "tls")]
use super::tls::Trusted;
use super::trust::Trust;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The text of an address of processes.
const STDIO: &str = "stdio:";

/// How to reach a peer: a transport and a place. Its `Display` is the text that it was parsed from.
///
/// | text | transport | needs the feature |
/// | --- | --- | --- |
/// | `HOST:PORT`, `tcp://HOST:PORT` | TCP | |
/// | `unix:PATH` | a Unix socket | |
/// | `tls://HOST:PORT` | TLS over TCP | `tls` |
/// | `ws://HOST:PORT/PATH` | a WebSocket over TCP | `websocket` |
///
/// [`str::parse`] trusts the certificate authorities of the system; [`Address::parse`] takes other
/// ones.
///
/// ```
/// use dnode::transport::{Address, Scheme};
///
/// let address: Address = "unix:/run/dnode".parse()?;
/// assert_eq!(address.scheme(), Scheme::Unix);
/// # Ok::<(), dnode::transport::AddressError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Address {
    text: Arc<str>,
    way: Way,
}

/// The transport of an address, and its parameters.
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

impl Address {
    /// Parses an address to connect to. `trust` says which servers' certificates are accepted over
    /// TLS.
    ///
    /// This reads the file of [`Trust::Authority`]. It does not look up the host.
    ///
    /// # Errors
    /// [`AddressError`], if the text is not an address, its feature is off, `trust` is given
    /// without TLS, or its file cannot be used.
    pub fn parse(text: &str, trust: &Trust) -> Result<Address, AddressError> {
        Address::read(text, trust, 1)
    }

    /// Parses an address to listen at. Port 0 lets the system choose a free port: see
    /// [`Listener::address`](super::Listener::address).
    ///
    /// # Errors
    /// [`AddressError`], if the text is not an address, or its feature is off.
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
            None if text == STDIO => return Err(AddressError::Stdio),
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

    /// The address of a peer in this process. `connect` is called once for each connection: it
    /// returns one end of a stream, and the peer serves the other end. `name` is the `Display` of
    /// the address.
    pub fn in_memory<S: Duplex + 'static>(
        name: &str,
        connect: impl Fn() -> S + Send + Sync + 'static,
    ) -> Address {
        let peer = Peer::new(Scheme::Memory, move || Ok(connect()));
        Address { text: name.into(), way: Way::Memory(Arc::new(peer)) }
    }

    /// The address of a peer whose program is started for each connection, and speaks on its
    /// standard input and output. `connect` starts it and returns the two pipes as one stream.
    pub fn of_processes<S: Duplex + 'static>(
        connect: impl Fn() -> io::Result<S> + Send + Sync + 'static,
    ) -> Address {
        let peer = Peer::new(Scheme::Stdio, connect);
        Address { text: STDIO.into(), way: Way::Memory(Arc::new(peer)) }
    }

    pub(super) fn way(&self) -> &Way {
        &self.way
    }

    /// The transport of this address.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match &self.way {
            Way::Tcp(_) => Scheme::Tcp,
            Way::Unix(_) => Scheme::Unix,
            #[cfg(feature = "tls")]
            Way::Tls(..) => Scheme::Tls,
            #[cfg(feature = "websocket")]
            Way::Ws(..) => Scheme::Ws,
            Way::Memory(peer) => peer.scheme(),
        }
    }

    /// `host:port`, if the transport is plain TCP.
    #[must_use]
    pub fn tcp(&self) -> Option<&str> {
        match &self.way {
            Way::Tcp(host) => Some(host),
            _ => None,
        }
    }

    /// Which certificates are accepted, if the transport is TLS.
    #[must_use]
    pub fn trust(&self) -> Option<&Trust> {
        match &self.way {
            #[cfg(feature = "tls")]
            Way::Tls(_, trusted) => Some(&trusted.trust),
            _ => None,
        }
    }

    /// Whether the port is 0, so that the system chooses one.
    #[must_use]
    pub fn takes_any_port(&self) -> bool {
        !matches!(self.way, Way::Unix(_) | Way::Memory(_))
            && self
                .text
                .split_once("://")
                .map_or(&*self.text, |(_, rest)| rest)
                .split('/')
                .next()
                .is_some_and(|host| host.ends_with(":0"))
    }

    /// The features that its transport lacks.
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

/// Parses as [`Address::parse`] does, with [`Trust::System`].
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
            // The name of a peer in memory may look like an address.
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
    fn display_is_the_parsed_text() {
        for text in ["localhost:5050", "[::1]:5050", "tcp://localhost:5050", "unix:/run/a socket"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    #[cfg(all(feature = "tls", feature = "websocket"))]
    fn display_is_the_parsed_text_for_optional_transports() {
        for text in ["tls://localhost:1", "ws://127.0.0.1:5050/dnode/websocket"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn errors_say_what_to_write_instead() {
        for (bad, instead) in [
            ("localhost", "write HOST:PORT"),
            (":5050", "write HOST:PORT"),
            ("localhost:0", "write HOST:PORT"),
            ("localhost:99999", "write HOST:PORT"),
            ("unix:", "unix:PATH"),
            ("unix:///run/x", "write unix:/run/x"),
            ("stdio:", "a program"),
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
    fn only_tls_addresses_take_certificates() {
        let error = Address::parse("localhost:1", &Trust::Anything).unwrap_err();
        assert!(error.to_string().contains("tls://"), "{error}");
        let address = Address::parse("tls://localhost:1", &Trust::Anything).unwrap();
        assert_eq!(address.trust(), Some(&Trust::Anything));
        let missing = Address::parse("tls://localhost:1", &Trust::Authority("/no/such.pem".into()));
        assert!(missing.unwrap_err().to_string().starts_with("/no/such.pem"));
    }
}
