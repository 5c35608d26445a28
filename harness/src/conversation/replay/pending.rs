//! A message that is expected.

use dnode_spec::transcript::{Pattern, Step};

/// A message that is expected and has not come yet.
pub(super) struct Pending<'t> {
    pub(super) step: &'t Step,
    pub(super) pattern: &'t Pattern,
    pub(super) optional: bool,
    /// Our step that alone can have caused it, if there is one.
    pub(super) cause: Option<usize>,
    /// The step that expects it: the messages of one step come in any order.
    pub(super) group: usize,
}

impl Pending<'_> {
    /// Whether this message must come before `other`: it is expected by an earlier step, and both have the same cause.
    pub(super) fn precedes(&self, other: &Pending<'_>) -> bool {
        !self.optional && self.cause.is_some() && self.cause == other.cause && self.group != other.group
    }
}
