//! The matrix: one row per case, grouped by clause, and one column per run.

use maud::{Markup, html};

use super::parts::{fragment, letter, letters, shown};
use crate::clauses::{Group, Row};
use crate::escape::terminal_cut;
use crate::event::{Outcome, Verdict};
use crate::record::Record;

/// How many characters of a peer's name the head of its column shows.
const NAME: usize = 60;

pub(super) fn matrix(records: &[Record], groups: &[Group<'_>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby="matrix" { table.matrix {
            thead { tr {
                th scope="col" { "clause and case" }
                @for record in records { th scope="col" { (terminal_cut(record.name(), NAME, 0)) } }
            } }
            @for group in groups { (clause(group)) }
        } }
    }
}

/// A clause: its sentence, its worst verdict in each run, and its cases.
fn clause(group: &Group<'_>) -> Markup {
    let columns = group.rows.first().map_or(0, |row| row.outcomes.len());
    html! {
        tbody {
            tr.clause id={ "clause/" (fragment(&group.id)) } {
                th scope="rowgroup" { (shown(&group.id))
                    @if let Some(clause) = group.clause { " (" a href=(clause.link()) { (clause.level) } ")" span.about { (clause.text) } }
                }
                @for column in 0..columns { (worst(group, column)) }
            }
            @for row in &group.rows { (case(row)) }
        }
    }
}

fn case(row: &Row<'_>) -> Markup {
    html! {
        tr.case data-v=(letters(row)) data-l=(row.level) {
            th scope="row" { a href={ "#case/" (fragment(row.id)) } { (shown(row.id)) } }
            @for outcome in &row.outcomes { (cell(row.id, *outcome)) }
        }
    }
}

/// A verdict. Only cases that did not pass are links; thousands more links would double the size of
/// the page.
fn cell(id: &str, outcome: Option<&Outcome>) -> Markup {
    html! {
        @match outcome.map(|outcome| outcome.verdict) {
            None => td {},
            Some(Verdict::Pass) => td.p { "pass" },
            Some(verdict) => td class=(letter(verdict)) { a href={ "#case/" (fragment(id)) } { (brief(verdict)) } },
        }
    }
}

/// The worst verdict of a clause, and how many of its cases did not pass.
fn worst(group: &Group<'_>, column: usize) -> Markup {
    let verdicts: Vec<Verdict> =
        group.rows.iter().filter_map(|row| *row.outcomes.get(column)?).map(|it| it.verdict).collect();
    let Some(worst) = verdicts.iter().copied().max_by_key(|verdict| severity(*verdict)) else {
        return html! { td {} };
    };
    let count = verdicts.iter().filter(|verdict| **verdict != Verdict::Pass).count();
    html! {
        td class=(letter(worst)) { (brief(worst)) @if count > 0 { " " (count) "/" (verdicts.len()) } }
    }
}

fn severity(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Pass => 0,
        Verdict::NotApplicable => 1,
        Verdict::Inconclusive => 2,
        Verdict::HarnessError => 3,
        Verdict::Fail => 4,
        Verdict::Hang => 5,
        Verdict::Crash => 6,
    }
}

/// The verdict in a word that fits a narrow column.
fn brief(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::Crash => "CRASH",
        Verdict::Hang => "HANG",
        Verdict::NotApplicable => "n/a",
        Verdict::Inconclusive => "unclear",
        Verdict::HarnessError => "error",
    }
}
