//! The life of one id, as a table: what may happen to it, seen from neither end.
//!
//! An id belongs to the end that declared it, its *owner*; the other end is its *holder*. The monitor keeps a [`State`] for each id of
//! each end, and so does whoever must know whether a call is legal.
//!
//! Rules (cull is dnode-protocol 0.2; the protocol document does not mention it):
//! - After a cull an id is *culling* until the owner has answered something that the holder sent after it. Within this window the
//!   owner may declare it or not; both crossed on the wire.
//! - The one violation is that the holder culls an id and then calls it, and the owner has not declared it in between.
//! - A declaration that the holder may not have read when it culled crosses the cull and lifts it: the cull changes nothing.
//! - In dnode-protocol 0.1 the owner culls, which a call may cross: it changes nothing here. Where both ends own the number, nobody
//!   can tell which was meant, and the id is not judged again.

/// Where an id is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Never declared.
    Unknown,
    /// Declared: the holder may call it.
    Live,
    /// Culled, and the owner may not have seen it yet.
    Culling,
    /// Culled, and the owner has seen it.
    Gone,
    /// Not judged any more.
    Ambiguous,
}

/// What happens to an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The owner declares it.
    Declared,
    /// The holder calls it.
    Called,
    /// The holder culls it, and has read all declarations of it.
    Culled,
    /// The owner answers something that the holder sent after a cull.
    Answered,
    /// One end culls a number that both own.
    CulledByEither,
}

/// One row of the table: in this state, after this event, the next state, and the clause that the event breaks.
pub type Transition = (State, Event, State, Option<&'static str>);

use Event::{Answered, Called, Culled, CulledByEither, Declared};
use State::{Ambiguous, Culling, Gone, Live, Unknown};

/// The whole table. What is not in it changes nothing and breaks nothing.
#[rustfmt::skip]
pub const TABLE: &[Transition] = &[
    (Unknown,   Declared,       Live,      None),
    (Unknown,   Called,         Unknown,   Some("callback/declared")),
    (Unknown,   Culled,         Unknown,   Some("cull/declared")),
    (Live,      Declared,       Live,      None),
    (Live,      Called,         Live,      None),
    (Live,      Culled,         Culling,   None),
    (Live,      CulledByEither, Ambiguous, None),
    (Culling,   Declared,       Live,      None),
    (Culling,   Called,         Culling,   Some("callback/not-culled")),
    (Culling,   Culled,         Culling,   None),
    (Culling,   Answered,       Gone,      None),
    (Culling,   CulledByEither, Ambiguous, None),
    (Gone,      Declared,       Live,      None),
    (Gone,      Called,         Gone,      Some("callback/not-culled")),
    (Gone,      Culled,         Gone,      None),
    (Gone,      CulledByEither, Ambiguous, None),
];

impl State {
    /// What `event` makes of this state, and the clause that it breaks.
    #[must_use]
    pub fn on(self, event: Event) -> (State, Option<&'static str>) {
        TABLE
            .iter()
            .find(|(state, on, ..)| (*state, *on) == (self, event))
            .map_or((self, None), |(_, _, next, breaks)| (*next, *breaks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_stands_twice_and_every_clause_exists() {
        let mut seen = std::collections::HashSet::new();
        for (state, event, _, breaks) in TABLE {
            assert!(seen.insert((state, event)), "{state:?} {event:?} stands twice");
            assert!(breaks.is_none_or(|clause| crate::clause::find(clause).is_some()));
        }
    }

    #[test]
    fn a_call_after_ones_own_cull_is_the_violation_and_a_declaration_lifts_it() {
        let (culling, _) = Live.on(Culled);
        assert_eq!(culling.on(Called).1, Some("callback/not-culled"));
        assert_eq!(culling.on(Declared).0.on(Called), (Live, None));
        let (gone, _) = culling.on(Answered);
        assert_eq!(gone.on(Called).1, Some("callback/not-culled"));
        assert_eq!(gone.on(Declared), (Live, None));
    }

    #[test]
    fn an_ambiguous_id_is_not_judged() {
        for state in [Live, Culling, Gone] {
            assert_eq!(state.on(CulledByEither), (Ambiguous, None), "{state:?}");
        }
        for event in [Declared, Called, Culled, Answered, CulledByEither] {
            assert_eq!(Ambiguous.on(event), (Ambiguous, None));
        }
    }
}
