//! The cases that did not pass, with their details in each run.

use dnode_spec::clause;
use maud::{Markup, html};

use super::mark;
use super::parts::{badge, fragment, has_article, letters, name, shown};
use super::sequence::{part, session};
use crate::clauses::{Group, Row};
use crate::escape::no_command;
use crate::event::{Divergence, Outcome, Verdict};
use crate::record::Record;

/// How many lines of standard error are shown from its start and from its end.
const LINES: (usize, usize) = (10, 20);

/// All cases that did not pass in one of the runs. The details are folded, except for one run.
pub(super) fn cases(records: &[Record], groups: &[Group<'_>]) -> Markup {
    html! {
        @for row in groups.iter().flat_map(|group| &group.rows) {
            @if has_article(row) { (case(records, row)) }
        }
    }
}

fn case(records: &[Record], row: &Row<'_>) -> Markup {
    let about = row.judged().map(|outcome| &outcome.about).find(|about| !about.is_empty());
    let clauses = row.judged().next().map(|outcome| outcome.clauses.as_slice()).unwrap_or_default();
    html! {
        article id={ "case/" (fragment(row.id)) } data-v=(letters(row)) data-l=(row.level) tabindex="-1" {
            h3 { a href={ "#case/" (fragment(row.id)) } { (shown(row.id)) } " " small { (row.level) } }
            @if let Some(about) = about { p { (shown(about)) } }
            p.clauses { "Clause " @for id in clauses { a href={ "#clause/" (fragment(id)) } { (shown(id)) } " " } }
            @for (number, outcome) in row.outcomes.iter().enumerate() {
                @if let (Some(outcome), Some(record)) = (outcome, records.get(number)) {
                    (judged(number, records.len(), record, outcome))
                }
            }
        }
    }
}

/// The outcome of the case in one run.
fn judged(number: usize, runs: usize, record: &Record, outcome: &Outcome) -> Markup {
    let waiver = crate::summary::waiver(&record.run, outcome);
    let head = html! {
        (badge(outcome.verdict)) " " @if runs > 1 { strong { (name(record)) } " " }
        @if let Some(why) = waiver { "(" (why) ") " }
    };
    html! {
        @if outcome.divergence.is_none() && !outcome.verdict.is_finding() {
            p.judged data-peer=(number) { (head) @if let Some(reason) = crate::summary::reason(outcome) { (shown(reason)) } }
        } @else {
            details.judged data-peer=(number) {
                summary { (head) span.brief { (shown(&crate::summary::brief(outcome))) } }
                (finding(outcome))
            }
        }
    }
}

/// The details of a finding.
pub(crate) fn finding(outcome: &Outcome) -> Markup {
    let evidence = &outcome.evidence;
    html! {
        @if outcome.verdict == Verdict::HarnessError {
            p { "The suite itself failed. This says nothing about the peer." }
        }
        @if let Some(reason) = crate::summary::reason(outcome) { p { (shown(reason)) } }
        @if let Some(excuse) = &outcome.excuse { p { "Excused: " (shown(excuse)) } }
        @if let Some(divergence) = &outcome.divergence { (difference(outcome, divergence)) }
        (session(evidence, outcome.divergence.as_ref()))
        @if let Some(written) = &evidence.stderr {
            h4 { "Standard error while the case ran" @if written.beside { " (other cases ran beside it)" } }
            (stderr(&written.text))
        }
        @if let Some(death) = &evidence.death {
            h4 { "Process: " (shown(&death.status.to_string())) }
            (stderr(&death.stderr))
        }
        @if !evidence.repeat.is_empty() {
            h4 { "Repeat it" }
            div.repeat.copy { code { (shown(&evidence.repeat)) } }
        }
    }
}

/// The clause, and the expected and the actual behaviour.
fn difference(outcome: &Outcome, divergence: &Divergence) -> Markup {
    let hint = crate::cause::hint(outcome);
    let (expected, got) = crate::summary::values(outcome, divergence);
    let (expected, got) = mark::differing(&shown(expected), &shown(got));
    html! {
        @if let Some(clause) = clause::find(&divergence.clause) {
            blockquote { (clause.text)
                footer { a href=(clause.link()) { (clause.id) } " (" (clause.level) "), " (clause.source) }
            }
        }
        dl {
            dt { "step" } dd { (shown(&divergence.step)) }
            @if !divergence.path.is_empty() { dt { "where" } dd { code { (shown(&divergence.path)) } } }
            dt { "expected" } dd { code { (part(&expected)) } }
            dt { "got" } dd { code { (part(&got)) } }
            @if let Some(activity) = outcome.evidence.activity { dt { "meanwhile" } dd { "the peer " (activity) } }
            @if !hint.is_empty() { dt { "hint" } dd { (hint) } }
            dt { "difference" } dd { (divergence.kind) ", fingerprint " (shown(&divergence.fingerprint)) }
        }
    }
}

/// The first and the last lines of standard error.
fn stderr(text: &str) -> Markup {
    let lines: Vec<&str> = text.lines().collect();
    let (first, rest) = lines.split_at(lines.len().min(LINES.0));
    let left_out = rest.len().saturating_sub(LINES.1);
    let line = |line: &&str| html! { (no_command(&shown(&line.replace('\t', "    ")))) "\n" };
    html! {
        @if !lines.is_empty() { pre {
            @for it in first { (line(it)) }
            @if left_out > 0 { "(" (crate::summary::count(left_out, "line")) " left out)\n" }
            @for it in &rest[left_out..] { (line(it)) }
        } }
    }
}
