//! The page of one clause: the sentence, the result of each report, and the shortest transcript of each failure.

use std::collections::BTreeMap;

use dnode_spec::clause::{Clause, Judge};
use maud::{Markup, html};

use super::address::{self, href};
use super::content::{Content, Implementation, Report, Version};
use super::{File, part, shell};
use crate::escape::terminal_cut;
use crate::event::{Outcome, Verdict};
use crate::html::{badge, fragment, session, shown};
use crate::summary::{brief, count};

/// How many steps of a transcript are shown, and how many characters of each.
const STEPS: usize = 30;
const STEP: usize = 600;

/// How many cases are named at first.
const CASES: usize = 6;

/// How many failures have an article, and how many cases have a row.
const FAILURES: usize = 60;
const ROWS: usize = 400;

/// A report, and its outcomes that are about the clause.
struct Asked<'a> {
    of: &'a Implementation,
    version: &'a Version,
    report: &'a Report,
    outcomes: Vec<&'a Outcome>,
}

pub(super) fn page(content: &Content, clause: &Clause) -> File {
    let at = address::clause(clause.id);
    let asked: Vec<Asked<'_>> = content
        .reports()
        .map(|(of, version, report)| {
            let outcomes = report.record.outcomes.iter().filter(|it| part::is_about(it, clause.id)).collect();
            Asked { of, version, report, outcomes }
        })
        .filter(|it| !it.outcomes.is_empty())
        .collect();
    let body = html! {
        h1 { "Clause " (clause.id) }
        p.lead { (clause.text) }
        (facts(content, &at, clause))
        @if asked.is_empty() { p.note { "No report has a case about it." } } @else {
            h2 id="implementations" { "Implementations" }
            (implementations(&at, &asked))
            (failures(&at, &asked))
            h2 id="cases" { "Cases" }
            (cases(&asked))
        }
    };
    shell::page(&at, &format!("Clause {}", clause.id), &body)
}

fn facts(content: &Content, at: &str, clause: &Clause) -> Markup {
    let judge = match clause.judge {
        Judge::Monitor => "the monitor, on every line".to_owned(),
        Judge::Case => "cases".to_owned(),
        Judge::Interop => "sessions of two implementations".to_owned(),
        Judge::NotTestable(reason) => format!("nothing: {reason}"),
    };
    html! {
        dl.facts {
            dt { "level" } dd { (clause.level) }
            dt { "source" } dd { (clause.source) }
            @if let Some((to, title)) = content.chapters.get(clause.id) {
                dt { "protocol" } dd { a href=(href(at, to)) { (title) } }
            }
            dt { "judged by" } dd { (judge) }
            @if let Some(dialect) = clause.dialect { dt { "dialect" } dd { (dialect) " only" } }
            @if !clause.hint.is_empty() { dt { "hint" } dd { (clause.hint) } }
        }
    }
}

fn implementations(at: &str, asked: &[Asked<'_>]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Implementations" { table.list {
            thead { tr { th scope="col" { "implementation" } th scope="col" { "passed" } th scope="col" { "findings" } } }
            tbody { @for it in asked {
                tr { th scope="row" { (part::report(at, it.of, it.version, it.report)) }
                    td { (part::passed(it.outcomes.iter().copied())) }
                    td { (not_passed(at, it)) }
                }
            } }
        } }
    }
}

/// The first findings, and how many cases say nothing. The page of the version has all findings.
fn not_passed(at: &str, asked: &Asked<'_>) -> Markup {
    let bad: Vec<&&Outcome> = asked.outcomes.iter().filter(|it| it.verdict.is_finding()).collect();
    let (few, more) = bad.split_at(bad.len().min(CASES));
    let of = |verdict: Verdict| asked.outcomes.iter().filter(|it| it.verdict == verdict).count();
    html! {
        @for it in few { span.one { (badge(it.verdict)) " " a href={ "#case/" (fragment(&it.id)) } { (shown(&it.id)) } } " " }
        @if !more.is_empty() { a href=(part::report_address(at, asked.version, asked.report)) { "and " (more.len()) " more" } " " }
        @for verdict in [Verdict::NotApplicable, Verdict::Inconclusive] {
            @if of(verdict) > 0 { span.one { small { (of(verdict)) " " (verdict) } } " " }
        }
    }
}

/// The shortest transcript with which each report fails the clause, by case.
fn failures(at: &str, asked: &[Asked<'_>]) -> Markup {
    let mut by_case: BTreeMap<(usize, &str), Vec<(&Asked<'_>, &Outcome)>> = BTreeMap::new();
    for it in asked {
        let length = |outcome: &Outcome| outcome.evidence.transcript.len();
        let findings = it.outcomes.iter().copied().filter(|it| it.verdict.is_finding());
        if let Some(shortest) = findings.min_by_key(|it| (length(it) == 0, length(it), it.id.clone())) {
            by_case.entry((length(shortest), &shortest.id)).or_default().push((it, shortest));
        }
    }
    let left_out = by_case.len().saturating_sub(FAILURES);
    html! {
        @if !by_case.is_empty() {
            h2 id="failures" { "The shortest transcript of each failure" }
            p.note { "For each implementation, the shortest case that it fails." }
            @for ((_, id), failing) in by_case.iter().take(FAILURES) { (failure(at, id, failing)) }
            @if left_out > 0 { p { "And " (count(left_out, "more case")) "." } }
        }
    }
}

fn failure(at: &str, id: &str, failing: &[(&Asked<'_>, &Outcome)]) -> Markup {
    let first = failing.first().map(|(_, outcome)| *outcome);
    html! {
        article id={ "failure/" (fragment(id)) } {
            h3 { a href={ "#case/" (fragment(id)) } { (shown(id)) } }
            @if let Some(outcome) = first {
                p { (shown(&outcome.about)) }
                @if !outcome.evidence.wire.is_empty() { (session(&outcome.evidence, outcome.divergence.as_ref())) }
                @else if !outcome.evidence.transcript.is_empty() { (transcript(&outcome.evidence.transcript)) }
            }
            ul.failing { @for (it, outcome) in failing {
                li { (badge(outcome.verdict)) " " (part::report(at, it.of, it.version, it.report)) ": " span.brief { (shown(&brief(outcome))) } }
            } }
        }
    }
}

fn transcript(text: &str) -> Markup {
    let steps = text.lines().count();
    html! {
        pre { @for line in text.lines().take(STEPS) { (terminal_cut(line, STEP, 0)) "\n" }
            @if steps > STEPS { "(" (steps - STEPS) " more)\n" }
        }
    }
}

/// The cases about the clause, with the number of reports in which each passed. Those that failed
/// come first if there are too many.
fn cases(asked: &[Asked<'_>]) -> Markup {
    let mut rows: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in asked.iter().flat_map(|it| &it.outcomes) {
        rows.entry(&outcome.id).or_default().push(outcome);
    }
    let mut rows: Vec<(&str, Vec<&Outcome>)> = rows.into_iter().collect();
    let left_out = rows.len().saturating_sub(ROWS);
    if left_out > 0 {
        rows.sort_by_key(|(_, outcomes)| outcomes.iter().all(|it| it.verdict == Verdict::Pass));
        rows.truncate(ROWS);
    }
    html! {
        div.scroll tabindex="0" role="group" aria-label="Cases" { table.list {
            thead { tr { th scope="col" { "case" } th scope="col" { "what it does" } th scope="col" { "reports that passed" } } }
            tbody { @for (id, outcomes) in rows {
                tr id={ "case/" (fragment(id)) } {
                    th scope="row" { (shown(id)) }
                    td { (shown(outcomes.first().map_or("", |it| &it.about))) }
                    td { (part::passed(outcomes.iter().copied())) }
                }
            } }
        } }
        @if left_out > 0 { p { "And " (count(left_out, "more case")) "." } }
    }
}
