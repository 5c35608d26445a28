//! The page of one version of an implementation: its reports in each role, with the causes, the
//! notes beside them, and its learned machine.

use dnode_spec::clause::Level;
use maud::{Markup, html};

use super::address::{self, href};
use super::content::{Content, Implementation, Report, Version};
use super::document::{self, Style};
use super::links::Origin;
use super::{File, part, shell};
use crate::cause::{Cause, sent};
use crate::escape::terminal_cut;
use crate::event::Verdict;
use crate::html::{badge, cause_title, headline, run_bar, session, shown};
use crate::summary::{EMPTY_LINE, count, values};
use crate::tally::{Groups, group_of};

/// How many causes of a report are shown.
const CAUSES: usize = 100;

/// How many cases of a cause are named at first, and how many when the list is opened.
const CASES: usize = 12;
const MORE: usize = 200;

/// How many characters of a line are shown.
const LINE: usize = 200;

pub(super) fn page(content: &Content, of: &Implementation, version: &Version) -> File {
    let at = address::version(&version.slug);
    let title = part::title(of, version);
    let body = html! {
        h1.headline { (title) }
        @if let Some(advice) = &of.advice { p.lead { (shown(advice)) } }
        (facts(&at, of, version))
        nav aria-label="Parts of the page" {
            @for report in &version.reports { a href={ "#" (report.slug) } { "as a " (report.role()) } " " }
        }
        @for report in &version.reports { (one(content, &at, of, report)) }
    };
    shell::page(&at, &title, &body)
}

fn facts(at: &str, of: &Implementation, version: &Version) -> Markup {
    html! {
        dl.facts {
            @if let Some(language) = &of.language { dt { "language" } dd { (shown(language)) } }
            @if let Some(released) = &version.released { dt { "released" } dd { (shown(released)) } }
            @if let Some(reported) = &version.reported { dt { "tested" } dd { (shown(reported)) } }
            @if let Some(home) = part::homepage(of) { dt { "homepage" } dd { a href=(home) { (shown(home)) } } }
            @if of.versions.len() > 1 {
                dt { "versions" }
                dd {
                    @for other in of.versions.iter().filter(|it| it.slug != version.slug) { (part::version(at, of, other)) " " }
                    a href=(href(at, &address::history(&of.slug))) { "side by side" }
                }
            }
            @if version.has_machine {
                dt { "machine" } dd { a href=(href(at, &address::machine(&version.slug))) { "its learned state machine" } }
            }
        }
    }
}

/// The report in one role.
fn one(content: &Content, at: &str, of: &Implementation, report: &Report) -> Markup {
    let record = &report.record;
    let status = record.exit().status;
    html! {
        section.report aria-labelledby=(report.slug) {
            h2 id=(report.slug) { "As a " (report.role()) }
            p class={ "verdict s" (status) } { (headline(record, &report.causes)) }
            p.sum { (record.sum()) }
            (run_bar(record))
            (groups(report))
            @for note in &record.run.notes { p.note { (shown(note)) } }
            p { img src=(href(at, &address::badge(&report.slug))) alt={ "Badge: " (super::badge::text(report)) }; " "
                small { "its " a href=(href(at, &address::badge(&report.slug))) { "badge" } } }
            (causes(at, of, report))
            @if let Some(notes) = &report.notes {
                @let rendered = notes_of(content, at, report, notes);
                h3 id={ (report.slug) "-notes" } { "Notes" }
                div.prose { (rendered) }
            }
        }
    }
}

/// The Markdown file beside the report, without its title.
fn notes_of(content: &Content, at: &str, report: &Report, text: &str) -> Markup {
    let (origin, prefix) = (Origin::of_folder(&report.name), format!("{}-", report.slug));
    let link = |to: &str| content.links.resolve(at, &origin, &prefix, to);
    document::render(text, &Style { prefix: &prefix, lowered: 2, link: &link }).body
}

/// How many cases passed, by group and level.
fn groups(report: &Report) -> Markup {
    let mut groups = Groups::default();
    report.record.outcomes.iter().for_each(|outcome| groups.add(outcome));
    let outcomes = |name: &str, level: Level| {
        let name = name.to_owned();
        report.record.outcomes.iter().filter(move |it| it.level == level && group_of(&it.id) == name)
    };
    html! {
        details {
            summary { "Passed, by group of cases and level" }
            div.scroll tabindex="0" role="group" aria-label={ "Passed cases as a " (report.role()) } { table.groups {
                thead { tr { th scope="col" { "group" } @for level in groups.levels() { th scope="col" { (level) } } } }
                tbody { @for group in groups.all() {
                    tr { th scope="row" { (shown(&group.name)) }
                        @for level in groups.levels() { td { @if !group.of(level).0.is_empty() { (part::passed(outcomes(&group.name, level))) } } }
                    }
                } }
            } }
        }
    }
}

fn causes(at: &str, of: &Implementation, report: &Report) -> Markup {
    let (shown_causes, more) = report.causes.split_at(report.causes.len().min(CAUSES));
    html! {
        @if !report.causes.is_empty() {
            h3 id={ (report.slug) "-causes" } { (count(report.causes.len(), "cause")) }
            p.note { "In the order in which to fix them. Reports here have no standard error, so crashes are grouped by clause." }
            @for cause in shown_causes { (card(at, of, report, cause)) }
            @if !more.is_empty() { p { "And " (count(more.len(), "more cause")) "." } }
        }
    }
}

fn card(at: &str, of: &Implementation, report: &Report, cause: &Cause) -> Markup {
    let case = &cause.shown;
    let (pieces, missing) = sent(case);
    let line = terminal_cut(pieces.join(&b" + "[..]), LINE, missing);
    let divergence = case.divergence.as_ref().filter(|_| case.verdict == Verdict::Fail);
    let id = format!("{}-cause-{}", report.slug, cause.number);
    let hint = cause.hint();
    let first = report.causes.iter().find(|other| other.hint() == hint).map_or(cause.number, |it| it.number);
    html! {
        article.cause.waived[!cause.gates] {
            h4 id=(id) { a.number href={ "#" (id) } { (cause.number) } " " (badge(case.verdict)) " " (cause_title(cause)) " " small { (cause.level()) } }
            dl {
                dt { "clause" } dd { (part::clause(at, cause.clause())) }
                @if !pieces.is_empty() { dt { "sent" } dd { @if line.is_empty() { (EMPTY_LINE) } @else { code { (line) } } } }
                @if let Some(divergence) = divergence {
                    @let (expected, got) = values(case, divergence);
                    dt { "expected" } dd { code { (shown(expected)) } }
                    dt { "got" } dd { code { (shown(got)) } @if !divergence.path.is_empty() { " at " code { (shown(&divergence.path)) } } }
                }
                @if !hint.is_empty() { dt { "hint" } dd {
                    @if first < cause.number { "as for " a href={ "#" (report.slug) "-cause-" (first) } { "cause " (first) } } @else { (hint) }
                } }
                dt { (if cause.findings.len() == 1 { "case" } else { "cases" }) } dd { (cases(at, report, cause)) }
                @if cause.resting > 0 { dt { "note" } dd { (count(cause.resting, "more case")) " could not be judged because of it" } }
            }
            @if !case.evidence.wire.is_empty() {
                details { summary { "Session of " (shown(&case.id)) " with " (shown(&of.name)) } (session(&case.evidence, case.divergence.as_ref())) }
            }
        }
    }
}

/// Links to the cases of a cause.
fn cases(at: &str, report: &Report, cause: &Cause) -> Markup {
    let outcome = |id: &str| report.record.outcomes.iter().find(|it| it.id == id);
    let all: Vec<_> =
        cause.findings.iter().take(CASES + MORE).filter_map(|finding| outcome(&finding.id)).collect();
    let left_out = cause.findings.len().saturating_sub(CASES + MORE);
    let (few, more) = all.split_at(all.len().min(CASES));
    html! {
        @for outcome in few { (part::case(at, outcome)) " " }
        @if !more.is_empty() {
            details.more { summary { "and " (more.len() + left_out) " more" }
                @for outcome in more { (part::case(at, outcome)) " " }
                @if left_out > 0 { "… (" (left_out) " left out)" }
            }
        }
    }
}
