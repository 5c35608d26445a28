//! The causes of a run: its findings, grouped by what probably has to be fixed in the peer.
//!
//! Findings have one cause if the peer's process ended with the same error at the same place of its
//! own code. The values that the error is about do not matter. There are three exceptions: an error of
//! a connection is one cause at any place, and so is an error in a method of the program that the
//! peer does not catch, and a stack overflow belongs to its recursion.
//!
//! Other findings have one cause if they break the same clause in the same manner: something wrong
//! came, a message did not come, the connection was closed, and so on. A case that rests on a broken
//! clause is no finding; the cause of that clause counts it.
//!
//! A cause is a suggestion for reading. It never changes a verdict, and a canonical report has
//! none, because the standard error of a process differs from run to run.
//!
//! A run may have a million findings, so a cause keeps the evidence of one of them.

mod group;
mod hint;
mod manner;
mod sent;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use dnode_spec::clause::{self, Level};

use crate::event::{Outcome, Verdict};
use crate::trace::{self, Trace};

use group::Group;
use manner::{Call, Manner, Place};

pub use hint::hint;
pub use sent::{instead, sent};

/// The groups of clauses on which all others rest.
const FOUNDATION: &[&str] = &["framing", "methods"];

/// Findings that one fix in the peer should end.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Its place in the order in which to fix the causes, from 1.
    pub number: usize,
    /// Whether a finding of it makes the run fail.
    pub gates: bool,
    /// The finding of the strictest level with the shortest transcript. If a case raised the error on
    /// purpose, it is such a case.
    pub shown: Outcome,
    /// All findings, in the order of the catalogue.
    pub findings: Vec<Finding>,
    /// How many cases have no verdict because they rest on the broken clauses.
    pub resting: usize,
    /// The error with which the peer's process ended, and its place in the peer's code.
    pub trace: Option<Trace>,
    level: Level,
    /// The ids of the broken clauses.
    clauses: BTreeSet<String>,
    /// The methods that the program's probe lacks, as a text.
    lacks: Option<String>,
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
    groups: BTreeMap<(Manner, Option<Place>), Group>,
    /// The calls of the methods that raised an error on purpose, which the peer did not catch.
    raised: BTreeSet<Call>,
    /// How many findings there are.
    findings: usize,
    /// How many cases rest on each broken clause.
    resting: BTreeMap<String, usize>,
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
        let (manner, call) = manner::of(outcome);
        if manner == Manner::Raised {
            self.raised.extend(call.clone());
        }
        let place = self.findings;
        self.findings += 1;
        match self.groups.entry((manner, call.map(|call| call.from))) {
            Entry::Occupied(mut group) => group.get_mut().add(outcome, place, gate),
            Entry::Vacant(empty) => {
                empty.insert(Group::new(outcome, place, gate));
            }
        }
    }

    /// The causes, in the order in which to fix them.
    #[must_use]
    pub fn in_order(mut self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = self.by_manner().into_values().map(Group::into_cause).collect();
        let rests_on =
            |clauses: &BTreeSet<String>| clauses.iter().filter_map(|clause| self.resting.get(clause)).sum();
        causes.iter_mut().for_each(|cause| cause.resting = rests_on(&cause.clauses));
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

    /// The groups by manner. Only the whole run shows from which places the peer calls methods: an
    /// error that is raised below them has the manner of those that cases raise on purpose.
    fn by_manner(&mut self) -> BTreeMap<Manner, Group> {
        let callers = manner::callers(&self.raised);
        let mut groups = BTreeMap::new();
        for ((manner, caller), group) in std::mem::take(&mut self.groups) {
            let raised = caller.is_some_and(|caller| callers.contains(&caller));
            match groups.entry(if raised { Manner::Raised } else { manner }) {
                Entry::Occupied(mut first) => Group::join(first.get_mut(), group),
                Entry::Vacant(empty) => {
                    empty.insert(group);
                }
            }
        }
        groups
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
            std::cmp::Reverse(self.findings.len() + self.resting),
            self.shown.id.clone(),
        )
    }

    /// The strictest level of its findings.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
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

    /// What usually causes such findings; empty if nothing is known.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        hint(&self.shown)
    }

    /// Whether the hint says only that errors must be caught. A reader needs it once.
    #[must_use]
    pub fn has_general_hint(&self) -> bool {
        hint::is_general(self.hint())
    }

    /// The cause in one sentence, raw.
    #[must_use]
    pub fn sentence(&self) -> String {
        if let Some(trace) = &self.trace {
            let place = match &trace.caller {
                // The method raises its error on purpose: the caller has to catch it.
                Some(caller) if manner::is_provoked(&self.shown) && manner::call(trace).is_some() => {
                    Some(format!(", raised in a method that is called at {}", caller.with_folders(1)))
                }
                _ => trace.place().map(|place| format!(", at {place}")),
            };
            return format!("The process ends with {}{}", trace.error, place.unwrap_or_default());
        }
        match (self.shown.verdict, &self.shown.divergence, clause::find(self.clause())) {
            (Verdict::HarnessError, ..) | (_, None, None) => {
                crate::summary::reason(&self.shown).unwrap_or_default().to_owned()
            }
            (Verdict::Crash | Verdict::Hang, Some(divergence), _) => {
                let actual = &divergence.actual;
                actual.chars().take(1).flat_map(char::to_uppercase).chain(actual.chars().skip(1)).collect()
            }
            (_, _, Some(clause)) if clause.id == manner::PROBE => self.probe(),
            (_, _, Some(clause)) => format!("{}: {}", clause.id, clause.text.trim_end_matches('.')),
            (_, Some(divergence), None) => divergence.actual.clone(),
        }
    }

    /// The faults of the program's probe, with all its methods: the shown finding has only one.
    fn probe(&self) -> String {
        let names = self.findings.iter().map(|it| it.id.rsplit('/').next().unwrap_or_default());
        let failing: Vec<&str> = names.filter(|name| !manner::PROBE.ends_with(name)).collect();
        let failing = match &*failing {
            [] => None,
            [one] => Some(format!("the case {one} fails")),
            [first @ .., last] => Some(format!("the cases {} and {last} fail", first.join(", "))),
        };
        let wrong: Vec<String> = self.lacks.iter().map(|lacks| first_of(lacks)).chain(failing).collect();
        format!("The program's probe does not do what PROBE.md says: {}", wrong.join("; "))
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

/// The first parts of a long list with commas. The finding has all of them.
fn first_of(list: &str) -> String {
    const LONGEST: usize = 60;
    let head: String = list.chars().take(LONGEST).collect();
    match head.rsplit_once(", ") {
        Some((parts, _)) if head.len() < list.len() => format!("{parts} and more"),
        _ => list.to_owned(),
    }
}

/// The id of the clause that a finding breaks.
pub(crate) fn broken(outcome: &Outcome) -> &str {
    let tested = || outcome.clauses.first().map_or("", String::as_str);
    outcome.divergence.as_ref().map_or_else(tested, |divergence| &divergence.clause)
}

#[cfg(test)]
mod tests;
