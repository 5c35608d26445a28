//! Turns a replay, and the health of the peer after it, into the outcome of a case.

use super::command::Command;
use crate::cases::{Case, LIFE, LIFE_ABOUT, LIFE_CLAUSE, PROBE_COMPLETE, Selection, level};
use crate::conversation::facts::{Facts, Unusable};
use crate::conversation::replay::AFTER_LAST;
use crate::conversation::replay::judged::{Cause, Diverged, Judged, Replayed};
use crate::peer::Health;
use dnode_reports::event::{Cycles, Death, Divergence, Evidence, Kind, Outcome, Verdict};
use dnode_reports::fingerprint::fingerprint;
use dnode_spec::generate::Seed;
use dnode_spec::probe::{OPTIONAL, PLAIN, REQUIRED, optional_in};
use std::time::Duration;

/// The reason of a case whose peer got nearly no time.
const OVERLOAD: &str = "the machine was too busy: in a long time, the peer got less than its deadline";

/// The outcome of a case that was not run.
pub(crate) fn without_run(case: &Case, verdict: Verdict, reason: Option<String>) -> Outcome {
    Outcome {
        id: case.id().to_owned(),
        about: case.transcript.header.about.clone(),
        level: case.level(),
        clauses: case.transcript.header.clauses.clone(),
        verdict,
        reason,
        rests_on: None,
        divergence: None,
        excuse: None,
        evidence: Evidence::default(),
    }
}

/// The outcome of a generated session that was not even made.
pub(crate) fn never_made(seed: Seed, verdict: Verdict, reason: &str) -> Outcome {
    let about = "A session generated from the model.".to_owned();
    let reason = Some(reason.to_owned());
    Outcome { verdict, reason, ..over_the_run(seed.to_string(), "callback/own-function", about) }
}

/// The outcome of a case without a transcript: a pass, until a finding changes it.
pub(crate) fn over_the_run(id: String, clause: &str, about: String) -> Outcome {
    Outcome {
        id,
        about,
        level: level(clause),
        clauses: vec![clause.to_owned()],
        verdict: Verdict::Pass,
        reason: None,
        rests_on: None,
        divergence: None,
        excuse: None,
        evidence: Evidence::default(),
    }
}

/// The outcome of a case that was run.
pub(crate) fn outcome(case: &Case, replayed: Replayed, health: Health, command: &Command) -> Outcome {
    likened(case, replayed, health, command).0
}

/// The outcome of a case that was run, and the likeness of its divergence: a fingerprint that does
/// not depend on the case and the step, so that shorter sessions with the same divergence have the
/// same likeness.
pub(crate) fn likened(
    case: &Case,
    replayed: Replayed,
    health: Health,
    command: &Command,
) -> (Outcome, Option<String>) {
    let rests_on_health = replayed.is_suspect() || replayed.judged == Judged::Pass;
    let overloaded = replayed.is_overloaded() || rests_on_health && matches!(health, Health::Unknown);
    let unkept = replayed.is_unkept();
    let Replayed { judged, log, names, activity, stderr, took, .. } = replayed;
    let activity = match &health {
        Health::Serves | Health::Unknown => activity,
        Health::Deaf(during) => activity.or(*during),
        Health::Died(_) | Health::Refuses => None,
    };
    let (verdict, reason, mut diverged, death) = match (overloaded, health) {
        (true, Health::Serves | Health::Deaf(_) | Health::Unknown) => {
            (Verdict::Inconclusive, Some(OVERLOAD.to_owned()), None, None)
        }
        (_, Health::Serves | Health::Unknown) if unkept => {
            (Verdict::Inconclusive, Some(Unusable::LongLine.to_string()), None, None)
        }
        (_, health) => judge(judged, health),
    };
    // A peer that crashes on the last step is seen to crash in that step or after it. The timing
    // must not matter.
    if let Some(diverged) = diverged.as_mut().filter(|it| it.kind == Kind::Died && it.step == AFTER_LAST)
        && let Some(last) = case.transcript.steps.last()
    {
        diverged.step.clone_from(&last.label);
    }
    let likeness = diverged.as_ref().map(|it| fingerprint("", &it.clause, "", it.kind, "", &it.class));
    let called = diverged.as_ref().and_then(|diverged| diverged.called);
    let cycles = diverged.as_mut().map(|diverged| std::mem::take(&mut diverged.cycles));
    let divergence = diverged.map(|diverged| divergence(case.id(), *diverged));
    let clause_level = divergence.as_ref().map(|divergence| level(&divergence.clause));
    let outcome = Outcome {
        level: clause_level.unwrap_or_else(|| case.level()),
        verdict,
        divergence,
        evidence: Evidence {
            wire: log.into_entries(),
            transcript: case.text.clone(),
            names,
            repeat: command.repeat(case),
            called,
            cycles: cycles.filter(|cycles| *cycles != Cycles::default()),
            stderr: stderr.filter(|_| verdict.is_finding() && death.is_none()),
            death,
            activity: activity.filter(|_| verdict.is_finding()),
            took: took.map(milliseconds),
        },
        ..without_run(case, verdict, reason)
    };
    (outcome, likeness)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

type Verdicts = (Verdict, Option<String>, Option<Box<Diverged>>, Option<Death>);

fn judge(judged: Judged, health: Health) -> Verdicts {
    match (judged, health) {
        (judged, Health::Died(death)) => {
            let actual = format!("the process ended with {}", death.status);
            let class = death.status.to_string();
            (Verdict::Crash, None, Some(end_of_peer(judged, Kind::Died, actual, class)), Some(death))
        }
        (judged, Health::Refuses) => {
            let actual = "the peer no longer accepts connections".to_owned();
            (Verdict::Crash, None, Some(end_of_peer(judged, Kind::Died, actual, "refuses".to_owned())), None)
        }
        (judged, Health::Deaf(_)) => {
            let actual = "the peer accepts connections but does not answer on them".to_owned();
            (Verdict::Hang, None, Some(end_of_peer(judged, Kind::Deaf, actual, "deaf".to_owned())), None)
        }
        (Judged::Pass, Health::Serves | Health::Unknown) => (Verdict::Pass, None, None, None),
        (Judged::NotApplicable(reason), Health::Serves | Health::Unknown) => {
            (Verdict::NotApplicable, Some(reason), None, None)
        }
        (Judged::Diverged(mut diverged), Health::Serves | Health::Unknown) => {
            // The peer serves other connections, but ignores this one.
            if diverged.kind == Kind::Deaf && diverged.clause.starts_with("robust/") {
                "robust/not-deaf".clone_into(&mut diverged.clause);
            }
            let verdict = if diverged.kind == Kind::Deaf { Verdict::Hang } else { Verdict::Fail };
            (verdict, None, Some(diverged), None)
        }
    }
}

/// The divergence of a case after which the peer no longer serves.
fn end_of_peer(judged: Judged, kind: Kind, actual: String, class: String) -> Box<Diverged> {
    let (step, clause) = match judged {
        // A crash counts as a crash, although the input tests something else.
        Judged::Diverged(diverged)
            if kind == Kind::Died
                && ["robust/bounded", "robust/arguments-only", "robust/not-deaf"]
                    .contains(&&*diverged.clause) =>
        {
            (diverged.step, LIFE_CLAUSE.to_owned())
        }
        Judged::Diverged(diverged) => (diverged.step, diverged.clause),
        _ => (AFTER_LAST.to_owned(), LIFE_CLAUSE.to_owned()),
    };
    Box::new(no_longer_serving(step, clause, kind, actual, class))
}

/// The divergence of a peer that ended, or that serves no more.
fn no_longer_serving(step: String, clause: String, kind: Kind, actual: String, class: String) -> Diverged {
    Diverged {
        cycles: Cycles::default(),
        step,
        clause,
        kind,
        path: String::new(),
        expected: "the peer goes on serving".to_owned(),
        actual,
        class,
        cause: Cause::Life,
        called: None,
    }
}

pub(crate) fn divergence(case: &str, diverged: Diverged) -> Divergence {
    let Diverged { step, clause, kind, path, expected, actual, class, .. } = diverged;
    let fingerprint = fingerprint(case, &clause, &step, kind, &path, &class);
    Divergence { step, clause, kind, path, expected, actual, fingerprint }
}

/// The outcome of the case about the probe: a program that claims the probe offers each method or
/// declares it absent.
pub(crate) fn probe_complete(facts: &Facts, selection: &Selection) -> Option<Outcome> {
    if !selection.takes(PROBE_COMPLETE) {
        return None;
    }
    let about = "The program that claims the probe offers each of its methods, or declares it absent.";
    let mut outcome = over_the_run(PROBE_COMPLETE.to_owned(), PROBE_COMPLETE, about.to_owned());
    outcome.evidence.wire.clone_from(&facts.session.wire);
    if let Some(reason @ (Unusable::OutOfTime | Unusable::Interrupted)) = facts.unusable {
        outcome.verdict = Verdict::Inconclusive;
        outcome.reason = Some(reason.to_string());
        return Some(outcome);
    }
    let members = match (facts.object.name.is_some() || facts.object.promised, &facts.object.members) {
        (true, Some(members)) => members,
        // The caller says that the program has the probe, so it should have answered.
        (true, None) if facts.object.promised && facts.calls.ping.is_none() && facts.unusable.is_none() => {
            let actual = "no message \"methods\", and no answer to a call by name";
            incomplete(&mut outcome, actual.to_owned(), "absent".to_owned());
            return Some(outcome);
        }
        (true, None) => {
            outcome.verdict = Verdict::Inconclusive;
            outcome.reason = Some("methods/sent failed".to_owned());
            outcome.rests_on = Some("methods/sent".to_owned());
            return Some(outcome);
        }
        (false, _) => {
            outcome.verdict = Verdict::NotApplicable;
            outcome.reason = Some("the peer does not expose the probe (see fixtures/PROBE.md)".to_owned());
            return Some(outcome);
        }
    };
    let offers = |method: &str| members.get(method).is_some_and(|function| *function || method == PLAIN);
    let missing: Vec<&str> = REQUIRED
        .iter()
        .chain(OPTIONAL)
        .chain(optional_in(facts.terms.dialect))
        .copied()
        .filter(|method| !offers(method) && !facts.object.absent.contains(*method))
        .collect();
    if !missing.is_empty() {
        incomplete(&mut outcome, format!("no {}", missing.join(", no ")), missing.join(","));
    }
    Some(outcome)
}

/// Makes this the outcome of a probe that lacks methods.
fn incomplete(outcome: &mut Outcome, actual: String, class: String) {
    outcome.verdict = Verdict::Fail;
    outcome.divergence = Some(divergence(
        PROBE_COMPLETE,
        Diverged {
            cycles: Cycles::default(),
            step: "the object".to_owned(),
            clause: PROBE_COMPLETE.to_owned(),
            kind: Kind::Absent,
            path: "arguments[0]".to_owned(),
            expected: "each method of the probe, or its name in the second argument of the answer to \
                       conformProbe"
                .to_owned(),
            actual,
            class,
            cause: Cause::Content,
            called: None,
        },
    ));
}

/// The harm that cases did side by side to a peer that cannot be started again.
#[derive(Debug)]
pub(crate) struct Harm {
    /// The peer no longer accepts connections. Otherwise it accepts them but does not serve them.
    pub(crate) refuses: bool,
    /// How many cases ran.
    pub(crate) cases: usize,
}

/// The outcome of the case about the peer's process between the cases. `death`: when and how it
/// ended, if no case caused it.
pub(crate) fn life(death: Option<(String, Death)>, harm: Option<Harm>) -> Outcome {
    let mut outcome = over_the_run(LIFE.to_owned(), LIFE_CLAUSE, LIFE_ABOUT.to_owned());
    let (kind, actual, class) = match (&death, harm) {
        (Some((when, Death { status, .. })), _) => {
            (Kind::Died, format!("the process ended with {status} {when}"), status.to_string())
        }
        (None, Some(Harm { refuses, cases })) => {
            let (kind, what, class) = match refuses {
                true => (Kind::Died, "no longer accepts connections", "refuses"),
                false => (Kind::Deaf, "accepts connections but does not answer on them", "deaf"),
            };
            let actual = format!("the peer {what} after {cases} cases side by side: --jobs 1 shows which");
            (kind, actual, class.to_owned())
        }
        (None, None) => return outcome,
    };
    outcome.verdict = if kind == Kind::Died { Verdict::Crash } else { Verdict::Hang };
    let step = "between the cases".to_owned();
    let diverged = no_longer_serving(step, LIFE_CLAUSE.to_owned(), kind, actual, class);
    outcome.divergence = Some(divergence(LIFE, diverged));
    outcome.evidence.death = death.map(|(_, death)| death);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::all;

    #[test]
    fn a_crash_just_after_the_last_step_counts_as_a_crash_in_that_step() {
        let case = all().unwrap().into_iter().find(|case| case.id() == "robust/reset").unwrap();
        let step = |judged: Judged| {
            let nothing = Replayed::without_connection(LIFE_CLAUSE, Kind::Refused, String::new());
            let replayed = Replayed { judged, ..nothing };
            let outcome = outcome(&case, replayed, Health::Refuses, &Command::default());
            let divergence = outcome.divergence.unwrap();
            (outcome.verdict, divergence.step, divergence.fingerprint)
        };
        let passed = step(Judged::Pass);
        assert_eq!((passed.0, passed.1.as_str()), (Verdict::Crash, "step 4"));
        let Judged::Diverged(mut unserved) =
            Replayed::without_connection("robust/survives", Kind::NotServed, String::new()).judged
        else {
            unreachable!()
        };
        unserved.step = "step 4".to_owned();
        assert_eq!(step(Judged::Diverged(unserved)), passed, "seen in the step, it is the same finding");
    }

    #[test]
    fn a_probe_that_the_caller_promises_must_be_there() {
        let verdict = |promised| {
            let mut facts = Facts::of_unusable_peer(Unusable::Ended);
            facts.object.members = Some([].into());
            facts.object.promised = promised;
            probe_complete(&facts, &Selection::new(&[]).unwrap()).map(|outcome| outcome.verdict)
        };
        assert_eq!(verdict(true), Some(Verdict::Fail));
        assert_eq!(verdict(false), Some(Verdict::NotApplicable));
    }
}
