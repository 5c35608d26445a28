//! The canonical report: one JSON document, made to be committed and diffed.
//!
//! Two runs with the same behaviour give the same bytes: cases are sorted by id, keys have a fixed
//! order, and the report has no time, port, file path, pid, standard error or duration.
//! `report.schema.json` in this crate's folder describes it. The report is written at once, at the
//! end of the run.
//!
//! Long texts of the peer are cut, and characters that an editor would hide are `\u` escapes.
//! [`read`] turns the report back into events; the fields that the report leaves out are empty.

use std::collections::BTreeMap;
use std::io::{self, Write};

use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::error::ReadError;
use crate::escape;
use crate::event::{Divergence, Ended, Event, Evidence, Outcome, Role, Run, Verdict};
use crate::report::Report;

/// The version of the format.
const FORMAT: u32 = 1;

/// The text before the version of the suite.
const SUITE: &str = "dnode-conform ";

/// How many characters of a text of the peer are kept.
const LONGEST: usize = 200;

/// Writes the canonical report.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    run: Option<Run>,
    account: Account,
    cases: Vec<Case>,
}

impl<W: Write> Json<W> {
    /// A report to `out`, written at the end.
    #[must_use]
    pub fn new(out: W) -> Self {
        Json { out, run: None, account: Account::default(), cases: Vec::new() }
    }

    fn write(&mut self, ended: &Ended) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(crate::report::not_started)?;
        self.cases.sort();
        let document = Document {
            format: FORMAT,
            suite: format!("{SUITE}{}", run.suite),
            peer: run.peer.as_deref().map(short),
            role: run.role,
            dialect: run.dialect,
            planned: run.planned,
            interrupted: ended.interrupted,
            verdicts: counts(&self.account),
            cases: std::mem::take(&mut self.cases),
        };
        let mut text = escape::json(&serde_json::to_string_pretty(&document)?);
        text.push('\n');
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Report for Json<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.run = Some(run.clone()),
            Event::Judged(outcome) => {
                self.account.add(outcome);
                self.cases.push(Case::from(&**outcome));
            }
            Event::Ended(ended) => self.write(ended)?,
        }
        Ok(())
    }
}

/// Reads a canonical report. The fields that it leaves out are empty: the sentence about a case,
/// evidence and notes.
///
/// `target` names the source of the report for people. `gate` is the weakest level that gates; the
/// report does not have it.
///
/// # Errors
/// [`ReadError`]: the text is empty or not a canonical report, its format is unknown, or its counts do not
/// match its cases. The caller is at fault.
pub fn read(text: &str, target: &str, gate: Level) -> Result<Vec<Event>, ReadError> {
    match text.trim_start().chars().next() {
        None => return Err(ReadError::Empty),
        // The reader would take an array for the fields without their names.
        Some('[') => return Err(ReadError::NoObject),
        Some(_) => {}
    }
    let document: Document = serde_json::from_str(text)?;
    if document.format != FORMAT {
        return Err(ReadError::Format { found: document.format, readable: FORMAT });
    }
    let run = Run {
        suite: document.suite.strip_prefix(SUITE).unwrap_or(&document.suite).to_owned(),
        peer: document.peer,
        role: document.role,
        dialect: document.dialect,
        interop: false,
        target: target.to_owned(),
        planned: document.planned,
        notes: Vec::new(),
        gate,
        time: None,
    };
    let mut account = Account::default();
    let mut events = vec![Event::Started(run)];
    for case in document.cases {
        let outcome = case.outcome();
        account.add(&outcome);
        events.push(Event::Judged(Box::new(outcome)));
    }
    if counts(&account) != document.verdicts {
        return Err(ReadError::Counts);
    }
    // If the peer answered no call, the verdicts show it: every case that needs an answer has
    // failed.
    events.push(Event::Ended(Ended {
        interrupted: document.interrupted,
        answered: true,
        ..Ended::default()
    }));
    Ok(events)
}

/// The order of the fields is the order of the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    suite: String,
    peer: Option<String>,
    #[serde(default, skip_serializing_if = "crate::serial::is_default")]
    role: Role,
    #[serde(default, with = "crate::serial::dialect", skip_serializing_if = "crate::serial::is_default")]
    dialect: Dialect,
    planned: usize,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
    verdicts: BTreeMap<Verdict, usize>,
    cases: Vec<Case>,
}

/// The count of each verdict, in their order; unused verdicts count 0.
fn counts(account: &Account) -> BTreeMap<Verdict, usize> {
    Verdict::ALL.into_iter().map(|verdict| (verdict, account.count(verdict))).collect()
}

/// The order of the fields is the order of the keys. It also sorts the cases: by id first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    verdict: Verdict,
    #[serde(with = "crate::serial::level")]
    level: Level,
    clauses: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rests_on: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    divergence: Option<Divergence>,
}

impl Case {
    fn outcome(self) -> Outcome {
        Outcome {
            id: self.id,
            about: String::new(),
            level: self.level,
            clauses: self.clauses,
            verdict: self.verdict,
            reason: self.reason,
            rests_on: self.rests_on,
            divergence: self.divergence,
            excuse: None,
            evidence: Evidence::default(),
        }
    }
}

impl From<&Outcome> for Case {
    fn from(outcome: &Outcome) -> Self {
        Case {
            id: outcome.id.clone(),
            verdict: outcome.verdict,
            level: outcome.level,
            clauses: outcome.clauses.clone(),
            reason: crate::summary::reason(outcome).map(short),
            rests_on: outcome.rests_on.clone(),
            divergence: outcome.divergence.as_ref().map(|divergence| Divergence {
                path: short(&divergence.path),
                expected: short(&divergence.expected),
                actual: short(&divergence.actual),
                ..divergence.clone()
            }),
        }
    }
}

fn short(text: &str) -> String {
    escape::cut(text, LONGEST).into_owned()
}

#[cfg(test)]
mod tests;
