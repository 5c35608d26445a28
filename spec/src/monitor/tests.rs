//! For each clause of the monitor, a line that breaks it and one that does not; the window of a
//! cull; limits of the monitor.

mod loss;

use super::*;
use crate::clause::{CLAUSES, Clause, Judge, Level};
use crate::session::tests::properties::{Model, operations};
use proptest::prelude::*;
use std::collections::HashSet;

/// The lines before, each with its end.
type Before = &'static [(End, &'static str)];

const METHODS_A: (End, &str) = (A, r#"{"method":"methods","arguments":[{"f":0}],"callbacks":{"0":[0,"f"]}}"#);
use End::{A, B};
/// An object that has a member whose name looks like a number.
const DIGIT_A: (End, &str) =
    (A, r#"{"method":"methods","arguments":[{"0":0}],"callbacks":{"5":[0,"0"],"0":[0,"f"]}}"#);

/// A clause, the lines before, a line of end B that breaks the clause, and one that does not.
type Example = (&'static str, Before, &'static [u8], &'static [u8]);

const EXAMPLES: &[Example] = &[
    ("framing/json", &[], br#"{"method":"a""#, br#"{"method":"a"}"#),
    ("framing/json", &[], b"", b" {\"method\":\"a\"}\r"),
    ("framing/utf8", &[], b"{\"method\":\"\xff\"}", b"{\"method\":\"\xc3\xbf\"}"),
    ("message/object", &[], br#"[{"method":"a"}]"#, br#"{"method":"a","x":[]}"#),
    ("message/method", &[], br#"{"arguments":[]}"#, br#"{"method":"","arguments":[]}"#),
    ("message/method", &[METHODS_A], br#"{"method":0.5}"#, br#"{"method":0.0}"#),
    ("message/arguments", &[], br#"{"method":"a","arguments":{}}"#, br#"{"method":"a"}"#),
    ("message/callbacks", &[], br#"{"method":"a","callbacks":[]}"#, br#"{"method":"a","callbacks":{}}"#),
    ("message/links", &[], br#"{"method":"a","links":{}}"#, br#"{"method":"a","links":[]}"#),
    ("methods/one-object", &[], br#"{"method":"methods"}"#, br#"{"method":"methods","arguments":[{}]}"#),
    (
        "callback/id-integral",
        &[],
        br#"{"method":"a","callbacks":{"01":[0]}}"#,
        br#"{"method":"a","callbacks":{"10":[0]}}"#,
    ),
    (
        "callback/path",
        &[],
        br#"{"method":"a","callbacks":{"0":[]}}"#,
        br#"{"method":"a","callbacks":{"0":[0]}}"#,
    ),
    (
        "callback/path-place",
        &[],
        br#"{"method":"a","arguments":["x"],"callbacks":{"0":[0,"y"]}}"#,
        br#"{"method":"a","arguments":[{}],"callbacks":{"0":[0,"y"]}}"#,
    ),
    (
        "callback/path-unique",
        &[],
        br#"{"method":"a","callbacks":{"0":[0],"1":["0"]}}"#,
        br#"{"method":"a","callbacks":{"0":[0],"1":["1"]}}"#,
    ),
    ("message/string-method", &[METHODS_A], br#"{"method":"0"}"#, br#"{"method":"7"}"#),
    ("message/string-method", &[DIGIT_A], br#"{"method":"5"}"#, br#"{"method":"0"}"#),
    (
        "methods/declared",
        &[
            (B, r#"{"method":"methods","arguments":[{"note":"[Function]"}]}"#),
            (A, r#"{"method":"note","arguments":[1],"callbacks":{"7":[1]}}"#),
            (A, r#"{"method":"f","arguments":[1],"callbacks":{"8":[1]}}"#),
        ],
        br#"{"method":7}"#,
        br#"{"method":8}"#,
    ),
    ("callback/declared", &[METHODS_A], br#"{"method":1}"#, br#"{"method":0}"#),
    (
        "callback/not-culled",
        &[METHODS_A, (B, r#"{"method":"cull","arguments":[0]}"#)],
        br#"{"method":0}"#,
        br#"{"method":"f"}"#,
    ),
    (
        "callback/id-exact",
        &[],
        br#"{"method":"a","callbacks":{"9007199254740992":[0]}}"#,
        br#"{"method":"a","callbacks":{"9007199254740991":[0]}}"#,
    ),
    (
        "link/shape",
        &[],
        br#"{"method":"a","links":[[]]}"#,
        br#"{"method":"a","links":[{"from":[],"to":[0]}]}"#,
    ),
    (
        "link/path",
        &[],
        br#"{"method":"a","links":[{"from":0,"to":[0]}]}"#,
        br#"{"method":"a","arguments":[1],"links":[{"from":[0],"to":["1"]}]}"#,
    ),
    (
        "link/from-place",
        &[],
        br#"{"method":"a","arguments":[1],"links":[{"from":[1],"to":[0]}]}"#,
        br#"{"method":"a","arguments":[1],"links":[{"from":[0],"to":[1]}]}"#,
    ),
    (
        "link/to-place",
        &[],
        br#"{"method":"a","arguments":[1],"links":[{"from":[],"to":[0,"x"]}]}"#,
        br#"{"method":"a","arguments":[{}],"links":[{"from":[],"to":[0,"x"]}]}"#,
    ),
    (
        "link/circular-marked",
        &[(
            A,
            r#"{"method":"a","arguments":[{"self":0}],"callbacks":{"7":[1]},"links":[{"from":[0],"to":[0,"self"]}]}"#,
        )],
        br#"{"method":7,"arguments":[{"self":"[Circular]"}],"links":[]}"#,
        br#"{"method":7,"arguments":[{"self":"[Circular]"}],"links":[{"from":[0],"to":[0,"self"]}]}"#,
    ),
    (
        "cull/integral",
        &[METHODS_A],
        br#"{"method":"cull","arguments":["0"]}"#,
        br#"{"method":"cull","arguments":[0.0]}"#,
    ),
    (
        "cull/declared",
        &[METHODS_A],
        br#"{"method":"cull","arguments":[1]}"#,
        br#"{"method":"cull","arguments":[0]}"#,
    ),
];

fn clauses(problems: &[Problem]) -> Vec<&'static str> {
    problems.iter().map(|problem| problem.clause).collect()
}

fn after(before: &[(End, &str)]) -> Monitor {
    let mut monitor = Monitor::new();
    for (from, line) in before {
        let judgement = monitor.line(*from, line.as_bytes());
        assert_eq!(judgement.problems, [], "{line}");
    }
    monitor
}

/// The clauses that each line breaks, in words: `A {...}: clause, clause`.
fn judged(lines: &[(End, &str)]) -> String {
    let mut monitor = Monitor::new();
    let mut out = String::new();
    for (from, line) in lines {
        let problems = monitor.line(*from, line.as_bytes()).problems;
        let found = if problems.is_empty() { "ok".to_owned() } else { clauses(&problems).join(", ") };
        out += &format!("{from:?} {line}: {found}\n");
    }
    out
}

#[test]
fn each_clause_has_a_line_that_breaks_it() {
    let mut shown: HashSet<&str> = HashSet::from(["framing/newline"]);
    for (clause, before, breaks, legal) in EXAMPLES {
        let (breaks_text, legal_text) = (breaks.escape_ascii(), legal.escape_ascii());
        assert_eq!(clauses(&after(before).line(B, breaks).problems), [*clause], "{breaks_text}");
        assert_eq!(after(before).line(B, legal).problems, [], "{legal_text}");
        // If there are no lines before, the same holds for the other end.
        if before.is_empty() {
            assert_eq!(clauses(&after(before).line(A, breaks).problems), [*clause], "{breaks_text}");
        }
        shown.insert(clause);
    }
    let here = |clause: &&Clause| clause.judge == Judge::Monitor && clause.is_of(Dialect::default());
    for clause in CLAUSES.iter().filter(here) {
        assert!(shown.contains(clause.id), "{} has no example", clause.id);
    }
    let of_the_monitor =
        |id: &&str| crate::clause::find(id).is_some_and(|clause| clause.judge == Judge::Monitor);
    assert!(shown.iter().all(of_the_monitor), "the table gives a clause to another judge");
}

#[test]
fn last_line_ends_with_a_newline() {
    let mut monitor = Monitor::new();
    assert_eq!(monitor.end(End::A, b""), []);
    let problems = monitor.end(End::A, br#"{"method":0}"#);
    assert_eq!(clauses(&problems), ["framing/newline"]);
    // A receiver that reads the rest as a message may have found an id in it.
    assert_eq!(monitor.line(B, br#"{"method":9}"#).problems, []);
    assert_eq!(clauses(&monitor.line(A, br#"{"method":9}"#).problems), ["callback/declared"]);
    insta::assert_snapshot!(problems[0].actual, @"the end of the stream after 12 bytes without one");
}

#[test]
fn a_line_that_is_too_long_is_blamed_only_if_it_cannot_be_a_message() {
    let problem = |first| Monitor::too_long(TooLong { limit: 10, first });
    assert_eq!((problem(None), problem(Some(b'{'))), (None, None));
    assert_eq!(problem(Some(b'[')).unwrap().clause, "message/object");
    let no_json = problem(Some(b'x')).unwrap();
    assert_eq!(no_json.clause, "framing/json");
    insta::assert_snapshot!(no_json.actual, @"a line of more than 10 bytes that begins with x");
}

#[test]
fn problem_has_place_and_values() {
    let (graph_of_a, cull) = (METHODS_A, r#"{"method":"cull","arguments":[0,7]}"#);
    let mut monitor = after(&[graph_of_a]);
    let mut lines = Vec::new();
    for line in [cull, r#"{"method":0}"#, r#"{"method":8}"#, "x"] {
        lines.extend(monitor.line(B, line.as_bytes()).problems.into_iter().map(|problem| {
            let Problem { clause, at, expected, actual, refused } = problem;
            let weight = if refused { "refused" } else { "tolerated" };
            format!("{weight} {clause} at `{at}`: expected {expected}, got {actual}")
        }));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    tolerated cull/declared at `arguments[1]`: expected the id of a function of the other end, got 7, which the other end has not declared
    refused callback/not-culled at `method`: expected the id of a function of the other end, got a call of 0, which this end has culled
    refused callback/declared at `method`: expected the id of a function of the other end, got a call of 8, which the other end has not declared
    refused framing/json at ``: expected one JSON text in UTF-8, got at byte 0: expected a value, found "x"
    "#);
}

#[test]
fn method_of_a_replaced_object_may_cross_the_new_one() {
    let replaced = r#"{"method":"methods","arguments":[{"g":0}],"callbacks":{"1":[0,"g"]}}"#;
    let called = [DIGIT_A, (A, replaced), (B, r#"{"method":"0"}"#)];
    assert!(judged(&called).lines().all(|line| line.ends_with(": ok")), "{}", judged(&called));
}

const CULL_0: &str = r#"{"method":"cull","arguments":[0]}"#;
const DECLARE_0: &str = r#"{"method":"m","arguments":[0],"callbacks":{"0":[0]}}"#;
const CALL_0: &str = r#"{"method":0}"#;

#[test]
fn call_after_own_cull_is_a_violation() {
    let called = [METHODS_A, (B, CALL_0), (B, CULL_0), (B, CULL_0), (B, CALL_0), (B, CALL_0)];
    insta::assert_snapshot!(judged(&called), @r#"
    A {"method":"methods","arguments":[{"f":0}],"callbacks":{"0":[0,"f"]}}: ok
    B {"method":0}: ok
    B {"method":"cull","arguments":[0]}: ok
    B {"method":"cull","arguments":[0]}: ok
    B {"method":0}: callback/not-culled
    B {"method":0}: callback/not-culled
    "#);
    let declared = [METHODS_A, (B, CULL_0), (A, DECLARE_0), (B, CALL_0), (B, CULL_0), (B, CALL_0)];
    insta::assert_snapshot!(judged(&declared), @r#"
    A {"method":"methods","arguments":[{"f":0}],"callbacks":{"0":[0,"f"]}}: ok
    B {"method":"cull","arguments":[0]}: ok
    A {"method":"m","arguments":[0],"callbacks":{"0":[0]}}: ok
    B {"method":0}: ok
    B {"method":"cull","arguments":[0]}: ok
    B {"method":0}: callback/not-culled
    "#);
}

#[test]
fn declaration_that_may_cross_the_cull_lifts_it() {
    // A declares 0 again. B may not have seen that when it culls 0. Then the declaration reaches B,
    // and B may call.
    let crossed = [METHODS_A, (A, DECLARE_0), (B, CULL_0), (B, CALL_0), (B, CALL_0)];
    insta::assert_snapshot!(judged(&crossed), @r#"
    A {"method":"methods","arguments":[{"f":0}],"callbacks":{"0":[0,"f"]}}: ok
    A {"method":"m","arguments":[0],"callbacks":{"0":[0]}}: ok
    B {"method":"cull","arguments":[0]}: ok
    B {"method":0}: ok
    B {"method":0}: ok
    "#);
    // Here B has answered the second declaration before its cull, so it has seen it.
    let again = r#"{"method":"m","arguments":[0,0],"callbacks":{"0":[0],"1":[1]}}"#;
    let answered = [METHODS_A, (A, again), (B, r#"{"method":1}"#), (B, CULL_0), (B, CALL_0)];
    insta::assert_snapshot!(judged(&answered), @r#"
    A {"method":"methods","arguments":[{"f":0}],"callbacks":{"0":[0,"f"]}}: ok
    A {"method":"m","arguments":[0,0],"callbacks":{"0":[0],"1":[1]}}: ok
    B {"method":1}: ok
    B {"method":"cull","arguments":[0]}: ok
    B {"method":0}: callback/not-culled
    "#);
}

#[test]
fn culled_number_of_both_ends_is_not_judged() {
    let both = [
        METHODS_A,
        (B, DECLARE_0),
        (B, CULL_0),
        (B, CALL_0),
        (A, CALL_0),
        (A, CULL_0),
        (B, CULL_0),
        (A, CALL_0),
    ];
    assert!(judged(&both).lines().all(|line| line.ends_with(": ok")), "{}", judged(&both));
    let later =
        [METHODS_A, (B, DECLARE_0), (A, CULL_0), (B, DECLARE_0), (A, DECLARE_0), (B, CULL_0), (B, CALL_0)];
    assert!(judged(&later).lines().all(|line| line.ends_with(": ok")), "{}", judged(&later));
}

#[test]
fn cull_by_the_owner_changes_nothing() {
    // As in dnode-protocol 0.1. The call of B may have crossed the cull of A.
    let owner = [METHODS_A, (A, CULL_0), (B, CALL_0), (A, DECLARE_0), (B, CALL_0), (B, CULL_0)];
    insta::assert_snapshot!(judged(&owner), @r#"
    A {"method":"methods","arguments":[{"f":0}],"callbacks":{"0":[0,"f"]}}: ok
    A {"method":"cull","arguments":[0]}: cull/declared
    B {"method":0}: ok
    A {"method":"m","arguments":[0],"callbacks":{"0":[0]}}: ok
    B {"method":0}: ok
    B {"method":"cull","arguments":[0]}: ok
    "#);
}

#[test]
fn state_of_an_id_follows_the_table() {
    let mut monitor = Monitor::new();
    let mut states = Vec::new();
    let two = r#"{"method":"m","callbacks":{"0":[0],"1":[1]}}"#;
    for (from, line) in [
        (A, two),
        (B, CULL_0),
        (A, r#"{"method":"m","callbacks":{"2":[0]}}"#),
        (B, r#"{"method":2}"#),
        (A, DECLARE_0),
    ] {
        assert_eq!(monitor.line(from, line.as_bytes()).problems, []);
        states.push(monitor.state(A, Id(0)));
    }
    // The owner has seen the cull if it calls an id from a line after the cull.
    assert_eq!(states, [State::Live, State::Culling, State::Culling, State::Culling, State::Live]);
    let mut monitor = after(&[
        (A, two),
        (B, CULL_0),
        (B, r#"{"method":"m","callbacks":{"5":[0]}}"#),
        (A, r#"{"method":5}"#),
    ]);
    assert_eq!(monitor.state(A, Id(0)), State::Gone);
    assert_eq!((monitor.state(B, Id(0)), monitor.state(A, Id(9))), (State::Unknown, State::Unknown));
    // An id in the line of the cull itself was not sent after the cull.
    let at_once = r#"{"method":"cull","arguments":[0],"callbacks":{"5":[1]}}"#;
    assert_eq!(after(&[(A, two), (B, at_once), (A, r#"{"method":5}"#)]).state(A, Id(0)), State::Culling);
    assert_eq!(clauses(&monitor.line(B, CALL_0.as_bytes()).problems), ["callback/not-culled"]);
}

#[test]
fn unsound_line_makes_ids_unknown() {
    let unknown = [
        (A, r#"{"method":9}"#),
        (A, r#"{"method":"cull","arguments":[9]}"#),
        (B, r#"{"method":"cull","arguments":[8]}"#),
    ];
    for opaque in [
        "x",
        "[]",
        r#"{"callbacks":{"9":[0]}}"#,
        r#"{"method":"m","callbacks":{"9":[0]},"callbacks":{}}"#,
        r#"{"method":"m","callbacks":{"09":[0]}}"#,
    ] {
        let mut monitor = Monitor::new();
        monitor.line(B, opaque.as_bytes());
        for (from, line) in unknown {
            assert_eq!(monitor.line(from, line.as_bytes()).problems, [], "{line} after {opaque}");
        }
        // Ids of the other end are judged as before.
        assert_eq!(clauses(&monitor.line(B, br#"{"method":9}"#).problems), ["callback/declared"]);
    }
    // A message with a tolerated problem leaves no id unknown.
    let mut monitor = Monitor::new();
    monitor.line(B, br#"{"method":"m","callbacks":[["0"]]}"#);
    assert_eq!(monitor.line(A, CALL_0.as_bytes()).problems, []);
    assert_eq!(clauses(&monitor.line(A, br#"{"method":9}"#).problems), ["callback/declared"]);
}

#[test]
fn refused_message_culls_nothing() {
    let refused = r#"{"method":"cull","arguments":[null,0],"callbacks":{"5":[0,"x"]}}"#;
    let mut monitor = after(&[(A, DECLARE_0), (B, r#"{"method":"m"}"#)]);
    assert_eq!(
        clauses(&monitor.line(B, refused.as_bytes()).problems),
        ["cull/integral", "callback/path-place"]
    );
    assert_eq!(monitor.state(A, Id(0)), State::Live);
    assert_eq!(monitor.line(B, CALL_0.as_bytes()).problems, []);
}

#[test]
fn function_and_circular_may_be_ordinary_strings() {
    let asks =
        r#"{"method":"a","arguments":[{"x":0},1],"callbacks":{"7":[1]},"links":[{"from":[0],"to":[0,"x"]}]}"#;
    let said = r#"{"method":"a","arguments":[{"x":"[Circular]"},1],"callbacks":{"7":[1]},"links":[{"from":[0],"to":[0,"x"]}]}"#;
    let echo = r#"{"method":7,"arguments":[{"x":"[Circular]"}]}"#;
    let own = r#"{"method":7,"arguments":["[Circular]",{"y":"[Function]"}]}"#;
    let object = r#"{"method":"methods","arguments":[{"note":"[Function]","remark":"[Circular]"}]}"#;
    for legal in [&[said, echo][..], &[asks, own], &[asks, object], &[object, object]] {
        let mut monitor = Monitor::new();
        let (last, before) = legal.split_last().unwrap();
        before.iter().for_each(|line| drop(monitor.line(A, line.as_bytes())));
        assert_eq!(monitor.line(B, last.as_bytes()).problems, [], "{legal:?}");
    }
    let mut monitor = after(&[(A, asks)]);
    assert_eq!(clauses(&monitor.line(B, echo.as_bytes()).problems), ["link/circular-marked"]);
}

#[test]
fn what_cannot_be_read_may_have_declared_a_culled_id_again() {
    let (declares, culls, calls) = (
        r#"{"method":"f","callbacks":{"100":[0]}}"#,
        r#"{"method":"cull","arguments":[100]}"#,
        r#"{"method":100}"#,
    );
    for opaque in [r#"{"method":1,"callbacks":{"100":[]}}"#, "nonsense"] {
        for before in [
            [(A, opaque), (A, declares), (B, culls)],
            [(A, declares), (A, opaque), (B, culls)],
            [(A, declares), (B, culls), (A, opaque)],
        ] {
            let mut monitor = Monitor::new();
            before.into_iter().for_each(|(from, line)| drop(monitor.line(from, line.as_bytes())));
            assert_eq!(monitor.line(B, calls.as_bytes()).problems, [], "{before:?}");
        }
    }
    assert_ne!(after(&[(A, declares), (B, culls)]).line(B, calls.as_bytes()).problems, []);
}

#[test]
fn received_message_is_returned() {
    let mut monitor = Monitor::new();
    let line = br#"{"method":3,"arguments":[1],"callbacks":{"5":[1]},"links":[{"from":[0],"to":[2]}]}"#;
    let received = monitor.line(A, line).received.unwrap();
    assert_eq!(received.method, Method::Id(Id(3)));
    assert_eq!(crate::graph::describe(&received.graph, received.root), "[1,5,1]");
    assert_eq!((received.callbacks.len(), received.culls), (1, vec![]));
    let culls = monitor.line(A, br#"{"method":"cull","arguments":[1,"2",3.0]}"#).received.unwrap().culls;
    assert_eq!(culls, [Id(1), Id(3)]);
    assert!(monitor.line(A, b"{}").received.is_none() && monitor.line(A, b"").received.is_none());
}

fn assert_accepted(monitor: &mut Monitor, from: usize, line: &[u8]) -> Result<(), TestCaseError> {
    let from = if from == 0 { A } else { B };
    for problem in monitor.line(from, line).problems {
        let level = crate::clause::find(problem.clause).unwrap().level;
        prop_assert_eq!(level, Level::Observed, "{:?} in {}", problem, line.escape_ascii());
    }
    Ok(())
}

proptest! {
    #[test]
    fn two_sessions_break_no_clause(operations in operations(), first in prop::sample::select(vec![0, 1, 1000])) {
        let mut model = Model::new([0, first]);
        let mut monitor = Monitor::new();
        for operation in &operations {
            if let Some((from, line)) = model.run(operation) {
                assert_accepted(&mut monitor, from, &line)?;
            }
        }
        for (from, line) in model.settle() {
            assert_accepted(&mut monitor, from, &line)?;
        }
    }

    #[test]
    fn any_line_is_safe(
        lines in prop::collection::vec((any::<bool>(), prop_oneof![
            "[\\[\\]{}\":,0-9a-z]{0,30}",
            r#"\{"method":("cull"|"methods"|[0-3]),"arguments":\[[0-3]?\],"callbacks":\{("[0-3]":\[[0-3]\])?\}\}"#,
        ]), 0..12),
    ) {
        let mut monitor = Monitor::new();
        for (a, line) in lines {
            let problems = monitor.line(if a { A } else { B }, line.as_bytes()).problems;
            prop_assert!(problems.iter().all(|problem| crate::clause::find(problem.clause).is_some()));
        }
    }
}

#[test]
fn end_of_dialect_0_1_culls_its_own_ids() {
    let judged = |lines: &[(End, &str)]| {
        let mut monitor = Monitor::of(Dialect::V0_1);
        let problems = lines.iter().flat_map(|(from, line)| monitor.line(*from, line.as_bytes()).problems);
        problems.map(|problem| format!("{}: {}", problem.clause, problem.actual)).collect::<Vec<_>>()
    };
    // The call of the holder may have crossed, a second cull changes nothing, and the owner may
    // declare the id again.
    let owner = [METHODS_A, (A, CULL_0), (B, CALL_0), (A, CULL_0), (A, DECLARE_0), (B, CALL_0)];
    assert_eq!(judged(&owner), [""; 0]);
    let foreign = "owner-cull/own: 0, which this end has not declared";
    assert_eq!(judged(&[METHODS_A, (B, CULL_0)]), [foreign]);
    // If both ends own the number, the sender culls its own: the id of the other end stays live.
    assert_eq!(judged(&[METHODS_A, (B, DECLARE_0), (B, CULL_0), (B, CALL_0)]), [""; 0]);
    assert_eq!(
        judged(&[(B, "no JSON"), (B, CULL_0)])[1..],
        [""; 0],
        "the malformed line may have declared it"
    );
}
