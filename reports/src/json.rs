//! The canonical report: one JSON document, made to be committed and diffed.
//!
//! Two runs with the same behaviour give the same bytes: cases are sorted by id, keys stand in a fixed order, and there
//! is no time, port, path of a file, pid, standard error or duration in it. `report.schema.json` beside this crate's
//! manifest describes it. It is written once, when the run has ended.
//!
//! Long texts of the peer are cut, and characters that an editor would hide are `\u` escapes.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::account::Account;
use crate::event::{Divergence, Ended, Event, Outcome, Run, Verdict};
use crate::{Report, escape};

/// The version of the format.
const FORMAT: u32 = 1;

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

    fn write(&mut self, ended: Ended) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(crate::not_started)?;
        self.cases.sort();
        let document = Document {
            format: FORMAT,
            suite: format!("dnode-conform {}", run.suite),
            peer: run.peer.as_deref().map(short),
            planned: run.planned,
            interrupted: ended.interrupted,
            verdicts: Verdicts(&self.account),
            cases: &self.cases,
        };
        let mut text = visible(&serde_json::to_string_pretty(&document)?);
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
            Event::Ended(ended) => self.write(*ended)?,
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    suite: String,
    peer: Option<String>,
    planned: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
    verdicts: Verdicts<'a>,
    cases: &'a [Case],
}

/// All seven verdicts in their order, those that nobody got too.
struct Verdicts<'a>(&'a Account);

impl Serialize for Verdicts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Verdict::ALL.map(|verdict| (verdict.word(), self.0.count(verdict))))
    }
}

/// The order of the fields is the order of the keys, and of the cases: by id, and then by all the rest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Case {
    id: String,
    verdict: &'static str,
    level: &'static str,
    clauses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    divergence: Option<Difference>,
}

impl From<&Outcome> for Case {
    fn from(outcome: &Outcome) -> Self {
        Case {
            id: outcome.id.clone(),
            verdict: outcome.verdict.word(),
            level: outcome.level.word(),
            clauses: outcome.clauses.clone(),
            reason: crate::reason(outcome).map(str::to_owned),
            divergence: outcome.divergence.as_ref().map(Difference::from),
        }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Difference {
    step: String,
    clause: String,
    kind: String,
    path: String,
    expected: String,
    actual: String,
    fingerprint: String,
}

impl From<&Divergence> for Difference {
    fn from(divergence: &Divergence) -> Self {
        Difference {
            step: divergence.step.clone(),
            clause: divergence.clause.clone(),
            kind: divergence.kind.clone(),
            path: short(&divergence.path),
            expected: short(&divergence.expected),
            actual: short(&divergence.actual),
            fingerprint: divergence.fingerprint.clone(),
        }
    }
}

fn short(text: &str) -> String {
    escape::cut(text, LONGEST).into_owned()
}

/// The JSON text with hidden characters as escapes. Outside of its strings a JSON text has none but the layout's
/// newlines, and in its strings there is no newline; so each character can be replaced where it stands.
fn visible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !escape::is_hidden(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests;
