//! Which cases apply to a peer.

use super::resting::Root;
use crate::cases::{Case, PROBE_COMPLETE};
use crate::conversation::facts::Facts;
use crate::conversation::limits;
use crate::verdict::outcome::without_run;
use dnode_reports::event::{Outcome, Verdict};

/// Why a case says nothing about the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuledOut {
    /// The verdict that it gets.
    pub(super) verdict: Verdict,
    /// The reason, as a sentence.
    pub(super) reason: String,
    /// The clause that it rests on and that does not hold, if that is the reason.
    pub(super) rests_on: Option<String>,
}

impl RuledOut {
    fn because(verdict: Verdict, reason: String) -> RuledOut {
        RuledOut { verdict, reason, rests_on: None }
    }

    /// A case that rests on this clause, which the peer breaks.
    fn by_clause(clause: &str, reason: String) -> RuledOut {
        RuledOut { verdict: Verdict::Inconclusive, reason, rests_on: Some(clause.to_owned()) }
    }

    /// A case that rests on a clause that another case saw broken.
    pub(super) fn by_root(Root { clause, case }: &Root) -> RuledOut {
        let place = if case == clause { String::new() } else { format!(" in {case}") };
        RuledOut::by_clause(clause, format!("{clause} failed{place}"))
    }

    /// The outcome of the case.
    pub(super) fn outcome(self, case: &Case) -> Outcome {
        let RuledOut { verdict, reason, rests_on } = self;
        Outcome { rests_on, ..without_run(case, verdict, Some(reason)) }
    }
}

/// Why this case says nothing about this peer; `None` if it does.
pub(crate) fn ruled_out(case: &Case, facts: &Facts) -> Option<RuledOut> {
    unusable(facts)
        .or_else(|| of_another_dialect(case, facts))
        .or_else(|| rests_on_missing(case, facts))
        .or_else(|| not_carried(case, facts))
        .or_else(|| lacks_method(case, facts))
        .or_else(|| lacks_ping(case, facts))
        .or_else(|| needs_unanswered(case, facts))
}

/// Whether the transport can carry the steps of this case, and the peer has the methods that it
/// calls.
pub(super) fn is_playable(case: &Case, facts: &Facts) -> bool {
    not_carried(case, facts)
        .or_else(|| lacks_method(case, facts))
        .or_else(|| lacks_ping(case, facts))
        .is_none()
}

fn unusable(facts: &Facts) -> Option<RuledOut> {
    let unusable = facts.unusable?;
    let reason = match unusable.is_flood() {
        true => format!("{unusable}, so no behaviour can be judged"),
        false => unusable.to_string(),
    };
    Some(RuledOut::because(Verdict::Inconclusive, reason))
}

fn of_another_dialect(case: &Case, facts: &Facts) -> Option<RuledOut> {
    let (only, spoken) = (case.transcript.header.dialect?, facts.terms.dialect);
    let reason = format!("the transcript is for dialect {only}, but --dialect is {spoken}");
    (only != spoken).then(|| RuledOut::because(Verdict::NotApplicable, reason))
}

/// A case proves nothing if it rests on a clause that the peer breaks, unless it tests that clause.
fn rests_on_missing(case: &Case, facts: &Facts) -> Option<RuledOut> {
    let header = &case.transcript.header;
    let missing = |clause: &str| facts.missing.contains(clause) && !case.is_about(clause);
    let (no_object, no_call) = (facts.object.members.is_none(), facts.calls.ping.is_none());
    let by_id = case.transcript.calls_methods_by_id();
    // Without its object, a peer can still be called by name.
    let awaits_object = header.manual_handshake && case.transcript.awaits_methods();
    let needs_object = awaits_object || (no_object && (by_id || no_call || case.transcript.culls_methods()));
    let unanswered =
        facts.may_not_answer() && !case.is_about("methods/by-id") && !case.is_about("methods/by-name");
    let needed = (needs_object.then_some("methods/sent").into_iter())
        .chain(by_id.then_some("methods/by-id"))
        .chain(header.requires.iter().map(String::as_str))
        .chain(unanswered.then_some(["methods/by-id", "methods/by-name"]).into_iter().flatten());
    let clause = needed.into_iter().find(|clause| missing(clause))?;
    Some(RuledOut::by_clause(clause, format!("{clause} failed")))
}

fn not_carried(case: &Case, facts: &Facts) -> Option<RuledOut> {
    let reason = limits::refuses(&facts.limits, &case.transcript)?;
    Some(RuledOut::because(Verdict::NotApplicable, reason))
}

fn lacks_method(case: &Case, facts: &Facts) -> Option<RuledOut> {
    let reason = case.transcript.header.needs.iter().find_map(|method| facts.lacks(method))?;
    Some(RuledOut::because(Verdict::NotApplicable, reason))
}

fn lacks_ping(case: &Case, facts: &Facts) -> Option<RuledOut> {
    let reason =
        "it needs a call that is known to be answered: offer conformProbe, or name a call with --ping";
    (facts.calls.ping.is_none() && case.transcript.pings())
        .then(|| RuledOut::because(Verdict::NotApplicable, reason.to_owned()))
}

/// A method of the probe that does not answer is a finding of the cases about the probe. All other
/// cases rest on it.
fn needs_unanswered(case: &Case, facts: &Facts) -> Option<RuledOut> {
    let unanswered = &facts.object.unanswered;
    let method = case.transcript.header.needs.iter().find(|method| unanswered.contains(method.as_str()))?;
    let reason = format!("{PROBE_COMPLETE} failed: the peer does not answer {method}");
    (!case.is_about(PROBE_COMPLETE)).then(|| RuledOut::by_clause(PROBE_COMPLETE, reason))
}
