//! All clauses, with the worst verdict of each report as a table.

use dnode_spec::clause::CLAUSES;
use maud::{Markup, html};

use super::address;
use super::content::{Content, Report};
use super::{File, part, shell};
use crate::event::Verdict;
use crate::html::{letter, shown, sign};
use crate::tally::group_of;

const AT: &str = address::CLAUSES;

pub(super) fn page(content: &Content) -> File {
    let body = html! {
        h1.headline { "Clauses" }
        p.lead { "Each clause is one sentence by which an implementation is judged. A cell has the worst verdict of its cases in one report." }
        p.legend {
            @for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Crash, Verdict::Hang, Verdict::NotApplicable, Verdict::Inconclusive] {
                span { i class={ "mark " (letter(verdict)) } { (sign(verdict)) } " " (verdict) }
            }
        }
        nav aria-label="Groups" { @for group in groups() { a href={ "#" (group) } { (group) } " " } }
        div.scroll tabindex="0" role="group" aria-label="Clauses" { table.all { (head(content)) @for group in groups() { (rows(content, group)) } } }
    };
    shell::page(AT, "Clauses", &body)
}

/// The groups of clauses, in the order of the table.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = CLAUSES.iter().map(|it| group_of(it.id)).collect();
    groups.dedup();
    groups
}

fn head(content: &Content) -> Markup {
    html! {
        thead { tr { th scope="col" { "clause" }
            @for (of, version, report) in content.reports() {
                th.peer scope="col" { a href=(part::report_address(AT, version, report)) { (part::title(of, version)) ", " (report.role()) } }
            }
        } }
    }
}

fn rows(content: &Content, group: &str) -> Markup {
    html! {
        tbody {
            tr.of { th scope="rowgroup" id=(group) colspan=(content.reports().count() + 1) { (group) } }
            @for clause in CLAUSES.iter().filter(|it| group_of(it.id) == group) {
                tr { th scope="row" { (part::clause(AT, clause.id)) " " small { (clause.level) } span.about { (shown(clause.text)) } }
                    @for (_, _, report) in content.reports() { (cell(report, clause.id)) }
                }
            }
        }
    }
}

fn cell(report: &Report, clause: &str) -> Markup {
    let about = report.record.outcomes.iter().filter(|it| part::is_about(it, clause));
    // A case that was not judged says less than any other.
    let weight = |verdict: &Verdict| match verdict {
        Verdict::NotApplicable => 0,
        Verdict::Inconclusive => 1,
        Verdict::Pass => 2,
        Verdict::HarnessError => 3,
        Verdict::Fail => 4,
        Verdict::Hang => 5,
        Verdict::Crash => 6,
    };
    let worst = about.map(|it| it.verdict).max_by_key(weight);
    html! {
        @match worst {
            None => td {},
            Some(verdict) => td class=(letter(verdict)) { (sign(verdict)) },
        }
    }
}
