use super::*;
use crate::event::{Divergence, Outcome, Verdict};
use crate::sample::{self, FINE, HOSTILE};

fn diff(old: &[Outcome], new: &[Outcome]) -> Diff {
    let events = |cases: &[Outcome]| sample::events(sample::run(cases.len()), cases, FINE);
    Diff::new(&events(old), &events(new)).unwrap()
}

fn samples() -> Diff {
    let with_another_fingerprint = |mut outcome: Outcome| {
        outcome.divergence = outcome.divergence.map(|it| Divergence { fingerprint: "1:0".to_owned(), ..it });
        outcome
    };
    let mut other_value = sample::failing("a/value");
    other_value.divergence =
        other_value.divergence.map(|it| Divergence { actual: "\"13\"".to_owned(), ..it });
    diff(
        &[
            sample::outcome("a/same", Verdict::Pass),
            sample::failing("a/gained"),
            sample::outcome("a/lost", Verdict::Pass),
            sample::failing("a/changed"),
            sample::failing("a/value"),
            sample::outcome("a/removed", Verdict::Pass),
        ],
        &[
            sample::outcome("a/same", Verdict::Pass),
            sample::outcome("a/gained", Verdict::Pass),
            sample::crashing("a/lost"),
            with_another_fingerprint(sample::failing("a/changed")),
            other_value,
            sample::because("a/added", Verdict::Inconclusive, "methods/by-id failed"),
        ],
    )
}

#[test]
fn lost_cases_come_first_and_different_values_are_counted() {
    insta::assert_snapshot!(samples().text(), @r#"
      old         dnode 1.2.2, at node fixtures/peers/dnode/peer.js, suite 0.1.0
                  6 planned: 3 pass, 3 fail
      new         dnode 1.2.2, at node fixtures/peers/dnode/peer.js, suite 0.1.0
                  6 planned: 2 pass, 2 fail, 1 crash, 1 inconclusive

    message/argument-order (must): The arguments reach the function in their order and number.
      lost    a/lost: pass -> crash
              is  step 2: expected an answer, or the end of the connection, got the process ended with
                  exit status 1
      changed a/changed: fail -> fail
              was step 2 at arguments[0]: expected 3, got "12"
              is  step 2 at arguments[0]: expected 3, got "12"
      gained  a/gained: fail -> pass
              was step 2 at arguments[0]: expected 3, got "12"
      added   a/added: absent -> inconclusive
              is  methods/by-id failed
      removed a/removed: pass -> absent

    7 cases: 2 the same (1 with different values), 1 lost, 1 changed, 1 gained, 1 added, 1 removed
    "#);
}

#[test]
fn markdown_is_a_table() {
    insta::assert_snapshot!(samples().markdown(), @r#"
    # From `dnode 1.2.2` to `dnode 1.2.2`

    7 cases: 2 the same (1 with different values), 1 lost, 1 changed, 1 gained, 1 added, 1 removed

    | | case | old | new |
    |---|---|---|---|
    | | **`message/argument-order`** (must) | | |
    | lost | `a/lost` | pass | crash<br>`step 2: expected an answer, or the end of the connection, got the process ended with exit status 1` |
    | changed | `a/changed` | fail<br>`step 2 at arguments[0]: expected 3, got "12"` | fail<br>`step 2 at arguments[0]: expected 3, got "12"` |
    | gained | `a/gained` | fail<br>`step 2 at arguments[0]: expected 3, got "12"` | pass |
    | added | `a/added` | absent | inconclusive<br>`methods/by-id failed` |
    | removed | `a/removed` | pass | absent |
    "#);
}

#[test]
fn equal_runs_have_no_difference() {
    let cases = [sample::failing("a/case"), sample::outcome("b/case", Verdict::Pass)];
    let same = diff(&cases, &cases);
    assert!(same.is_empty() && !samples().is_empty());
    assert!(same.text().ends_with("2 cases: 2 the same\n") && !same.markdown().contains('|'));
}

#[test]
fn hostile_text_is_escaped() {
    let mut hostile = sample::failing("a/case");
    hostile.divergence = hostile.divergence.map(|it| Divergence {
        fingerprint: "1:0".to_owned(),
        actual: format!("|`<script>{HOSTILE}\n| x | y | z | w |"),
        ..it
    });
    let diff = diff(&[sample::failing("a/case")], &[hostile]);
    assert!(!diff.text().chars().any(|c| c.is_control() && c != '\n'));
    let rows: Vec<String> =
        diff.markdown().lines().filter(|line| line.starts_with('|')).map(str::to_owned).collect();
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(rows.iter().all(|row| row.matches('|').count() == 5), "{rows:?}");
}

#[test]
fn two_runs_on_one_side_are_rejected() {
    let events = sample::events(sample::run(0), &[], FINE);
    let two = [events.clone(), events.clone()].concat();
    assert!(Diff::new(&events, &two).unwrap_err().to_string().contains("2 runs"));
}
