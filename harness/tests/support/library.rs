//! For the tests that run cases by the library.

use super::PROGRAM;
use dnode_conform::cases::Selection;
use dnode_conform::run::{Cases, Command, Options, run};
use dnode_conform::target::Target;
use dnode_reports::event::{Event, Outcome};
use dnode_spec::clause::Level;
use std::time::Duration;

/// Runs cases against a peer; ends at the first finding where `first` says so.
pub fn outcomes(target: Target, cases: Cases, first: bool) -> Vec<Outcome> {
    let options = Options {
        target,
        selection: Selection::all(),
        shard: None,
        // A fault may break what is only observed; those who are right are held against what gates.
        gate: if first { Level::Observed } else { Level::Robust },
        ping: None,
        jobs: 8,
        patience: Duration::from_millis(1000),
        command: Command::default(),
        fail_fast: first,
        shrink: first && std::env::var_os("UPDATE").is_some(),
        interrupted: std::sync::Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut outcomes = Vec::new();
    let mut tell = |event| {
        if let Event::Judged(outcome) = event {
            outcomes.push(*outcome);
        }
    };
    runtime.block_on(run(&options, cases, &mut tell)).unwrap_or_else(|error| panic!("{error}"));
    outcomes
}

/// The peer of this project, with these arguments of `serve`.
pub fn served(arguments: &str) -> Target {
    Target::Exec(format!("exec '{PROGRAM}' serve {arguments} --listen 127.0.0.1:{{port}}"))
}
