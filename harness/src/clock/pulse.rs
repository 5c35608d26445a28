//! Whether the suite's own runtime can run.
//!
//! A worker that judges a message of many megabytes keeps all other connections of its runtime
//! waiting. No thread waits for a processor meanwhile, but the peers of those connections must not
//! be blamed for it. So a task of the runtime beats regularly, and a missing beat is lost time.

use super::Counted;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// The time between two beats.
const BEAT: Duration = Duration::from_millis(25);

/// All beats are measured from here.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The last beat, in nanoseconds since the start; zero if there is none.
#[derive(Debug, Default)]
pub(super) struct Pulse(AtomicU64);

impl Pulse {
    /// How much of the time that just passed the runtime could not run.
    pub(super) fn missed(&self, passed: Duration) -> Duration {
        match self.0.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            last => START.elapsed().saturating_sub(Duration::from_nanos(last) + BEAT).min(passed),
        }
    }

    fn beat(&self) {
        self.0.store(u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
    }
}

/// Stops the pulse of a clock whose runtime ends.
struct Beating(Weak<Counted>);

impl Drop for Beating {
    fn drop(&mut self) {
        if let Some(counted) = self.0.upgrade() {
            counted.pulse.0.store(0, Ordering::Relaxed);
        }
    }
}

/// Beats in this runtime as long as the clock and the runtime exist.
pub(super) fn start(clock: &Arc<Counted>) {
    let Ok(runtime) = Handle::try_current() else { return };
    let beating = Beating(Arc::downgrade(clock));
    runtime.spawn(async move {
        while let Some(counted) = beating.0.upgrade() {
            counted.pulse.beat();
            drop(counted);
            tokio::time::sleep(BEAT).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn runtime_that_cannot_run_misses_beats() {
        let clock = Arc::new(Counted::default());
        assert_eq!(clock.pulse.missed(Duration::MAX), Duration::ZERO, "it has not started");
        start(&clock);
        tokio::task::yield_now().await;
        // This keeps the only thread of the runtime busy.
        while clock.pulse.missed(Duration::MAX) < BEAT {
            std::hint::spin_loop();
        }
        let last = clock.pulse.0.load(Ordering::Relaxed);
        while clock.pulse.0.load(Ordering::Relaxed) == last {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn ended_runtime_misses_nothing() {
        let clock = Arc::new(Counted::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            start(&clock);
            tokio::task::yield_now().await;
        });
        assert_ne!(clock.pulse.0.load(Ordering::Relaxed), 0);
        drop(runtime);
        assert_eq!(clock.pulse.missed(Duration::MAX), Duration::ZERO);
    }
}
