//! How many times a run starts the peer's program: as often as verdicts need a fresh process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::cases::{Selection, catalogue};
use dnode_conform::program::Target;
use dnode_conform::run::Options;
use dnode_reports::event::{Outcome, Verdict};
use dnode_spec::dialect::Dialect;
use std::path::Path;
use support::library::{judge, options};
use support::{PROGRAM, root};

/// Runs these cases with these options. Returns how often `log` counted a start, and the outcomes.
fn starts(log: &Path, options: Options, cases: &[&str]) -> (usize, Vec<Outcome>) {
    let cases: Vec<String> = cases.iter().map(|case| (*case).to_owned()).collect();
    let options = Options { selection: Selection::new(&cases).unwrap(), ..options };
    let outcomes = judge(&options, catalogue(Dialect::default()).unwrap());
    (std::fs::read_to_string(log).unwrap().lines().count(), outcomes)
}

/// The reference peer with a fault. Each start is a line of the file `log`.
fn counted(log: &Path, fault: &str) -> Options {
    let log = log.display();
    options(Target::exec(&format!(
        "echo start >> '{log}'; exec '{PROGRAM}' serve --fault {fault} --listen 127.0.0.1:{{port}}"
    )))
}

fn verdict(outcomes: &[Outcome], id: &str) -> Verdict {
    outcomes.iter().find(|outcome| outcome.id == id).unwrap().verdict
}

#[test]
fn no_process_starts_after_the_last_case() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let case = "robust/half-close-at-once";
    let (starts, outcomes) = starts(&log, counted(&log, "dies-of-an-early-end"), &[case]);
    assert_eq!((starts, verdict(&outcomes, case)), (1, Verdict::Crash));
}

/// Before, the hostile case ran again after the quiet one, or the quiet one after it.
#[test]
fn a_case_that_ends_its_peer_disturbs_no_case_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let deadly = "robust/half-close-at-once";
    let quiet = "callback/kept-in-time";
    let hostile = ["robust/http-request", "robust/n*", "robust/t*"];
    let cases = [&[quiet, deadly], &hostile[..]].concat();
    let options = Options { jobs: 2, ..counted(&log, "dies-of-an-early-end") };
    let (starts, outcomes) = starts(&log, options, &cases);
    assert_eq!((verdict(&outcomes, quiet), verdict(&outcomes, deadly)), (Verdict::Pass, Verdict::Crash));
    // The peer of the quiet case, a second one, and a third one after the crash.
    assert!(starts <= 3, "{starts} starts");
}

#[test]
fn a_process_that_served_many_cases_at_once_proves_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let program = root().join("harness/tests/support/worn.py");
    let program = format!("exec python3 '{}' {{port}} '{}'", program.display(), log.display());
    let options = options(Target::exec(&program));
    let hostile = "robust/not-json";
    let (starts, outcomes) = starts(&log, options, &["cull/*", "link/*", "value/*", hostile]);
    assert_eq!((starts, verdict(&outcomes, hostile)), (2, Verdict::Pass));
    let about_life = outcomes.iter().find(|outcome| outcome.id == "always/robust-survives").unwrap();
    assert_eq!(about_life.verdict, Verdict::Crash, "{about_life:?}");
}
