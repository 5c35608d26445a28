//! Decides if a session showed new behaviour: a new tuple of state before, operation, class of
//! answers, and state after.
//!
//! The states are those of the model (`dnode_spec::state`) for the id that a line is about, so the
//! progress can show how much of the model's table was covered. Everything is read from the wire
//! log.

use super::input::Methods;
use super::operation::operation;
use dnode_reports::event::{Origin, Wire};
use dnode_spec::message::{self, Id, Message, Method};
use dnode_spec::state::{Event, State, TABLE};
use dnode_spec::value::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most tuples that are kept. The peer chooses its answers, and it must not fill our memory.
const KEPT: usize = 1 << 18;

/// All behaviour so far.
#[derive(Debug, Default)]
pub(super) struct Novelty {
    seen: HashSet<u64>,
    /// The covered rows of the model's table.
    rows: BTreeSet<usize>,
}

/// How much of the model's table was covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The covered states, and all states.
    pub states: (usize, usize),
    /// The covered transitions, and all transitions.
    pub transitions: (usize, usize),
    /// The number of different tuples.
    pub tuples: usize,
}

impl Novelty {
    /// Restores a saved state.
    #[must_use]
    pub(super) fn restored(seen: Vec<u64>, rows: Vec<usize>) -> Novelty {
        Novelty {
            seen: seen.into_iter().take(KEPT).collect(),
            rows: rows.into_iter().filter(|row| *row < TABLE.len()).collect(),
        }
    }

    /// The state to save.
    #[must_use]
    pub(super) fn saved(&self) -> (Vec<u64>, Vec<usize>) {
        let mut seen: Vec<u64> = self.seen.iter().copied().collect();
        seen.sort_unstable();
        (seen, self.rows.iter().copied().collect())
    }

    /// Adds a session with its ending. Returns whether anything of it is new.
    pub(super) fn take(&mut self, wire: &[Wire], ending: impl Hash, methods: &Methods) -> bool {
        let mut ids = Ids::default();
        let mut steps: Vec<(State, String, State)> = Vec::new();
        let mut answers = BTreeSet::new();
        for entry in wire {
            let Wire::Bytes { from, bytes, cut } = entry else { continue };
            let whole = *cut == 0;
            let value = Value::parse(bytes).ok().filter(|_| whole);
            let message = value.as_ref().and_then(|value| message::decode(value).message);
            match from {
                Origin::Peer => {
                    answers.insert(message.as_ref().map_or(0, |message| class(message, &ids)));
                    message.iter().for_each(|message| {
                        ids.message(message, Origin::Peer);
                    });
                }
                Origin::Suite => {
                    let word = if whole { operation(bytes, methods) } else { "long".to_owned() };
                    let states = message
                        .map_or((State::Unknown, State::Unknown), |it| ids.message(&it, Origin::Suite));
                    steps.push((states.0, word, states.1));
                }
            }
        }
        self.rows.extend(ids.rows);
        let mut new = false;
        for step in steps {
            let mut hasher = DefaultHasher::new();
            (step, &answers, &ending).hash(&mut hasher);
            new |= self.seen.len() < KEPT && self.seen.insert(hasher.finish());
        }
        new
    }

    /// How much was covered.
    #[must_use]
    pub(super) fn coverage(&self) -> Coverage {
        let states = |rows: &mut dyn Iterator<Item = usize>| {
            rows.flat_map(|row| [TABLE[row].0, TABLE[row].2]).collect::<HashSet<State>>().len()
        };
        Coverage {
            states: (states(&mut self.rows.iter().copied()), states(&mut (0..TABLE.len()))),
            transitions: (self.rows.len(), TABLE.len()),
            tuples: self.seen.len(),
        }
    }
}

/// The class of a message of the peer: the called function, and roughly how many arguments,
/// callbacks and links it has.
fn class(message: &Message<'_>, ids: &Ids) -> u64 {
    let called = match &message.method {
        Method::Id(id) => ids.state(Origin::Suite, *id) as u64 + 1,
        Method::Name(_) if message.method.is("methods") => 10,
        Method::Name(_) if message.method.is("cull") => 11,
        Method::Name(_) => 12,
    };
    let few = |count: usize| count.min(3) as u64;
    let arguments = message.arguments.map_or(0, |arguments| few(arguments.len()));
    let first =
        message.arguments.and_then(|arguments| arguments.item(0)).map_or(0, |it| it.kind() as u64 + 1);
    ((called * 4 + arguments) * 4 + few(message.callbacks.len())) * 64 + few(message.links.len()) * 16 + first
}

/// The states of the ids of both ends, on one connection.
#[derive(Default)]
struct Ids {
    ours: HashMap<Id, State>,
    theirs: HashMap<Id, State>,
    culling: Vec<(Origin, Id)>,
    rows: BTreeSet<usize>,
}

impl Ids {
    fn of(&mut self, owner: Origin) -> &mut HashMap<Id, State> {
        if owner == Origin::Suite { &mut self.ours } else { &mut self.theirs }
    }

    fn state(&self, owner: Origin, id: Id) -> State {
        let ids = if owner == Origin::Suite { &self.ours } else { &self.theirs };
        ids.get(&id).copied().unwrap_or(State::Unknown)
    }

    fn apply(&mut self, owner: Origin, id: Id, event: Event) -> (State, State) {
        let before = self.state(owner, id);
        self.rows.extend(TABLE.iter().position(|(state, on, ..)| (*state, *on) == (before, event)));
        let (after, _) = before.on(event);
        if after != before {
            self.of(owner).insert(id, after);
        }
        (before, after)
    }

    /// Applies a message to the ids. Returns the states before and after of the id that it is
    /// about: the one that it calls, or else the first that it declares or culls.
    fn message(&mut self, message: &Message<'_>, from: Origin) -> (State, State) {
        let other = if from == Origin::Suite { Origin::Peer } else { Origin::Suite };
        let mut about = None;
        if let Method::Id(id) = message.method {
            about = Some(self.apply(other, id, Event::Called));
            // A call shows that the caller has read something. The monitor knows which culls; here,
            // it is the oldest.
            if let Some(at) = self.culling.iter().position(|(owner, _)| *owner == from) {
                let (owner, culled) = self.culling.remove(at);
                self.apply(owner, culled, Event::Answered);
            }
        }
        for (id, _) in &message.callbacks {
            let states = self.apply(from, *id, Event::Declared);
            about.get_or_insert(states);
        }
        let culls = message.arguments.filter(|_| message.method.is("cull"));
        for id in culls.iter().flat_map(|ids| ids.items()).filter_map(|id| Id::from_number(id.as_number()?)) {
            let both = self.state(from, id) != State::Unknown && self.state(other, id) != State::Unknown;
            let event = if both { Event::CulledByEither } else { Event::Culled };
            let states = self.apply(other, id, event);
            if states.1 == State::Culling && self.culling.len() < 64 {
                self.culling.push((other, id));
            }
            about.get_or_insert(states);
        }
        about.unwrap_or((State::Unknown, State::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::facts::Facts;

    fn line(from: Origin, text: &str) -> Wire {
        Wire::Bytes { from, bytes: text.as_bytes().to_vec(), cut: 0 }
    }

    #[test]
    fn session_is_new_once_and_again_with_another_answer() {
        let (mut novelty, methods) = (Novelty::default(), Methods::of(&Facts::of_client()));
        let call =
            line(Origin::Suite, r#"{"method":"echo","arguments":["[Function]"],"callbacks":{"1":["0"]}}"#);
        let answer = line(Origin::Peer, r#"{"method":1,"arguments":[]}"#);
        let other = line(Origin::Peer, r#"{"method":1,"arguments":[7]}"#);
        let both = [call.clone(), answer];
        assert!(novelty.take(&both, 0, &methods) && !novelty.take(&both, 0, &methods));
        assert!(novelty.take(&[call, other], 0, &methods));
        assert_eq!(novelty.coverage().transitions, (2, TABLE.len()));
        let (seen, rows) = novelty.saved();
        assert!(!Novelty::restored(seen, rows).take(&both, 0, &methods));
    }
}
