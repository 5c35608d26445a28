//! What happened to the model with one line: (state before, operation, class of answer, state after), each as a small number, so that an
//! engine can count every combination.
//!
//! The state is the one of the table in `dnode_spec::state`: of the id that the line is about. No value, id or length is part of it, or every
//! input would be new.

use dnode_conform::wire::Wire;
use dnode_spec::message::{self, Id, Method};
use dnode_spec::monitor::{End, Monitor, Received};
use dnode_spec::state::State;
use dnode_spec::text::TextBuf;
use dnode_spec::value::Value;

/// How many transitions there are: the numbers of [`Transition::number`] are below this.
pub const TRANSITIONS: usize = STATES * KINDS * STATES * ANSWERS * STATES;

/// The states of an id, and that a line is about none.
const STATES: usize = 6;
const KINDS: usize = 7;
const ANSWERS: usize = 7;

/// What one line did.
#[derive(Debug, Clone, Copy)]
pub struct Transition {
    /// Of the id that the line is about, before it was sent.
    pub before: Option<State>,
    /// What the line asks for.
    pub operation: Operation,
    /// What the peer said to it.
    pub answer: Answer,
    /// Of the same id, when the peer had answered.
    pub after: Option<State>,
}

impl Transition {
    /// Its number among all.
    #[must_use]
    pub fn number(&self) -> usize {
        let digits = [
            (self.operation.kind as usize, KINDS),
            (state(self.operation.declared), STATES),
            (self.answer as usize, ANSWERS),
            (state(self.after), STATES),
        ];
        digits.into_iter().fold(state(self.before), |number, (digit, base)| number * base + digit)
    }
}

fn state(state: Option<State>) -> usize {
    match state {
        None => 0,
        Some(State::Unknown) => 1,
        Some(State::Live) => 2,
        Some(State::Culling) => 3,
        Some(State::Gone) => 4,
        Some(State::Ambiguous) => 5,
    }
}

/// What a line asks for.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    kind: Kind,
    /// The id of the peer that it calls or culls; of several, the first.
    id: Option<Id>,
    /// The state of the first function that it declares, before it does.
    declared: Option<State>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    NotJson,
    Refused,
    Methods,
    Cull,
    Member,
    OtherName,
    Call,
}

impl Operation {
    /// Reads a line; `is_member` says which names the peer's object has.
    pub fn of(line: &[u8], wire: &Wire, is_member: impl Fn(&TextBuf) -> bool) -> Operation {
        let plain = |kind| Operation { kind, id: None, declared: None };
        let Ok(value) = Value::parse(line) else { return plain(Kind::NotJson) };
        let decoded = message::decode(&value);
        let Some(message) = decoded.message.as_ref().filter(|_| decoded.is_sound()) else {
            return plain(Kind::Refused);
        };
        let declared = message.callbacks.first().map(|(id, _)| wire.state_of_ours(*id));
        let (kind, id) = match &message.method {
            Method::Id(id) => (Kind::Call, Some(*id)),
            name if name.is("methods") => (Kind::Methods, None),
            name if name.is("cull") => (Kind::Cull, first_culled(line)),
            Method::Name(name) if is_member(name) => (Kind::Member, None),
            Method::Name(_) => (Kind::OtherName, None),
        };
        Operation { kind, id, declared }
    }

    /// The state of the id that it is about.
    #[must_use]
    pub fn addressed(&self, wire: &Wire) -> Option<State> {
        self.id.map(|id| wire.state_of_theirs(id))
    }
}

fn first_culled(line: &[u8]) -> Option<Id> {
    Monitor::new().line(End::A, line).received?.culls.first().copied()
}

/// What the peer said before it answered the known-good call that came with the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Nothing,
    /// One call of an id, with values.
    Values,
    /// One call of an id that declares functions.
    Functions,
    /// One call of a name.
    Named,
    /// More than one message.
    Several,
    /// A line that is no message.
    Broken,
    /// It closed the connection.
    Closed,
}

impl Answer {
    /// With one message more.
    #[must_use]
    pub fn and(self, received: &Received) -> Answer {
        match (self, &received.method) {
            (Answer::Broken, _) => Answer::Broken,
            (Answer::Nothing, Method::Name(_)) => Answer::Named,
            (Answer::Nothing, Method::Id(_)) if received.callbacks.is_empty() => Answer::Values,
            (Answer::Nothing, Method::Id(_)) => Answer::Functions,
            _ => Answer::Several,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_the_last_counter() {
        let last = Some(State::Ambiguous);
        let operation = Operation { kind: Kind::Call, id: None, declared: last };
        let transition = Transition { before: last, operation, answer: Answer::Closed, after: last };
        assert_eq!(transition.number(), TRANSITIONS - 1);
    }
}
