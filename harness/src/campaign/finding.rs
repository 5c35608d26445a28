//! A finding of a campaign.

use super::input::{Input, Methods};
use super::oracle::{Identity, Oracle};
use crate::conversation::facts::Facts;
use crate::program::Target;
use crate::verdict::Command;
use dnode_reports::event::{Death, Wire};

/// A finding of a campaign.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Identifies the finding. Two findings with the same identity are one.
    pub identity: Identity,
    /// How often it was reproduced, and of how many tries.
    pub confirmed: (usize, usize),
    /// The expected behaviour.
    pub expected: String,
    /// The actual behaviour.
    pub actual: String,
    /// The transcript that reproduces it.
    pub transcript: String,
    /// The same as an input, if possible. The script sends the input, or else the bytes of the wire
    /// log.
    pub input: Option<Input>,
    /// The wire log.
    pub wire: Vec<Wire>,
    /// How the process ended, if it did.
    pub death: Option<Death>,
    /// The number of the session, over all campaigns in this folder.
    pub sessions: u64,
    /// Whether it was shrunk as far as possible. A campaign that ended before continues next time.
    pub shrunk: bool,
    /// The time in the campaign, in milliseconds.
    pub after: u64,
    /// The source of the session: a seed, the model, a walk or a mutation.
    pub source: String,
}

impl Finding {
    /// Whether it fails the campaign. A flaky finding may come from a slow machine, so it does not
    /// fail the campaign, unless a process died again.
    #[must_use]
    pub fn fails(&self) -> bool {
        fails(&self.identity, self.confirmed)
    }

    /// Whether it was reproduced, or could not be tried again because we cannot start the peer. The
    /// rest was seen once and is no finding, but it is listed.
    #[must_use]
    pub fn is_reproduced(&self) -> bool {
        self.confirmed.0 > 0 || self.confirmed.1 == 0
    }

    /// A label for a finding that is flaky or not shrunk; else empty.
    #[must_use]
    pub fn label(&self) -> String {
        match self.confirmed {
            (_, 0) => " [not tried again]".to_owned(),
            (0, _) => " [seen once, not reproduced]".to_owned(),
            (reproduced, tried) if reproduced < tried => format!(" [flaky {reproduced}/{tried}]"),
            _ if !self.shrunk => " [not shrunk yet]".to_owned(),
            _ => String::new(),
        }
    }

    /// The number of steps of the transcript.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.transcript.lines().count().saturating_sub(1)
    }
}

/// Whether a finding fails a campaign: how often it was reproduced, and of how many tries.
pub(super) fn fails(identity: &Identity, (reproduced, tried): (usize, usize)) -> bool {
    let counts = reproduced == tried || reproduced > 0 && identity.oracle == Oracle::Died;
    identity.oracle.fails() && counts
}

/// The context for the texts of a finding.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// The peer.
    pub target: &'a Target,
    /// The facts about it.
    pub facts: &'a Facts,
    /// The methods that inputs call.
    pub methods: &'a Methods,
    /// The command that repeats a finding.
    pub command: &'a Command,
}
