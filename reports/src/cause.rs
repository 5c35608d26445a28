//! The causes of a run: its findings, grouped by what probably has to be fixed in the peer.
//!
//! Findings have one cause if the peer's process ended with the same error at the same place of its
//! own code. Other findings have one cause if they break the same clause in the same manner:
//! something wrong came, a message did not come, the connection was closed, and so on. A case that rests on a broken
//! clause is no finding; the cause of that clause counts it.
//!
//! A cause is a suggestion for reading. It never changes a verdict, and a canonical report has
//! none, because the standard error of a process differs from run to run.

mod sent;

use std::collections::BTreeMap;
use std::fmt;

use dnode_spec::clause::{self, Level};

use crate::event::{Divergence, Kind, Outcome, Verdict};
use crate::trace::{self, Trace};

pub use sent::sent;

/// The groups of clauses on which all others rest.
const FOUNDATION: &[&str] = &["framing", "methods"];

/// Findings that one fix in the peer should end.
#[derive(Debug, Clone)]
pub struct Cause<'a> {
    /// Its place in the order in which to fix the causes, from 1.
    pub number: usize,
    /// The strictest level of its findings.
    pub level: Level,
    /// Whether a finding of it makes the run fail.
    pub gates: bool,
    /// The finding with the shortest transcript.
    pub shown: &'a Outcome,
    /// All findings, in the order of the catalogue.
    pub findings: Vec<&'a Outcome>,
    /// How many cases have no verdict because they rest on the broken clauses.
    pub resting: usize,
    /// The error with which the peer's process ended, and its place in the peer's code.
    pub trace: Option<Trace>,
}

/// Clauses whose cases raise an error in a method of the program. The place of the error is not that
/// of the mistake, so all these crashes are one cause.
const PROVOKED: &[&str] = &["robust/throws"];

/// The manner in which a clause is broken. Whatever wrong thing the peer does is one manner, because
/// one mistake often shows in several ways.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Manner {
    /// A process ended with this error, at this place of its code.
    Crash(String),
    /// The suite failed, for this reason.
    Harness(String),
    /// A message or a value in it is wrong.
    Wrong(String),
    /// A message did not come, or something else happened. The second text is the end of a process
    /// without a trace.
    Other(String, Kind, String),
}

impl<'a> Cause<'a> {
    /// The causes of these outcomes, in the order in which to fix them. `gate` is the weakest level
    /// that gates. Excused findings are known, so they have no cause.
    #[must_use]
    pub fn of(outcomes: impl IntoIterator<Item = &'a Outcome>, gate: Level) -> Vec<Cause<'a>> {
        let mut groups: BTreeMap<Manner, Vec<&Outcome>> = BTreeMap::new();
        let mut resting: BTreeMap<&str, usize> = BTreeMap::new();
        for outcome in outcomes {
            if let Some(root) = &outcome.rests_on {
                *resting.entry(root).or_default() += 1;
            }
            if outcome.verdict.is_finding() && outcome.excuse.is_none() {
                groups.entry(manner(outcome)).or_default().push(outcome);
            }
        }
        let mut causes: Vec<Cause<'a>> =
            groups.into_values().filter_map(|findings| cause(findings, gate)).collect();
        causes.sort_by_key(Cause::order);
        for (index, cause) in causes.iter_mut().enumerate() {
            cause.number = index + 1;
            // The first cause of a clause takes all cases that rest on the clause.
            cause.resting = cause.clauses().filter_map(|clause| resting.remove(clause)).sum();
        }
        causes
    }

    fn order(&self) -> impl Ord + use<> {
        let group = self.clause().split('/').next().unwrap_or_default();
        (
            !self.gates,
            self.shown.verdict == Verdict::HarnessError,
            self.level,
            !FOUNDATION.contains(&group),
            std::cmp::Reverse(self.findings.len()),
            self.shown.id.clone(),
        )
    }

    /// The id of the broken clause.
    #[must_use]
    pub fn clause(&self) -> &'a str {
        broken(self.shown)
    }

    /// The ids of all clauses that its findings break.
    fn clauses(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let clauses: std::collections::BTreeSet<&str> = self.findings.iter().map(|it| broken(it)).collect();
        clauses.into_iter()
    }

    /// What usually causes a failure of the broken clause; empty if nothing is known.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        if self.shown.verdict == Verdict::HarnessError {
            return "";
        }
        clause::find(self.clause()).map_or("", |clause| clause.hint)
    }

    /// The cause in one sentence, raw.
    #[must_use]
    pub fn sentence(&self) -> String {
        if let Some(trace) = &self.trace {
            let place = trace.place().map(|place| format!(", at {place}")).unwrap_or_default();
            return format!("The process ends with {}{place}", trace.error);
        }
        match (self.shown.verdict, &self.shown.divergence, clause::find(self.clause())) {
            (Verdict::HarnessError, ..) | (_, None, None) => {
                crate::summary::reason(self.shown).unwrap_or_default().to_owned()
            }
            (Verdict::Crash | Verdict::Hang, Some(divergence), _) => {
                let actual = &divergence.actual;
                actual.chars().take(1).flat_map(char::to_uppercase).chain(actual.chars().skip(1)).collect()
            }
            (_, _, Some(clause)) => format!("{}: {}", clause.id, clause.text.trim_end_matches('.')),
            (_, Some(divergence), None) => divergence.actual.clone(),
        }
    }

    /// The ids of the cases in short form: a name without its group has the group of the one before.
    /// At most about `width` characters, and at least one id.
    #[must_use]
    pub fn cases(&self, width: usize) -> String {
        let others = self.findings.iter().filter(|it| it.id != self.shown.id);
        let ids: Vec<&str> = std::iter::once(&self.shown).chain(others).map(|it| &*it.id).collect();
        let mut text = String::new();
        let mut group = "";
        for (shown, id) in ids.iter().enumerate() {
            let (of, name) = id.split_once('/').unwrap_or(("", id));
            let name = if of == group { name } else { id };
            let rest = ids.len() - shown;
            let more = format!(" and {rest} more");
            if shown > 0 && text.chars().count() + name.chars().count() + more.len() + 2 > width {
                text.push_str(&more);
                break;
            }
            text = if shown == 0 { name.to_owned() } else { format!("{text}, {name}") };
            group = of;
        }
        text
    }
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

/// The id of the clause that a finding breaks.
fn broken(outcome: &Outcome) -> &str {
    let tested = || outcome.clauses.first().map_or("", String::as_str);
    outcome.divergence.as_ref().map_or_else(tested, |divergence| &divergence.clause)
}

fn cause<'a>(findings: Vec<&'a Outcome>, gate: Level) -> Option<Cause<'a>> {
    // The length of a wire log may differ from run to run, that of a transcript does not.
    let length = |outcome: &&&Outcome| (outcome.evidence.transcript.len(), outcome.id.clone());
    // A finding of the strictest level speaks for all.
    let level = findings.iter().map(|it| it.level).min()?;
    let shown = *findings.iter().filter(|it| it.level == level).min_by_key(length)?;
    let gates = findings.iter().any(|it| it.gates(gate) || it.verdict == Verdict::HarnessError);
    let trace = shown.evidence.death.as_ref().and_then(|death| trace::read(&death.stderr));
    Some(Cause { number: 0, level, gates, shown, findings, resting: 0, trace })
}

fn manner(outcome: &Outcome) -> Manner {
    let Some(divergence) = &outcome.divergence else {
        return Manner::Harness(outcome.reason.clone().unwrap_or_default());
    };
    let stderr = outcome.evidence.death.as_ref().map(|death| &*death.stderr);
    let Divergence { clause, kind, path, .. } = divergence;
    if *kind == Kind::Died && PROVOKED.contains(&&**clause) {
        return Manner::Crash(clause.clone());
    }
    if let Some(trace) = stderr.and_then(trace::read) {
        return Manner::Crash(trace.key());
    }
    match kind {
        Kind::Differs | Kind::Unexpected | Kind::Order => Manner::Wrong(clause.clone()),
        Kind::Absent if !path.is_empty() => Manner::Wrong(clause.clone()),
        kind => Manner::Other(clause.clone(), *kind, stderr.and_then(trace::last_line).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
