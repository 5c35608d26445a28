//! The canonical report: one JSON document, made to be committed and diffed.
//!
//! Two runs with the same behaviour give the same bytes: cases are sorted by id, keys stand in a fixed order, and there
//! is no time, port, path of a file, pid, standard error or duration in it. `report.schema.json` beside this crate's
//! manifest describes it. It is written once, when the run has ended.
//!
//! Long texts of the peer are cut, and characters that an editor would hide are `\u` escapes. [`read`] gives the events
//! back, without what this report leaves out.

use std::collections::BTreeMap;
use std::io::{self, Write};

use dnode_spec::clause::Level;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::event::{Divergence, Ended, Event, Evidence, Outcome, Run, Verdict};
use crate::{Report, escape};

/// The version of the format.
const FORMAT: u32 = 1;

/// What stands before the version of the suite.
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
    /// A report that will be written to `out`.
    #[must_use]
    pub fn new(out: W) -> Self {
        Json { out, run: None, account: Account::default(), cases: Vec::new() }
    }

    fn write(&mut self, ended: &Ended) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(crate::not_started)?;
        self.cases.sort();
        let document = Document {
            format: FORMAT,
            suite: format!("{SUITE}{}", run.suite),
            peer: run.peer.as_deref().map(short),
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

/// Reads a canonical report. What it leaves out is empty: the sentence about a case, the evidence, the notes.
///
/// `target` is where the report came from, for people; `gate` is the weakest level that gates, which it does not say.
///
/// # Errors
/// It is no canonical report, of another format, or its counts are not those of its cases.
pub fn read(text: &str, target: &str, gate: Level) -> Result<Vec<Event>, String> {
    let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if document.format != FORMAT {
        return Err(format!("it has the format {}, and this is read: {FORMAT}", document.format));
    }
    let run = Run {
        suite: document.suite.strip_prefix(SUITE).unwrap_or(&document.suite).to_owned(),
        peer: document.peer,
        target: target.to_owned(),
        planned: document.planned,
        notes: Vec::new(),
        gate,
    };
    let mut account = Account::default();
    let mut events = vec![Event::Started(run)];
    for case in document.cases {
        let outcome = case.outcome();
        account.add(&outcome);
        events.push(Event::Judged(Box::new(outcome)));
    }
    if counts(&account) != document.verdicts {
        return Err("its verdicts are not those of its cases".to_owned());
    }
    // A peer that answers no call passes nothing that needs an answer, so what it did shows in the verdicts.
    events.push(Event::Ended(Ended { interrupted: document.interrupted, answered: true, stale: Vec::new() }));
    Ok(events)
}

/// The order of the fields is the order of the keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    suite: String,
    peer: Option<String>,
    planned: usize,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
    verdicts: BTreeMap<Verdict, usize>,
    cases: Vec<Case>,
}

/// All seven verdicts in their order, those that nobody got too.
fn counts(account: &Account) -> BTreeMap<Verdict, usize> {
    Verdict::ALL.into_iter().map(|verdict| (verdict, account.count(verdict))).collect()
}

/// The order of the fields is the order of the keys, and of the cases: by id, and then by all the rest.
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
            rests_on: None,
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
            reason: crate::reason(outcome).map(short),
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
