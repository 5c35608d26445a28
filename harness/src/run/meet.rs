//! Starts the peer and runs the preflight.

use super::options::{Options, RunError};
use crate::conversation::facts::{Facts, Unusable};
use crate::conversation::preflight::{preflight, preflight_again};
use crate::peer::{Peer, StartError};
use crate::program::{ENDING, Target};
use dnode_reports::event::Death;
use std::time::{Duration, Instant};

/// The peer before the first case.
pub(super) struct Met {
    pub(super) peer: Peer,
    pub(super) facts: Facts,
    /// When and how its process ended, if the preflight ended it.
    pub(super) died: Option<(String, Death)>,
}

/// Starts the peer and runs the preflight. Without a whole preflight until `until`, no case can run.
pub(super) async fn meet(options: &Options, until: Option<Instant>) -> Result<Met, RunError> {
    // The start of a peer may take long, so it can be interrupted: dropping the start ends a
    // program of ours.
    let may_wait = !matches!(options.target, Target::Reference(_) | Target::Address(_, None));
    let mut peer = tokio::select! {
        biased;
        peer = Peer::start(&options.target) => peer?,
        () = options.interrupted.cancelled(), if may_wait => return Err(RunError::Interrupted),
        () = time_is_over(until), if may_wait => return Err(RunError::OutOfTime),
    };
    let (facts, died) = tokio::select! {
        biased;
        learned = learn(&mut peer, options) => learned?,
        () = time_is_over(until) => (Facts::of_unusable_peer(Unusable::OutOfTime), None),
        () = options.interrupted.cancelled() => (Facts::of_unusable_peer(Unusable::Interrupted), None),
    };
    Ok(Met { peer, facts, died })
}

/// Waits until the time for the run is over.
pub(super) async fn time_is_over(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}

/// The facts, and when and how the peer's process ended.
type Learned = (Facts, Option<(String, Death)>);

/// What is known of a peer whose process ended with its first connection.
fn ended(death: Death) -> Learned {
    (Facts::of_unusable_peer(Unusable::Ended), Some(("with its first connection".to_owned(), death)))
}

/// Runs the preflight again on fresh processes, as long as each of them ends and another session may
/// avoid that.
async fn learn_again(peer: &mut Peer, first: Facts, options: &Options) -> Result<Learned, RunError> {
    let mut facts = first;
    loop {
        let before = facts.calls.avoided;
        *peer = Peer::start(&options.target).await?;
        facts = preflight_again(peer.route(), facts, options.ping.as_ref(), options.patience).await;
        if !facts.calls.loses_one_of_two {
            return Ok((facts, None));
        }
        let Some(death) = peer.death(ENDING).await else { return Ok((facts, None)) };
        if facts.calls.to_avoid().is_none() || facts.calls.avoided == before {
            let died = ("after its first answers".to_owned(), death);
            return Ok((Facts::of_unusable_peer(Unusable::EndedAfterAnswers), Some(died)));
        }
    }
}

/// How long a process may need to end after this preflight.
fn dying(facts: &Facts) -> Duration {
    if facts.session.ended { ENDING } else { Duration::ZERO }
}

/// Runs the preflight. Also returns when and how it ended the process of the peer.
async fn learn(peer: &mut Peer, options: &Options) -> Result<Learned, RunError> {
    let preflight = preflight(peer.route(), options.dialect, options.ping.as_ref(), options.patience).await;
    if preflight.as_ref().map_or(true, |facts| facts.object.members.is_none())
        && let Some(death) = peer.death(ENDING).await
    {
        return Ok(ended(death));
    }
    match preflight {
        // It may end after each connection, also after the one that only shows that it listens.
        // Whether the preflight is served before that is chance.
        Ok(facts) if facts.calls.ping.is_none() && peer.death(dying(&facts)).await.is_some() => {
            *peer = Peer::start(&options.target).await?;
            // On a busy machine its end takes long.
            Ok(peer.death(ENDING * 6).await.map_or((facts, None), ended))
        }
        // A call by name, or two calls in one segment, ended its process.
        Ok(facts) if facts.calls.loses_one_of_two && peer.death(ENDING).await.is_some() => {
            learn_again(peer, facts, options).await
        }
        Ok(mut facts) => {
            facts.notes.extend(peer.note());
            Ok((facts, None))
        }
        Err(error) => Err(StartError::of_preflight(peer.route(), error).into()),
    }
}
