//! How often the connections of a run used each row of the life of an id.

use dnode_spec::state::TABLE;
use std::sync::{Arc, Mutex, PoisonError};

/// One count for each row of [`TABLE`]. The clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Life(Arc<Mutex<[u64; TABLE.len()]>>);

impl Life {
    /// Adds the counts of one connection.
    pub fn add(&self, used: &[u64; TABLE.len()]) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (count, more) in counts.iter_mut().zip(used) {
            *count += more;
        }
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).to_vec()
    }
}
