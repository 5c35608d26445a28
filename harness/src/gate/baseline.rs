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
//! [`edit`] creates such a file and keeps it up to date.

pub mod edit;

use crate::cases::{CatalogueError, all, over_the_run};
use crate::error::{Fault, Faulted};
use chrono::{Datelike, Utc};
use dnode_reports::event::{Outcome, Reference, Stale, Verdict};
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::Seed;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::Path;
use thiserror::Error;
pub use toml_edit::Date;
use toml_edit::{Document, Item, Table};

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

/// One known failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The case.
    pub case: String,
    /// The fingerprint of the finding.
    pub fingerprint: String,
    /// Why it is accepted.
    pub reason: String,
    /// The issue that tracks it.
    pub issue: Option<String>,
    /// The last day on which it is accepted.
    pub expires: Option<Date>,
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
        let text = std::fs::read_to_string(path)
            .map_err(|error| BaselineError::Unreadable { name: name.clone(), error })?;
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
            let case = cases.iter().find(|case| case.id() == entry.case);
            let tested = case.map(|case| case.transcript.header.clauses.clone()).unwrap_or_default();
            let invariant = over_the_run().find(|it| it.id == entry.case).map(|it| it.clause.id.to_owned());
            tested.into_iter().chain(invariant).collect::<Vec<_>>()
        };
        let clauses = entries.iter().filter(|entry| entry.holds(today)).flat_map(of_entry).collect();
        let cases = cases.iter().map(|case| (case.id().to_owned(), case.transcript.header.dialect)).collect();
        let over_the_run = over_the_run().map(|it| it.id).collect();
        Ok(Baseline { name: name.to_owned(), entries, today, clauses, cases, over_the_run })
    }

    /// A note for the reader of the verdicts: the file, and the number of known failures.
    #[must_use]
    pub fn describe(&self) -> String {
        let failures = if self.entries.len() == 1 { "failure" } else { "failures" };
        format!("baseline {}: {} known {failures}", self.name, self.entries.len())
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
        let entry = self.entries.iter().find(|entry| entry.case == outcome.id)?;
        let issue = entry.issue.as_ref().map(|issue| format!(" ({issue})")).unwrap_or_default();
        (entry.holds(self.today) && entry.knows(outcome)).then(|| format!("known: {}{issue}", entry.reason))
    }

    /// The entries that no longer hold in a run with these outcomes, by the ids of their cases.
    pub(crate) fn stale(&self, outcomes: &BTreeMap<String, Outcome>) -> Vec<Stale> {
        let is_whole = self.is_whole(|id| outcomes.contains_key(id));
        self.entries
            .iter()
            .filter_map(|entry| {
                let (problem, remedy) = self.problem(entry, outcomes.get(&entry.case), is_whole)?;
                Some(Stale { reference: Reference::Baseline, id: entry.case.clone(), problem, remedy })
            })
            .collect()
    }

    /// Whether a run of these cases had all cases of a dialect. If not, a pass of a case over the
    /// whole run shows nothing: the case that fails may not have been selected.
    fn is_whole(&self, ran: impl Fn(&str) -> bool) -> bool {
        let mut dialects = [Dialect::V0_1, Dialect::V0_2].into_iter();
        dialects.any(|dialect| {
            self.cases.iter().all(|(id, only)| only.is_some_and(|only| only != dialect) || ran(id))
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
                        entry.fingerprint
                    ),
                    format!("check the finding; if you accept it as well, {}", update()),
                ))
            }
        }
    }
}

impl Entry {
    /// Whether it has not expired.
    fn holds(&self, today: Date) -> bool {
        self.expires.is_none_or(|expires| today <= expires)
    }

    /// Whether the outcome is the known finding.
    fn knows(&self, outcome: &Outcome) -> bool {
        let fingerprint = outcome.divergence.as_ref().map(|divergence| &divergence.fingerprint);
        outcome.verdict.is_finding() && fingerprint == Some(&self.fingerprint)
    }
}

/// The entries of a file.
fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let document = Document::parse(text).map_err(|error| {
        format!("line {}: invalid TOML: {}", line(text, error.span()), error.message().trim())
    })?;
    if let Some((key, _)) = document.iter().find(|(key, _)| *key != KNOWN) {
        let at = document.as_table().key(key).and_then(toml_edit::Key::span);
        return Err(format!(
            "line {}: expected [[{KNOWN}]], got {key:?}: a baseline contains nothing else",
            line(text, at)
        ));
    }
    let Some(item) = document.get(KNOWN) else { return Ok(Vec::new()) };
    let tables = item.as_array_of_tables().ok_or_else(|| {
        format!("line {}: each known failure must begin with a line [[{KNOWN}]]", line(text, item.span()))
    })?;
    let mut entries: Vec<Entry> = Vec::new();
    for table in tables {
        let problem = |problem: String| format!("line {}: {problem}", line(text, table.span()));
        let entry = entry(table).map_err(problem)?;
        if entries.iter().any(|other| other.case == entry.case) {
            return Err(problem(format!("{} has two entries; remove one of them", entry.case)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(table: &Table) -> Result<Entry, String> {
    const KEYS: [&str; 5] = ["case", "fingerprint", "reason", "issue", "expires"];
    if let Some((key, _)) = table.iter().find(|(key, _)| !KEYS.contains(key)) {
        return Err(format!("unknown key {key:?}; expected one of {}", KEYS.join(", ")));
    }
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(item) => match item.as_str().map(str::trim) {
            Some(text) if !text.is_empty() => Ok(Some(text.to_owned())),
            _ => Err(format!("{key} must be a text that is not empty")),
        },
    };
    let required = |key: &str, why: &str| text(key)?.ok_or_else(|| format!("{key} is missing: {why}"));
    let expires = match table.get("expires") {
        None => None,
        Some(item) => Some(date(item).ok_or("expires must be a date without quotes, such as 2027-03-01")?),
    };
    Ok(Entry {
        case: required("case", "the id at the beginning of the finding")?,
        fingerprint: required("fingerprint", "the text report shows it below the finding's difference")?,
        reason: required("reason", "say why this failure is accepted")?,
        issue: text("issue")?,
        expires,
    })
}

/// A date without a time.
fn date(item: &Item) -> Option<Date> {
    let value = item.as_datetime()?;
    value.date.filter(|_| value.time.is_none())
}

/// The line in which a span begins, counted from 1.
fn line(text: &str, span: Option<Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start);
    text.bytes().take(start).filter(|&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
