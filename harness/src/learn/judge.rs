//! Judges a difference by the rules of judgement.

use super::Subject;
use super::error::LearnError;
use super::lane::Lane;
use super::options::LearnOptions;
use crate::cases::{Case, level};
use dnode_reports::event;
use dnode_reports::machine::{Judged, Verdict};
use dnode_spec::machine::{Act, Difference, Machine, Output, Then, Word};

/// How often a transcript is played: a finding must come back.
const PLAYS: usize = 2;

/// Plays a difference as a transcript that expects the answers of the reference peer.
pub(super) async fn judge(
    difference: &Difference,
    reference: &Machine,
    expected: &Machine,
    subject: &Subject,
    lane: &mut Lane,
    options: &LearnOptions,
) -> Result<Judged, LearnError> {
    let name = |input: &usize| expected.inputs()[*input].clone();
    let word: Vec<String> = difference.word.iter().map(name).collect();
    let inputs: Word = word.iter().filter_map(|name| subject.alphabet.input(name)).collect();
    let outputs = reference.run(&inputs).cloned().collect::<Vec<_>>();
    let id = format!("machine/{}", word.join("-"));
    let transcript = subject.alphabet.transcript(&id, &inputs[..outputs.len()], &outputs, subject.begins);
    let verdict = match Case::read(&transcript) {
        Ok(case) => verdict(&case, difference, lane, options).await?,
        Err(error) => Verdict::Unclear { reason: format!("the transcript is not valid: {error}") },
    };
    Ok(Judged {
        word,
        expected: difference.expected.clone(),
        found: difference.found.clone(),
        places: difference.places.clone(),
        follows: difference.follows,
        verdict,
        transcript,
        repeat: None,
    })
}

async fn verdict(
    case: &Case,
    difference: &Difference,
    lane: &mut Lane,
    options: &LearnOptions,
) -> Result<Verdict, LearnError> {
    let mut outcomes = Vec::new();
    for _ in 0..PLAYS {
        outcomes.push(lane.judge(case, &options.command).await?);
    }
    let failures = outcomes.iter().filter(|outcome| outcome.divergence.is_some()).count();
    let unclear = |reason: String| Ok(Verdict::Unclear { reason });
    let Some(outcome) = outcomes.into_iter().next_back() else {
        return unclear("it was not played".to_owned());
    };
    let cycles = outcome.evidence.cycles.unwrap_or_default();
    match (outcome.verdict, outcome.divergence) {
        (verdict, Some(found)) if failures == PLAYS => {
            // A crash breaks more than the clause of its input.
            let clause = match verdict {
                event::Verdict::Crash => "robust/survives".to_owned(),
                event::Verdict::Hang => "robust/not-deaf".to_owned(),
                _ => found.clause,
            };
            let level = level(&clause);
            Ok(Verdict::Breaks {
                gates: level <= options.gate
                    || matches!(verdict, event::Verdict::Crash | event::Verdict::Hang),
                clause,
                level,
                step: found.step,
                expected: cycles.expected.unwrap_or(found.expected),
                actual: cycles.actual.unwrap_or(found.actual),
            })
        }
        (event::Verdict::Pass, _) if failures == 0 && difference.found.is_harm() => unclear(format!(
            "the peer {} here, but not when the transcript was played again",
            difference.found.then
        )),
        (event::Verdict::Pass, _) if failures == 0 => {
            Ok(Verdict::Free { reason: reason(difference).to_owned() })
        }
        (event::Verdict::NotApplicable, _) if failures == 0 => {
            Ok(Verdict::Free { reason: outcome.reason.unwrap_or_default() })
        }
        (event::Verdict::Inconclusive, _) if failures == 0 => unclear(outcome.reason.unwrap_or_default()),
        _ => unclear(format!("the transcript fails in {failures} of {PLAYS} runs")),
    }
}

/// Why the protocol leaves a difference open.
fn reason(difference: &Difference) -> &'static str {
    let Difference { expected, found, .. } = difference;
    let count =
        |output: &Output, is_such: fn(&Act) -> bool| output.acts.iter().filter(|act| is_such(act)).count();
    let differ = |is_such: fn(&Act) -> bool| count(expected, is_such) != count(found, is_such);
    let more = |is_such: fn(&Act) -> bool| count(expected, is_such) < count(found, is_such);
    let may_close = |one: &Output, other: &Output| one.then == Then::Closed && other.then == Then::Open;
    if differ(|act| matches!(act, Act::Culls(_))) {
        "a peer may cull a function of the other end at any time, or never"
    } else if more(|act| matches!(act, Act::Object)) {
        "a peer may send its object again"
    } else if may_close(expected, found) || may_close(found, expected) {
        "a peer may close the connection here or go on"
    } else if expected.then == Then::Impossible || found.then == Then::Impossible {
        "the function is not there, because the peer gives or culls its functions in another way"
    } else if more(|act| {
        matches!(act, Act::CallsUnknown(_)) || matches!(act, Act::Calls { function, .. } if function != "cb")
    }) {
        "either end may call a function of the other one unasked"
    } else {
        "the rules of judgement accept this answer"
    }
}
