//! The dnode protocol without I/O.
//!
//! Bytes become lines ([`mod@line`]), lines become values ([`value`]), values become messages
//! ([`message`]), and the arguments of a message become a graph of values and functions
//! ([`scrub`]). A [`session`] is one end of a connection. The [`monitor`] judges both ends, clause
//! by clause ([`clause`]). A [`transcript`] is a session written down. A [`machine`] is what a peer
//! answers to each input of an [`alphabet`] in each state; [`learn`] finds it with queries. The versions of the protocol
//! differ by [`dialect`].
//!
//! Deliberately absent: sockets, files, clocks, tasks. The user of this crate brings the bytes.

pub mod alphabet;
pub mod clause;
pub mod compare;
pub mod dialect;
#[cfg(test)]
mod fresh;
#[cfg(feature = "generate")]
pub mod generate;
pub mod graph;
pub mod learn;
pub mod line;
pub mod machine;
pub mod message;
pub mod monitor;
pub mod path;
pub mod probe;
#[cfg(test)]
mod sample;
pub mod scrub;
pub mod session;
pub mod state;
#[cfg(test)]
mod talk;
pub mod text;
pub mod transcript;
pub mod value;

/// The protocol as a document, in Markdown.
pub const PROTOCOL: &str = include_str!("../PROTOCOL.md");

/// The README is an example that must run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
