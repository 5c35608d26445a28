//! An expected message.

use dnode_spec::transcript::{Pattern, Step};

/// An expected message that has not come yet.
pub(super) struct Pending<'t> {
    pub(super) step: &'t Step,
    pub(super) pattern: &'t Pattern,
    pub(super) optional: bool,
    /// The only step of ours that can have caused it, if there is only one.
    pub(super) cause: Option<usize>,
    /// The step that expects it: the messages of one step come in any order.
    pub(super) group: usize,
}

impl Pending<'_> {
    /// Whether this message must come before `other`: an earlier step expects it, and both have the
    /// same cause.
    pub(super) fn precedes(&self, other: &Pending<'_>) -> bool {
        !self.optional && self.cause.is_some() && self.cause == other.cause && self.group != other.group
    }
}
