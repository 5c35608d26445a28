//! What is tested: an address, a command that we start, or the reference peer.

use std::fmt;

/// A peer as the caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The project's own reference peer, on a loopback port.
    Reference,
    /// A peer that listens at `host:port`.
    Address(String),
    /// A program that listens at the port that we give it.
    Exec(String),
}

impl Target {
    /// Reads an address: `HOST:PORT` or `tcp://HOST:PORT`.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn parse(text: &str) -> Result<Target, String> {
        let address = match text.split_once("://") {
            Some(("tcp", rest)) => rest.trim_end_matches('/'),
            Some((scheme, _)) => {
                return Err(format!("{scheme}:// is not supported; write HOST:PORT or tcp://HOST:PORT"));
            }
            None => text,
        };
        match address.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => {
                Ok(Target::Address(address.to_owned()))
            }
            _ => Err(format!("{text:?} is not an address; write HOST:PORT, for example 127.0.0.1:5050")),
        }
    }

    /// The arguments that name this target on the command line.
    #[must_use]
    pub fn arguments(&self) -> String {
        match self {
            Target::Reference => String::new(),
            Target::Address(address) => address.clone(),
            Target::Exec(command) => format!("--exec {}", quote(command)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Reference => f.write_str("the reference peer"),
            Target::Address(address) => f.write_str(address),
            Target::Exec(command) => f.write_str(command),
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
    fn addresses_are_read() {
        assert_eq!(Target::parse("tcp://localhost:5050"), Ok(Target::Address("localhost:5050".into())));
        assert_eq!(Target::parse("[::1]:5050"), Ok(Target::Address("[::1]:5050".into())));
        for bad in ["localhost", ":5050", "localhost:0", "localhost:99999", "ws://localhost:1"] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quote("callback/unknown-id"), "callback/unknown-id");
        assert_eq!(quote("node it's.js {port}"), r"'node it'\''s.js {port}'");
    }
}
