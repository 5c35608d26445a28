//! The order of recorded steps.
//!
//! An implementation may run its handlers concurrently, so two calls in flight may take effect in
//! any order. Functions that came in one message often share a state, as a counter's `inc` and
//! `get` do. So a call of one of them waits for the answers to the earlier calls of the others, and
//! all later steps of ours wait with it.

use crate::message::Id;
use crate::transcript::write::Step;
use std::collections::{HashMap, HashSet, VecDeque};

/// A session with more delayed steps than this does not wait for answers that are still missing.
const LIMIT: usize = 100;

/// Delays steps of ours until earlier calls are answered.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The message that brought each function of the other end.
    origins: HashMap<Id, u64>,
    messages: u64,
    /// Our functions that calls declared and that were not called yet.
    uncalled: HashSet<Id>,
    /// The calls that have no answer yet.
    unanswered: Vec<Call>,
    delayed: VecDeque<(Call, Step)>,
}

/// A call of ours.
#[derive(Debug, Default)]
struct Call {
    /// The message that brought the called function; `None` for all other steps.
    origin: Option<u64>,
    /// The functions that it declares. A call of one of them is an answer.
    callbacks: Vec<Id>,
}

impl Order {
    /// Notes the functions that a message of the other end declares.
    pub(super) fn declare(&mut self, functions: impl Iterator<Item = Id>) {
        self.messages += 1;
        self.origins.extend(functions.map(|id| (id, self.messages)));
    }

    /// Takes a step of ours, which calls the function `called` of the other end if it is given.
    /// Gives the steps that are due.
    pub(super) fn say(&mut self, step: Step, called: Option<Id>, callbacks: Vec<Id>) -> Vec<Step> {
        let origin = called.and_then(|id| self.origins.get(&id)).copied();
        self.delayed.push_back((Call { origin, callbacks }, step));
        if self.delayed.len() > LIMIT { self.end() } else { self.due() }
    }

    /// Takes a call of our function `id`, which the step expects. Gives the steps that are due.
    pub(super) fn hear(&mut self, id: Option<Id>, step: Step) -> Vec<Step> {
        let is_answer = id.is_some_and(|id| self.uncalled.remove(&id));
        // If a delayed step may be the cause, it must stand before the call.
        let is_earlier = is_answer && self.delayed.iter().all(|(call, _)| !call.callbacks.is_empty());
        let mut steps = if is_earlier { Vec::new() } else { self.end() };
        steps.push(step);
        self.unanswered.retain(|call| !id.is_some_and(|id| call.callbacks.contains(&id)));
        steps.append(&mut self.due());
        steps
    }

    /// The steps that wait for no answer.
    fn due(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some((call, _)) = self.delayed.front() {
            if call.origin.is_some() && self.unanswered.iter().any(|other| other.origin == call.origin) {
                break;
            }
            let Some((call, step)) = self.delayed.pop_front() else { break };
            steps.push(step);
            self.uncalled.extend(&call.callbacks);
            if call.origin.is_some() && !call.callbacks.is_empty() {
                self.unanswered.push(call);
            }
        }
        steps
    }

    /// Gives all delayed steps.
    pub(super) fn end(&mut self) -> Vec<Step> {
        self.unanswered.clear();
        let delayed = std::mem::take(&mut self.delayed);
        let steps = delayed.into_iter().map(|(call, step)| {
            self.uncalled.extend(&call.callbacks);
            step
        });
        steps.collect()
    }
}
