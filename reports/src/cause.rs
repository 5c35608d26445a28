//! The causes of a run: its findings, grouped by what probably has to be fixed in the peer.
//!
//! Findings have one cause if the peer's process ended with the same error at the same place of its
//! own code. Other findings have one cause if they break the same clause in the same manner:
//! something wrong came, a message did not come, the connection was closed, and so on. A case that
//! rests on a broken clause is no finding; the cause of that clause counts it.
//!
//! A cause is a suggestion for reading. It never changes a verdict, and a canonical report has
//! none, because the standard error of a process differs from run to run.
//!
//! A run may have a million findings, so a cause keeps the evidence of one of them.

mod sent;

use std::collections::{BTreeMap, BTreeSet};

use dnode_spec::clause::{self, Level};

use crate::event::{Divergence, Kind, Outcome, Verdict};
use crate::trace::{self, Trace};

pub use sent::sent;

/// The groups of clauses on which all others rest.
const FOUNDATION: &[&str] = &["framing", "methods"];

/// Findings that one fix in the peer should end.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Its place in the order in which to fix the causes, from 1.
    pub number: usize,
    /// Whether a finding of it makes the run fail.
    pub gates: bool,
    /// The finding of the strictest level with the shortest transcript.
    pub shown: Outcome,
    /// All findings, in the order of the catalogue.
    pub findings: Vec<Finding>,
    /// How many cases have no verdict because they rest on the broken clauses.
    pub resting: usize,
    /// The error with which the peer's process ended, and its place in the peer's code.
    pub trace: Option<Trace>,
    /// The ids of the broken clauses.
    clauses: BTreeSet<String>,
}

/// A finding of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The id of the case.
    pub id: String,
    /// The verdict on it.
    pub verdict: Verdict,
}

/// Collects outcomes, and groups them by cause.
#[derive(Debug, Default)]
pub struct Causes {
    groups: BTreeMap<Manner, Cause>,
    /// How many cases rest on each broken clause.
    resting: BTreeMap<String, usize>,
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

impl Causes {
    /// Takes an outcome. `gate` is the weakest level that gates. Excused findings are known, so they
    /// have no cause.
    pub fn add(&mut self, outcome: &Outcome, gate: Level) {
        if let Some(root) = &outcome.rests_on {
            *self.resting.entry(root.clone()).or_default() += 1;
        }
        if !outcome.verdict.is_finding() || outcome.excuse.is_some() {
            return;
        }
        let cause = self.groups.entry(manner(outcome)).or_insert_with(|| Cause {
            number: 0,
            gates: false,
            shown: outcome.clone(),
            findings: Vec::new(),
            resting: 0,
            trace: None,
            clauses: BTreeSet::new(),
        });
        // The length of a wire log may differ from run to run, that of a transcript does not.
        let order =
            |outcome: &Outcome| (outcome.level, outcome.evidence.transcript.len(), outcome.id.clone());
        if order(outcome) < order(&cause.shown) {
            cause.shown = outcome.clone();
        }
        cause.gates |= outcome.gates(gate) || outcome.verdict == Verdict::HarnessError;
        cause.findings.push(Finding { id: outcome.id.clone(), verdict: outcome.verdict });
        cause.clauses.insert(broken(outcome).to_owned());
    }

    /// The causes, in the order in which to fix them.
    #[must_use]
    pub fn in_order(mut self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = self.groups.into_values().collect();
        causes.sort_by_key(Cause::order);
        for (index, cause) in causes.iter_mut().enumerate() {
            cause.number = index + 1;
            // The first cause of a clause takes all cases that rest on the clause.
            cause.resting = cause.clauses.iter().filter_map(|clause| self.resting.remove(clause)).sum();
            let death = cause.shown.evidence.death.as_ref();
            cause.trace = death.and_then(|death| trace::read(&death.stderr));
        }
        causes
    }
}

impl Cause {
    /// The causes of these outcomes, in the order in which to fix them.
    #[must_use]
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>, gate: Level) -> Vec<Cause> {
        let mut causes = Causes::default();
        outcomes.into_iter().for_each(|outcome| causes.add(outcome, gate));
        causes.in_order()
    }

    fn order(&self) -> impl Ord + use<> {
        let group = self.clause().split('/').next().unwrap_or_default();
        (
            !self.gates,
            self.shown.verdict == Verdict::HarnessError,
            self.level(),
            !FOUNDATION.contains(&group),
            std::cmp::Reverse(self.findings.len()),
            self.shown.id.clone(),
        )
    }

    /// The strictest level of its findings.
    #[must_use]
    pub fn level(&self) -> Level {
        self.shown.level
    }

    /// The findings other than the one that is shown.
    pub fn others(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|it| it.id != self.shown.id)
    }

    /// The id of the broken clause.
    #[must_use]
    pub fn clause(&self) -> &str {
        broken(&self.shown)
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
                crate::summary::reason(&self.shown).unwrap_or_default().to_owned()
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
        let ids: Vec<&str> =
            std::iter::once(&self.shown.id).chain(self.others().map(|it| &it.id)).map(|id| &**id).collect();
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

/// The id of the clause that a finding breaks.
fn broken(outcome: &Outcome) -> &str {
    let tested = || outcome.clauses.first().map_or("", String::as_str);
    outcome.divergence.as_ref().map_or_else(tested, |divergence| &divergence.clause)
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
