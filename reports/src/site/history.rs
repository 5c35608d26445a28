//! The versions of an implementation side by side: the numbers, the changes from each version to the
//! next, and the cases that differ.

use std::collections::BTreeSet;

use dnode_spec::clause::Level;
use maud::{Markup, html};

use super::address::{self, href};
use super::content::{Implementation, Report, Version};
use super::{File, part, shell};
use crate::diff::{Change, Clauses, Diff};
use crate::event::{Outcome, Role};
use crate::html::{badge, letter, shown, sign};
use crate::summary::count;

/// How many cases of a clause are named, and how many have a row.
const CASES: usize = 8;
const ROWS: usize = 300;

/// The page of an implementation with several versions.
pub(super) fn page(of: &Implementation) -> Option<File> {
    if of.versions.len() < 2 {
        return None;
    }
    let at = address::history(&of.slug);
    let title = format!("Versions of {}", shown(&of.name));
    let roles: Vec<Role> = Role::ALL
        .into_iter()
        .filter(|role| of.versions.iter().any(|it| it.report(*role).is_some()))
        .collect();
    let body = html! {
        h1.headline { (title) }
        p.lead { "What each version gained and lost, in the cases of dialect 0.2." }
        nav aria-label="Parts of the page" { @for role in &roles { a href={ "#" (role) } { "as a " (role) } " " } }
        @for role in roles { (in_role(&at, of, role)) }
    };
    Some(shell::page(&at, &title, &body))
}

fn in_role(at: &str, of: &Implementation, role: Role) -> Markup {
    // From the oldest to the newest.
    let versions: Vec<(&Version, &Report)> =
        of.versions.iter().rev().filter_map(|it| Some((it, it.report(role)?))).collect();
    html! {
        section aria-labelledby=(role) {
            h2 id=(role) { "As a " (role) }
            (numbers(at, role, &versions))
            @for pair in versions.windows(2) {
                @if let [old, new] = pair { (step(at, of, role, old, new)) }
            }
            (differing(at, role, &versions))
        }
    }
}

/// The passed cases of each level, and the causes.
fn numbers(at: &str, role: Role, versions: &[(&Version, &Report)]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label={ "Passed cases as a " (role) } { table.list.versions {
            thead { tr { td {} @for (version, _) in versions { th scope="col" { a href=(href(at, &address::version(&version.slug))) { (shown(&version.version)) } } } } }
            tbody {
                @for level in Level::ALL {
                    tr { th scope="row" { (level) } @for (_, report) in versions { td { (part::level(report, level)) } } }
                }
                tr { th scope="row" { "causes" } @for (_, report) in versions { td.number { (report.causes.len()) } } }
            }
        } }
    }
}

/// The changes from one version to the next.
fn step(
    at: &str,
    of: &Implementation,
    role: Role,
    old: &(&Version, &Report),
    new: &(&Version, &Report),
) -> Markup {
    let diff = Diff::of(&old.1.record, &new.1.record);
    let clauses = diff.clauses();
    let changes = [Change::Gained, Change::Lost, Change::Changed];
    let of_change =
        |change: Change| clauses.iter().flat_map(|it| &it.cases).filter(|it| it.change == change).count();
    let words: Vec<String> = changes
        .iter()
        .filter(|it| of_change(**it) > 0)
        .map(|it| format!("{} {it}", of_change(*it)))
        .collect();
    html! {
        h3 id={ (role) "-" (new.0.slug) } { (part::title(of, new.0)) " after " (shown(&old.0.version)) }
        @if words.is_empty() { p { "Each case has the same result." } } @else {
            p { (words.join(", ")) "." }
            dl.changes { @for change in changes {
                @if of_change(change) > 0 { dt { (change) } dd { ul { @for clause in &clauses { (changed(at, clause, change)) } } } }
            } }
        }
    }
}

/// The cases of a clause with this change.
fn changed(at: &str, clause: &Clauses<'_>, change: Change) -> Markup {
    let cases: Vec<_> = clause.cases.iter().filter(|it| it.change == change).collect();
    let outcome = |it: &crate::diff::Case<'_>| -> Option<Outcome> { it.new.or(it.old).cloned() };
    html! {
        @if !cases.is_empty() {
            li { (part::clause(at, &clause.id)) ": "
                @for it in cases.iter().take(CASES) { @if let Some(outcome) = outcome(it) { (badge(outcome.verdict)) " " (part::case(at, &outcome)) " " } }
                @if cases.len() > CASES { "and " (cases.len() - CASES) " more" }
            }
        }
    }
}

/// The cases that have several results, each with its verdict in each version.
fn differing(at: &str, role: Role, versions: &[(&Version, &Report)]) -> Markup {
    let of = |report: &'_ Report, id: &str| {
        report.record.outcomes.iter().find(|it| it.id == id).map(|it| it.verdict)
    };
    let ids: BTreeSet<&str> =
        versions.iter().flat_map(|(_, report)| &report.record.outcomes).map(|it| &*it.id).collect();
    let differs = |id: &&str| {
        let verdicts: BTreeSet<_> = versions.iter().map(|(_, report)| of(report, id)).collect();
        verdicts.len() > 1
    };
    let ids: Vec<&str> = ids.into_iter().filter(differs).collect();
    let any = |id: &str| versions.iter().flat_map(|(_, it)| &it.record.outcomes).find(|it| it.id == id);
    html! {
        @if !ids.is_empty() {
            details { summary { (count(ids.len(), "case")) " with different verdicts, as a table" }
                div.scroll tabindex="0" role="group" aria-label={ "Cases with different verdicts as a " (role) } { table.all {
                    thead { tr { th scope="col" { "case" } @for (version, _) in versions { th scope="col" { (shown(&version.version)) } } } }
                    tbody { @for id in ids.iter().copied().take(ROWS) {
                        tr { th scope="row" { @if let Some(outcome) = any(id) { (part::case(at, outcome)) } }
                            @for (_, report) in versions {
                                @match of(report, id) {
                                    Some(verdict) => td class=(letter(verdict)) { (sign(verdict)) },
                                    None => td {},
                                }
                            }
                        }
                    } }
                } }
                @if ids.len() > ROWS { p { "And " (count(ids.len() - ROWS, "more case")) "." } }
            }
        }
    }
}
