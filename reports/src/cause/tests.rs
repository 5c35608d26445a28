use super::*;
use crate::event::{Act, Death, Divergence, Kind, Status};
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
        dead("robust/c", &at(7, "x is undefined")),
        dead("robust/d", &at(7, "too late")),
    ];
    let expected = [
        (
            "The process ends with TypeError: x is null, at handle (lib/peer.js:7:9)",
            vec!["robust/a", "robust/c"],
        ),
        ("The process ends with TypeError: x is null, at handle (lib/peer.js:8:9)", vec!["robust/b"]),
        ("The process ends with TypeError: too late, at handle (lib/peer.js:7:9)", vec!["robust/d"]),
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
fn a_line_that_came_instead_of_the_answer_is_neither_the_answer_nor_older_than_the_call() {
    let mut outcome = sample::failing("a/case");
    let call = "{\"method\":0,\"callbacks\":{\"7\":[\"0\"]}}";
    let mut of = |kind, step: &str, answer: &str| {
        let divergence = outcome.divergence.as_mut().unwrap();
        divergence.kind = kind;
        step.clone_into(&mut divergence.step);
        let call = sample::at("step 2", sample::sent(&format!("{call}\n")));
        outcome.evidence.wire = vec![sample::came("before\n"), call];
        outcome.evidence.wire.extend((!answer.is_empty()).then(|| sample::came(format!("{answer}\n"))));
        instead(&outcome).map(|(line, missing)| (String::from_utf8_lossy(line).into_owned(), missing))
    };
    let other = "{\"method\":1007}";
    assert_eq!(of(Kind::Deaf, "step 2", other), Some((other.to_owned(), 0)));
    assert_eq!(of(Kind::Deaf, "step 2", "no JSON"), Some(("no JSON".to_owned(), 0)));
    assert_eq!(of(Kind::Deaf, "step 2", "{\"method\":7}"), None, "the answer");
    assert_eq!(of(Kind::Deaf, "step 2", ""), None, "nothing came after the call");
    assert_eq!(of(Kind::Deaf, "step 3", other), None, "the call is older");
    assert_eq!(of(Kind::Absent, "step 2", other), None, "its report has what came");
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

/// A process that ends with an error in a method, which the peer calls in line `caller`.
fn raised(id: &str, clause: &str, line: u32, caller: u32) -> Outcome {
    let frames = format!("    at method (/srv/probe.js:{line}:9)\n    at apply (/srv/peer.js:{caller}:5)\n");
    let mut outcome = dead(id, &format!("Error: x{line}\n{frames}"));
    if let Some(divergence) = &mut outcome.divergence {
        divergence.clause = clause.to_owned();
    }
    outcome
}

#[test]
fn errors_that_a_case_provokes_are_one_cause_wherever_they_are_raised() {
    let provoked = |id: &str, line: u32| raised(id, "robust/throws", line, 40 + line);
    let found = causes(&[provoked("robust/a", 1), provoked("robust/b", 2)]);
    assert_eq!(found.len(), 1);
    let expected =
        "The process ends with Error: x1, raised in a method that is called at apply (srv/peer.js:41:5)";
    assert_eq!(found[0].0, expected);
}

#[test]
fn an_error_below_the_caller_of_a_provoked_one_has_its_cause_in_any_order() {
    let mut strict = raised("value/a", "value/keys", 3, 41);
    strict.level = Level::Must;
    let cases = [
        strict,
        raised("robust/b", "robust/survives", 5, 42),
        raised("robust/throws", "robust/throws", 1, 41),
        raised("robust/d", "robust/survives", 4, 41),
    ];
    for start in 0..cases.len() {
        let rotated: Vec<Outcome> = cases[start..].iter().chain(&cases[..start]).cloned().collect();
        let found = Cause::of(&rotated, Level::Robust);
        let ids = |cause: &Cause| cause.findings.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        let order = rotated.iter().map(|it| it.id.clone()).filter(|id| id != "robust/b").collect::<Vec<_>>();
        assert_eq!(found.iter().map(ids).collect::<Vec<_>>(), [order, vec!["robust/b".to_owned()]]);
        // The provoked error is shown, and the strictest level counts.
        assert_eq!((found[0].shown.id.as_str(), found[0].level()), ("robust/throws", Level::Must));
    }
}

#[test]
fn an_error_of_the_call_itself_is_not_raised_in_a_method() {
    let python = |id: &str, error: &str, frames: &[(&str, u32)]| {
        let frames: String = frames
            .iter()
            .map(|(name, line)| format!("  File \"/srv/peer.py\", line {line}, in {name}\n"))
            .collect();
        dead(id, &format!("Traceback (most recent call last):\n{frames}{error}\n"))
    };
    let provoked = |mut outcome: Outcome| {
        outcome.divergence.as_mut().unwrap().clause = "robust/throws".to_owned();
        outcome
    };
    let parse = python("robust/parse", "ValueError: bad text", &[("feed", 9), ("handle", 20)]);
    let missing = "TypeError: add() missing 1 required positional argument: 'cb'";
    let missing = provoked(python("robust/missing", missing, &[("feed", 9), ("handle", 30)]));
    let unfit = provoked(python("robust/unfit", "TypeError: no such call", &[("feed", 9), ("handle", 30)]));
    let throws = provoked(python("robust/throws", "Error: x", &[("feed", 9), ("handle", 30), ("throw", 1)]));
    let ids = |cases: &[Outcome]| causes(cases).into_iter().map(|(_, ids)| ids.join(" ")).collect::<Vec<_>>();
    assert_eq!(ids(&[missing.clone(), parse.clone()]), ["robust/missing", "robust/parse"]);
    assert_eq!(ids(&[unfit, parse, throws]), ["robust/unfit robust/throws", "robust/parse"]);
    assert!(causes(&[missing])[0].0.ends_with(", at handle (srv/peer.py:30)"));
}

#[test]
fn a_lack_of_stack_or_of_a_connection_is_no_error_of_a_method() {
    let below = |id: &str, error: &str| {
        dead(id, &format!("{error}\n    at method (/srv/probe.js:3:9)\n    at apply (/srv/peer.js:41:5)\n"))
    };
    let cases = [
        raised("robust/throws", "robust/throws", 1, 41),
        below("robust/deep", "RangeError: Maximum call stack size exceeded"),
        below("robust/reset", "Error: write EPIPE"),
        dead("robust/reset-at-once", "Error: read ECONNRESET\n    at TCP.onStreamRead (node:net:1:1)\n"),
    ];
    let ids: Vec<_> = causes(&cases).into_iter().map(|(_, ids)| ids.join(" ")).collect();
    assert_eq!(ids, ["robust/reset robust/reset-at-once", "robust/deep", "robust/throws"]);
}

#[test]
fn a_crash_of_a_case_about_sizes_has_the_hint_about_sizes() {
    let crash = |clauses: &[&str], error: &str| {
        let mut outcome = dead("robust/a", &format!("{error}\n    at f (/srv/peer.js:1:1)\n"));
        outcome.clauses = clauses.iter().map(|id| (*id).to_owned()).collect();
        outcome.divergence.as_mut().unwrap().clause = "robust/survives".to_owned();
        hint(&outcome)
    };
    let of_clause = |id: &str| clause::find(id).unwrap().hint;
    let [bounded, survives] = ["robust/bounded", "robust/survives"];
    assert_eq!(crash(&[bounded, survives], "RangeError: Invalid array length"), of_clause(bounded));
    assert_eq!(crash(&[survives], "RangeError: Invalid array length"), of_clause(survives));
    assert_eq!(crash(&[survives], "MemoryError: no more"), of_clause(bounded));
    let connection = crash(&[survives], "Error: read ECONNRESET");
    assert!(connection.starts_with("Handle the errors of each socket"), "{connection}");
}

#[test]
fn a_program_that_ends_without_an_error_has_a_hint_of_its_own() {
    let of = |status, stderr| {
        let mut outcome = dead("robust/a", stderr);
        outcome.divergence.as_mut().unwrap().clause = "robust/survives".to_owned();
        outcome.evidence.death.as_mut().unwrap().status = status;
        hint(&outcome)
    };
    assert!(of(Status::Exit(0), "").starts_with("The program ended without an error."));
    let catch = clause::find("robust/survives").unwrap().hint;
    assert_eq!(of(Status::Exit(1), ""), catch);
    assert_eq!(of(Status::Exit(0), "Error: x\n    at f (/srv/peer.js:1:1)\n"), catch);
}

#[test]
fn a_connection_that_ends_after_a_call_says_nothing_about_ids() {
    let of = |clause: &str, kind| hint(&broken_by("methods/by-id", clause, Level::Must, kind, ""));
    assert!(of("methods/by-id", Kind::Closed).starts_with("Do not close the connection"));
    for (clause, kind) in [("methods/by-id", Kind::Absent), ("methods/by-name", Kind::Closed)] {
        assert_eq!(of(clause, kind), clause::find(clause).unwrap().hint);
    }
}

#[test]
fn a_probe_with_several_mistakes_is_one_cause_that_names_them() {
    let of = |id: &str, kind, path: &str| broken_by(id, "probe/complete", Level::Should, kind, path);
    let mut complete = of("probe/complete", Kind::Absent, "arguments[0]");
    complete.divergence.as_mut().unwrap().actual = "no later, no nest".to_owned();
    let add = of("probe/add", Kind::Differs, "arguments[0]");
    let counter = of("probe/counter", Kind::Absent, "");
    let sentence = |cases: &[Outcome]| {
        let found = causes(cases);
        assert_eq!((found.len(), found[0].1.len()), (1, cases.len()));
        found[0].0.clone()
    };
    let text = "The program's probe does not do what PROBE.md says";
    assert_eq!(sentence(std::slice::from_ref(&complete)), format!("{text}: no later, no nest"));
    assert_eq!(sentence(std::slice::from_ref(&add)), format!("{text}: the case add fails"));
    let both = format!("{text}: no later, no nest; the cases add and counter fail");
    assert_eq!(sentence(&[add, complete.clone(), counter]), both);
    complete.divergence.as_mut().unwrap().actual = "no method, ".repeat(9) + "no last";
    let many = format!("{text}: {} and more", ["no method"; 5].join(", "));
    assert_eq!(sentence(&[complete]), many);
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
