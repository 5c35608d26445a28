//! The difference for people. Like the text report, it escapes every text.

use super::compare::{Case, Clauses, Diff};
use crate::event::Outcome;
use crate::page::{Page, style};
use crate::summary::brief;

pub(super) fn write(diff: &Diff) -> String {
    let mut page = Page::new(false, crate::page::WIDTH);
    for (word, record) in ["old", "new"].iter().zip(&diff.records) {
        let name = format!("{}, at {}, suite {}", record.name(), record.run.target, record.run.suite);
        page.field(word, style::PLAIN, &name);
        page.field("", style::PLAIN, &record.sum());
    }
    for Clauses { id, clause, cases } in diff.clauses() {
        page.blank();
        match clause {
            Some(clause) => {
                page.wrapped("", style::BOLD, format!("{id} ({}): {}", clause.level, clause.text))
            }
            None => page.wrapped("", style::BOLD, id),
        }
        cases.iter().for_each(|case| one(&mut page, case));
    }
    page.blank();
    page.wrapped("", style::PLAIN, diff.counts().to_string());
    page.into_string()
}

fn one(page: &mut Page, case: &Case<'_>) {
    let verdict = |outcome: Option<&Outcome>| outcome.map_or("absent", |outcome| outcome.verdict.word());
    let line = format!("{}: {} -> {}", case.id, verdict(case.old), verdict(case.new));
    page.wrapped(&format!("  {:8}", case.change.word()), style::PLAIN, line);
    for (word, outcome) in [("was", case.old), ("is", case.new)] {
        let said = outcome.map(brief).unwrap_or_default();
        if !said.is_empty() {
            page.wrapped(&format!("          {word:4}"), style::FAINT, said);
        }
    }
}
