//! Transcripts: sessions written down. The format is in `fixtures/transcripts/README.md`.
//!
//! A transcript says what one end sends and what it expects of the other, with names for functions. This module reads it
//! ([`Transcript::read`]), makes the bytes of its steps ([`Pattern::encode`], [`Bytes::expand`]) and matches what comes
//! against what it expects ([`Pattern::check`]). [`Names`] holds which number stands for which name in one replay.
//!
//! Deliberately absent: when to send and how long to wait, which is the replayer's business.

mod bytes;
mod names;
mod pattern;
mod read;
mod recorder;
pub mod rows;

pub use bytes::{Bytes, MAX_BYTES};
pub use names::{Name, Names};
pub use pattern::{Called, Mark, Mismatch, Pattern};
pub use read::{Reader, TranscriptError};
#[cfg(feature = "generate")]
pub(crate) use recorder::bytes as written_bytes;
pub use recorder::{About, Form, Recorder, Style};

use crate::dialect::Dialect;
use crate::value::Value;

/// The version of the format that this crate reads and writes.
pub const VERSION: u64 = 1;

/// A session written down.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// The first line.
    pub header: Header,
    /// The lines after it.
    pub steps: Vec<Step>,
    /// The first number that no function of ours has.
    pub first_free_number: i64,
}

/// What the first line of a transcript says.
#[derive(Debug, Clone)]
pub struct Header {
    /// `group/name`.
    pub id: String,
    /// The version of the catalogue that the case came with.
    pub since: String,
    /// The clauses that it tests, at least one; the first is what a divergence breaks.
    pub clauses: Vec<String>,
    /// What happens, in one sentence.
    pub about: String,
    /// The methods of the probe that it calls.
    pub needs: Vec<String>,
    /// Clauses without which it says nothing.
    pub requires: Vec<String>,
    /// It may harm the peer.
    pub hostile: bool,
    /// It was recorded: it does not know what its other end might have called as well.
    pub recorded: bool,
    /// What its ends say crosses: no expectation is one that must be met.
    pub crossing: bool,
    /// Our object, as sent in `methods`.
    pub object: Pattern,
    /// Whether the steps do the handshake themselves.
    pub manual_handshake: bool,
    /// The steps speak for the end that accepted the connection.
    pub server: bool,
    /// The one dialect that its ends speak; none where it is the same in both.
    pub dialect: Option<Dialect>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name in reports: its `label`, or `step N`.
    pub label: String,
    /// What a divergence here breaks, where that is not the first clause of the header.
    pub clause: Option<String>,
    /// What to do or to expect.
    pub action: Action,
    /// The step as it is written.
    pub text: String,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Call a function of the peer, by id where it declared one, else by name.
    Call(Called, Pattern, Split),
    /// Send a message as it is written.
    Send(Pattern, Split),
    /// Send bytes; `true`: and a newline.
    Bytes(Bytes, bool, Split),
    /// The peer sends this; `true`: or not.
    Expect(Pattern, bool),
    /// The peer sends all these, in any order.
    AnyOrder(Vec<Pattern>),
    /// One of several continuations.
    Either(Vec<Vec<Step>>),
    /// The peer sends nothing else.
    Nothing,
    /// The connection still answers, or is closed and a fresh one is served.
    Survive,
    /// A fresh connection is served while this one is open.
    Served,
    /// The peer ends the connection.
    Closed,
    /// We close our sending half.
    HalfClose,
    /// We abort the connection.
    Reset,
}

impl Action {
    /// Whether this is something that we do, not something that we expect.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(
            self,
            Action::Call(..) | Action::Send(..) | Action::Bytes(..) | Action::HalfClose | Action::Reset
        )
    }
}

/// Where bytes are cut into segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Split {
    /// Nowhere.
    #[default]
    Whole,
    /// After each byte.
    Each,
    /// At these offsets.
    At(Vec<usize>),
}

impl Split {
    /// The segments of `bytes`, in order; none is empty.
    #[must_use]
    pub fn segments<'b>(&self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        match self {
            Split::Whole => Some(bytes).filter(|bytes| !bytes.is_empty()).into_iter().collect(),
            Split::Each => bytes.chunks(1).collect(),
            Split::At(offsets) => {
                let mut cuts: Vec<usize> = offsets.iter().copied().filter(|&cut| cut < bytes.len()).collect();
                cuts.push(bytes.len());
                cuts.sort_unstable();
                let mut start = 0;
                let pieces = cuts.iter().map(|&cut| {
                    let piece = &bytes[start..cut];
                    start = cut;
                    piece
                });
                pieces.filter(|piece| !piece.is_empty()).collect()
            }
        }
    }
}

/// A parsed piece of a transcript that stays as it is written.
pub(crate) fn parse_json(text: &str) -> Result<Value<'static>, String> {
    Value::parse(text.as_bytes()).map(Value::into_owned).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
