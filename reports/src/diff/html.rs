//! The difference as a web page, with the same style and script as the report of a run.

use maud::{Markup, html};

use super::compare::{Case, Change, Clauses, Diff};
use crate::cause::Cause;
use crate::event::{Outcome, Verdict};
use crate::html::{badge, finding, fragment, headline, name, run_bar, shell, shown};
use crate::summary::{brief, count};

/// The most cases of a change whose clauses are unfolded at first.
const OPEN: usize = 12;

pub(super) fn write(diff: &Diff) -> String {
    let clauses = diff.clauses();
    let [old, new] = &diff.records;
    let body = html! {
        header {
            h1 { (name(old)) " → " (name(new)) }
            p class={ "headline " (colour(&clauses)) } { (changes(&clauses)) }
            p.sum { (diff.counts().to_string()) }
            table.runs {
                thead { tr { @for head in ["run", "verdict", "cases"] { th scope="col" { (head) } } } }
                tbody { @for (word, record) in [("old", old), ("new", new)] {
                    tr { th scope="row" { (word) ": " (name(record)) }
                        td { strong class={ "s" (record.exit().status) } { (headline(record, &Cause::of(&record.outcomes, record.run.gate))) }
                            br; code { (shown(&record.run.target)) } ", suite " (shown(&record.run.suite)) }
                        td { (run_bar(record)) small { (record.sum()) } }
                    }
                } }
            }
        }
        main { @for change in Change::ALL { (section(change, &clauses)) } }
    };
    shell(&format!("dnode-conform: {} and {}", shown(old.name()), shown(new.name())), "diff", "", &body)
        .into_string()
}

/// The class of the headline: whether cases are lost, or else gained.
fn colour(clauses: &[Clauses<'_>]) -> &'static str {
    let has = |change: Change| clauses.iter().flat_map(|it| &it.cases).any(|case| case.change == change);
    match (has(Change::Lost), has(Change::Gained)) {
        (true, _) => "s1",
        (false, true) => "s0",
        (false, false) => "s2",
    }
}

/// The difference in words.
fn changes(clauses: &[Clauses<'_>]) -> String {
    let of =
        |change: Change| clauses.iter().flat_map(|it| &it.cases).filter(|case| case.change == change).count();
    let words: Vec<String> = Change::ALL
        .into_iter()
        .filter(|change| of(*change) > 0)
        .map(|change| format!("{} {}", of(change), change.word()))
        .collect();
    if words.is_empty() { "No difference".to_owned() } else { words.join(", ") }
}

/// The cases with this change, folded by clause if there are many.
fn section(change: Change, clauses: &[Clauses<'_>]) -> Markup {
    let of = |clause: &Clauses<'_>| clause.cases.iter().filter(|case| case.change == change).count();
    let all: usize = clauses.iter().map(of).sum();
    html! {
        @if all > 0 {
            h2 id=(change.word()) { (change.word()) ": " (count(all, "case")) }
            p.note { (about(change)) }
            @for clause in clauses.iter().filter(|clause| of(clause) > 0) {
                details.changes open[all <= OPEN] {
                    summary { strong { (shown(&clause.id)) } ": " (count(of(clause), "case"))
                        @if let Some(clause) = clause.clause { ". " (clause.text) " (" (clause.level) ")" } }
                    @for case in clause.cases.iter().filter(|case| case.change == change) { (article(case)) }
                }
            }
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

fn article(case: &Case<'_>) -> Markup {
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
