//! The matrix: one row per case, grouped by clause and group, and one column per run.
//!
//! The script folds groups and clauses; without it, all rows are shown. For an interop run the rows
//! are the clients and the columns are the servers.

use maud::{Markup, html};

use super::bar::bar;
use super::overview::interop;
use super::parts::{badge, fragment, has_article, letter, letters, mark, name, shown};
use crate::clauses::{Group, Row};
use crate::event::{Outcome, Verdict};
use crate::record::Record;
use crate::tally::group_of;

/// The matrix of all cases.
pub(super) fn matrix(records: &[Record], groups: &[Group<'_>]) -> Markup {
    let (grid, one) = (interop(records), records.len() == 1);
    let by_group = groups.chunk_by(|a, b| group_of(&a.id) == group_of(&b.id));
    html! {
        p.legend { @for verdict in Verdict::ALL { span { i class={ "mark " (letter(verdict)) } aria-hidden="true" { (mark(verdict)) } " " (verdict) } }
            @if !one && !grid { span { i class="mark f" aria-hidden="true" { "3" } " 3 cases did not pass; the colour is that of the worst" } }
        }
        table.matrix.grid[grid].one[one] {
            @if !one { thead { tr {
                th scope="col" { @if grid { "client ↓ server →" } @else { "group, clause and case" } }
                @for record in records { th.peer scope="col" { span { (name(record)) } } }
            } } }
            @if grid {
                tbody { @for row in groups.iter().flat_map(|group| &group.rows) { (case(row, one)) } }
            } @else {
                @for clauses in by_group { (group(clauses, records.len(), one)) }
            }
        }
        p #none hidden { "No case matches the filters." }
    }
}

/// A group of clauses: how many of its cases did not pass in each run, and its clauses.
fn group(clauses: &[Group<'_>], runs: usize, one: bool) -> Markup {
    let name = clauses.first().map_or("", |clause| group_of(&clause.id));
    let rows: Vec<&Row<'_>> = clauses.iter().flat_map(|clause| &clause.rows).collect();
    html! {
        tbody.group { tr {
            th scope="rowgroup" { button type="button" aria-expanded="true" disabled { (shown(name)) } }
            @for column in 0..runs { (total(&rows, column, one)) }
        } }
        @for it in clauses { (clause(it, runs, one)) }
    }
}

/// A clause: its sentence, its worst verdict in each run, and its cases.
fn clause(group: &Group<'_>, runs: usize, one: bool) -> Markup {
    let rows: Vec<&Row<'_>> = group.rows.iter().collect();
    html! {
        tbody.clause {
            tr id={ "clause/" (fragment(&group.id)) } {
                th scope="rowgroup" { button type="button" aria-expanded="true" disabled { (shown(&group.id)) }
                    @if let Some(clause) = group.clause { " " a href=(clause.link()) { (clause.level) } span.about { (clause.text) } }
                }
                @for column in 0..runs { (total(&rows, column, one)) }
            }
            @for row in &group.rows { (case(row, one)) }
        }
    }
}

/// A row of a case. It is the place of the case if there are no details.
fn case(row: &Row<'_>, one: bool) -> Markup {
    let about = row.judged().map(|outcome| &outcome.about).find(|about| one && !about.is_empty());
    let id = (!has_article(row)).then(|| format!("case/{}", fragment(row.id)));
    html! {
        tr.case id=[id] data-v=(letters(row)) data-l=(row.level) {
            th scope="row" { a href={ "#case/" (fragment(row.id)) } { (shown(row.id)) }
                @if let Some(about) = about { span.about { (shown(about)) } }
            }
            @for outcome in &row.outcomes { (cell(row.id, *outcome, one)) }
        }
    }
}

/// A verdict as a mark, and as a word for screen readers. Only cases that did not pass are links;
/// thousands more links would double the size of the page.
fn cell(id: &str, outcome: Option<&Outcome>, one: bool) -> Markup {
    html! {
        @match outcome {
            None => td {},
            Some(outcome) => @match outcome.verdict {
                Verdict::Pass => td.p { i { "pass" } },
                verdict if one => td { a href={ "#case/" (fragment(id)) } { (badge(verdict)) } @if outcome.excuse.is_some() { " excused" } },
                verdict => td class={ (letter(verdict)) @if outcome.excuse.is_some() { " k" } } {
                    a href={ "#case/" (fragment(id)) } {
                        i { (verdict) @if outcome.excuse.is_some() { ", excused" } }
                    }
                },
            },
        }
    }
}

/// The worst verdict of these cases in a run, and how many of them did not pass. A single run has
/// room for words.
fn total(rows: &[&Row<'_>], column: usize, one: bool) -> Markup {
    let verdicts: Vec<Verdict> =
        rows.iter().filter_map(|row| *row.outcomes.get(column)?).map(|it| it.verdict).collect();
    let Some(worst) = verdicts.iter().copied().max_by_key(|verdict| severity(*verdict)) else {
        return html! { td {} };
    };
    let passed = verdicts.iter().filter(|verdict| **verdict == Verdict::Pass).count();
    let words = format!("{passed} of {} pass", verdicts.len());
    html! {
        @if one {
            td { (bar("small", &words, &verdicts)) (words) }
        } @else if passed == verdicts.len() {
            td.p { i { (words) } }
        } @else {
            td class={ "t " (letter(worst)) } title=(words) { (verdicts.len() - passed) i { " not passed, worst: " (worst) } }
        }
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
