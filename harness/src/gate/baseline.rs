//! The baseline: the known failures of a peer, and why each is accepted.
//!
//! A TOML file with one `[[known]]` table for each case:
//!
//! ```toml
//! [[known]]
//! case = "robust/message-null"
//! fingerprint = "1:22b531109346"
//! reason = "a line of null ends the process"
//! issue = "https://example.org/issues/7"  # optional
//! expires = 2027-03-01                    # optional: the last day of the entry
//! ```
//!
//! Known failures still run. Until it expires, an entry excuses a finding of its case with its
//! fingerprint. An entry that no longer holds is [`Stale`] and makes a run fail, so a baseline
//! never contains entries that excuse nothing.
//!
//! `case` may be a glob such as `"robust/*"`. Such an entry has no fingerprint, and excuses all
//! findings of the cases that match and have no entry of their own.
//!
//! [`edit`] creates such a file and keeps it up to date.

pub mod edit;
mod entry;
mod glob;

use crate::cases::{CatalogueError, all, over_the_run};
use crate::error::{Fault, Faulted};
use crate::files;
use chrono::{Datelike, Utc};
use dnode_reports::count;
use dnode_reports::event::{Outcome, Reference, Stale, Verdict};
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::Seed;
pub use entry::Entry;
use entry::entries;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use thiserror::Error;
pub use toml_edit::Date;

/// The name of the list in the file.
const KNOWN: &str = "known";

/// Why a baseline cannot be used.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("{name} cannot be read: {error}")]
    Unreadable {
        /// The file.
        name: String,
        /// The system's error.
        error: io::Error,
    },
    /// The file is not a baseline.
    #[error("{name}, {problem}")]
    Malformed {
        /// The file.
        name: String,
        /// The line and the error.
        problem: String,
    },
    /// The failure of this case is new, and the caller gave no reason to accept it.
    #[error("{0} is not in the baseline: give the reason why its failure is accepted with --reason")]
    NoReason(String),
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

impl Faulted for BaselineError {
    fn fault(&self) -> Fault {
        match self {
            BaselineError::Catalogue(error) => error.fault(),
            _ => Fault::Caller,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            BaselineError::Unreadable { .. } => {
                Some("`dnode-conform baseline create` makes a baseline from a report.".to_owned())
            }
            _ => None,
        }
    }
}

/// The known failures of a peer.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// The name of the file, for messages.
    name: String,
    entries: Vec<Entry>,
    /// The date of the run.
    today: Date,
    /// The clauses that the cases of its unexpired entries test.
    clauses: BTreeSet<String>,
    /// The ids of all cases with a transcript, with the one dialect of those that have one.
    cases: BTreeMap<String, Option<Dialect>>,
    /// The ids of the cases that are judged over the whole run.
    over_the_run: BTreeSet<String>,
}

/// Today's date in UTC, to compare with the last day of an entry.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "only the date is read from the wall clock")]
pub fn today() -> Date {
    let today = Utc::now().date_naive();
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    Date {
        year: u16::try_from(today.year()).unwrap_or_default(),
        month: small(today.month()),
        day: small(today.day()),
    }
}

impl Baseline {
    /// Reads a file, as of today.
    ///
    /// # Errors
    /// If the file cannot be read or is not a baseline. The error names the line and says how to
    /// fix it.
    pub fn open(path: &Path) -> Result<Baseline, BaselineError> {
        let name = path.display().to_string();
        let text =
            files::read(path).map_err(|error| BaselineError::Unreadable { name: name.clone(), error })?;
        Baseline::read(&text, &name, today())
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// If the text is not a baseline. The error names the line and says how to fix it.
    pub fn read(text: &str, name: &str, today: Date) -> Result<Baseline, BaselineError> {
        let entries =
            entries(text).map_err(|problem| BaselineError::Malformed { name: name.to_owned(), problem })?;
        let cases = all()?;
        let of_entry = |entry: &Entry| {
            let tested = cases.iter().filter(|case| entry.covers(case.id()));
            let tested = tested.flat_map(|case| case.transcript.header.clauses.clone());
            let judged = over_the_run().filter(|it| entry.covers(&it.id)).map(|it| it.clause.id.to_owned());
            tested.chain(judged).collect::<Vec<_>>()
        };
        let clauses = entries.iter().filter(|entry| entry.holds(today)).flat_map(of_entry).collect();
        let cases = cases.iter().map(|case| (case.id().to_owned(), case.transcript.header.dialect)).collect();
        let over_the_run = over_the_run().map(|it| it.id).collect();
        Ok(Baseline { name: name.to_owned(), entries, today, clauses, cases, over_the_run })
    }

    /// A note for the reader of the verdicts: the file, and the number of known failures.
    #[must_use]
    pub fn describe(&self) -> String {
        let globs = self.entries.iter().filter(|entry| entry.is_glob()).count();
        let known = count(self.entries.len() - globs, "known failure");
        let globs = if globs == 0 { String::new() } else { format!(", {}", count(globs, "glob")) };
        format!("baseline {}: {known}{globs}", self.name)
    }

    /// Why this outcome does not gate, if its failure is known.
    #[must_use]
    pub fn excuse(&self, outcome: &Outcome) -> Option<String> {
        if outcome.verdict == Verdict::Inconclusive {
            // A case that rests on a clause with a known failure proves nothing.
            let needed = outcome.rests_on.as_deref()?;
            return self
                .clauses
                .contains(needed)
                .then(|| format!("rests on {needed}, whose failure is known"));
        }
        let entry = self.entry_of(&outcome.id)?;
        let issue = entry.issue.as_ref().map(|issue| format!(" ({issue})")).unwrap_or_default();
        (entry.holds(self.today) && entry.knows(outcome)).then(|| format!("known: {}{issue}", entry.reason))
    }

    /// The entry that decides about this case: its own, or the first glob that covers it and has not
    /// expired.
    fn entry_of(&self, id: &str) -> Option<&Entry> {
        let own = self.entries.iter().find(|entry| !entry.is_glob() && entry.covers(id));
        own.or_else(|| self.entries.iter().find(|entry| entry.covers(id) && entry.holds(self.today)))
    }

    /// The entries that no longer hold in a run with these outcomes, by the ids of their cases.
    pub(crate) fn stale(&self, outcomes: &BTreeMap<String, Outcome>) -> Vec<Stale> {
        let is_whole = self.is_whole(|id| outcomes.contains_key(id));
        self.entries
            .iter()
            .filter_map(|entry| {
                let (problem, remedy) = match entry.is_glob() {
                    true => self.problem_of_glob(entry, outcomes.values())?.words(&self.name),
                    false => self.problem(entry, outcomes.get(&entry.case), is_whole)?,
                };
                Some(Stale { reference: Reference::Baseline, id: entry.case.clone(), problem, remedy })
            })
            .collect()
    }

    /// Whether a run of these cases had all cases of a dialect. If not, a pass of a case over the
    /// whole run shows nothing: the case that fails may not have been selected.
    fn is_whole(&self, ran: impl Fn(&str) -> bool) -> bool {
        self.has_all_of(&|_| true, &ran)
    }

    /// Whether a run had all these cases of a dialect.
    fn has_all_of(&self, these: &dyn Fn(&str) -> bool, ran: &dyn Fn(&str) -> bool) -> bool {
        let mut dialects = [Dialect::V0_1, Dialect::V0_2].into_iter();
        dialects.any(|dialect| {
            let of_dialect = |only: &Option<Dialect>| only.is_none_or(|only| only == dialect);
            let mut cases = self.cases.iter().filter(|(id, only)| of_dialect(only) && these(id));
            cases.all(|(id, _)| ran(id))
        })
    }

    /// Why an entry is stale, and how to fix it. `is_whole`: the run had all cases.
    fn problem(&self, entry: &Entry, outcome: Option<&Outcome>, is_whole: bool) -> Option<(String, String)> {
        let update = || format!("run `dnode-conform baseline update {} RUN`", self.name);
        let Some(outcome) = outcome else {
            let exists = self.cases.contains_key(&entry.case)
                || self.over_the_run.contains(&entry.case)
                || entry.case.parse::<Seed>().is_ok();
            return (!exists).then(|| {
                ("no case has this id".to_owned(), "correct the id, or remove the entry".to_owned())
            });
        };
        match (outcome.verdict, entry.expires) {
            (Verdict::Inconclusive | Verdict::HarnessError, _) => None,
            (Verdict::Pass, _) if !is_whole && self.over_the_run.contains(&entry.case) => None,
            (Verdict::Pass, _) => {
                Some(("the case passes, but the entry says that it fails".to_owned(), update()))
            }
            (Verdict::NotApplicable, _) => {
                Some(("the case is not applicable, but the entry says that it fails".to_owned(), update()))
            }
            (_, Some(expires)) if !entry.holds(self.today) => Some((
                format!("the entry expired on {expires}"),
                "fix the failure, or give the entry a later date and say why".to_owned(),
            )),
            _ if entry.knows(outcome) => None,
            _ => {
                let now = outcome.divergence.as_ref().map_or("none", |divergence| &divergence.fingerprint);
                Some((
                    format!(
                        "the case fails differently now: its fingerprint is {now}, but the entry has {}",
                        entry.fingerprint.as_deref().unwrap_or_default()
                    ),
                    format!("check the finding; if you accept it as well, {}", update()),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests;
