//! The generated sessions of a run: made in batches, while others run.

use crate::cases::{Case, catalogue};
use crate::conversation::facts::Facts;
use dnode_reports::event::Kind;
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::{Seed, session_in};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// How many generated sessions a batch has. Another batch is made in the meantime, and each session
/// takes some hundred KiB.
const BATCH: usize = 256;

/// How many findings of generated sessions are shrunk. Other findings of the same kind are reported
/// as they are.
const SHRUNK: usize = 8;

/// The sessions that are still to be made.
pub(super) struct Sessions {
    seeds: std::vec::IntoIter<Seed>,
    /// The clause and the kind of each finding that was shrunk.
    shrunk: BTreeSet<(String, Kind)>,
}

impl Sessions {
    pub(super) fn new(seeds: Vec<Seed>) -> Sessions {
        Sessions { seeds: seeds.into_iter(), shrunk: BTreeSet::new() }
    }

    /// How many are still to be made.
    pub(super) fn len(&self) -> usize {
        self.seeds.len()
    }

    /// Makes the next batch in the background; an empty one if the run ends.
    pub(super) fn make(&mut self, dialect: Dialect, ends: bool) -> JoinHandle<Vec<Arc<Case>>> {
        let count = if ends { 0 } else { BATCH };
        let seeds: Vec<Seed> = self.seeds.by_ref().take(count).collect();
        let make = move |seed| Case::read(&session_in(dialect, seed)).ok().map(Arc::new);
        tokio::task::spawn_blocking(move || seeds.into_iter().filter_map(make).collect())
    }

    /// Whether the finding is the first of its kind, and not too many were shrunk.
    pub(super) fn is_new(&mut self, clause: &str, kind: Kind) -> bool {
        self.shrunk.len() < SHRUNK && self.shrunk.insert((clause.to_owned(), kind))
    }

    /// The seeds of the sessions that were not made.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = Seed> {
        self.seeds.by_ref()
    }
}

/// The cases about the clauses that the preflight saw broken. A generated session rests on them, so
/// it could not show them.
pub(super) fn about_missing(facts: &Facts) -> Vec<Arc<Case>> {
    let cases = catalogue(facts.terms.dialect).unwrap_or_default().into_iter();
    cases.filter(|case| facts.missing.contains(case.id())).map(Arc::new).collect()
}
