//! The events of a campaign.

use super::error::CampaignError;
use super::finding::Finding;
use super::novelty::Coverage;
use std::path::PathBuf;
use std::time::Duration;

/// An event of a campaign.
#[derive(Debug)]
pub enum Notice {
    /// The campaign started.
    Started {
        /// The name that the peer gives itself.
        peer: Option<String>,
        /// Notes about the peer.
        notes: Vec<String>,
        /// The number of findings of earlier campaigns.
        known: usize,
        /// The number of suspicions and findings that an earlier campaign left unfinished.
        unfinished: usize,
    },
    /// A finding was written to this folder. This comes once for each folder, when the finding is
    /// confirmed, and shrunk if there was time. What was not reproduced comes too: its `confirmed`
    /// says so. Without a folder, it could not be written.
    Found(Box<Finding>, Option<PathBuf>),
    /// A finding that an earlier campaign had no time to shrink is shrunk now, in the same folder.
    /// Without a folder, it could not be written, and the older one stays.
    Shrunk(Box<Finding>, Option<PathBuf>),
    /// Something cannot be written, for example because the disk is full. This comes once.
    Unwritten(CampaignError),
    /// A regular report of the progress.
    Tick(Status),
}

/// The progress of a campaign.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The number of sessions played.
    pub sessions: u64,
    /// How long the campaign has run.
    pub elapsed: Duration,
    /// How much of the model was covered.
    pub coverage: Coverage,
    /// The transitions that were not covered, each with the reason.
    pub unreached: Vec<String>,
    /// The number of inputs in the corpus.
    pub corpus: usize,
    /// The number of distinct findings that fail, including earlier campaigns.
    pub failing: usize,
    /// The number of findings that only warn.
    pub warning: usize,
    /// The number of suspicions that are left to the next campaign.
    pub unexamined: usize,
    /// The number of findings that the next campaign shrinks.
    pub unshrunk: usize,
    /// Whether the campaign was interrupted.
    pub interrupted: bool,
    /// Whether something could not be written, so that the results are not complete.
    pub unwritten: bool,
}
