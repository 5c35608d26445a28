//! The life of an id: a table of states and events, and the states of all ids of one connection.
//!
//! The end that declares an id is its *owner*; the other end is its *holder*. [`Ids`] keeps a
//! [`State`] for each id. Everything that changes a state is in this file.
//!
//! Rules (`cull` is dnode-protocol 0.2; the protocol document does not mention it):
//! - After a cull, an id is *culling* until the owner has answered something that the holder sent
//!   after the cull. In this window the owner may declare the id again or not: the messages may
//!   have crossed on the wire.
//! - There is one violation: the holder culls an id and then calls it, and the owner has not
//!   declared it in between.
//! - The holder may not have read a declaration when it culls. Such a declaration crosses the cull
//!   and lifts it: the cull changes nothing.
//! - In dnode-protocol 0.1 the owner culls. A call may cross that, so it changes nothing here. If
//!   both ends own the number, no observer can know which id was culled, and the id is not judged
//!   again.
//!
//! [`connection`] has the table of a connection, and [`diagram`] draws both tables.

pub mod connection;
pub mod diagram;

use crate::dialect::Dialect;
use crate::message::Id;
use foldhash::HashMap;
use std::collections::VecDeque;

/// One of the two ends of a connection. The caller chooses which is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The first end.
    A,
    /// The second end.
    B,
}

impl End {
    /// The other end.
    #[must_use]
    pub fn other(self) -> End {
        match self {
            End::A => End::B,
            End::B => End::A,
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// The state of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Never declared.
    Unknown,
    /// Declared: the holder may call it.
    Live,
    /// Culled, and the owner may not have seen the cull yet.
    Culling,
    /// Culled, and the owner has seen the cull.
    Gone,
    /// Not judged any more.
    Ambiguous,
}

/// An event in the life of an id.
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
    /// One end culls a number that both ends own.
    CulledByEither,
}

/// One row of the table: the state before, the event, the state after, and the clause that the
/// event breaks.
pub type Transition = (State, Event, State, Option<&'static str>);

use Event::{Answered, Called, Culled, CulledByEither, Declared};
use State::{Ambiguous, Culling, Gone, Live, Unknown};

/// The whole table. A pair of state and event that is not listed changes nothing and breaks no
/// clause.
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
    /// The row of [`TABLE`] for this state and `event`; `None` if the event changes nothing.
    #[must_use]
    pub fn row(self, event: Event) -> Option<usize> {
        TABLE.iter().position(|(state, on, ..)| (*state, *on) == (self, event))
    }

    /// The state after `event`, and the clause that the event breaks.
    #[must_use]
    pub fn on(self, event: Event) -> (State, Option<&'static str>) {
        self.row(event).map_or((self, None), |row| (TABLE[row].2, TABLE[row].3))
    }
}

/// The states of all ids of one connection, from the lines of both ends in the order in which an
/// observer saw them.
///
/// For each line, call [`Ids::next_line`] first, then report its call, its declarations and its
/// culls. Memory is linear in the number of declared ids.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    dialect: Dialect,
    owners: [Owner; 2],
    /// The number of lines so far, of both ends.
    lines: u64,
    /// How often each row of the table was used.
    used: [u64; TABLE.len()],
}

/// The ids of one end.
#[derive(Debug, Clone, Default)]
struct Owner {
    known: HashMap<Id, Known>,
    /// The last line of this end that the other end is known to have read.
    read: u64,
    /// The ids of this end that the other end culled, each with the line of the cull; the oldest
    /// first.
    culling: VecDeque<(Id, u64)>,
}

/// An id that was declared.
#[derive(Debug, Clone, Copy)]
struct Known {
    state: State,
    /// The first line that declared it.
    first: u64,
    /// The first line that declared it since the last cull.
    since: u64,
    /// The last line that declared it.
    last: u64,
}

/// Changes a state, and counts the row of the table in `used`. Gives the clause that the event
/// breaks.
fn advance(state: &mut State, event: Event, used: &mut [u64; TABLE.len()]) -> Option<&'static str> {
    let row = state.row(event)?;
    used[row] += 1;
    let (.., next, breaks) = TABLE[row];
    *state = next;
    breaks
}

impl Ids {
    /// No ids yet, on a connection whose ends speak `dialect`.
    #[must_use]
    pub fn of(dialect: Dialect) -> Ids {
        Ids { dialect, ..Ids::default() }
    }

    /// The state of an id that `owner` may have declared.
    #[must_use]
    pub fn state(&self, owner: End, id: Id) -> State {
        self.owners[owner.index()].known.get(&id).map_or(Unknown, |known| known.state)
    }

    /// How often each row of [`TABLE`] was used so far.
    #[must_use]
    pub fn used(&self) -> &[u64; TABLE.len()] {
        &self.used
    }

    /// The rows of [`TABLE`] that were used so far, as indexes.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        (0..TABLE.len()).filter(|row| self.used[*row] > 0)
    }

    /// Begins the next line of either end.
    pub fn next_line(&mut self) {
        self.lines += 1;
    }

    /// `from` calls an id of the other end. Gives the clause that the call breaks.
    pub fn called(&mut self, from: End, id: Id) -> Option<&'static str> {
        let owner = &mut self.owners[from.other().index()];
        let Some(known) = owner.known.get_mut(&id) else {
            return advance(&mut { Unknown }, Called, &mut self.used);
        };
        let breaks = advance(&mut known.state, Called, &mut self.used);
        let since = known.since;
        // The caller has read the line that declared the id, and all lines before it: it has seen
        // the culls there.
        owner.read = owner.read.max(since);
        let caller = &mut self.owners[from.index()];
        while let Some((culled, _)) = caller.culling.front().copied().filter(|(_, line)| *line < since) {
            caller.culling.pop_front();
            if let Some(known) = caller.known.get_mut(&culled) {
                advance(&mut known.state, Answered, &mut self.used);
            }
        }
        breaks
    }

    /// `from` declares ids of its own.
    pub fn declared(&mut self, from: End, ids: impl ExactSizeIterator<Item = Id>) {
        let line = self.lines;
        let known = &mut self.owners[from.index()].known;
        known.reserve(ids.len());
        for id in ids {
            let known =
                known.entry(id).or_insert(Known { state: Unknown, first: line, since: line, last: line });
            let before = known.state;
            advance(&mut known.state, Declared, &mut self.used);
            known.since = if known.state == before { known.since } else { line };
            known.last = line;
        }
    }

    /// `from` culls an id. Gives the clause that the cull breaks.
    pub fn culled(&mut self, from: End, id: Id) -> Option<&'static str> {
        let is_known = |end: End| self.state(end, id) != Unknown;
        match (self.dialect, is_known(from.other()), is_known(from)) {
            (Dialect::V0_1, _, true) => None,
            (Dialect::V0_1, _, false) => Some("owner-cull/own"),
            (Dialect::V0_2, true, true) => {
                for known in self.owners.iter_mut().filter_map(|owner| owner.known.get_mut(&id)) {
                    advance(&mut known.state, CulledByEither, &mut self.used);
                }
                None
            }
            (Dialect::V0_2, true, false) => {
                self.culled_by_holder(from.other(), id);
                None
            }
            (Dialect::V0_2, false, _) => advance(&mut { Unknown }, Culled, &mut self.used),
        }
    }

    fn culled_by_holder(&mut self, owner: End, id: Id) {
        let owner = &mut self.owners[owner.index()];
        let Some(known) = owner.known.get_mut(&id) else { return };
        // The holder has read the first declaration. If it has not read the last one, that crosses
        // the cull and lifts it.
        if known.last <= owner.read.max(known.first) {
            if known.state == Live {
                owner.culling.push_back((id, self.lines));
            }
            advance(&mut known.state, Culled, &mut self.used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_unique_rows_and_known_clauses() {
        let mut seen = std::collections::HashSet::new();
        for (state, event, _, breaks) in TABLE {
            assert!(seen.insert((state, event)), "{state:?} {event:?} has two rows");
            assert!(breaks.is_none_or(|clause| crate::clause::find(clause).is_some()));
        }
    }

    #[test]
    fn call_after_own_cull_is_a_violation_until_a_new_declaration() {
        let (culling, _) = Live.on(Culled);
        assert_eq!(culling.on(Called).1, Some("callback/not-culled"));
        assert_eq!(culling.on(Declared).0.on(Called), (Live, None));
        let (gone, _) = culling.on(Answered);
        assert_eq!(gone.on(Called).1, Some("callback/not-culled"));
        assert_eq!(gone.on(Declared), (Live, None));
    }

    #[test]
    fn ambiguous_id_is_not_judged() {
        for state in [Live, Culling, Gone] {
            assert_eq!(state.on(CulledByEither), (Ambiguous, None), "{state:?}");
        }
        for event in [Declared, Called, Culled, Answered, CulledByEither] {
            assert_eq!(Ambiguous.on(event), (Ambiguous, None));
        }
    }

    #[test]
    fn call_shows_that_earlier_culls_were_seen() {
        let mut ids = Ids::default();
        ids.next_line();
        ids.declared(End::A, [Id(0)].into_iter());
        ids.next_line();
        assert_eq!(ids.culled(End::B, Id(0)), None);
        assert_eq!(ids.state(End::A, Id(0)), Culling);
        ids.next_line();
        ids.declared(End::B, [Id(7)].into_iter());
        ids.next_line();
        assert_eq!(ids.called(End::A, Id(7)), None);
        assert_eq!(ids.state(End::A, Id(0)), Gone);
        let events: Vec<Event> = ids.rows().map(|row| TABLE[row].1).collect();
        assert_eq!(events, [Declared, Called, Culled, Answered]);
    }

    #[test]
    fn memory_is_linear_in_declared_ids() {
        let mut ids = Ids::default();
        ids.declared(End::A, [Id(0)].into_iter());
        for n in 0..10_000 {
            ids.next_line();
            ids.culled(End::B, Id(0));
            ids.culled(End::B, Id(n));
            ids.called(End::B, Id(n));
        }
        assert!(ids.owners.iter().all(|owner| owner.known.len() <= 1 && owner.culling.len() <= 1));
    }
}
