//! The forwarded bytes that wait to be judged.

use dnode_spec::monitor::End;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most forwarded bytes of all connections together that may wait to be judged.
pub(super) const LIMIT: usize = 64 << 20;

/// An item that a forwarding task passes to the recording of its connection.
pub(super) enum Forwarded {
    Bytes(End, Vec<u8>),
    Ended(End),
}

/// The bytes of one connection that wait to be judged.
#[derive(Debug)]
pub(super) struct Backlog {
    /// The number of waiting bytes of all connections.
    waiting: Arc<AtomicUsize>,
    /// This connection wanted to add bytes above the limit. It adds no more, because its transcript
    /// has a gap.
    overflowed: AtomicBool,
}

impl Backlog {
    /// `waiting` is shared by all connections.
    pub(super) fn new(waiting: &Arc<AtomicUsize>) -> Backlog {
        Backlog { waiting: Arc::clone(waiting), overflowed: AtomicBool::new(false) }
    }

    /// Adds bytes if there is room for them. Returns whether there was room.
    pub(super) fn try_add(&self, bytes: usize) -> bool {
        if self.waiting.load(Ordering::Relaxed) > LIMIT {
            self.overflowed.store(true, Ordering::Relaxed);
        }
        let has_room = !self.has_overflowed();
        if has_room {
            self.waiting.fetch_add(bytes, Ordering::Relaxed);
        }
        has_room
    }

    /// Removes bytes that are judged now.
    pub(super) fn remove(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn has_overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backlog_is_limited_for_all_connections_together() {
        let waiting = Arc::<AtomicUsize>::default();
        let (one, other) = (Backlog::new(&waiting), Backlog::new(&waiting));
        assert!(one.try_add(LIMIT + 1));
        assert!(!other.try_add(1), "the bytes of other connections count");
        one.remove(LIMIT + 1);
        assert!(!other.try_add(1), "its transcript has a gap");
        assert!(one.try_add(1), "it never wanted to add above the limit");
        assert_eq!(waiting.load(Ordering::Relaxed), 1, "rejected bytes do not wait");
    }
}
