//! One habit of a peer is one finding: it neither makes other cases fail nor hides what is worse.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::cases::{Selection, catalogue};
use dnode_conform::conversation::ping::Ping;
use dnode_conform::run::Options;
use dnode_reports::event::{Outcome, Verdict};
use dnode_spec::dialect::Dialect;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use support::library::{judge, on_threads, options, served};

/// The outcomes of these cases on the reference peer with a fault, without those that pass.
fn outcomes(fault: &str, cases: &[&str], ping: Option<Ping>) -> BTreeMap<String, Outcome> {
    let cases: Vec<String> = cases.iter().map(|case| (*case).to_owned()).collect();
    let options = Options {
        selection: Selection::new(&cases).unwrap(),
        patience: Duration::from_millis(500),
        ping,
        ..options(served(&format!("--fault {fault}")))
    };
    let outcomes = judge(&options, catalogue(Dialect::default()).unwrap()).into_iter();
    outcomes.filter(|it| it.verdict != Verdict::Pass).map(|it| (it.id.clone(), it)).collect()
}

/// Checks that this clause is the root of all outcomes. Returns the ids of the findings and of the
/// cases that rest on them.
fn findings_of<'o>(
    outcomes: &'o BTreeMap<String, Outcome>,
    clause: &str,
) -> (BTreeSet<&'o str>, BTreeSet<&'o str>) {
    let (mut findings, mut resting) = (BTreeSet::new(), BTreeSet::new());
    for outcome in outcomes.values() {
        let broken = outcome.divergence.as_ref().map(|it| it.clause.as_str());
        let root = broken.or(outcome.rests_on.as_deref());
        assert_eq!(root, Some(clause), "{}: {:?} {:?}", outcome.id, outcome.reason, outcome.divergence);
        let ids = if broken.is_some() { &mut findings } else { &mut resting };
        ids.insert(outcome.id.as_str());
    }
    (findings, resting)
}

#[test]
fn a_crash_counts_whatever_its_case_rests_on() {
    let cases = ["callback/missing-arguments", "message/omitted-*", "robust/proto-arguments"];
    let outcomes = outcomes("dies-of-missing-arguments", &cases, None);
    let verdict = |id: &str| outcomes.get(id).map(|outcome| outcome.verdict);
    assert_eq!(verdict("message/omitted-arguments"), Some(Verdict::Fail));
    assert_eq!(verdict("callback/missing-arguments"), Some(Verdict::Crash));
    let resting = &outcomes["robust/proto-arguments"];
    assert_eq!(resting.rests_on.as_deref(), Some("message/omitted-fields"));
    assert_eq!(resting.reason.as_deref(), Some("message/omitted-fields failed in message/omitted-arguments"));
}

#[test]
fn a_peer_that_takes_a_read_for_a_message_breaks_one_clause() {
    let faults = ["one-message-a-segment", "closes-on-two-messages", "drops-two-messages"];
    on_threads(faults.len(), faults.to_vec(), |fault| {
        let outcomes = outcomes(fault, &[], None);
        let (findings, resting) = findings_of(&outcomes, "framing/segments");
        assert!(findings.contains("framing/segments"), "{fault}: {findings:?}");
        assert!(findings.iter().chain(&resting).all(|id| id.starts_with("framing/")), "{fault}: {resting:?}");
    });
}

#[test]
fn a_peer_without_an_object_is_called_by_name() {
    let pings = vec![None, Some(Ping::parse(r#"add[1,2,"$cb"]"#).unwrap())];
    on_threads(pings.len(), pings, |ping| {
        let outcomes = outcomes("never-sends-methods", &[], ping);
        let (findings, resting) = findings_of(&outcomes, "methods/sent");
        assert_eq!(findings, BTreeSet::from(["methods/sent"]));
        assert!(resting.len() < 30, "{resting:?}");
    });
}
