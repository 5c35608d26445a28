//! What two runs tell apart: behaviour gained, lost and changed, by clause.
//!
//! Two outcomes of a case are the same where their verdicts and their fingerprints are. What differs beside that, a value or the words of a
//! reason, is counted and not shown.
//!
//! Deliberately absent: which of the two is right. The clauses say that, and `compare` runs both again.

mod markdown;
mod text;

use std::fmt;

use dnode_spec::clause::Clause;

use crate::clauses::{Group, Row, groups};
use crate::event::{Event, Outcome, Verdict};
use crate::record::{Record, Records};

/// What must be equal for two outcomes to be the same.
#[must_use]
pub fn key(outcome: &Outcome) -> (Verdict, Option<&str>) {
    (outcome.verdict, outcome.divergence.as_ref().map(|divergence| divergence.fingerprint.as_str()))
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It passes, and did not before.
    Gained,
    /// It passed before, and does not now.
    Lost,
    /// It passes neither time, and in another way.
    Changed,
    /// Only the newer run has it.
    Added,
    /// Only the older run had it.
    Removed,
}

impl Kind {
    /// All kinds, in the order in which they are shown and counted.
    pub const ALL: [Kind; 5] = [Kind::Lost, Kind::Changed, Kind::Gained, Kind::Added, Kind::Removed];

    /// Its word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Gained => "gained",
            Kind::Lost => "lost",
            Kind::Changed => "changed",
            Kind::Added => "added",
            Kind::Removed => "removed",
        }
    }
}

/// Two runs, the older one first.
#[derive(Debug)]
pub struct Diff {
    records: [Record; 2],
}

/// The differences under one clause.
struct Clauses<'a> {
    id: String,
    clause: Option<&'static Clause>,
    cases: Vec<Case<'a>>,
}

/// One case that differs.
struct Case<'a> {
    kind: Kind,
    id: &'a str,
    old: Option<&'a Outcome>,
    new: Option<&'a Outcome>,
}

impl Diff {
    /// Of the events of two runs.
    ///
    /// # Errors
    /// They are not those of one run each.
    pub fn new(old: &[Event], new: &[Event]) -> Result<Diff, String> {
        Ok(Diff { records: [record(old)?, record(new)?] })
    }

    /// Whether the runs are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clauses().is_empty()
    }

    /// For people, in a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        text::write(self)
    }

    /// For a comment or a page.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }

    /// What differs, by clause, and what weighs most first in each.
    fn clauses(&self) -> Vec<Clauses<'_>> {
        groups(&self.records).into_iter().filter_map(differing).collect()
    }

    /// How many cases there are, and how many of each kind.
    fn counts(&self) -> Counts {
        let mut counts = Counts { all: 0, same: 0, values: 0, kinds: [0; 5] };
        for row in groups(&self.records).iter().flat_map(|group| &group.rows) {
            counts.all += 1;
            match difference(row) {
                Some(case) => {
                    let at = Kind::ALL.iter().position(|kind| *kind == case.kind);
                    at.and_then(|at| counts.kinds.get_mut(at)).into_iter().for_each(|count| *count += 1);
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

/// It reads `353 cases: 340 the same (2 of them with other values), 3 lost, 10 gained`.
struct Counts {
    all: usize,
    same: usize,
    values: usize,
    kinds: [usize; 5],
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cases: {} the same", self.all, self.same)?;
        if self.values > 0 {
            write!(f, " ({} of them with other values)", self.values)?;
        }
        for (kind, count) in Kind::ALL.iter().zip(self.kinds).filter(|(_, count)| *count > 0) {
            write!(f, ", {count} {}", kind.word())?;
        }
        Ok(())
    }
}

fn record(events: &[Event]) -> Result<Record, String> {
    let mut records = Records::default();
    for event in events {
        records.event(event).map_err(|error| error.to_string())?;
    }
    match records.all() {
        [record] => Ok(record.clone()),
        all => Err(format!("it tells of {} runs, and a difference is one between two", all.len())),
    }
}

fn differing(group: Group<'_>) -> Option<Clauses<'_>> {
    let mut cases: Vec<Case<'_>> = group.rows.iter().filter_map(difference).collect();
    cases.sort_by_key(|case| Kind::ALL.iter().position(|kind| *kind == case.kind));
    (!cases.is_empty()).then_some(Clauses { id: group.id, clause: group.clause, cases })
}

fn difference<'a>(row: &Row<'a>) -> Option<Case<'a>> {
    let [old, new] = [row.outcomes.first(), row.outcomes.get(1)].map(|it| it.copied().flatten());
    let kind = match (old, new) {
        (Some(old), Some(new)) if key(old) == key(new) => return None,
        (Some(_), Some(new)) if new.verdict == Verdict::Pass => Kind::Gained,
        (Some(old), Some(_)) if old.verdict == Verdict::Pass => Kind::Lost,
        (Some(_), Some(_)) => Kind::Changed,
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
    };
    Some(Case { kind, id: row.id, old, new })
}

#[cfg(test)]
mod tests;
