//! The default report: a few lines for each cause.

use super::super::*;
use super::{PLAIN, hang, observed, report};
use crate::event::{Origin, Wire};
use crate::sample::{self, FINE};

/// Options of the default report.
fn brief(width: usize) -> Options {
    Options { width, ..Options::default() }
}

#[test]
fn a_cause_is_a_few_lines() {
    let cases = [
        sample::failing("message/argument-order"),
        sample::failing("message/other-order"),
        sample::crashing("robust/deep"),
        observed(),
        sample::because("value/nest", Verdict::HarnessError, "no port was free"),
    ];
    insta::assert_snapshot!(report(brief(100), sample::run(5), &cases, FINE), @r#"
    dnode-conform 0.1.0: dnode 1.2.2, 5 cases
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    3 causes, in the order in which to fix them

      1 must      message/argument-order: The arguments reach the function in their order and number
        FAIL      message/argument-order, other-order
        sent      {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},"links":[]}
        got       "12" at arguments[0]; expected 3
        hint      Pass all arguments to the function, in their order, without extra ones.
        repeat    dnode-conform --case message/argument-order -- node fixtures/peers/dnode/peer.js

      2 must      The process ends with TypeError: x is not a function
        CRASH     robust/deep
        sent      {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},"links":[]}
        hint      as for cause 1
        repeat    dnode-conform --case robust/deep -- node fixtures/peers/dnode/peer.js

      3 suite     no port was free
        HARNESS-ERROR  value/nest

    1 cause more: the run fails on them only with --level observed

      4 observed  methods/again: A second "methods" replaces the other end's object
        FAIL      methods/again
        sent      {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},"links":[]}
        got       "12" at arguments[0]; expected 3
        hint      Replace the object of the other end as a whole when methods arrives again.
        repeat    dnode-conform --case methods/again -- node fixtures/peers/dnode/peer.js

    passed        must   observed
    message     0 of 2
    robust      0 of 1
    methods                0 of 1
    value            -

    5 planned: 3 fail (1 not gating), 1 crash, 1 harness-error
    exit 1: 2 gating failures, 1 crash
    "#);
}

#[test]
fn a_cause_has_at_most_eight_lines_except_in_a_narrow_window() {
    let mut long = sample::failing("message/argument-order");
    if let Some(divergence) = &mut long.divergence {
        divergence.expected = "[1,2,3,".repeat(200);
        divergence.actual = "\u{1b}long ".repeat(200);
    }
    long.evidence.wire.push(Wire::Bytes {
        from: Origin::Suite,
        bytes: vec![b'x'; 2000],
        cut: 70_000,
        step: String::new(),
    });
    let mut dead = sample::crashing("robust/deep");
    if let Some(death) = &mut dead.evidence.death {
        death.stderr = format!(
            "TypeError: {} is not a function\n    at f ({}.js:1:2)\n",
            "x ".repeat(300),
            "d/".repeat(90)
        );
    }
    let resting = |outcome: &Outcome| Outcome {
        rests_on: outcome.divergence.as_ref().map(|found| found.clause.clone()),
        ..sample::because("a/case", Verdict::Inconclusive, "a clause failed")
    };
    for width in (60..100).step_by(5).chain([100, 200]) {
        for first in [&long, &dead, &hang()] {
            let mut cases = vec![first.clone()];
            cases.extend(std::iter::repeat_n(resting(first), 100));
            let text = report(brief(width), sample::run(2), &cases, FINE);
            let block: Vec<&str> = text.split("\n\n").nth(2).unwrap().lines().collect();
            // In a narrow window, the cases and how many rest on them need two lines.
            assert!(block.len() <= if width < 90 { 9 } else { 8 }, "{width}: {text}");
            let wide = block.iter().find(|line| line.chars().count() > width && !line.contains("repeat"));
            assert_eq!(wide, None, "{width}");
        }
    }
}

#[test]
fn a_general_hint_is_shown_once_and_others_are_referred_to() {
    let crash = sample::crashing_at;
    let two = |clause: &str| {
        let cases = [crash("robust/a", clause, 1), crash("robust/b", clause, 2)];
        let text = report(brief(100), sample::run(2), &cases, FINE);
        (text.matches("    hint  ").count(), text.matches("as for cause 1").count())
    };
    assert_eq!(two("robust/survives"), (1, 0));
    assert_eq!(two("robust/arguments-only"), (2, 1));
}

#[test]
fn a_handshake_is_shown_once() {
    let cases = [sample::failing("a/case"), sample::failing("b/case")];
    let text = report(PLAIN, sample::run(2), &cases, FINE);
    assert_eq!(text.matches("\"method\":\"methods\"").count(), 2, "one for each end");
    assert_eq!(text.matches("(handshake as above)").count(), 1);
}

#[test]
fn the_other_findings_of_a_cause_are_named() {
    let (first, other) = (sample::failing("a/case"), sample::failing("b/case"));
    let others = [Finding { id: other.id, verdict: other.verdict }];
    let text = with_others(&sample::run(2), &first, &others, PLAIN);
    assert!(text.starts_with("FAIL  a/case\n"), "{text}");
    assert!(text.ends_with("\n1 more finding with the same cause\n  FAIL b/case\n"), "{text}");
}

#[test]
fn a_line_that_came_instead_of_an_answer_is_shown() {
    let cases = [sample::answered_otherwise("{\"method\":1007}\n")];
    let list = report(brief(100), sample::run(1), &cases, FINE);
    assert!(list.contains("  No answer to the known-good call, and the connection stayed open\n"), "{list}");
    assert!(list.contains("    got       {\"method\":1007}\n"), "{list}");
    let full = report(PLAIN, sample::run(1), &cases, FINE);
    assert!(full.contains(" instead, the peer sent\n              {\"method\":1007}\n"), "{full}");
}
