//! The time that a peer had.
//!
//! A deadline must not depend on how busy the machine is. So a [`Clock`] does not count the time in
//! which the peer could not work: while it waited for a processor or was stopped, and while the
//! suite itself could not run. `keeper` measures that time.

mod keeper;
mod pulse;
mod threads;

use dnode_reports::event::{Activity, TimeBase};
use std::ops::{Add, AddAssign};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// All moments are measured from here.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How much longer than planned a single wait may take in wall time, as a factor and as an addend.
const MOST: (u32, Duration) = (60, Duration::from_secs(30));

/// A moment on a [`Clock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, time: Duration) -> Moment {
        Moment(self.0 + time)
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, time: Duration) {
        self.0 += time;
    }
}

impl Moment {
    /// The time since an earlier moment of the same clock; zero if that one is later.
    #[must_use]
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Why a wait ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// The deadline has passed.
    Deadline,
    /// The machine was so busy that the wait took far too long, but the peer had little of that
    /// time. Nothing follows from this.
    Overload,
}

impl From<Missed> for std::io::Error {
    fn from(_: Missed) -> std::io::Error {
        std::io::ErrorKind::TimedOut.into()
    }
}

/// Counts the time that a peer had. Clones count together.
#[derive(Debug, Clone)]
pub struct Clock {
    counted: Arc<Counted>,
    /// The time in which one connection waited for the suite, in nanoseconds.
    waited: Arc<AtomicU64>,
}

/// A moment on a [`Clock`], and how much CPU time the peer had used by then.
#[derive(Debug, Clone, Copy)]
pub struct Reading(pub(crate) Moment, Duration);

/// The state that the keeper writes and clocks read.
#[derive(Debug, Default)]
struct Counted {
    /// The peer is a program that we start, on a system that measures threads.
    own_time: bool,
    /// The processes that were started since the last measurement, each the leader of its group.
    started: Mutex<Vec<u32>>,
    /// The time that does not count, in nanoseconds.
    lost: AtomicU64,
    /// The CPU time of the peer's processes, in nanoseconds.
    used: AtomicU64,
    /// Shows whether the runtime of the suite can run.
    pulse: pulse::Pulse,
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Counted {
    fn lose(&self, time: Duration) {
        self.lost.fetch_add(nanoseconds(time), Ordering::Relaxed);
    }
}

impl Clock {
    /// A clock for a peer that we did not start, or that runs in this process. It does not count
    /// the time in which the suite could not run.
    #[must_use]
    pub fn of_stranger() -> Clock {
        Clock::kept(false)
    }

    /// A clock for a peer whose program we start. Unless the system does not measure threads, it
    /// counts the time that the processes it [watches](Clock::watch) had.
    #[must_use]
    pub fn of_program() -> Clock {
        Clock::kept(threads::are_measured())
    }

    /// A clock for which nothing is measured: it leaves out only what a test [loses](Clock::lose).
    #[cfg(test)]
    pub(crate) fn unkept(base: TimeBase) -> Clock {
        Clock::counting(Counted { own_time: base == TimeBase::OwnTime, ..Counted::default() })
    }

    fn kept(own_time: bool) -> Clock {
        let clock = Clock::counting(Counted { own_time, ..Counted::default() });
        keeper::keep(&clock.counted);
        pulse::start(&clock.counted);
        clock
    }

    fn counting(counted: Counted) -> Clock {
        Clock { counted: Arc::new(counted), waited: Arc::default() }
    }

    /// A clock for one connection of the same peer. It also leaves out the time in which this
    /// connection [waited](Clock::wait_for_suite) for the suite.
    #[must_use]
    pub fn of_connection(&self) -> Clock {
        Clock { counted: Arc::clone(&self.counted), waited: Arc::default() }
    }

    /// Leaves out time in which this connection waited for the suite. Others may have waited at the
    /// same time, so the clocks of the other connections go on.
    pub fn wait_for_suite(&self, time: Duration) {
        self.waited.fetch_add(nanoseconds(time), Ordering::Relaxed);
    }

    /// The time that it counts.
    #[must_use]
    pub fn base(&self) -> TimeBase {
        if self.counted.own_time { TimeBase::OwnTime } else { TimeBase::WallTime }
    }

    /// From now on, the waiting time of this process and its children does not count either, as
    /// long as it runs.
    pub fn watch(&self, process: u32) {
        self.counted.started.lock().unwrap_or_else(PoisonError::into_inner).push(process);
    }

    /// Leaves out time that the suite needed for itself.
    pub fn lose(&self, time: Duration) {
        self.counted.lose(time);
    }

    /// The time that was left out for all connections.
    #[cfg(test)]
    pub(crate) fn lost(&self) -> Duration {
        Duration::from_nanos(self.counted.lost.load(Ordering::Relaxed))
    }

    /// The current moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        let lost = self.counted.lost.load(Ordering::Relaxed);
        let lost = Duration::from_nanos(lost.saturating_add(self.waited.load(Ordering::Relaxed)));
        Moment(Instant::now().saturating_duration_since(*START).saturating_sub(lost))
    }

    /// The current moment, and the CPU time that the peer has used.
    #[must_use]
    pub fn read(&self) -> Reading {
        Reading(self.now(), Duration::from_nanos(self.counted.used.load(Ordering::Relaxed)))
    }

    /// What the peer has done since then, if its threads are measured.
    #[must_use]
    pub fn activity_since(&self, earlier: Reading) -> Option<Activity> {
        let Reading(now, used) = self.read();
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (time, cpu) = (now.since(earlier.0), used.saturating_sub(earlier.1));
        self.counted.own_time.then(|| Activity { time: milliseconds(time), cpu: milliseconds(cpu) })
    }

    /// Waits for the result of `future`, but no longer than until `deadline`.
    ///
    /// # Errors
    /// [`Missed`] if there was no result. The future may be polled once after the deadline.
    pub async fn timeout_at<F: Future>(&self, deadline: Moment, future: F) -> Result<F::Output, Missed> {
        let mut future = pin!(future);
        let (begun, planned) = (Instant::now(), deadline.since(self.now()));
        let most = begun + planned * MOST.0 + MOST.1;
        loop {
            let rest = deadline.since(self.now());
            if let Ok(output) = tokio::time::timeout(rest, future.as_mut()).await {
                return Ok(output);
            }
            // Only time that was measured up to now shows that the deadline has passed.
            keeper::measure();
            if deadline.since(self.now()).is_zero() {
                return Err(Missed::Deadline);
            }
            if Instant::now() > most {
                return Err(Missed::Overload);
            }
        }
    }

    /// Waits for the result of `future`, but no longer than `limit`.
    ///
    /// # Errors
    /// [`Missed`] if there was no result.
    pub async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Result<F::Output, Missed> {
        self.timeout_at(self.now() + limit, future).await
    }

    /// Waits until the peer has had this much time.
    pub async fn sleep(&self, time: Duration) {
        let _ = self.timeout(time, std::future::pending::<()>()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_without_measured_threads_says_wall_time_and_nothing_about_the_peer() {
        let clock = Clock::kept(false);
        assert_eq!(clock.base(), TimeBase::WallTime);
        assert_eq!(clock.activity_since(clock.read()), None);
        assert_eq!(Clock::of_stranger().base(), TimeBase::WallTime);
    }

    #[tokio::test(start_paused = true)]
    async fn activity_is_the_time_and_the_cpu_time_since_a_reading() {
        let clock = Clock::counting(Counted { own_time: true, ..Counted::default() });
        clock.counted.used.store(7_000_000_000, Ordering::Relaxed);
        let begun = clock.read();
        tokio::time::sleep(Duration::from_secs(3)).await;
        clock.counted.lost.store(1_000_000_000, Ordering::Relaxed);
        clock.counted.used.store(8_500_000_000, Ordering::Relaxed);
        assert_eq!(clock.base(), TimeBase::OwnTime);
        assert_eq!(clock.activity_since(begun), Some(Activity { time: 2000, cpu: 1500 }));
    }

    #[tokio::test(start_paused = true)]
    async fn wait_of_one_connection_is_time_of_the_others() {
        let clock = Clock::counting(Counted::default());
        let (one, other) = (clock.of_connection(), clock.of_connection());
        let (of_one, of_other) = (one.now(), other.now());
        tokio::time::sleep(Duration::from_secs(3)).await;
        one.wait_for_suite(Duration::from_secs(2));
        assert_eq!(one.now().since(of_one).as_secs(), 1);
        assert_eq!(other.now().since(of_other).as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn lost_time_extends_a_wait() {
        let clock = Clock::counting(Counted::default());
        let begun = Instant::now();
        let wait = clock.sleep(Duration::from_secs(2));
        let lose = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            clock.counted.lost.store(3_000_000_000, Ordering::Relaxed);
        };
        tokio::join!(wait, lose);
        assert_eq!(begun.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn wait_without_any_time_for_the_peer_ends_as_overload() {
        let clock = Clock::counting(Counted::default());
        let stand_still = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                clock.counted.lost.fetch_add(100_000_000, Ordering::Relaxed);
            }
        };
        let wait = clock.timeout(Duration::from_secs(2), std::future::pending::<()>());
        tokio::select! {
            missed = wait => assert_eq!(missed, Err(Missed::Overload)),
            () = stand_still => {}
        }
    }
}
