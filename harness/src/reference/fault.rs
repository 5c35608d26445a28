//! Faults: the reference peer with one defect, to show that the suite finds it.
//!
//! Each fault breaks one clause. Many of them are copied from real ports. There is one file for
//! each group of clauses.

mod callback;
mod connection;
mod cull;
mod definition;
mod error;
mod framing;
mod link;
mod message;
mod methods;
mod owner_cull;
mod robust;
mod value;

pub(super) use callback::shifted;

pub use definition::Fault;

use dnode_spec::dialect::Dialect;

/// All faults, by group.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [
        framing::FAULTS,
        message::FAULTS,
        methods::FAULTS,
        callback::FAULTS,
        callback::identity::FAULTS,
        callback::lifetime::FAULTS,
        connection::FAULTS,
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

/// The faults of this dialect.
pub fn of(dialect: Dialect) -> impl Iterator<Item = &'static Fault> {
    all().filter(move |fault| fault.dialect().is_none_or(|only| only == dialect))
}

/// The fault with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Fault> {
    all().find(|fault| fault.name == name)
}
