//! The cases of several runs as rows, grouped by clause.
//!
//! A case that tests several clauses is listed once, under the first of them. Clauses have the
//! order of the clause table, unknown clauses last. Cases are sorted by id.

use std::collections::BTreeMap;

use dnode_spec::clause::{self, CLAUSES, Clause, Level};

use crate::event::Outcome;
use crate::record::Record;

/// The cases of one clause.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// The id of the clause, as the cases name it.
    pub(crate) id: String,
    pub(crate) clause: Option<&'static Clause>,
    pub(crate) rows: Vec<Row<'a>>,
}

/// One case in all runs.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) id: &'a str,
    /// The strictest of its levels in all runs.
    pub(crate) level: Level,
    /// Its outcome in each run, in the order of the runs.
    pub(crate) outcomes: Vec<Option<&'a Outcome>>,
}

impl<'a> Row<'a> {
    /// The outcomes of the runs that have this case.
    pub(crate) fn judged(&self) -> impl Iterator<Item = &'a Outcome> + '_ {
        self.outcomes.iter().flatten().copied()
    }
}

/// Groups all cases of these runs.
pub(crate) fn groups(records: &[Record]) -> Vec<Group<'_>> {
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    for (number, record) in records.iter().enumerate() {
        for outcome in &record.outcomes {
            let row = rows.entry(&outcome.id).or_insert_with(|| Row {
                id: &outcome.id,
                level: outcome.level,
                outcomes: vec![None; records.len()],
            });
            row.level = row.level.min(outcome.level);
            if let Some(place) = row.outcomes.get_mut(number) {
                *place = Some(outcome);
            }
        }
    }
    let mut groups: BTreeMap<(usize, String), Vec<Row<'_>>> = BTreeMap::new();
    for row in rows.into_values() {
        let id = row.judged().find_map(|outcome| outcome.clauses.first()).cloned().unwrap_or_default();
        let place = CLAUSES.iter().position(|clause| clause.id == id).unwrap_or(CLAUSES.len());
        groups.entry((place, id)).or_default().push(row);
    }
    let group = |((_, id), rows): ((usize, String), Vec<_>)| Group { clause: clause::find(&id), id, rows };
    groups.into_iter().map(group).collect()
}
