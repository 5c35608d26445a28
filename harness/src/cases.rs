//! The catalogue: which cases there are, and which are selected.

mod long;
mod over_the_run;
mod selection;

pub use long::{LongError, Parts, Rest, read_long};
pub use over_the_run::{
    LIFE, LIFE_ABOUT, LIFE_CLAUSE, OverTheRun, PROBE_COMPLETE, invariant_id, invariants, over_the_run,
};
pub use selection::{NoMatch, PatternError, Selection, SelectionError};

use crate::error::{Fault, Faulted};
use dnode_spec::clause::{self, Level};
use dnode_spec::dialect::Dialect;
use dnode_spec::transcript::{Transcript, TranscriptError};
use thiserror::Error;

/// Why the catalogue cannot be read: a defect of the suite.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// This file is not a valid transcript.
    #[error("{0}, {1}")]
    Transcript(String, #[source] TranscriptError),
    /// This file contains the case with this id, which belongs in another file.
    #[error("{0} contains the case {1}, whose file must have its name")]
    Misplaced(String, String),
}

impl Faulted for CatalogueError {
    fn fault(&self) -> Fault {
        Fault::Harness
    }
}

/// A transcript with its text.
#[derive(Debug, Clone)]
pub struct Case {
    /// The transcript.
    pub transcript: Transcript,
    /// Its lines, unchanged.
    pub text: String,
    /// The file that it was read from; `None` for a case of the catalogue.
    pub file: Option<String>,
    /// The steps after those of the transcript, if it is too long for memory.
    pub rest: Option<Rest>,
}

impl Case {
    /// Reads a case from the text of its file.
    ///
    /// # Errors
    /// [`TranscriptError`] with the line and the problem.
    pub fn read(text: &str) -> Result<Case, TranscriptError> {
        let transcript = Transcript::read(text)?;
        Ok(Case { transcript, text: text.trim_end().to_owned(), file: None, rest: None })
    }

    /// Its permanent id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.transcript.header.id
    }

    /// Whether it applies to peers of this dialect.
    #[must_use]
    pub fn is_of(&self, dialect: Dialect) -> bool {
        self.transcript.header.dialect.is_none_or(|only| only == dialect)
    }

    /// The level of its first clause.
    #[must_use]
    pub fn level(&self) -> Level {
        self.transcript.header.clauses.first().map_or(Level::Observed, |clause| level(clause))
    }

    /// Whether it is about this clause.
    #[must_use]
    pub fn is_about(&self, clause: &str) -> bool {
        self.transcript.header.clauses.iter().any(|tested| tested == clause)
    }
}

/// The level of a clause.
#[must_use]
pub fn level(id: &str) -> Level {
    clause::find(id).map_or(Level::Observed, |clause| clause.level)
}

/// All cases of the catalogue for this dialect: first those that run side by side, then the hostile
/// ones, both sorted by id.
///
/// # Errors
/// [`CatalogueError`].
pub fn catalogue(dialect: Dialect) -> Result<Vec<Case>, CatalogueError> {
    let mut cases = all()?;
    cases.retain(|case| !case.transcript.header.server && case.is_of(dialect));
    Ok(cases)
}

/// The cases for a client that can only call and read one answer: it fetches a task from our
/// object, performs it, and reports the result.
///
/// # Errors
/// [`CatalogueError`].
pub fn pull() -> Result<Vec<Case>, CatalogueError> {
    Ok(all()?.into_iter().filter(|case| case.transcript.header.server).collect())
}

/// The cases of [`catalogue`] and [`pull`], in all dialects.
///
/// # Errors
/// [`CatalogueError`].
pub fn all() -> Result<Vec<Case>, CatalogueError> {
    let read = dnode_fixtures::CATALOGUE.iter().map(|(id, text)| {
        let file = || format!("fixtures/transcripts/{id}.jsonl");
        let case = Case::read(text).map_err(|error| CatalogueError::Transcript(file(), error))?;
        match case.id() == *id {
            true => Ok(case),
            false => Err(CatalogueError::Misplaced(file(), case.id().to_owned())),
        }
    });
    let mut cases: Vec<Case> = read.collect::<Result<_, _>>()?;
    cases.sort_by(|a, b| {
        let key = |case: &Case| (case.transcript.header.hostile, case.id().to_owned());
        key(a).cmp(&key(b))
    });
    Ok(cases)
}

/// The recorded sessions in which we are the client. They are not part of the catalogue.
#[must_use]
pub fn recorded() -> Vec<Case> {
    let read = dnode_fixtures::RECORDED.iter().filter_map(|text| Case::read(text).ok());
    read.filter(|case| !case.transcript.header.server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnode_spec::clause::{CLAUSES, Judge};
    use std::collections::BTreeSet;

    #[test]
    fn every_transcript_reads_and_every_testable_clause_has_a_case() {
        let cases = all().unwrap();
        let tested: BTreeSet<&str> =
            cases.iter().flat_map(|case| case.transcript.header.clauses.iter().map(String::as_str)).collect();
        for clause in
            CLAUSES.iter().filter(|clause| clause.judge == Judge::Case && clause.id != PROBE_COMPLETE)
        {
            assert!(tested.contains(clause.id), "no case tests {}", clause.id);
        }
    }

    #[test]
    fn a_case_has_the_dialect_of_its_clauses() {
        for case in all().unwrap() {
            for clause in case.transcript.header.clauses.iter().filter_map(|clause| clause::find(clause)) {
                assert!(
                    clause.dialect.is_none() || clause.dialect == case.transcript.header.dialect,
                    "{} tests {}",
                    case.id(),
                    clause.id
                );
            }
        }
    }
}
