//! The front page: the implementations with their levels and causes, and the grid.

use dnode_spec::clause::{CLAUSES, Level};
use maud::{Markup, html};

use super::address::{self, href};
use super::content::{Content, Implementation, Report, Version};
use super::{File, interop, part, shell};
use crate::html::shown;
use crate::summary::count;

const AT: &str = address::FRONT;

/// The document about sites.
const GUIDE: &str = "harness/docs/site.md";

/// The levels whose failures gate.
const LEVELS: [Level; 3] = [Level::Must, Level::Should, Level::Robust];

pub(super) fn page(content: &Content) -> File {
    let reports = content.reports().count();
    let versions = content.versions().count();
    let body = html! {
        h1.headline { "Implementations of dnode" }
        p.lead {
            "How well each implementation speaks the protocol, case by case. "
            (count(versions, "version")) ", " (count(reports, "report")) ", " (count(CLAUSES.len(), "clause")) "."
        }
        p { "A " strong { "must" } " comes from the protocol, a " strong { "should" } " is what other implementations rely on, and a "
            strong { "robust" } " case sends hostile input. A cause is a group of failures that one fix should end." }
        (part::legend())
        h2 id="implementations" { "Implementations" }
        div.scroll tabindex="0" role="group" aria-label="Implementations" {
            table.overview {
                thead { tr { th scope="col" { "version" } th scope="col" { "as" } @for level in LEVELS { th scope="col" { (level) } } th scope="col" { "causes" } } }
                @for of in &content.implementations { (implementation(of)) }
            }
        }
        @if let Some(grid) = &content.grid {
            h2 id="interop" { "Clients and servers" }
            p { "Each client did one session with each server. " a href=(address::INTEROP) { "What went wrong" } " in the sessions that did not pass." }
            (interop::table(grid, AT))
        }
        @if content.documents.iter().any(|it| it.path == GUIDE) {
            h2 id="own" { "Your implementation" }
            p { "To make such a site, or to show a badge in your own repository, read "
                a href=(href(AT, &address::document(GUIDE))) { "how to make a site" } "." }
        }
    };
    shell::page(AT, "Implementations of dnode", &body)
}

fn implementation(of: &Implementation) -> Markup {
    html! {
        tbody {
            tr.of { th colspan="6" scope="rowgroup" {
                strong { (shown(&of.name)) } @if let Some(language) = &of.language { " " span.language { (shown(language)) } }
                @if let Some(advice) = &of.advice { p { (shown(advice)) } }
                @if of.versions.len() > 1 { a href=(href(AT, &address::history(&of.slug))) { "All versions side by side" } }
            } }
            @for version in &of.versions { (rows(of, version)) }
        }
    }
}

fn rows(of: &Implementation, version: &Version) -> Markup {
    let label = if version.version.is_empty() { part::title(of, version) } else { shown(&version.version) };
    html! {
        @for (number, report) in version.reports.iter().enumerate() {
            tr {
                @if number == 0 {
                    th scope="row" rowspan=(version.reports.len()) {
                        a href=(href(AT, &address::version(&version.slug))) { (label) }
                        @if let Some(released) = &version.released { br; small { (shown(released)) } }
                    }
                }
                (row(version, report))
            }
        }
    }
}

fn row(version: &Version, report: &Report) -> Markup {
    let causes = report.causes.len();
    html! {
        td { (report.role()) }
        @for level in LEVELS { td { (part::level(report, level)) } }
        td.number {
            @if causes == 0 { "none" } @else {
                a href=(part::report_address(AT, version, report)) aria-label={ (count(causes, "cause")) } { (causes) }
            }
        }
    }
}
