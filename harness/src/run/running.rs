//! The state of a run for those who watch it: the cases that run now, and how many were judged.
//!
//! No report has any of it. Reports know the runner only through its events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The cases that run now, and how many were judged. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    cases: Vec<Arc<Case>>,
    so_far: SoFar,
}

#[derive(Debug)]
struct Case {
    id: String,
    since: Instant,
}

/// How many cases have a verdict, emitted or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SoFar {
    /// The cases.
    pub cases: usize,
    /// The findings among them.
    pub findings: usize,
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
        self.state().cases.push(Arc::clone(&case));
        Begun { case, running: self.clone() }
    }

    /// The case that has been running for the longest time, and for how long.
    #[must_use]
    pub fn longest(&self) -> Option<(String, Duration)> {
        // Cases are added at the end, so the first one began first.
        self.state().cases.first().map(|case| (case.id.clone(), case.since.elapsed()))
    }

    /// How many cases have a verdict.
    #[must_use]
    pub fn so_far(&self) -> SoFar {
        self.state().so_far
    }

    pub(super) fn set_so_far(&self, judged: SoFar) {
        self.state().so_far = judged;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    /// How long the case has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.case.since.elapsed()
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.running.state().cases.retain(|case| !Arc::ptr_eq(case, &self.case));
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
