//! The life of a connection as one end sees it: a table of states and events.
//!
//! [`Session`](crate::session::Session) does nothing that the table does not list.

/// The state of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Both ends send.
    #[default]
    Open,
    /// The input is over: this end only writes the output that is ready.
    Draining,
    /// All output is written: this end closes the connection.
    Closed,
}

/// An event in the life of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// This end calls or culls a function of the other end.
    Sent,
    /// A line that is JSON arrives.
    Received,
    /// A line that is not JSON arrives.
    Malformed,
    /// The other end closes its sending half.
    InputEnded,
    /// No output is left to write.
    Written,
}

/// One row of the table: the state before, the event, and the state after.
pub type Transition = (State, Event, State);

use Event::{InputEnded, Malformed, Received, Sent, Written};
use State::{Closed, Draining, Open};

/// The whole table. A pair of state and event that is not listed is refused: input is dropped, and
/// output is an error of the caller.
#[rustfmt::skip]
pub const TABLE: &[Transition] = &[
    (Open,     Sent,       Open),
    (Open,     Received,   Open),
    (Open,     Malformed,  Draining),
    (Open,     InputEnded, Draining),
    (Draining, Written,    Closed),
];

impl State {
    /// The state after `event`; `None` if the event is refused.
    #[must_use]
    pub fn on(self, event: Event) -> Option<State> {
        TABLE.iter().find(|(state, on, _)| (*state, *on) == (self, event)).map(|(.., next)| *next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_after_the_end_is_refused() {
        for event in [Sent, Received, Malformed, InputEnded] {
            assert_eq!(Draining.on(event), None, "{event:?}");
            assert_eq!(Closed.on(event), None, "{event:?}");
        }
    }

    #[test]
    fn each_pair_has_one_row() {
        for (n, (state, event, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[..n].iter().all(|row| (row.0, row.1) != (*state, *event)), "{state:?} {event:?}");
        }
    }
}
