mod causes;
mod hostile;

use super::*;
use crate::event::{Activity, TimeBase};
use crate::event::{Divergence, Kind, Origin, Wire};
use crate::sample::{self, FINE, HOSTILE};

const PLAIN: Options = Options { styles: false, details: true, verbose: false, width: 100 };
const VERBOSE: Options = Options { styles: false, details: true, verbose: true, width: 100 };

fn report(options: Options, run: Run, cases: &[Outcome], ended: Ended) -> String {
    let mut out = Vec::new();
    let mut text = Text::new(&mut out, options);
    for event in sample::events(run, cases, ended) {
        text.event(&event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn observed() -> Outcome {
    let mut outcome = Outcome { level: Level::Observed, ..sample::failing("methods/again") };
    if let Some(divergence) = &mut outcome.divergence {
        divergence.clause = "methods/again".to_owned();
    }
    outcome
}

fn hang() -> Outcome {
    let mut outcome =
        Outcome { verdict: Verdict::Hang, level: Level::Robust, ..sample::failing("framing/line-length") };
    outcome.divergence = Some(Divergence {
        step: "after the last step".to_owned(),
        clause: "framing/line-length".to_owned(),
        kind: Kind::Deaf,
        path: String::new(),
        expected: "an answer to a known-good call, or the end of the connection".to_owned(),
        actual: "the connection is open and nothing came within 2 s".to_owned(),
        fingerprint: "1:000000000000".to_owned(),
    });
    let long = format!("{{\"method\":\"echo\",\"arguments\":[\"{}", "x".repeat(3000));
    outcome.evidence.wire.truncate(2);
    outcome.evidence.wire.extend([
        Wire::Bytes { from: Origin::Suite, bytes: long.into_bytes(), cut: 1_000_000, step: String::new() },
        Wire::Omitted(12),
        sample::sent("\n"),
        sample::came(b"{\"half\":\xff"),
    ]);
    outcome
}

#[test]
fn a_blank_line_that_was_sent_is_shown_as_one() {
    let mut outcome = sample::failing("framing/blank-lines");
    outcome.evidence.wire = vec![sample::sent("\n")];
    let text = report(PLAIN, sample::run(1), &[outcome], FINE);
    assert!(text.contains("    sent      (an empty line)\n"), "{text}");
}

#[test]
fn clean_run() {
    let run = Run { notes: vec!["The peer answers in order.".to_owned()], ..sample::run(2) };
    let cases = [sample::outcome("a/case", Verdict::Pass), sample::outcome("b/case", Verdict::Pass)];
    insta::assert_snapshot!(report(PLAIN, run, &cases, FINE), @r"
    dnode-conform 0.1.0: dnode 1.2.2, 2 cases
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js
    note: The peer answers in order.

    passed       must
    a     1 of 1
    b     1 of 1

    2 planned: 2 pass
    exit 0: nothing that gates failed
    ");
}

#[test]
fn report_says_what_the_peer_did_during_a_wait_and_what_time_that_counts() {
    let mut hung = Outcome { verdict: Verdict::Hang, ..sample::failing("a/case") };
    hung.evidence.activity = Some(Activity { time: 2000, cpu: 2000 });
    let run = Run { time: Some(TimeBase::OwnTime), ..sample::run(1) };
    let report = report(PLAIN, run, &[hung], FINE);
    assert!(report.contains("\n  deadlines   the peer's own time: its waits for a processor do not count\n"));
    assert!(report.contains("\n  meanwhile   the peer used 2.0 s of CPU time without answering\n"));
}

#[test]
fn cases_that_rest_on_a_finding_are_counted_with_it() {
    let resting = |id: &str| Outcome {
        rests_on: Some("message/argument-order".to_owned()),
        ..sample::because(id, Verdict::Inconclusive, "message/argument-order failed")
    };
    let cases = [sample::failing("message/argument-order"), resting("a/case"), resting("b/case")];
    let text = report(PLAIN, sample::run(3), &cases, FINE);
    let end = &text[text.find("inconclusive:").unwrap()..];
    insta::assert_snapshot!(end, @r"
    inconclusive: 2 cases
        2  message/argument-order failed
           a/case, b/case

    passed        must
    message     0 of 1
    a                -
    b                -

    3 planned: 1 fail, 2 inconclusive
    exit 1: 1 gating failure
    ");
}

#[test]
fn failing_case() {
    let cases = [sample::outcome("a/case", Verdict::Pass), sample::failing("message/argument-order")];
    insta::assert_snapshot!(report(PLAIN, sample::run(2), &cases, FINE), @r#"
    dnode-conform 0.1.0: dnode 1.2.2, 2 cases
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    FAIL  message/argument-order
      The arguments come back as they were sent.

      peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
      clause      message/argument-order (must)
                  The arguments reach the function in their order and number.
                  source: protocol document, "data fields", sentence 4
      step        step 2
      where       arguments[0]
      expected    3
      got         "12"
      difference  violation: differs
                  fingerprint: 1:9a24989d367b
      hint        Pass all arguments to the function, in their order, without extra ones.

      wire        the traffic of the connection, in order: suite -> peer, suite <- peer
        suite ->       {"method":"methods","arguments":[{}],"callbacks":{},"links":[]}
              <- peer  {"method":"methods","arguments":[{"add":"[Function]"}],"callbacks":{"0":["0",
                       "add"]},"links":[]}
        suite ->       {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},
                       "links":[]}
              <- peer  {"method":0,"arguments":["12"],"callbacks":{},"links":[]}

      transcript  the steps of the session; > marks the one that failed
         1  {"send":{"method":"add","arguments":[1,2,{"$fn":"cb"}]}}
      >  2  {"expect":{"method":{"$fn":"cb"},"arguments":[3]}}
           ($cb is id 2)

      repeat      the command that runs this case again
        dnode-conform --case message/argument-order -- node fixtures/peers/dnode/peer.js

    1 cause

      1 must      message/argument-order: The arguments reach the function in their order and number
        FAIL      message/argument-order
        sent      {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},"links":[]}
        got       "12" at arguments[0]; expected 3
        hint      Pass all arguments to the function, in their order, without extra ones.
        repeat    dnode-conform --case message/argument-order -- node fixtures/peers/dnode/peer.js

    passed        must
    a           1 of 1
    message     0 of 1

    2 planned: 1 pass, 1 fail
    exit 1: 1 gating failure
    "#);
}

#[test]
fn standard_error_of_a_failure() {
    let lines = |beside| {
        let mut outcome = sample::failing("value/shared");
        let text = format!("warning: late\n\tat {}\n", sample::HOSTILE);
        outcome.evidence.stderr = Some(crate::event::Written { text, beside });
        let text = report(PLAIN, sample::run(1), &[outcome], FINE);
        let from = text.find("  stderr ").unwrap();
        text[from..].lines().take(3).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(lines(false), @r"
    stderr      the peer's standard error while the case ran
      | warning: late
      |     at \x1b[2J\x1b]0;owned\x07\x0d\u{202e}evil\u{202c}\u{200b}\u{9b}31m\u{e0041}\u{2028}
    ");
    assert!(lines(true).contains("while the case ran (other cases ran beside it)"), "{}", lines(true));
}

#[test]
fn crash_with_hostile_stderr() {
    insta::assert_snapshot!(report(PLAIN, sample::run(1), &[sample::crashing("robust/deep")], FINE), @r#"
    dnode-conform 0.1.0: dnode 1.2.2, 1 case
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    CRASH  robust/deep
      The arguments come back as they were sent.

      peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
      clause      message/argument-order (must)
                  The arguments reach the function in their order and number.
                  source: protocol document, "data fields", sentence 4
      step        step 2
      expected    an answer, or the end of the connection
      got         the process ended with exit status 1
      difference  violation: died
                  fingerprint: 1:b5d9375e4258
      hint        Pass all arguments to the function, in their order, without extra ones.

      wire        the traffic of the connection, in order: suite -> peer, suite <- peer
        suite ->       {"method":"methods","arguments":[{}],"callbacks":{},"links":[]}
              <- peer  {"method":"methods","arguments":[{"add":"[Function]"}],"callbacks":{"0":["0",
                       "add"]},"links":[]}
        suite ->       {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},
                       "links":[]}
              -- peer  closes the connection

      transcript  the steps of the session; > marks the one that failed
         1  {"send":{"method":"add","arguments":[1,2,{"$fn":"cb"}]}}
      >  2  {"expect":{"method":{"$fn":"cb"},"arguments":[3]}}
           ($cb is id 2)

      repeat      the command that runs this case again
        dnode-conform --case robust/deep -- node fixtures/peers/dnode/peer.js

      process     how the peer's process ended, and its standard error
        exit status 1
        | TypeError: x is not a function
        |     at \x1b[2J\x1b]0;owned\x07\x0d\u{202e}evil\u{202c}\u{200b}\u{9b}31m\u{e0041}\u{2028}
        |
        | \x1b[31mfatal\x1b[0m

    1 cause

      1 must      The process ends with TypeError: x is not a function
        CRASH     robust/deep
        sent      {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},"links":[]}
        hint      Pass all arguments to the function, in their order, without extra ones.
        repeat    dnode-conform --case robust/deep -- node fixtures/peers/dnode/peer.js

    1 planned: 1 crash
    exit 1: 1 crash
    "#);
}

#[test]
fn hang_after_a_long_line() {
    insta::assert_snapshot!(report(PLAIN, sample::run(1), &[hang()], FINE), @r#"
    dnode-conform 0.1.0: dnode 1.2.2, 1 case
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    HANG  framing/line-length
      The arguments come back as they were sent.

      peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
      clause      framing/line-length (should)
                  A long line is a message like any other: the document sets no limit.
                  source: protocol document, "the protocol", sentence 1
      step        after the last step
      expected    an answer to a known-good call, or the end of the connection
      got         the connection is open and nothing came within 2 s
      difference  deviation: deaf
                  fingerprint: 1:000000000000
      hint        Look for a limit of the read buffer, for a write that sends only a part, and for a
                  write buffer that is dropped when it is full.

      wire        the traffic of the connection, in order: suite -> peer, suite <- peer
        suite ->       {"method":"methods","arguments":[{}],"callbacks":{},"links":[]}
              <- peer  {"method":"methods","arguments":[{"add":"[Function]"}],"callbacks":{"0":["0",
                       "add"]},"links":[]}
        suite ->       {"method":"echo","arguments":["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                       xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
                       (1002231 bytes more)
        (12 entries left out)
        suite ->
        suite --       (an empty line)
              <- peer  {"half":\xff
              -- peer  (no newline)

      transcript  the steps of the session; > marks the one that failed
         1  {"send":{"method":"add","arguments":[1,2,{"$fn":"cb"}]}}
         2  {"expect":{"method":{"$fn":"cb"},"arguments":[3]}}
           ($cb is id 2)

      repeat      the command that runs this case again
        dnode-conform --case framing/line-length -- node fixtures/peers/dnode/peer.js

    1 cause

      1 robust    The connection is open and nothing came within 2 s
        HANG      framing/line-length
        sent      in 2 pieces: {"method":"echo","arguments":["xxxxxxxxxxxxxxxxxxxxxxxxxxxx… (3047 bytes)
        hint      Look for a limit of the read buffer, for a write that sends only a part, and for a
                  write buffer that is dropped when it is full.
        repeat    dnode-conform --case framing/line-length -- node fixtures/peers/dnode/peer.js

    1 planned: 1 hang
    exit 1: 1 hang
    "#);
}

#[test]
fn cases_without_a_verdict_on_the_peer() {
    let mut cases: Vec<Outcome> = (1..=7)
        .map(|n| {
            let id = format!("cycle/case-{n}");
            sample::because(&id, Verdict::NotApplicable, "the probe declares cycle absent")
        })
        .collect();
    cases.extend([
        sample::outcome("a/case", Verdict::Pass),
        sample::because("cull/window", Verdict::NotApplicable, "the peer sends no cull"),
        sample::because("methods/by-id", Verdict::Inconclusive, "needs methods/sent"),
        sample::outcome("methods/by-name", Verdict::Inconclusive),
    ]);
    let ended = Ended { interrupted: true, answered: true, ..Ended::default() };
    insta::assert_snapshot!(report(PLAIN, sample::run(11), &cases, ended), @r"
    dnode-conform 0.1.0: dnode 1.2.2, 11 cases
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    not-applicable: 8 cases
        7  the probe declares cycle absent
           cycle/case-1, cycle/case-2, cycle/case-3, cycle/case-4, cycle/case-5, and 2 more
        1  the peer sends no cull
           cull/window

    inconclusive: 2 cases
        1  needs methods/sent
           methods/by-id
        1  no reason given
           methods/by-name

    passed        must
    cycle            -
    a           1 of 1
    cull             -
    methods          -

    11 planned, interrupted: 1 pass, 8 not-applicable, 2 inconclusive
    exit 2: interrupted, 2 cases inconclusive
    ");
}

#[test]
fn failure_below_the_gate() {
    let cases = [sample::outcome("a/case", Verdict::Pass), observed()];
    insta::assert_snapshot!(report(PLAIN, sample::run(2), &cases, FINE), @r#"
    dnode-conform 0.1.0: dnode 1.2.2, 2 cases
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    FAIL (not gating)  methods/again
      The arguments come back as they were sent.

      peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
      clause      methods/again (observed)
                  A second "methods" replaces the other end's object.
                  source: reference implementation, dnode-protocol index.js, handleMethods()
      step        step 2
      where       arguments[0]
      expected    3
      got         "12"
      difference  observed: differs
                  fingerprint: 1:8f84bbf42a79
      hint        Replace the object of the other end as a whole when methods arrives again.

      wire        the traffic of the connection, in order: suite -> peer, suite <- peer
        suite ->       {"method":"methods","arguments":[{}],"callbacks":{},"links":[]}
              <- peer  {"method":"methods","arguments":[{"add":"[Function]"}],"callbacks":{"0":["0",
                       "add"]},"links":[]}
        suite ->       {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},
                       "links":[]}
              <- peer  {"method":0,"arguments":["12"],"callbacks":{},"links":[]}

      transcript  the steps of the session; > marks the one that failed
         1  {"send":{"method":"add","arguments":[1,2,{"$fn":"cb"}]}}
      >  2  {"expect":{"method":{"$fn":"cb"},"arguments":[3]}}
           ($cb is id 2)

      repeat      the command that runs this case again
        dnode-conform --case methods/again -- node fixtures/peers/dnode/peer.js

    1 cause more: the run fails on them only with --level observed

      1 observed  methods/again: A second "methods" replaces the other end's object
        FAIL      methods/again
        sent      {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},"links":[]}
        got       "12" at arguments[0]; expected 3
        hint      Replace the object of the other end as a whole when methods arrives again.
        repeat    dnode-conform --case methods/again -- node fixtures/peers/dnode/peer.js

    passed        must   observed
    a           1 of 1
    methods                0 of 1

    2 planned: 1 pass, 1 fail (1 not gating)
    exit 0: nothing that gates failed
    "#);
}

#[test]
fn verbose_lists_each_case() {
    let cases = [
        sample::outcome("a/case", Verdict::Pass),
        sample::because("b/case", Verdict::Pass, "quiet time took the barrier's place"),
        sample::because("c/case", Verdict::NotApplicable, "the probe declares cycle absent"),
        sample::because("d/case", Verdict::HarnessError, "no port was free"),
        observed(),
    ];
    let text = report(VERBOSE, sample::run(5), &cases, FINE);
    let listed: Vec<&str> = text.lines().take_while(|line| *line != "1 cause").collect();
    insta::assert_snapshot!(listed.join("\n"), @r#"
    dnode-conform 0.1.0: dnode 1.2.2, 5 cases
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    pass            a/case
    pass            b/case: quiet time took the barrier's place
    not-applicable  c/case: the probe declares cycle absent

    HARNESS-ERROR  d/case
      The arguments come back as they were sent.

      peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
      note        The suite itself failed. This says nothing about the peer.
      reason      no port was free

    FAIL (not gating)  methods/again
      The arguments come back as they were sent.

      peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
      clause      methods/again (observed)
                  A second "methods" replaces the other end's object.
                  source: reference implementation, dnode-protocol index.js, handleMethods()
      step        step 2
      where       arguments[0]
      expected    3
      got         "12"
      difference  observed: differs
                  fingerprint: 1:8f84bbf42a79
      hint        Replace the object of the other end as a whole when methods arrives again.

      wire        the traffic of the connection, in order: suite -> peer, suite <- peer
        suite ->       {"method":"methods","arguments":[{}],"callbacks":{},"links":[]}
              <- peer  {"method":"methods","arguments":[{"add":"[Function]"}],"callbacks":{"0":["0",
                       "add"]},"links":[]}
        suite ->       {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},
                       "links":[]}
              <- peer  {"method":0,"arguments":["12"],"callbacks":{},"links":[]}

      transcript  the steps of the session; > marks the one that failed
         1  {"send":{"method":"add","arguments":[1,2,{"$fn":"cb"}]}}
      >  2  {"expect":{"method":{"$fn":"cb"},"arguments":[3]}}
           ($cb is id 2)

      repeat      the command that runs this case again
        dnode-conform --case methods/again -- node fixtures/peers/dnode/peer.js
    "#);
    assert!(text.contains("  wire  "), "failures below the gate are shown in full");
}

#[test]
fn empty_run() {
    let run = Run { peer: None, ..sample::run(0) };
    let ended = Ended { interrupted: false, answered: false, ..Ended::default() };
    insta::assert_snapshot!(report(PLAIN, run, &[], ended), @r"
    dnode-conform 0.1.0: a peer without the probe, 0 cases
    the run fails on must, should and robust; node fixtures/peers/dnode/peer.js

    0 planned: no verdict
    exit 2: no case was executed, the peer answered no call
    ");
}

#[test]
fn lines_are_at_most_100_columns_wide() {
    let text = report(VERBOSE, sample::run(3), &[hang(), sample::crashing("robust/deep"), observed()], FINE);
    for line in text.lines().filter(|line| !line.starts_with("    dnode-conform")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn first_event_must_be_started() {
    let mut text = Text::new(Vec::new(), PLAIN);
    assert!(text.event(&Event::Ended(FINE)).is_err());
    let judged = Event::Judged(Box::new(sample::outcome("a/case", Verdict::Pass)));
    assert!(text.event(&judged).is_err());
}
