//! Starts the peer and runs the preflight.

use super::options::{Options, RunError};
use crate::conversation::facts::Facts;
use crate::conversation::preflight::{preflight, preflight_again};
use crate::peer::{Peer, StartError};
use crate::program::{ENDING, Target};
use dnode_reports::event::Death;

/// The peer before the first case.
pub(super) struct Met {
    pub(super) peer: Peer,
    pub(super) facts: Facts,
    /// When and how its process ended, if the preflight ended it.
    pub(super) died: Option<(String, Death)>,
}

/// Starts the peer and runs the preflight.
pub(super) async fn meet(options: &Options) -> Result<Met, RunError> {
    // The start of a peer may take long, so it can be interrupted: dropping the start ends a
    // program of ours.
    let may_wait = !matches!(options.target, Target::Reference(_) | Target::Address(_, None));
    let mut peer = tokio::select! {
        peer = Peer::start(&options.target) => peer?,
        () = options.interrupted.cancelled(), if may_wait => return Err(RunError::Interrupted),
    };
    let preflight = preflight(peer.route(), options.dialect, options.ping.as_ref(), options.patience).await;
    if preflight.as_ref().map_or(true, |facts| facts.object.members.is_none())
        && let Some(death) = peer.death(ENDING).await
    {
        let died = Some(("with its first connection".to_owned(), death));
        return Ok(Met { peer, facts: Facts::of_ended_peer(), died });
    }
    match preflight {
        // Two calls in one segment ended its process.
        Ok(facts) if facts.calls.loses_one_of_two && peer.death(ENDING).await.is_some() => {
            let peer = Peer::start(&options.target).await?;
            let (ping, patience) = (options.ping.as_ref(), options.patience);
            let facts = preflight_again(peer.route(), facts, ping, patience).await;
            Ok(Met { peer, facts, died: None })
        }
        Ok(mut facts) => {
            facts.notes.extend(peer.note());
            Ok(Met { peer, facts, died: None })
        }
        Err(error) => Err(StartError::of_preflight(peer.route(), error).into()),
    }
}
