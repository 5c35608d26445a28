//! The options of a campaign.

use crate::conversation::ping::Ping;
use crate::program::Target;
use crate::verdict::Command;
use dnode_spec::clause::Level;
use dnode_spec::machine::Machine;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What to fuzz, and how.
#[derive(Debug, Clone)]
pub struct CampaignOptions {
    /// The peer.
    pub target: Target,
    /// A call that the peer answers, for peers without the probe.
    pub ping: Option<Ping>,
    /// How long to look for findings.
    pub time: Duration,
    /// The random seed.
    pub seed: u64,
    /// The number of this shard, from 0, and the number of shards.
    pub shard: (u64, u64),
    /// The number of lanes.
    pub jobs: usize,
    /// The machine whose states sessions start from; `None` for that of the reference peer.
    pub machine: Option<Machine>,
    /// The folder of the corpus; `None` keeps the corpus in memory.
    pub corpus: Option<PathBuf>,
    /// The folder of the findings.
    pub findings: PathBuf,
    /// The weakest level whose violations are findings.
    pub gate: Level,
    /// How long an answer may take.
    pub patience: Duration,
    /// Whether the first finding that fails ends the campaign.
    pub fail_fast: bool,
    /// The command that repeats a finding.
    pub command: Command,
    /// Cancelled to end the campaign.
    pub interrupted: CancellationToken,
}
