//! The cases that run now, for a watcher who wants to know what the run waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The cases that run now. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<Vec<Arc<Case>>>>);

#[derive(Debug)]
struct Case {
    id: String,
    since: Instant,
}

/// A case runs until this is dropped.
#[derive(Debug)]
pub(super) struct Begun {
    case: Arc<Case>,
    running: Running,
}

impl Running {
    /// Notes that a case begins.
    pub(super) fn begin(&self, id: &str) -> Begun {
        let case = Arc::new(Case { id: id.to_owned(), since: Instant::now() });
        self.cases().push(Arc::clone(&case));
        Begun { case, running: self.clone() }
    }

    /// The case that has been running for the longest time, and for how long.
    #[must_use]
    pub fn longest(&self) -> Option<(String, Duration)> {
        // Cases are added at the end, so the first one began first.
        self.cases().first().map(|case| (case.id.clone(), case.since.elapsed()))
    }

    fn cases(&self) -> MutexGuard<'_, Vec<Arc<Case>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.running.cases().retain(|case| !Arc::ptr_eq(case, &self.case));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_that_began_first_is_the_longest() {
        let running = Running::default();
        let longest = || running.longest().map(|(id, _)| id);
        assert_eq!(longest(), None);
        let first = running.begin("a/case");
        let second = running.clone().begin("b/case");
        assert_eq!(longest().as_deref(), Some("a/case"));
        drop(first);
        assert_eq!(longest().as_deref(), Some("b/case"));
        drop(second);
        assert_eq!(longest(), None);
    }
}
