//! The difference as a web page, with the same style and script as the report of a run.

use maud::{Markup, html};

use super::compare::{Case, Change, Clauses, Diff};
use crate::event::{Outcome, Verdict};
use crate::html::{badge, finding, fragment, name, run_bar, shell, shown};
use crate::summary::{brief, count};

pub(super) fn write(diff: &Diff) -> String {
    let clauses = diff.clauses();
    let [old, new] = &diff.records;
    let body = html! {
        header {
            h1 { (name(old)) " → " (name(new)) }
            p.headline { (headline(&clauses)) }
            p.sum { (diff.counts().to_string()) }
            table.runs {
                thead { tr { @for head in ["run", "from", "cases"] { th scope="col" { (head) } } } }
                tbody { @for (word, record) in [("old", old), ("new", new)] {
                    tr { th scope="row" { (word) ": " (name(record)) }
                        td { code { (shown(&record.run.target)) } ", suite " (shown(&record.run.suite)) }
                        td { (run_bar(record)) small { (record.sum()) } }
                    }
                } }
            }
        }
        main { @for change in Change::ALL { (section(change, &clauses)) } }
    };
    shell(&format!("dnode-conform: {} and {}", shown(old.name()), shown(new.name())), &body).into_string()
}

/// The difference in words.
fn headline(clauses: &[Clauses<'_>]) -> String {
    let of =
        |change: Change| clauses.iter().flat_map(|it| &it.cases).filter(|case| case.change == change).count();
    let words: Vec<String> = Change::ALL
        .into_iter()
        .filter(|change| of(*change) > 0)
        .map(|change| format!("{} {}", of(change), change.word()))
        .collect();
    if words.is_empty() { "No difference".to_owned() } else { words.join(", ") }
}

/// The cases with this change.
fn section(change: Change, clauses: &[Clauses<'_>]) -> Markup {
    let cases = || clauses.iter().flat_map(|it| it.cases.iter().map(move |case| (it, case)));
    let all = cases().filter(|(_, case)| case.change == change).count();
    html! {
        @if all > 0 {
            h2 id=(change.word()) { (change.word()) ": " (count(all, "case")) }
            p.note { (about(change)) }
            @for (of, case) in cases().filter(|(_, case)| case.change == change) { (article(of, case)) }
        }
    }
}

fn about(change: Change) -> &'static str {
    match change {
        Change::Lost => "These cases passed before and do not pass now.",
        Change::Changed => "These cases pass in neither run, and differ in another way now.",
        Change::Gained => "These cases did not pass before and pass now.",
        Change::Added => "Only the newer run has these cases.",
        Change::Removed => "Only the older run has these cases.",
    }
}

fn article(of: &Clauses<'_>, case: &Case<'_>) -> Markup {
    let verdict = |outcome: Option<&Outcome>| {
        html! {
            @match outcome { Some(outcome) => (badge(outcome.verdict)), None => "absent" }
        }
    };
    let about =
        [case.new, case.old].into_iter().flatten().map(|it| &*it.about).find(|about| !about.is_empty());
    html! {
        article id={ "case/" (fragment(case.id)) } tabindex="-1" {
            h3 { a href={ "#case/" (fragment(case.id)) } { (shown(case.id)) } " " (verdict(case.old)) " → " (verdict(case.new)) }
            @if let Some(about) = about { p { (shown(about)) } }
            p.clauses { "Clause " (shown(&of.id)) @if let Some(clause) = of.clause { " (" (clause.level) "): " (clause.text) } }
            @for (word, outcome) in [("old", case.old), ("new", case.new)] {
                @if let Some(outcome) = outcome.filter(|it| it.verdict != Verdict::Pass) {
                    details.judged {
                        summary { (word) " " span.brief { (shown(&brief(outcome))) } }
                        (finding(outcome))
                    }
                }
            }
        }
    }
}
