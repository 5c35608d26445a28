//! For the tests that run cases by the library.

use super::PROGRAM;
use dnode_conform::program::Target;
use dnode_conform::run::{Cases, Options, run};
use dnode_reports::event::{Event, Outcome};
use dnode_spec::clause::Level;
use std::sync::Mutex;
use std::time::Duration;

/// How a test runs cases, but for what it says itself.
pub fn options(target: Target) -> Options {
    Options {
        gate: Level::Observed.into(),
        patience: Duration::from_millis(1000),
        shrink: false,
        ..Options::new(target)
    }
}

/// Runs cases against a peer; ends at the first finding where `first` says so.
pub fn outcomes(target: Target, cases: Cases, first: bool) -> Vec<Outcome> {
    // A fault may break what is only observed; those who are right are held against what gates.
    let gate = if first { Level::Observed } else { Level::Robust };
    let shrink = first && std::env::var_os("UPDATE").is_some();
    judge(&Options { gate: gate.into(), shrink, fail_fast: first, ..options(target) }, cases)
}

/// Runs cases as these options say.
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

/// Runs `work` for each item on four threads: most of the time is waiting.
pub fn on_four_threads<T: Send>(items: Vec<T>, work: impl Fn(T) + Sync) {
    let queue = Mutex::new(items);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().pop();
                    let Some(item) = next else { return };
                    work(item);
                }
            });
        }
    });
}

/// The peer of this project, with these arguments of `serve`.
pub fn served(arguments: &str) -> Target {
    Target::exec(&format!("exec '{PROGRAM}' serve {arguments} --listen 127.0.0.1:{{port}}"))
}
