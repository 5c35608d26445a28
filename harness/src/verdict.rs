//! Turns a replay into a verdict.

pub(crate) mod command;
pub(crate) mod invariant;
pub(crate) mod outcome;

pub use command::Command;
