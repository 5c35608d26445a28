//! A suspicion: sessions to repeat, because one of them may have harmed the peer.

use super::source::Job;
use dnode_reports::event::Death;

/// Sessions of which one may have harmed the peer, the likeliest first.
#[derive(Debug)]
pub(super) struct Suspicion {
    pub suspects: Vec<Played>,
    /// How the process ended, if it did.
    pub death: Option<Death>,
}

/// A session that was played.
#[derive(Debug, Clone)]
pub(super) struct Played {
    pub job: Job,
    pub source: &'static str,
    /// Whether the connection ended as it should.
    pub ended_well: bool,
}
