//! The terms that all connections of a run share.

use super::{Life, Memory};
use dnode_spec::dialect::Dialect;

/// The terms of all connections of a run.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The dialect of both ends.
    pub dialect: Dialect,
    /// The memory that they share.
    pub memory: Memory,
    /// How often they used each row of the life of an id.
    pub life: Life,
    /// Each message of the suite travels in a segment of its own, because the peer takes one read
    /// for one message.
    pub messages_alone: bool,
}
