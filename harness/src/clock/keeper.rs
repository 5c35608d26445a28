//! Measures, for all clocks, the time that does not count.
//!
//! A thread measures regularly, and a waiter measures once more before a deadline counts as passed. If the thread itself comes late, the suite could not run.

use super::Counted;
use super::threads::{Threads, family};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The time between two measurements. A wait in a queue of ten other processes takes about this
/// long.
const TICK: Duration = Duration::from_millis(25);

/// A measurement this recent is good enough for a waiter: it costs time to measure.
const RECENT: Duration = Duration::from_millis(5);

/// After how many measurements the children of a peer's process are looked up again.
const LOOK_UP: u32 = 8;

static KEEPER: Mutex<Option<Keeper>> = Mutex::new(None);

/// All clocks. It exists as long as there are any.
struct Keeper {
    last: Instant,
    count: u32,
    suite: Threads,
    watched: Vec<Watched>,
}

/// A clock, and the programs that it watches.
struct Watched {
    clock: Weak<Counted>,
    programs: Vec<Program>,
}

/// A running program: a process with its children.
struct Program {
    leader: u32,
    processes: Vec<u32>,
    threads: Threads,
}

fn lock() -> MutexGuard<'static, Option<Keeper>> {
    KEEPER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Measures for this clock from now on, as long as it exists.
pub(super) fn keep(clock: &Arc<Counted>) {
    let mut keeper = lock();
    let is_first = keeper.is_none();
    let kept = keeper.get_or_insert_with(|| Keeper {
        last: Instant::now(),
        count: 0,
        suite: Threads::default(),
        watched: Vec::new(),
    });
    kept.watched.push(Watched { clock: Arc::downgrade(clock), programs: Vec::new() });
    if is_first {
        // Without the thread, waiters still measure, but more coarsely.
        let _ = std::thread::Builder::new().name("timekeeper".to_owned()).spawn(keep_time);
    }
}

/// Measures until there are no more clocks.
fn keep_time() {
    loop {
        std::thread::sleep(TICK);
        let mut keeper = lock();
        let Some(kept) = keeper.as_mut() else { return };
        kept.measure();
        if kept.watched.is_empty() {
            *keeper = None;
            return;
        }
    }
}

/// Measures now, unless that was done just before.
pub(super) fn measure() {
    if let Some(keeper) = lock().as_mut().filter(|keeper| keeper.last.elapsed() > RECENT) {
        keeper.measure();
    }
}

impl Keeper {
    fn measure(&mut self) {
        let passed = self.last.elapsed();
        self.last += passed;
        let late = passed.saturating_sub(TICK);
        let suite = self.suite.measure(&[std::process::id()], passed).waited.max(late);
        self.watched.retain(|watched| watched.clock.strong_count() > 0);
        for watched in &mut self.watched {
            watched.measure(passed, suite, self.count.is_multiple_of(LOOK_UP));
        }
        self.count = self.count.wrapping_add(1);
    }
}

impl Watched {
    /// Adds the time that does not count. `suite`: how long the suite could not run.
    fn measure(&mut self, passed: Duration, suite: Duration, look_up: bool) {
        let Some(clock) = self.clock.upgrade() else { return };
        let started = std::mem::take(&mut *clock.started.lock().unwrap_or_else(PoisonError::into_inner));
        self.programs.extend(started.into_iter().map(Program::new));
        let (mut lost, mut used) = (suite.max(clock.pulse.missed(passed)), Duration::ZERO);
        for program in &mut self.programs {
            if look_up {
                program.processes = family(program.leader);
            }
            let measured = program.threads.measure(&program.processes, passed);
            lost += if measured.stopped { passed } else { measured.waited };
            used += measured.used;
        }
        self.programs.retain(|program| !program.threads.is_empty());
        clock.lose(lost.min(passed));
        clock.used.fetch_add(u64::try_from(used.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Program {
    fn new(leader: u32) -> Program {
        Program { leader, processes: family(leader), threads: Threads::default() }
    }
}
