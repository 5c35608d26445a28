//! The comparison itself.

use std::collections::BTreeMap;
use std::fmt;

use dnode_spec::clause::Clause;

use crate::clauses::{Group, Row, groups};
use crate::error::ReadError;
use crate::event::{Event, Outcome, Verdict};
use crate::record::{Record, Records};
use crate::summary;
use crate::words::words;

/// The properties that two outcomes share if they are the same.
#[must_use]
pub fn key(outcome: &Outcome) -> (Verdict, Option<&str>) {
    (outcome.verdict, outcome.divergence.as_ref().map(|divergence| divergence.fingerprint.as_str()))
}

words! {
    /// How a case differs between the runs. Reports show and count the changes in this order.
    pub enum Change ("a change") {
        /// It passed before and does not pass now.
        Lost = "lost",
        /// It passes in neither run, and its difference is not the same.
        Changed = "changed",
        /// It did not pass before and passes now.
        Gained = "gained",
        /// Only the newer run has it.
        Added = "added",
        /// Only the older run has it.
        Removed = "removed",
    }
}

/// Two runs, the older one first.
#[derive(Debug)]
pub struct Diff {
    pub(super) records: [Record; 2],
}

/// The differences under one clause.
pub(crate) struct Clauses<'a> {
    pub(crate) id: String,
    pub(crate) clause: Option<&'static Clause>,
    pub(crate) cases: Vec<Case<'a>>,
}

/// One case that differs.
pub(crate) struct Case<'a> {
    pub(crate) change: Change,
    pub(crate) id: &'a str,
    pub(crate) old: Option<&'a Outcome>,
    pub(crate) new: Option<&'a Outcome>,
}

impl Diff {
    /// Compares two runs, given as their events.
    ///
    /// # Errors
    /// [`ReadError::Runs`] or [`ReadError::NotStarted`]: a side does not have exactly one whole
    /// run. The caller is at fault.
    pub fn new(old: &[Event], new: &[Event]) -> Result<Diff, ReadError> {
        Ok(Diff { records: [record(old)?, record(new)?] })
    }

    /// Compares two runs that were read before.
    pub(crate) fn of(old: &Record, new: &Record) -> Diff {
        Diff { records: [old.clone(), new.clone()] }
    }

    /// Whether all cases are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clauses().is_empty()
    }

    /// The cases that differ, by clause; the most important first.
    pub(crate) fn clauses(&self) -> Vec<Clauses<'_>> {
        groups(&self.records).into_iter().filter_map(differing).collect()
    }

    /// Counts the cases by their change.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { all: 0, same: 0, values: 0, changes: BTreeMap::new() };
        for row in groups(&self.records).iter().flat_map(|group| &group.rows) {
            counts.all += 1;
            match difference(row) {
                Some(case) => {
                    *counts.changes.entry(case.change).or_default() += 1;
                }
                None => {
                    counts.same += 1;
                    let [old, new] =
                        [row.outcomes.first(), row.outcomes.get(1)].map(|it| it.copied().flatten());
                    let said = |outcome: Option<&Outcome>| {
                        outcome.map(|it| (it.reason.clone(), it.divergence.clone()))
                    };
                    counts.values += usize::from(said(old) != said(new));
                }
            }
        }
        counts
    }
}

/// Shown as `353 cases: 340 the same (2 with different values), 3 lost, 10 gained`.
pub(super) struct Counts {
    all: usize,
    same: usize,
    values: usize,
    changes: BTreeMap<Change, usize>,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} the same", summary::count(self.all, "case"), self.same)?;
        if self.values > 0 {
            write!(f, " ({} with different values)", self.values)?;
        }
        for (change, count) in &self.changes {
            write!(f, ", {count} {}", change.word())?;
        }
        Ok(())
    }
}

fn record(events: &[Event]) -> Result<Record, ReadError> {
    let mut records = Records::default();
    for event in events {
        records.event(event).map_err(|_| ReadError::NotStarted)?;
    }
    match records.all() {
        [record] => Ok(record.clone()),
        all => Err(ReadError::Runs(all.len())),
    }
}

fn differing(group: Group<'_>) -> Option<Clauses<'_>> {
    let mut cases: Vec<Case<'_>> = group.rows.iter().filter_map(difference).collect();
    cases.sort_by_key(|case| case.change);
    (!cases.is_empty()).then_some(Clauses { id: group.id, clause: group.clause, cases })
}

fn difference<'a>(row: &Row<'a>) -> Option<Case<'a>> {
    let [old, new] = [row.outcomes.first(), row.outcomes.get(1)].map(|it| it.copied().flatten());
    let change = match (old, new) {
        (Some(old), Some(new)) if key(old) == key(new) => return None,
        (Some(_), Some(new)) if new.verdict == Verdict::Pass => Change::Gained,
        (Some(old), Some(_)) if old.verdict == Verdict::Pass => Change::Lost,
        (Some(_), Some(_)) => Change::Changed,
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
    };
    Some(Case { change, id: row.id, old, new })
}
