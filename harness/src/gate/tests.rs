use super::*;
use dnode_reports::event::{Divergence, Ended, Evidence, Kind, Role, Run};
use dnode_reports::format::Format;
use dnode_reports::text::Options;
use dnode_spec::dialect::Dialect;
use std::io::Write;
use std::sync::{Arc, Mutex};

fn outcome(id: &str, verdict: Verdict, fingerprint: &str) -> Outcome {
    let divergence = verdict.is_finding().then(|| Divergence {
        step: String::new(),
        clause: "framing/json".to_owned(),
        kind: Kind::Differs,
        path: String::new(),
        expected: String::new(),
        actual: String::new(),
        fingerprint: fingerprint.to_owned(),
    });
    Outcome {
        id: id.to_owned(),
        about: String::new(),
        level: Level::Must,
        clauses: vec!["framing/json".to_owned()],
        verdict,
        reason: None,
        rests_on: None,
        divergence,
        excuse: None,
        evidence: Evidence::default(),
    }
}

fn run(outcomes: &[Outcome], interrupted: bool) -> Vec<Event> {
    let run = Run {
        suite: "0.1.0".to_owned(),
        peer: None,
        role: Role::Server,
        dialect: Dialect::default(),
        interop: false,
        target: "x".to_owned(),
        planned: outcomes.len(),
        notes: vec![],
        gate: Level::Robust,
        time: None,
    };
    let judged = outcomes.iter().map(|outcome| Event::Judged(Box::new(outcome.clone())));
    let ended = Ended { interrupted, answered: true, ..Ended::default() };
    std::iter::once(Event::Started(run)).chain(judged).chain([Event::Ended(ended)]).collect()
}

/// The exit of a run through the gate, and the stale entries.
fn through(gate: &Gate, outcomes: &[Outcome], interrupted: bool) -> (String, Vec<String>) {
    let gate = RunGate::new(gate, &[], true);
    let mut emitted = gate.emitted();
    let events: Vec<Event> =
        run(outcomes, interrupted).into_iter().map(|event| emitted.event(event)).collect();
    let mut account = dnode_reports::account::Account::default();
    let mut exit = (String::new(), Vec::new());
    for event in &events {
        match (event, &events[0]) {
            (Event::Judged(outcome), _) => account.add(outcome),
            (Event::Ended(ended), Event::Started(run)) => {
                let stale = ended.stale.iter().map(|stale| format!("{}: {}", stale.id, stale.problem));
                exit = (account.exit(run, ended).to_string(), stale.collect());
            }
            _ => {}
        }
    }
    exit
}

/// A writer that shares its text with the test.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A gate with the snapshot of a run of these outcomes.
fn snapshot(outcomes: &[Outcome]) -> Gate {
    let out = Shared::default();
    let mut report = Format::Json.report(out.clone(), Options::default());
    run(outcomes, false).iter().for_each(|event| report.event(event).unwrap());
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    Gate { snapshot: Some(Snapshot::read(&text, "snap.json").unwrap()), ..Gate::from(Level::Robust) }
}

#[test]
fn cases_newer_than_the_catalogue_do_not_gate() {
    let header = |id: &str, since: &str| {
        format!(
            r#"{{"dnode-transcript":1,"id":"{id}","since":"{since}","clauses":["framing/json"],"about":"x","hostile":true}}
{{"line":"x"}}
{{"survive":true}}"#
        )
    };
    let cases =
        [("a/old", "0.1.0"), ("a/new", "0.2.0")].map(|(id, since)| Case::read(&header(id, since)).unwrap());
    let frozen = Gate { catalogue: Some(Version::new(0, 1, 0)), ..Gate::from(Level::Robust) };
    let gate = RunGate::new(&frozen, &cases, false);
    assert!(gate.gates(&outcome("a/old", Verdict::Crash, "1:a")));
    assert!(!gate.gates(&outcome("a/new", Verdict::Crash, "1:a")));
    let free = Gate::from(Level::Robust);
    assert!(RunGate::new(&free, &cases, false).gates(&outcome("a/new", Verdict::Crash, "1:a")));
}

#[test]
fn any_behaviour_as_in_the_snapshot_succeeds() {
    let outcomes = [
        outcome("a/pass", Verdict::Pass, ""),
        outcome("a/fail", Verdict::Fail, "1:a"),
        outcome("a/hang", Verdict::Hang, "1:b"),
        outcome("a/inconclusive", Verdict::Inconclusive, ""),
    ];
    let (exit, stale) = through(&snapshot(&outcomes), &outcomes, false);
    assert_eq!((exit.as_str(), stale), ("exit 0: nothing that gates failed", vec![]));
}

#[test]
fn any_difference_from_the_snapshot_fails_better_or_worse() {
    let gate = snapshot(&[
        outcome("a/better", Verdict::Fail, "1:a"),
        outcome("a/gone", Verdict::Pass, ""),
        outcome("a/other", Verdict::Fail, "1:a"),
        outcome("a/worse", Verdict::Pass, ""),
    ]);
    let now = [
        outcome("a/better", Verdict::Pass, ""),
        outcome("a/new", Verdict::Pass, ""),
        outcome("a/other", Verdict::Fail, "1:b"),
        outcome("a/worse", Verdict::Crash, "1:a"),
    ];
    let (exit, stale) = through(&gate, &now, false);
    assert_eq!(exit, "exit 1: 1 gating failure, 1 crash, 5 differences from the snapshot");
    insta::assert_snapshot!(stale.join("\n"), @"
    a/better: pass, but fail in the snapshot
    a/new: pass, but the snapshot does not have this case
    a/other: fail as before, but with another fingerprint
    a/worse: crash, but pass in the snapshot
    a/gone: pass in the snapshot, but the catalogue has no such case
    ");
}

#[test]
fn cases_that_did_not_run_are_no_difference() {
    let gate = snapshot(&[outcome("a/pass", Verdict::Pass, ""), outcome("a/unrun", Verdict::Pass, "")]);
    let now = [outcome("a/pass", Verdict::Pass, ""), outcome("a/unrun", Verdict::Inconclusive, "")];
    let (exit, stale) = through(&gate, &now, true);
    assert_eq!((exit.as_str(), stale), ("exit 2: interrupted, 1 case inconclusive", vec![]));
}

#[test]
fn a_run_that_writes_the_snapshot_succeeds_unless_the_suite_failed() {
    let gate = Gate { snapshot: Some(Snapshot::accepting("snap.json")), ..Gate::from(Level::Robust) };
    let outcomes = [outcome("a/crash", Verdict::Crash, "1:a"), outcome("a/pass", Verdict::Pass, "")];
    assert_eq!(through(&gate, &outcomes, false).0, "exit 0: nothing that gates failed");
    let error = [outcome("a/error", Verdict::HarnessError, ""), outcome("a/pass", Verdict::Pass, "")];
    assert_eq!(through(&gate, &error, false).0, "exit 2: 1 harness error");
}

#[test]
fn a_case_that_rests_on_a_clause_below_the_gate_is_excused() {
    let exit = |level: Level, clause: &str| {
        let resting =
            Outcome { rests_on: Some(clause.to_owned()), ..outcome("b/x", Verdict::Inconclusive, "") };
        through(&Gate::from(level), &[outcome("a/x", Verdict::Pass, ""), resting], false).0
    };
    assert_eq!(exit(Level::Robust, "callback/same-id"), "exit 0: nothing that gates failed");
    assert_eq!(exit(Level::Observed, "callback/same-id"), "exit 2: 1 case inconclusive");
    assert_eq!(exit(Level::Robust, "methods/by-id"), "exit 2: 1 case inconclusive");
}
