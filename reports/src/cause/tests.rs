use super::*;
use crate::event::{Act, Death, Status};
use crate::sample;

fn causes(cases: &[Outcome]) -> Vec<(String, Vec<String>)> {
    let ids = |cause: &Cause| cause.findings.iter().map(|it| it.id.clone()).collect();
    Cause::of(cases, Level::Robust).iter().map(|cause| (cause.sentence(), ids(cause))).collect()
}

fn dead(id: &str, stderr: &str) -> Outcome {
    let mut outcome = Outcome { level: Level::Robust, ..sample::crashing(id) };
    outcome.evidence.death = Some(Death { status: Status::Exit(1), stderr: stderr.to_owned() });
    outcome
}

fn broken_by(id: &str, clause: &str, level: Level, kind: Kind, path: &str) -> Outcome {
    let mut outcome = Outcome { level, ..sample::failing(id) };
    outcome.divergence = outcome.divergence.map(|divergence| Divergence {
        clause: clause.to_owned(),
        kind,
        path: path.to_owned(),
        ..divergence
    });
    outcome
}

#[test]
fn crashes_at_one_place_are_one_cause() {
    let at = |line: u32, what: &str| {
        format!("TypeError: {what}\n    at handle (/srv/lib/peer.js:{line}:9)\n    at node:net:1:1\n")
    };
    let cases = [
        dead("robust/a", &at(7, "x is null")),
        dead("robust/b", &at(8, "x is null")),
        dead("robust/c", &at(7, "y is undefined")),
    ];
    let expected = [
        (
            "The process ends with TypeError: x is null, at handle (lib/peer.js:7:9)",
            vec!["robust/a", "robust/c"],
        ),
        ("The process ends with TypeError: x is null, at handle (lib/peer.js:8:9)", vec!["robust/b"]),
    ];
    let expected =
        expected.map(|(text, ids)| (text.to_owned(), ids.into_iter().map(str::to_owned).collect()));
    assert_eq!(causes(&cases), expected);
}

#[test]
fn a_process_that_says_nothing_has_a_cause_by_its_clause() {
    let cases = [dead("robust/a", ""), dead("robust/b", "\n"), dead("robust/c", "going down\n")];
    let found = causes(&cases);
    let ids: Vec<_> = found.iter().map(|(_, ids)| ids.join(" ")).collect();
    assert_eq!(ids, ["robust/a robust/b", "robust/c"]);
    assert_eq!(found[0].0, "The process ended with exit status 1");
}

#[test]
fn what_is_wrong_of_a_clause_is_one_cause_and_silence_is_another() {
    let order = "message/argument-order";
    let case = |id: &str, kind, path: &str| broken_by(id, order, Level::Must, kind, path);
    let cases = [
        case("message/a", Kind::Differs, "arguments[0]"),
        case("message/b", Kind::Absent, "arguments[1]"),
        case("message/c", Kind::Absent, ""),
        case("message/d", Kind::Closed, ""),
        case("message/e", Kind::Unexpected, ""),
    ];
    let ids: Vec<_> = causes(&cases).into_iter().map(|(_, ids)| ids.join(" ")).collect();
    assert_eq!(ids, ["message/a message/b message/e", "message/c", "message/d"]);
}

#[test]
fn causes_are_in_the_order_in_which_to_fix_them() {
    let of = |id: &str, clause: &str, level| broken_by(id, clause, level, Kind::Differs, "arguments[0]");
    let cases = [
        of("value/one", "value/keys", Level::Must),
        of("message/one", "message/argument-order", Level::Must),
        of("message/two", "message/argument-order", Level::Must),
        of("methods/one", "methods/again", Level::Observed),
        of("cull/one", "cull/deletes", Level::Should),
        of("framing/one", "framing/split-character", Level::Must),
    ];
    let causes = Cause::of(&cases, Level::Robust);
    let order: Vec<_> = causes.iter().map(|cause| (cause.number, cause.clause(), cause.gates)).collect();
    let expected = [
        (1, "framing/split-character", true),
        (2, "message/argument-order", true),
        (3, "value/keys", true),
        (4, "cull/deletes", true),
        (5, "methods/again", false),
    ];
    assert_eq!(order, expected);
}

#[test]
fn known_failures_have_no_cause_and_resting_cases_are_counted() {
    let excused = Outcome { excuse: Some("known".to_owned()), ..sample::failing("a/known") };
    let resting = Outcome {
        rests_on: Some("message/argument-order".to_owned()),
        ..sample::because("a/resting", Verdict::Inconclusive, "message/argument-order failed")
    };
    let cases = [excused, resting, sample::failing("a/case")];
    let causes = Cause::of(&cases, Level::Robust);
    assert_eq!(causes.len(), 1);
    assert_eq!((causes[0].findings.len(), causes[0].resting), (1, 1));
}

#[test]
fn the_shortest_session_stands_for_a_cause() {
    let mut longer = sample::failing("a/longer");
    longer.evidence.transcript.push_str("{}\n");
    let cases = [longer, sample::failing("b/shorter")];
    let causes = Cause::of(&cases, Level::Robust);
    assert_eq!(causes[0].shown.id, "b/shorter");
    assert_eq!(causes[0].cases(80), "b/shorter, a/longer");
}

#[test]
fn cases_of_a_group_share_its_name_and_a_narrow_line_counts_the_rest() {
    let ids = ["robust/one", "robust/two", "value/three"];
    let cases: Vec<Outcome> = ids.iter().map(|id| sample::failing(id)).collect();
    let causes = Cause::of(&cases, Level::Robust);
    assert_eq!(causes[0].cases(80), "robust/one, two, value/three");
    assert_eq!(causes[0].cases(28), "robust/one, two and 1 more");
    assert_eq!(causes[0].cases(1), "robust/one and 2 more");
}

#[test]
fn the_line_of_a_silent_peer_is_the_first_without_an_answer() {
    let mut outcome = sample::crashing("a/case");
    outcome.evidence.wire =
        vec![sample::sent("1\n"), sample::came("2\n"), sample::sent("bad\n"), sample::sent("later\n")];
    outcome.evidence.wire.push(sample::peer_does(Act::Closes));
    assert_eq!(sent(&outcome), (vec![&b"bad"[..]], 0));
}

#[test]
fn the_line_of_an_unexpected_call_is_the_one_that_declares_the_function() {
    let mut outcome = sample::failing("a/case");
    outcome.evidence.called = Some(7);
    let declares = "{\"method\":1,\"callbacks\":{\"7\":[0]}}";
    outcome.evidence.wire = vec![
        sample::sent("1\n"),
        sample::sent(&format!("{declares}\n")),
        sample::sent("known\n"),
        sample::came("never\n"),
        sample::sent("barrier\n"),
        sample::came("barrier\n"),
    ];
    assert_eq!(sent(&outcome), (vec![declares.as_bytes()], 0));
}

#[test]
fn errors_that_a_case_provokes_are_one_cause_wherever_they_are_raised() {
    let provoked = |id: &str, line: u32| {
        let mut outcome = dead(id, &format!("Error: x\n    at method (/srv/probe.js:{line}:9)\n"));
        if let Some(divergence) = &mut outcome.divergence {
            divergence.clause = "robust/throws".to_owned();
        }
        outcome
    };
    let found = causes(&[provoked("robust/a", 1), provoked("robust/b", 2)]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "The process ends with Error: x, at method (srv/probe.js:1:9)");
}

#[test]
fn the_line_of_a_wrong_answer_is_the_one_before_it_with_all_its_pieces() {
    let mut outcome = sample::failing("a/case");
    outcome.evidence.wire = vec![
        sample::sent("one\n"),
        sample::sent("ha"),
        sample::came("x\n"),
        sample::sent("lf\n"),
        sample::came("y\n"),
    ];
    assert_eq!(sent(&outcome), (vec![&b"ha"[..], b"lf"], 0));
    outcome.evidence.wire.clear();
    assert_eq!(sent(&outcome), (vec![], 0));
}
