//! How long the threads of processes waited for a processor, from `/proc`.
//!
//! Linux counts for each thread the time on a processor, the time spent waiting for one, and the
//! number of times that it got one (`/proc/PID/task/TID/schedstat`). A wait is counted only when it
//! ends, so a thread that is still waiting is recognized by its state: it is runnable, but none of
//! its numbers change. Other systems have no such file, and nothing is measured.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The numbers of `schedstat`: nanoseconds on a processor, nanoseconds of waiting, time slices.
type Schedstat = [u64; 3];

/// The threads of some processes.
#[derive(Debug, Default)]
pub(super) struct Threads {
    seen: HashMap<PathBuf, Seen>,
}

/// A thread, as it was seen last.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    schedstat: Schedstat,
    /// It was runnable.
    queued: bool,
    /// How much of its current wait was counted before the wait ended, in nanoseconds.
    ahead: u64,
}

/// What became of the threads since the last measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Measured {
    /// How long the thread waited that waited longest.
    pub(super) waited: Duration,
    /// How long all of them were on a processor.
    pub(super) used: Duration,
    /// Whether all threads are stopped, as by SIGSTOP.
    pub(super) stopped: bool,
}

impl Threads {
    /// Whether none of the processes ran at the last measurement.
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Measures the threads of these processes. `passed`: the time since the last measurement.
    pub(super) fn measure(&mut self, processes: &[u32], passed: Duration) -> Measured {
        let mut seen = HashMap::with_capacity(self.seen.len());
        let (mut waited, mut used, mut stops, mut runs) = (0, 0, false, false);
        for thread in processes.iter().flat_map(|process| tasks(*process)) {
            let Some(schedstat) = read_schedstat(&thread) else { continue };
            let before = self.seen.get(&thread).copied();
            let idle = before.is_some_and(|before| before.schedstat == schedstat);
            let state = if idle { read_state(&thread) } else { None };
            match state {
                Some('T' | 't') => stops = true,
                Some('Z' | 'X') => {}
                _ => runs = true,
            }
            let before = before.unwrap_or_default();
            used += schedstat[0].saturating_sub(before.schedstat[0]);
            // In the state D it waits for a disk or for memory, also for its own program text.
            let waits = matches!(state, Some('R' | 'D'));
            let (now, more) = before.advance(schedstat, waits, passed);
            waited = waited.max(more);
            seen.insert(thread, now);
        }
        self.seen = seen;
        let [waited, used] = [waited, used].map(Duration::from_nanos);
        Measured { waited, used, stopped: stops && !runs }
    }
}

impl Seen {
    /// The thread after `passed`, and how long it waited in this time, in nanoseconds.
    fn advance(self, schedstat: Schedstat, waits: bool, passed: Duration) -> (Seen, u64) {
        if schedstat != self.schedstat {
            let more = schedstat[1].saturating_sub(self.schedstat[1]).saturating_sub(self.ahead);
            return (Seen { schedstat, queued: false, ahead: 0 }, more);
        }
        if !waits {
            return (Seen { queued: false, ahead: 0, ..self }, 0);
        }
        // It may have become runnable only just now, so the wait counts from the second time.
        let more = if self.queued { u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX) } else { 0 };
        (Seen { queued: true, ahead: self.ahead + more, ..self }, more)
    }
}

/// Whether this system measures threads.
pub(super) fn are_measured() -> bool {
    Path::new("/proc/self/schedstat").exists()
}

/// A process and those that descend from it.
pub(super) fn family(leader: u32) -> Vec<u32> {
    let mut family = vec![leader];
    let mut at = 0;
    while let Some(process) = family.get(at).copied().filter(|_| family.len() < 256) {
        for thread in tasks(process) {
            let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
        at += 1;
    }
    family
}

fn tasks(process: u32) -> Vec<PathBuf> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    tasks.filter_map(Result::ok).map(|task| task.path()).collect()
}

fn read_schedstat(thread: &Path) -> Option<Schedstat> {
    let text = fs::read_to_string(thread.join("schedstat")).ok()?;
    let mut numbers = text.split_whitespace().map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?])
}

/// The state of a thread: the letter after its name, which stands in parentheses.
fn read_state(thread: &Path) -> Option<char> {
    let text = fs::read_to_string(thread.join("stat")).ok()?;
    text.rsplit_once(')')?.1.trim_start().chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_nanos(25);

    #[test]
    fn wait_counts_once_although_it_is_seen_before_it_ends() {
        let (thread, _) = Seen::default().advance([100, 10, 1], true, TICK);
        let mut total = 0;
        let mut thread = thread;
        for (schedstat, runnable) in
            [([100, 10, 1], true), ([100, 10, 1], true), ([100, 10, 1], true), ([103, 90, 2], true)]
        {
            let (next, waited) = thread.advance(schedstat, runnable, TICK);
            (thread, total) = (next, total + waited);
        }
        assert_eq!(total, 80);
    }

    #[test]
    fn sleeping_thread_does_not_wait() {
        let (thread, _) = Seen::default().advance([100, 10, 1], false, TICK);
        let (thread, slept) = thread.advance([100, 10, 1], false, TICK);
        assert_eq!((slept, thread.advance([101, 15, 2], false, TICK).1), (0, 5));
    }

    #[test]
    fn work_of_this_process_is_measured() {
        let mut threads = Threads::default();
        let this = [std::process::id()];
        threads.measure(&this, TICK);
        // The system adds up the time of a running thread only now and then.
        let worked = (0..10_000).any(|_| {
            std::hint::black_box((0..100_000u64).map(std::hint::black_box).sum::<u64>());
            !threads.measure(&this, TICK).used.is_zero()
        });
        assert_eq!(worked, are_measured());
    }

    #[test]
    fn threads_of_this_process_are_found() {
        let mut threads = Threads::default();
        let measured = threads.measure(&[std::process::id()], TICK);
        assert!(!measured.stopped);
        assert_eq!(threads.is_empty(), !are_measured());
        assert_eq!(Threads::default().measure(&[], TICK), Measured::default());
    }
}
