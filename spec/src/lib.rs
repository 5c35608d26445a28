//! The dnode protocol without I/O.
//!
//! Bytes become lines ([`mod@line`]), lines values ([`value`]), values messages ([`message`]), and the arguments of a message a
//! graph of values and functions ([`scrub`]). A [`session`] is one end of a connection, the [`monitor`] judges both
//! ends clause by clause ([`clause`]), and a [`transcript`] is a session written down. What differs between versions of the protocol is a
//! [`dialect`].
//!
//! Deliberately absent: sockets, files, clocks, tasks. Whoever uses this crate brings the bytes.

pub mod clause;
pub mod dialect;
#[cfg(test)]
mod fresh;
#[cfg(feature = "generate")]
pub mod generate;
pub mod graph;
pub mod line;
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
