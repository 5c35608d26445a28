//! For tests that run cases through the library.

use super::PROGRAM;
use dnode_conform::program::Target;
use dnode_conform::run::{Cases, Options, run};
use dnode_reports::event::{Event, Outcome};
use dnode_spec::clause::Level;
use std::sync::Mutex;
use std::time::Duration;

/// The options of tests. A test replaces some of them.
pub fn options(target: Target) -> Options {
    Options {
        gate: Level::Observed.into(),
        patience: Duration::from_millis(1000),
        shrink: false,
        ..Options::new(target)
    }
}

/// Runs cases against a peer. With `first`, the run ends at the first finding.
pub fn outcomes(target: Target, cases: Cases, first: bool) -> Vec<Outcome> {
    // A fault may break a clause that is only observed. A correct peer is judged by the clauses
    // that gate.
    let gate = if first { Level::Observed } else { Level::Robust };
    let shrink = first && std::env::var_os("UPDATE").is_some();
    judge(&Options { gate: gate.into(), shrink, fail_fast: first, ..options(target) }, cases)
}

/// Runs cases with these options.
pub fn judge(options: &Options, cases: impl Into<Cases>) -> Vec<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut outcomes = Vec::new();
    let mut tell = |event| {
        if let Event::Judged(outcome) = event {
            outcomes.push(*outcome);
        }
    };
    let ran = runtime.block_on(run(options, cases, &mut tell));
    ran.unwrap_or_else(|error| panic!("{}: {error}", options.target));
    outcomes
}

/// Runs `work` for each item on this many threads. Returns the results in the order of the items.
pub fn on_threads<T: Send, R: Send>(threads: usize, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let queue = Mutex::new(items.into_iter().enumerate());
    let worker = || {
        let mut done = Vec::new();
        loop {
            let next = queue.lock().unwrap().next();
            let Some((index, item)) = next else { return done };
            done.push((index, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The reference peer, with these arguments of `serve`.
pub fn served(arguments: &str) -> Target {
    Target::exec(&format!("exec '{PROGRAM}' serve {arguments} --listen 127.0.0.1:{{port}}"))
}
