//! Campaigns: fuzzing a running peer.
//!
//! - A lane (`lane.rs`) has its own peer process and plays one session after the other.
//! - A source (`source.rs`) chooses the sessions: transcripts, which are judged by all rules, and
//!   inputs (`input.rs`), which are mutated (`mutate.rs`) and played fast (`visit.rs`).
//! - An input that shows new behaviour (`novelty.rs`) goes to the corpus (`corpus.rs`).
//! - A session that looks wrong (`oracle.rs`) is a suspicion. It is repeated in isolation, shrunk
//!   (`reduce.rs`), confirmed (`confirm.rs`) and written to a folder (`store.rs`).
//!
//! After invalid input, only `robust` clauses and the monitor's rules for the peer's lines apply. A
//! finding must be reproduced. The time of a campaign is for all of this: what is unfinished at its
//! end is written down, and the next campaign in the same folder continues there. Deliberately absent: verdicts on time alone, and findings named by a
//! hash of their input.

mod backlog;
mod canary;
mod claim;
mod confirm;
mod corpus;
mod error;
mod fair;
mod finding;
mod input;
mod lane;
mod mutate;
mod notice;
mod novelty;
mod operation;
mod options;
mod oracle;
mod reduce;
mod script;
mod shared;
mod source;
mod store;
mod suspicion;
mod symptom;
mod visit;

pub use confirm::CONFIRMATIONS;
pub use error::CampaignError;
pub use finding::Finding;
pub use notice::{Notice, Status};
pub use novelty::Coverage;
pub use options::CampaignOptions;
pub use oracle::{Identity, Oracle};

use crate::conversation::facts::Facts;
use crate::conversation::preflight::preflight;
use crate::peer::{Peer, StartError};
use dnode_spec::dialect::Dialect;
use lane::Lane;
use shared::Campaign;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;

/// The time between two [`Notice::Tick`]s.
const TICK: Duration = Duration::from_millis(250);
/// The number of ticks between two saves of the corpus state.
const SAVE: u32 = 20;

/// Fuzzes the target. Calls `emit` with each notice, and returns the final status.
///
/// # Errors
/// The campaign could not start or continue. The error says who is at fault.
pub async fn campaign(
    options: CampaignOptions,
    emit: &mut (dyn FnMut(Notice) + Send),
) -> Result<Status, CampaignError> {
    let _claimed = claim::claim([Some(&options.findings), options.corpus.as_ref()].into_iter().flatten())?;
    let facts = learn(&options).await?;
    let (sender, mut notices) = unbounded_channel();
    let campaign = Arc::new(Campaign::open(options, facts, sender)?);
    emit(campaign.started_notice());
    let mut lanes = tokio::task::JoinSet::new();
    for number in 0..campaign.lanes() {
        let campaign = Arc::clone(&campaign);
        lanes.spawn(async move {
            let mut lane = Lane::new(&campaign, number);
            tokio::select! {
                () = lane.run() => {}
                () = campaign.end.cancelled() => {}
            }
            lane.stop().await;
        });
    }
    let mut ticks = 0_u32;
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            joined = lanes.join_next() => match joined {
                None => break,
                Some(Err(error)) if error.is_panic() => campaign.give_up(CampaignError::Lane),
                Some(_) => {}
            },
            Some(notice) = notices.recv() => emit(notice),
            _ = tick.tick() => {
                ticks += 1;
                if ticks.is_multiple_of(SAVE) {
                    campaign.save();
                }
                if campaign.started.elapsed() > campaign.options.time {
                    campaign.end.cancel();
                }
                emit(Notice::Tick(campaign.status()));
            }
        }
    }
    campaign.leave_unfinished();
    campaign.save();
    while let Ok(notice) = notices.try_recv() {
        emit(notice);
    }
    campaign.take_problem().map_or_else(|| Ok(campaign.status()), Err)
}

/// Starts the peer once to learn the facts about it.
async fn learn(options: &CampaignOptions) -> Result<Facts, CampaignError> {
    let mut peer = Peer::start(&options.target).await?;
    let facts = preflight(peer.route(), Dialect::default(), options.ping.as_ref(), options.patience).await;
    let facts = facts.map_err(|error| StartError::of_preflight(peer.route(), error))?;
    if let Some(death) = peer.death(Duration::ZERO).await {
        return Err(CampaignError::Ended(death));
    }
    peer.stop().await;
    Ok(facts)
}
