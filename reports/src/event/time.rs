//! What a run says about time. None of it is part of the canonical report, because it varies.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// The time that the deadlines of a run count.
    pub enum TimeBase ("a time") {
        /// The time that the threads of the peer's processes had.
        OwnTime = "own-time",
        /// Wall time less the delays of the suite itself.
        WallTime = "wall-time",
    }
}

impl TimeBase {
    /// A description for people.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            TimeBase::OwnTime => "the peer's own time: its waits for a processor do not count",
            TimeBase::WallTime => {
                "wall time less the delays of the suite, which cannot see the peer's threads"
            }
        }
    }
}

/// What the peer's processes did while the suite waited in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// How much time the peer had, in milliseconds.
    pub time: u64,
    /// How much time its threads spent on a processor, in milliseconds.
    pub cpu: u64,
}

impl Activity {
    /// Whether it worked for at least half of the time.
    #[must_use]
    pub fn is_busy(self) -> bool {
        self.cpu >= self.time.div_ceil(2)
    }
}

/// One sentence for people, of which the peer is the subject.
impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |milliseconds: u64| milliseconds as f64 / 1000.0;
        if self.is_busy() {
            return write!(f, "used {:.1} s of CPU time without answering", seconds(self.cpu));
        }
        write!(f, "slept for {:.1} s", seconds(self.time.saturating_sub(self.cpu)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_that_works_for_half_of_the_time_is_busy() {
        let describe = |time, cpu| Activity { time, cpu }.to_string();
        assert_eq!(describe(2000, 1990), "used 2.0 s of CPU time without answering");
        assert_eq!(describe(2000, 1000), "used 1.0 s of CPU time without answering");
        assert_eq!(describe(2000, 999), "slept for 1.0 s");
        assert_eq!(describe(2000, 0), "slept for 2.0 s");
        assert_eq!(describe(2000, 7900), "used 7.9 s of CPU time without answering", "four threads");
    }
}
