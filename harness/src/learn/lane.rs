//! A lane: one peer process, and one connection at a time.

use super::Subject;
use super::error::LearnError;
use super::query::{Asked, Unanswered, query};
use crate::cases::Case;
use crate::conversation::replay::replay;
use crate::peer::{Health, Slot};
use crate::program::Target;
use crate::verdict::Command;
use crate::verdict::outcome::outcome;
use dnode_reports::event::Outcome;
use dnode_spec::machine::{Input, Output, Then};
use std::sync::Arc;

/// How often a word is asked if the peer does not serve it.
const TRIES: usize = 4;

/// A lane.
#[derive(Debug)]
pub(super) struct Lane {
    subject: Arc<Subject>,
    slot: Slot,
}

impl Lane {
    pub(super) fn new(subject: Arc<Subject>, target: &Target) -> Lane {
        Lane { subject, slot: Slot::new(target) }
    }

    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    pub(super) async fn stop(self) {
        self.slot.stop().await;
    }

    /// Asks a word.
    pub(super) async fn ask(&mut self, word: &[Input]) -> Result<Asked, LearnError> {
        let subject = Arc::clone(&self.subject);
        let Subject { alphabet, facts, begins, patience } = &*subject;
        for _ in 0..TRIES {
            let peer = self.slot.ready().await?;
            match query(peer.route(), alphabet, facts, *begins, word, *patience).await {
                Ok(mut asked) => {
                    let is_certain = match asked.outputs.last_mut() {
                        Some(last) if matches!(last.then, Then::Closed | Then::Hung) => {
                            self.explain_end(last).await
                        }
                        _ => true,
                    };
                    if is_certain {
                        return Ok(asked);
                    }
                }
                Err(Unanswered::Steps(fault)) => return Err(fault.into()),
                Err(Unanswered::NotServed) => {
                    // Either an earlier connection harmed the peer, or it was slow.
                    let health = peer.health(facts, *patience).await;
                    if !health.is_good() {
                        if !peer.is_ours() {
                            return Err(LearnError::Gone);
                        }
                        self.slot.discard().await;
                    }
                }
                Err(Unanswered::Overloaded) => {}
            }
        }
        Err(LearnError::NotServed)
    }

    /// Finds out whether the peer ended with its connection. Returns whether that is certain.
    async fn explain_end(&mut self, last: &mut Output) -> bool {
        let Subject { facts, patience, .. } = &*self.subject;
        let Some(peer) = self.slot.peer() else { return false };
        match peer.health(facts, *patience).await {
            Health::Serves => true,
            Health::Unknown => false,
            health => {
                last.then = if health.is_gone() { Then::Died } else { Then::Hung };
                self.slot.discard().await;
                true
            }
        }
    }

    /// Plays a transcript under the rules of judgement.
    pub(super) async fn judge(&mut self, case: &Case, command: &Command) -> Result<Outcome, LearnError> {
        let Subject { facts, patience, .. } = &*self.subject;
        let peer = self.slot.ready().await?;
        let replayed = replay(case, peer.route(), facts, *patience).await;
        let health = peer.health_after(&replayed, facts, *patience).await;
        let is_good = health.is_good();
        let outcome = outcome(case, replayed, health, command);
        if !is_good {
            self.slot.discard().await;
        }
        Ok(outcome)
    }
}
