//! Transcripts: sessions written down. `fixtures/transcripts/README.md` describes the format.
//!
//! A transcript lists the messages that one end sends and those that it expects, with names for
//! functions. This module reads transcripts ([`Transcript::read`]), writes them ([`mod@write`],
//! [`Recorder`]), makes the bytes of their steps ([`Pattern::encode`], [`Bytes::expand`]) and
//! matches received messages ([`Pattern::check`]). [`Names`] holds the number of each name in one
//! replay.
//!
//! Deliberately absent: when to send and how long to wait. The replayer decides that.

mod addressing;
mod bytes;
mod error;
mod mark;
mod model;
mod names;
mod owners;
mod pattern;
mod read;
mod recorder;
pub mod rows;
pub mod write;

pub use addressing::{Addressing, Members};
pub use bytes::{Blank, Bytes, MAX_BYTES, PingPart};
pub use error::{Fault, TranscriptError};
pub use mark::Mark;
pub use model::{Action, Header, Split, Step, Transcript};
pub use names::{Called, Name, Names};
pub use pattern::{Mismatch, Pattern};
pub use read::Reader;
pub use recorder::{About, Form, Recorder, Style};
pub use write::VERSION;

#[cfg(test)]
mod tests;
