//! Faults: the reference peer with one thing wrong, to show that the suite finds it.
//!
//! Each fault breaks one clause, many of them as real ports do. One file a group of clauses.

mod callback;
mod cull;
mod error;
mod framing;
mod link;
mod message;
mod methods;
mod owner_cull;
mod robust;
mod value;

pub(super) use callback::shifted;

use super::conduct::Conduct;
use dnode_spec::clause;
use dnode_spec::dialect::Dialect;

/// A deliberately broken peer.
#[derive(Clone, Copy)]
pub struct Fault {
    /// The fault's permanent name.
    pub name: &'static str,
    /// The clause that it breaks.
    pub clause: &'static str,
    /// Whether a session in which the other end does everything right shows it.
    pub legal: bool,
    /// What the peer does, in one line.
    pub about: &'static str,
    /// Makes it for one connection.
    pub make: fn() -> Box<dyn Conduct>,
}

impl Fault {
    /// The one dialect in which it is a fault; none where it is one in both.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        clause::find(self.clause).and_then(|clause| clause.dialect)
    }
}

/// Those that are one in this dialect.
pub fn of(dialect: Dialect) -> impl Iterator<Item = &'static Fault> {
    all().filter(move |fault| fault.dialect().is_none_or(|only| only == dialect))
}

const fn fault(
    name: &'static str,
    clause: &'static str,
    legal: bool,
    about: &'static str,
    make: fn() -> Box<dyn Conduct>,
) -> Fault {
    Fault { name, clause, legal, about, make }
}

/// A legal session shows it.
const LEGAL: bool = true;
/// Only bad input shows it.
const HOSTILE: bool = false;

/// All faults, by group.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [
        framing::FAULTS,
        message::FAULTS,
        methods::FAULTS,
        callback::FAULTS,
        link::FAULTS,
        cull::FAULTS,
        owner_cull::FAULTS,
        error::FAULTS,
        value::FAULTS,
        robust::FAULTS,
    ]
    .into_iter()
    .flatten()
}

/// The fault of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Fault> {
    all().find(|fault| fault.name == name)
}
