//! Decides if a session showed new behaviour: a new tuple of state before, operation, class of
//! answers, and state after.
//!
//! The states are those of the model (`dnode_spec::state`) for the id that a line is about, so the
//! progress can show how much of the model's table was covered. Everything is read from the wire
//! log.

use super::input::Methods;
use super::operation::operation;
use dnode_reports::event::{Origin, Wire};
use dnode_spec::generate::aim;
use dnode_spec::message::{self, Message, Method};
use dnode_spec::state::{End, Ids, State, TABLE};
use dnode_spec::value::Value;
use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most tuples that are kept. The peer chooses its answers, and it must not fill our memory.
const KEPT: usize = 1 << 18;

const SUITE: End = End::A;
const PEER: End = End::B;

/// All behaviour so far.
#[derive(Debug, Default)]
pub(super) struct Novelty {
    seen: HashSet<u64>,
    /// The covered rows of the model's table.
    rows: BTreeSet<usize>,
}

/// The behaviour that one session showed.
#[derive(Debug)]
pub(super) struct Behaviour {
    /// The covered rows of the model's table.
    rows: Vec<usize>,
    /// The hashes of its tuples.
    tuples: Vec<u64>,
}

impl Behaviour {
    /// Reads a session, with its ending, from the wire log.
    #[must_use]
    pub(super) fn of(wire: &[Wire], ending: impl Hash, methods: &Methods) -> Behaviour {
        let mut ids = Ids::default();
        let mut steps: Vec<(State, String, State)> = Vec::new();
        let mut answers = BTreeSet::new();
        for entry in wire {
            let Wire::Bytes { from, bytes, cut, .. } = entry else { continue };
            let whole = *cut == 0;
            let value = Value::parse(bytes).ok().filter(|_| whole);
            let message = value.as_ref().and_then(|value| message::decode(value).message);
            match from {
                Origin::Peer => {
                    answers.insert(message.as_ref().map_or(0, |message| class(message, &ids)));
                    if let Some(message) = &message {
                        apply(&mut ids, message, PEER);
                    }
                }
                Origin::Suite => {
                    let word = if whole { operation(bytes, methods) } else { "long".to_owned() };
                    let states =
                        message.map_or((State::Unknown, State::Unknown), |it| apply(&mut ids, &it, SUITE));
                    steps.push((states.0, word, states.1));
                }
            }
        }
        let tuple = |step| {
            let mut hasher = DefaultHasher::new();
            (step, &answers, &ending).hash(&mut hasher);
            hasher.finish()
        };
        Behaviour { rows: ids.rows().collect(), tuples: steps.into_iter().map(tuple).collect() }
    }
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

    /// Adds the behaviour of a session. Returns whether anything of it is new.
    pub(super) fn add(&mut self, behaviour: Behaviour) -> bool {
        self.rows.extend(behaviour.rows);
        let mut new = false;
        for tuple in behaviour.tuples {
            new |= self.seen.len() < KEPT && self.seen.insert(tuple);
        }
        new
    }

    /// The rows of the model's table that were not covered.
    #[must_use]
    pub(super) fn unseen(&self) -> Vec<usize> {
        (0..TABLE.len()).filter(|row| !self.rows.contains(row)).collect()
    }

    /// The transitions that were not covered, each with the reason.
    #[must_use]
    pub(super) fn unreached(&self) -> Vec<String> {
        let reason = |row| aim(row).err().unwrap_or("no session led there");
        let text = |row: usize| format!("{:?} and {:?}: {}", TABLE[row].0, TABLE[row].1, reason(row));
        self.unseen().into_iter().map(text).collect()
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
        Method::Id(id) => ids.state(SUITE, *id) as u64 + 1,
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

/// Applies a message to the ids. Returns the states before and after of the id that it is about: the
/// one that it calls, or else the first that it declares or culls.
fn apply(ids: &mut Ids, message: &Message<'_>, from: End) -> (State, State) {
    let called = if let Method::Id(id) = message.method { Some(id) } else { None };
    let culls = message.culls();
    let of_receiver = called.or_else(|| culls.first().copied()).map(|id| (from.other(), id));
    let declared = message.callbacks.first().map(|(id, _)| (from, *id));
    let about = if called.is_some() { of_receiver } else { declared.or(of_receiver) };
    let state = |ids: &Ids| about.map_or(State::Unknown, |(owner, id)| ids.state(owner, id));
    let before = state(ids);
    ids.next_line();
    if let Some(id) = called {
        ids.called(from, id);
    }
    ids.declared(from, message.callbacks.iter().map(|(id, _)| *id));
    for id in culls {
        ids.culled(from, id);
    }
    (before, state(ids))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::facts::Facts;

    fn line(from: Origin, text: &str) -> Wire {
        Wire::Bytes { from, bytes: text.as_bytes().to_vec(), cut: 0, step: String::new() }
    }

    #[test]
    fn session_is_new_once_and_again_with_another_answer() {
        let (mut novelty, methods) = (Novelty::default(), Methods::of(&Facts::of_client()));
        let call =
            line(Origin::Suite, r#"{"method":"echo","arguments":["[Function]"],"callbacks":{"1":["0"]}}"#);
        let answer = line(Origin::Peer, r#"{"method":1,"arguments":[]}"#);
        let other = line(Origin::Peer, r#"{"method":1,"arguments":[7]}"#);
        let both = [call.clone(), answer];
        let of = |wire: &[Wire]| Behaviour::of(wire, 0, &methods);
        assert!(novelty.add(of(&both)) && !novelty.add(of(&both)));
        assert!(novelty.add(of(&[call, other])));
        assert_eq!(novelty.coverage().transitions, (2, TABLE.len()));
        assert_eq!(novelty.unseen().len(), TABLE.len() - 2);
        assert!(novelty.unreached().iter().any(|row| row.contains("uses the ids of culled functions again")));
        let (seen, rows) = novelty.saved();
        assert!(!Novelty::restored(seen, rows).add(of(&both)));
    }
}
