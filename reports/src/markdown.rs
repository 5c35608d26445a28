//! Markdown: a GitHub step summary, a comment, or a page of a repository.
//!
//! The report has the counts of each run, the causes, the findings in folded blocks, and the matrix
//! of all cases by clause. With several runs, the matrix comes before the findings and each run is a
//! column.
//!
//! Rules: a text of the peer appears only as code, between more backticks than it contains, so
//! Markdown never takes it for markup; in a table its `|` is escaped too. Links lead only to
//! clauses. A step summary should be short, so findings are shown in full only until they take about
//! 30 kB; the rest are listed by id.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use dnode_spec::clause::{self, Clause};

use crate::cause::Cause;
use crate::clauses::{self, Row};
use crate::escape::{terminal, terminal_cut};
use crate::event::{Event, Outcome, Stale, Verdict};
use crate::record::{Record, Records};
use crate::report::Report;
use crate::summary::brief;
use crate::text;

/// How many characters of one text are shown.
const LONGEST: usize = 400;

/// How many characters of the ids of a cause are shown.
const CASES: usize = 200;

/// How many bytes the findings in full may take.
const FULL: usize = 30_000;

/// Writes Markdown at the end.
#[derive(Debug)]
pub struct Markdown<W> {
    out: W,
    records: Records,
}

impl<W: Write> Markdown<W> {
    /// A report to `out`, written at the end.
    #[must_use]
    pub fn new(out: W) -> Self {
        Markdown { out, records: Records::default() }
    }
}

impl<W: Write> Report for Markdown<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.records.event(event)
    }

    fn finish(&mut self) -> io::Result<()> {
        let records = self.records.all();
        let mut page = String::from("# dnode-conform\n");
        records.iter().for_each(|record| summary(&mut page, record));
        match records {
            [_] => {
                findings(&mut page, records);
                folded_matrix(&mut page, records);
            }
            _ => {
                matrix(&mut page, records);
                findings(&mut page, records);
            }
        }
        self.out.write_all(page.as_bytes())?;
        self.out.flush()
    }
}

// Writing to a string cannot fail, so the results of `write!` are ignored below.

fn summary(page: &mut String, record: &Record) {
    let exit = record.exit();
    let mark = if exit.status == 0 { "" } else { "**" };
    let _ = write!(page, "\n## {}\n\n{mark}{exit}{mark}\n\n{}\n", code(record.name()), record.sum());
    let _ = write!(page, "\nSuite {}, target {}", code(&record.run.suite), code(&record.run.target));
    let _ = writeln!(page, "; gate: {} and stricter", record.run.gate);
    if let Some(time) = record.run.time {
        let _ = writeln!(page, "- deadlines: {}", time.describe());
    }
    for note in &record.run.notes {
        let _ = writeln!(page, "- {}", code(note));
    }
    for Stale { reference, id, problem, remedy } in &record.ended.stale {
        let _ = writeln!(page, "- **{}** {} {}: {}", reference.word(), code(id), code(problem), code(remedy));
    }
}

/// The findings of all runs.
fn findings(page: &mut String, records: &[Record]) {
    let limit = page.len() + FULL;
    for record in records {
        let found: Vec<&Outcome> = record.outcomes.iter().filter(|it| it.verdict.is_finding()).collect();
        if found.is_empty() {
            continue;
        }
        causes(page, record);
        let _ = write!(page, "\n### Findings: {}\n\n", code(record.name()));
        for outcome in found {
            let mark = crate::summary::waiver(&record.run, outcome)
                .map(|why| format!(" ({why})"))
                .unwrap_or_default();
            let title = format!("**{}**{mark} {}", word(outcome.verdict), code(&outcome.id));
            if let Some(excuse) = &outcome.excuse {
                let _ = writeln!(page, "- {title}: {}", code(excuse));
                continue;
            }
            if page.len() > limit {
                let _ = writeln!(page, "- {title}");
                continue;
            }
            let _ = write!(page, "- {title}\n  {}\n", code(&brief(outcome)));
            if let Some(clause) = outcome.divergence.as_ref().and_then(|it| clause::find(&it.clause)) {
                let _ = writeln!(page, "  Clause {} ({}): {}", linked(clause), clause.level, clause.text);
            }
            let block = text::finding(&record.run, outcome);
            let fence = fence(&block);
            let _ = write!(page, "  <details><summary>evidence</summary>\n\n  {fence}text\n");
            for line in block.trim_start().lines() {
                let _ = writeln!(page, "{}", format!("  {line}").trim_end());
            }
            let _ = write!(page, "  {fence}\n\n  </details>\n\n");
        }
    }
}

/// The causes of a run, one entry each.
fn causes(page: &mut String, record: &Record) {
    let causes = Cause::of(&record.outcomes, record.run.gate);
    if causes.is_empty() {
        return;
    }
    let _ = write!(page, "\n### Causes: {}\n\n", code(record.name()));
    let mut hints = BTreeSet::new();
    for cause in causes {
        let waiver = if cause.gates { "" } else { ", not gating" };
        let _ = writeln!(page, "{}. {} ({}{waiver})", cause.number, code(&cause.sentence()), cause.level());
        let _ = writeln!(page, "   {}", code(&cause.cases(CASES)));
        let is_new = hints.insert(cause.hint());
        if !cause.hint().is_empty() && (is_new || !cause.has_general_hint()) {
            let _ = writeln!(page, "   {}", cause.hint());
        }
    }
}

fn folded_matrix(page: &mut String, records: &[Record]) {
    page.push_str("\n<details><summary>All cases</summary>\n");
    matrix(page, records);
    page.push_str("\n</details>\n");
}

/// All cases by clause, one column per run.
fn matrix(page: &mut String, records: &[Record]) {
    page.push_str("\n| case | level |");
    for record in records {
        let name = if records.len() == 1 { "verdict".to_owned() } else { cell(record.name()) };
        let _ = write!(page, " {name} |");
    }
    let _ = write!(page, "\n|---|---|{}\n", "---|".repeat(records.len()));
    for group in clauses::groups(records) {
        let level = group.clause.map_or("", |clause| clause.level.word());
        let name = group.clause.map_or_else(|| cell(&group.id), linked);
        let _ = writeln!(page, "| **{name}** | {level} |{}", " |".repeat(records.len()));
        for Row { id, level, outcomes } in &group.rows {
            let _ = write!(page, "| {} | {level} |", cell(id));
            for outcome in outcomes {
                let _ = write!(page, " {} |", outcome.map_or("", |outcome| word(outcome.verdict)));
            }
            page.push('\n');
        }
    }
}

/// The verdict in a word; findings are in capitals.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::Crash => "CRASH",
        Verdict::Hang => "HANG",
        Verdict::NotApplicable => "not-applicable",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::HarnessError => "HARNESS-ERROR",
    }
}

/// The id of a clause as a link to its text and source.
fn linked(clause: &Clause) -> String {
    format!("[`{}`]({})", clause.id, clause.link())
}

/// Any text as code.
pub(crate) fn code(text: &str) -> String {
    span(&terminal_cut(text, LONGEST, 0))
}

/// Like [`code`], for the cell of a table: `|` is escaped.
pub(crate) fn cell(text: &str) -> String {
    span(&terminal(crate::escape::cut(text, LONGEST).as_ref()).replace('|', r"\x7c"))
}

fn span(shown: &str) -> String {
    if shown.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(shown) + 1);
    // A backtick at an end needs a space beside it. Markdown removes one space at each end.
    let space = if shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{shown}{space}{fence}")
}

/// The fence around a block of code: more backticks than it has in a row.
pub(crate) fn fence(block: &str) -> String {
    "`".repeat(longest_run(block).max(2) + 1)
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
