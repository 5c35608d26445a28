//! The learned state machine of a peer, and how it differs from the one that it should be.
//!
//! [`MachineFormat`] renders a [`Learned`]. The whole machine is too large for a picture, so each
//! drawing has one small machine for each part of the alphabet (`part.rs`). A difference has the same
//! sign and number in every format: `!1` breaks a clause, `~2` is free, `?3` is unclear.

mod dot;
mod format;
mod html;
mod layout;
mod markdown;
mod mermaid;
mod part;
#[cfg(test)]
pub(crate) mod sample;
mod sentence;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use format::{MachineFormat, UnknownFormat, Unrendered};

use dnode_spec::clause::Level;
use dnode_spec::machine::{Machine, Mixed, Output, State};

/// A machine that was learned, and compared.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The name that the peer gives itself; `None` if it gives none.
    pub peer: Option<String>,
    /// Its machine, minimal. The inputs are those of `inputs`. `None` if there is none; `cut` says
    /// why, and the differences are those seen so far.
    pub machine: Option<Machine>,
    /// The inputs, in their order.
    pub inputs: Vec<Input>,
    /// The inputs of the alphabet that the peer's program cannot take, each with the reason.
    pub left_out: Vec<(String, String)>,
    /// The words that the peer answered in several ways.
    pub mixed: Vec<Mixed>,
    /// The clauses that its lines broke, in whatever state.
    pub broken: Vec<Broken>,
    /// The name of the machine that it was compared with.
    pub against: String,
    /// That machine, minimal, on the same inputs.
    pub expected: Machine,
    /// The differences, in the order of their words.
    pub differences: Vec<Judged>,
    /// The cost of learning it.
    pub effort: Effort,
    /// Why the machine was not learned, or not tested to the end; `None` if it was.
    pub cut: Option<String>,
    /// Notes for the reader about the answers.
    pub notes: Vec<String>,
}

impl Learned {
    /// Whether a difference or a line breaks a clause that fails the command.
    #[must_use]
    pub fn fails(&self) -> bool {
        let gates = |it: &Judged| matches!(it.verdict, Verdict::Breaks { gates: true, .. });
        self.differences.iter().any(gates) || self.broken.iter().any(|it| it.gates)
    }
}

/// An input of the alphabet.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its word.
    pub name: String,
    /// The part of the machine that it belongs to: each part is drawn by itself.
    pub part: String,
    /// One sentence about the action of the suite.
    pub about: String,
}

/// An input that the two machines answer differently after the same word.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The shortest word that shows it; the last input is the one with two answers.
    pub word: Vec<String>,
    /// The answer of the other machine.
    pub expected: Output,
    /// The answer of the peer.
    pub found: Output,
    /// The states before the input: of the other machine, and of the peer's.
    pub places: Vec<(State, State)>,
    /// Whether the machines also answer an earlier input of the word differently.
    pub follows: bool,
    /// The verdict of the rules of judgement.
    pub verdict: Verdict,
    /// The word as a transcript, which `dnode-conform replay` plays.
    pub transcript: String,
    /// The command that plays it; `None` if it is in no file.
    pub repeat: Option<String>,
}

/// The verdict of the rules of judgement on a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The peer breaks a clause.
    Breaks {
        /// The clause.
        clause: String,
        /// Its level.
        level: Level,
        /// Whether this level fails the command.
        gates: bool,
        /// The step of the transcript at which it shows.
        step: String,
        /// The expected behaviour there.
        expected: String,
        /// The behaviour of the peer.
        actual: String,
    },
    /// The protocol leaves it open.
    Free {
        /// Why.
        reason: String,
    },
    /// The transcript could not be judged.
    Unclear {
        /// Why.
        reason: String,
    },
}

/// A clause that a line of the peer broke, as the monitor judges every line. It may not show in the
/// machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The clause.
    pub clause: String,
    /// Its level.
    pub level: Level,
    /// Whether this level fails the command.
    pub gates: bool,
    /// The first word in which it was broken.
    pub word: Vec<String>,
    /// The place in the line; empty for the whole line, or if there is no line.
    pub at: String,
    /// The expected value there, or the rule if there is no line.
    pub expected: String,
    /// The value that the peer sent; empty if there is no line.
    pub actual: String,
}

/// The cost of learning a machine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Effort {
    /// The words that were asked, the test words included.
    pub queries: u64,
    /// Of these, the words that tested a hypothesis.
    pub tests: u64,
    /// The inputs of all these words.
    pub inputs: u64,
    /// The time in seconds.
    pub seconds: f64,
}
