//! Addresses as people write them, and templates of addresses for programs that we start.

use super::memory::Peer;
use super::tls::{Trust, Trusted};
use super::{Duplex, Limits};
use crate::host::Host;
use crate::target::quote;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FORMS: &str = "write HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH";

/// Where a peer is, and by which transport it is reached. It is shown as it was written.
#[derive(Debug, Clone)]
pub struct Address {
    text: Arc<str>,
    way: Way,
}

#[derive(Debug, Clone)]
pub(super) enum Way {
    Nowhere,
    /// `host:port`.
    Tcp(String),
    Unix(PathBuf),
    /// `host:port`.
    Tls(String, Trusted),
    /// `host:port`, and the path.
    Ws(String, String),
    Memory(Arc<Peer>),
    /// The peer comes to us.
    Awaited(Arc<Host>),
}

impl Address {
    /// Reads `HOST:PORT`, `tcp://HOST:PORT`, `unix:PATH`, `tls://HOST:PORT` or `ws://HOST:PORT/PATH`. `trust` says which certificates
    /// are believed over TLS.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead; or what is wrong with the file of the authority. It says who is at fault.
    pub fn parse(text: &str, trust: &Trust) -> Result<Address, String> {
        Address::read(text, trust, 1)
    }

    /// The same for an address to listen at, where port 0 takes a free one.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse_to_listen(text: &str) -> Result<Address, String> {
        Address::read(text, &Trust::Anything, 0)
    }

    fn read(text: &str, trust: &Trust, first: u16) -> Result<Address, String> {
        let host = |rest: &str| host_and_port(rest.trim_end_matches('/'), first).ok_or_else(|| wrong(text));
        let way = match text.split_once("://") {
            Some(("tcp", rest)) => Way::Tcp(host(rest)?),
            Some(("tls", rest)) => Way::Tls(host(rest)?, Trusted::new(trust.clone())?),
            Some(("ws", rest)) => {
                let (at, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
                Way::Ws(host(at)?, path.to_owned())
            }
            Some(("unix", path)) => {
                return Err(format!("caller: {text:?} is not an address; write unix:{path}"));
            }
            Some((scheme, _)) => return Err(format!("caller: {scheme}:// is not supported; {FORMS}")),
            None => match text.strip_prefix("unix:") {
                Some("") => return Err(wrong(text)),
                Some(path) => Way::Unix(path.into()),
                None => Way::Tcp(host(text)?),
            },
        };
        if *trust != Trust::System && first > 0 && !matches!(way, Way::Tls(..)) {
            return Err(format!(
                "caller: {} is about TLS, and {text} is not; write tls://HOST:PORT",
                trust.arguments()
            ));
        }
        Ok(Address { text: text.into(), way })
    }

    /// A peer in this process.
    pub(super) fn in_memory<S: Duplex + 'static>(
        name: &str,
        connect: impl Fn() -> S + Send + Sync + 'static,
    ) -> Address {
        Address { text: name.into(), way: Way::Memory(Arc::new(Peer::new(connect))) }
    }

    /// Of a client that comes to us.
    #[must_use]
    pub fn of_clients(host: Arc<Host>) -> Address {
        Address { text: host.address().into(), way: Way::Awaited(host) }
    }

    /// Where the client comes to, if the peer is one.
    #[must_use]
    pub fn host(&self) -> Option<&Arc<Host>> {
        match &self.way {
            Way::Awaited(host) => Some(host),
            _ => None,
        }
    }

    pub(super) fn way(&self) -> &Way {
        &self.way
    }

    /// `host:port`, where it is reached by plain TCP.
    #[must_use]
    pub fn tcp(&self) -> Option<&str> {
        match &self.way {
            Way::Tcp(host) => Some(host),
            _ => None,
        }
    }

    /// Whether the system chooses the port.
    #[must_use]
    pub fn takes_any_port(&self) -> bool {
        match &self.way {
            Way::Tcp(host) | Way::Tls(host, _) | Way::Ws(host, _) => host.ends_with(":0"),
            _ => false,
        }
    }

    /// What its transport cannot carry.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match &self.way {
            Way::Nowhere | Way::Tcp(_) => Limits::TCP,
            Way::Unix(_) => Limits::UNIX,
            Way::Tls(..) => Limits::TLS,
            Way::Ws(..) => Limits::WS,
            Way::Memory(_) => Limits::MEMORY,
            Way::Awaited(host) => host.limits(),
        }
    }

    /// What else may be wrong where nobody answers, as a sentence behind others.
    pub(crate) fn hint(&self) -> &'static str {
        match self.way {
            // Some servers never answer a handshake for a path that they do not have.
            Way::Ws(..) => " Is the path right? The raw WebSocket of sockjs is at PATH/websocket.",
            Way::Tls(..) => " Does it speak TLS there?",
            _ => "",
        }
    }

    /// The words that name it on the command line.
    #[must_use]
    pub fn arguments(&self) -> String {
        match &self.way {
            Way::Tls(_, trusted) if trusted.trust != Trust::System => {
                format!("{} {}", quote(&self.text), trusted.trust.arguments())
            }
            _ => quote(&self.text),
        }
    }
}

fn wrong(text: &str) -> String {
    format!("caller: {text:?} is not an address; {FORMS}, for example 127.0.0.1:5050")
}

/// `host:port` with a port of at least `first`.
fn host_and_port(text: &str, first: u16) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port >= first);
    (!host.is_empty() && !host.contains('/') && port.is_some()).then(|| text.to_owned())
}

/// No address: nothing is reached there.
impl Default for Address {
    fn default() -> Address {
        Address { text: "nowhere".into(), way: Way::Nowhere }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As [`Address::parse`] reads it; over TLS the authorities of the system are believed.
impl std::str::FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        Address::parse(text, &Trust::System)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        let same = match (&self.way, &other.way) {
            (Way::Memory(a), Way::Memory(b)) => Arc::ptr_eq(a, b),
            (Way::Tls(_, a), Way::Tls(_, b)) => a.trust == b.trust,
            // A name in memory may look like any address.
            (Way::Memory(_), _) | (_, Way::Memory(_)) => false,
            (Way::Awaited(a), Way::Awaited(b)) => Arc::ptr_eq(a, b),
            (Way::Awaited(_), _) | (_, Way::Awaited(_)) => false,
            _ => true,
        };
        same && self.text == other.text
    }
}

impl Eq for Address {}

impl Trust {
    /// The words that say it on the command line.
    #[must_use]
    pub fn arguments(&self) -> String {
        match self {
            Trust::System => String::new(),
            Trust::Authority(file) => format!("--tls-ca {}", quote(&file.to_string_lossy())),
            Trust::Anything => "--tls-insecure".to_owned(),
        }
    }
}

/// An address with `{port}` or `{socket}` in it: how a program that we start is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    trust: Trust,
}

impl Template {
    /// Reads a template, `unix:{socket}` or `ws://127.0.0.1:{port}/dnode/websocket` for example.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead. It says who is at fault.
    pub fn parse(text: &str, trust: &Trust) -> Result<Template, String> {
        let template = Template { text: text.to_owned(), trust: trust.clone() };
        if !text.contains("{port}") && !template.wants_socket() {
            return Err(format!(
                "caller: {text:?} does not say where the program that we start listens: write {{port}} or {{socket}} into it, for \
                 example unix:{{socket}} or tls://127.0.0.1:{{port}}"
            ));
        }
        template.fill(1, Path::new("socket")).map(|_| template)
    }

    /// Whether it names a socket file.
    #[must_use]
    pub fn wants_socket(&self) -> bool {
        self.text.contains("{socket}")
    }

    /// The address of a program that listens at this port, or at this socket.
    ///
    /// # Errors
    /// What is wrong with it. It says who is at fault.
    pub fn fill(&self, port: u16, socket: &Path) -> Result<Address, String> {
        let text = self.text.replace("{port}", &port.to_string());
        Address::parse(&text.replace("{socket}", &socket.to_string_lossy()), &self.trust)
    }

    /// The words that say it on the command line.
    #[must_use]
    pub fn arguments(&self) -> String {
        let trust = self.trust.arguments();
        let space = if trust.is_empty() { "" } else { " " };
        format!("--at {}{space}{trust}", quote(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, String> {
        Address::parse(text, &Trust::System)
    }

    #[test]
    fn an_address_is_shown_as_it_was_written() {
        for text in [
            "localhost:5050",
            "[::1]:5050",
            "tcp://localhost:5050",
            "unix:/tmp/a socket",
            "tls://localhost:1",
            "ws://127.0.0.1:5050/dnode/websocket",
        ] {
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
            ("unix:///tmp/x", "write unix:/tmp/x"),
            ("tls://localhost", "tls://HOST:PORT"),
            ("ws://localhost/dnode", "ws://HOST:PORT/PATH"),
            ("wss://localhost:1/dnode", "wss:// is not supported"),
        ] {
            let error = parse(bad).unwrap_err();
            assert!(error.starts_with("caller: ") && error.contains(instead), "{bad}: {error}");
        }
        assert!(Address::parse_to_listen("127.0.0.1:0").is_ok());
    }

    #[test]
    fn what_is_said_of_tls_is_said_of_tls_only() {
        let error = Address::parse("localhost:1", &Trust::Anything).unwrap_err();
        assert!(error.contains("--tls-insecure") && error.contains("tls://"), "{error}");
        let address = Address::parse("tls://localhost:1", &Trust::Anything).unwrap();
        assert_eq!(address.arguments(), "tls://localhost:1 --tls-insecure");
        let missing = Address::parse("tls://localhost:1", &Trust::Authority("/no/such.pem".into()));
        assert!(missing.unwrap_err().starts_with("caller: /no/such.pem"));
    }

    #[test]
    fn a_template_names_what_changes() {
        let template = Template::parse("ws://127.0.0.1:{port}/a", &Trust::System).unwrap();
        assert_eq!(template.fill(7, Path::new("")).unwrap().to_string(), "ws://127.0.0.1:7/a");
        assert_eq!(template.arguments(), "--at 'ws://127.0.0.1:{port}/a'");
        let template = Template::parse("unix:{socket}", &Trust::System).unwrap();
        assert_eq!(template.fill(7, Path::new("/tmp/s")).unwrap().to_string(), "unix:/tmp/s");
        assert!(Template::parse("127.0.0.1:5050", &Trust::System).unwrap_err().contains("{port}"));
        assert!(Template::parse("http://{port}", &Trust::System).unwrap_err().contains("http://"));
    }
}
