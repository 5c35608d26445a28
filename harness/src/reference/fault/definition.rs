//! The entries of the table of faults.

use crate::reference::conduct::Conduct;
use dnode_spec::clause;
use dnode_spec::dialect::Dialect;

/// A deliberately broken peer.
#[derive(Clone, Copy)]
pub struct Fault {
    /// The fault's permanent name.
    pub name: &'static str,
    /// The id of the clause that it breaks.
    pub clause: &'static str,
    /// Whether the fault shows in a session in which the other end sends only valid input.
    pub legal: bool,
    /// The behaviour of the peer, in one line.
    pub about: &'static str,
    /// Makes it for one connection.
    pub make: fn() -> Box<dyn Conduct>,
}

impl Fault {
    /// The only dialect in which this is a fault; `None` if it is one in both.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        clause::find(self.clause).and_then(|clause| clause.dialect)
    }
}

/// The fault shows in a valid session.
pub(super) const LEGAL: bool = true;
/// The fault shows only on hostile input.
pub(super) const HOSTILE: bool = false;

pub(super) const fn fault(
    name: &'static str,
    clause: &'static str,
    legal: bool,
    about: &'static str,
    make: fn() -> Box<dyn Conduct>,
) -> Fault {
    Fault { name, clause, legal, about, make }
}
