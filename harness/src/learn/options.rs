//! The options of the learner.

use crate::conversation::ping::Ping;
use crate::program::Target;
use crate::verdict::Command;
use dnode_spec::clause::Level;
use dnode_spec::machine::File;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What to learn, and how long to test it.
#[derive(Debug, Clone)]
pub struct LearnOptions {
    /// The peer.
    pub target: Target,
    /// The call that the caller named.
    pub ping: Option<Ping>,
    /// How long an answer may take.
    pub patience: Duration,
    /// How many connections are open at once, each to its own peer process if we start the peer.
    pub jobs: usize,
    /// How many states more than the hypothesis a machine may have that the tests surely find.
    pub depth: usize,
    /// How many random words test a hypothesis.
    pub words: usize,
    /// The most states: a peer with more has no machine.
    pub states: usize,
    /// How long to learn and to test.
    pub time: Duration,
    /// The seed of the random words.
    pub seed: u64,
    /// The weakest level that fails the command.
    pub gate: Level,
    /// The file of all answers.
    pub store: PathBuf,
    /// Begin with the answers in that file.
    pub resume: bool,
    /// The machine to compare with; `None` for that of the reference peer.
    pub against: Option<File>,
    /// The words of the command line that name the target.
    pub command: Command,
    /// Stops the learner. All answers stay in the file.
    pub interrupted: CancellationToken,
}
