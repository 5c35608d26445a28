//! The first screen: the verdict in words, and the counts as bars.

use dnode_spec::clause::Level;
use maud::{Markup, html};

use super::bar::bar;
use super::parts::{badge, link, name, shown};
use crate::cause::Cause;
use crate::event::Verdict;
use crate::record::Record;
use crate::summary::count;
use crate::tally::{Groups, Tally};

/// The overview of all runs. `causes` has the causes of each run.
pub(super) fn overview(records: &[Record], causes: &[Vec<Cause>]) -> Markup {
    html! {
        @match records {
            [record] => (one(record, causes.first().map_or(&[], Vec::as_slice))),
            _ => (several(records, causes)),
        }
    }
}

fn one(record: &Record, causes: &[Cause]) -> Markup {
    let run = &record.run;
    html! {
        h1 { (name(record)) }
        p class={ "headline s" (record.exit().status) } { (headline(record, causes)) }
        @if let Some(first) = causes.first().filter(|cause| cause.gates) {
            p { "Fix first: " a href="#cause/1" { (shown(&first.sentence())) } }
        }
        p.sum { (record.sum()) }
        (run_bar(record))
        p.legend { @for verdict in used(record) { span { (badge(verdict)) " " (record.account.count(verdict)) } } }
        (stale(record))
        div.both { (groups(record)) dl.run {
            dt { "peer" } dd { code { (shown(&run.target)) } ", as a " (run.role) ", in dialect " (run.dialect) }
            dt { "result" } dd { (record.exit().to_string()) }
            dt { "fails on" } dd { (levels(run.gate)) ", and on each crash or hang" }
            dt { "suite" } dd { "dnode-conform " (shown(&run.suite)) }
            @if let Some(time) = run.time { dt { "deadlines" } dd { (time.describe()) } }
            @for note in &run.notes { dt { "note" } dd { (shown(note)) } }
        } }
        (key())
    }
}

/// The peers as a table, one row each.
fn several(records: &[Record], causes: &[Vec<Cause>]) -> Markup {
    html! {
        h1 { "dnode-conform: " (count(records.len(), if interop(records) { "server" } else { "peer" })) }
        table.runs {
            thead { tr { th scope="col" { "peer" } th scope="col" { "verdict" } th scope="col" { "cases" } } }
            tbody { @for (number, (record, causes)) in records.iter().zip(causes).enumerate() {
                tr data-peer=(number) {
                    th scope="row" { @if causes.is_empty() { (name(record)) } @else { a href={ "#causes/" (number) } { (name(record)) } } }
                    td { strong class={ "s" (record.exit().status) } { (headline(record, causes)) }
                        (stale(record))
                        @for note in &record.run.notes { p.note { (shown(note)) } }
                    }
                    td { (run_bar(record)) small { (record.sum()) " — " (record.exit().to_string()) } }
                }
            } }
        }
        (key())
    }
}

/// The meanings of the words of the page.
fn key() -> Markup {
    let words = [
        ("peer", "the implementation under test"),
        ("case", "one session with a known right behaviour"),
        ("clause", "one rule of the protocol, with its source"),
        ("cause", "findings that one change in the peer should end"),
        ("must", "the protocol says so"),
        ("should", "other implementations rely on it"),
        ("robust", "hostile input must not harm the peer"),
        ("observed", "only the reference implementation does it"),
        ("crash", "the process of the peer ended, or it accepts no more connections"),
        ("hang", "the peer left the connection open and stopped answering"),
        ("not-applicable", "the case cannot be asked of this peer"),
        ("inconclusive", "the case says nothing about this peer, for the reason given"),
        ("harness-error", "the suite itself failed"),
        ("TARGET", "in a command: the address of the peer, or --exec and the command that starts it"),
    ];
    html! {
        details.key { summary { "What the words mean" }
            dl { @for (word, meaning) in words { dt { (word) } dd { (meaning) } } }
        }
    }
}

/// Whether each case is a session of two peers.
pub(super) fn interop(records: &[Record]) -> bool {
    !records.is_empty() && records.iter().all(|record| record.run.interop)
}

/// The verdict in words.
pub(crate) fn headline(record: &Record, causes: &[Cause]) -> String {
    let exit = record.exit();
    let (gating, others): (Vec<&Cause>, Vec<&Cause>) = causes.iter().partition(|cause| cause.gates);
    let others = match others.len() {
        0 => String::new(),
        more => format!(", and {more} that {} not fail the run", if more == 1 { "does" } else { "do" }),
    };
    match (exit.status, gating.len()) {
        (0, _) if causes.is_empty() => "Conforms".to_owned(),
        (0, _) => format!("Conforms: {} of findings that do not fail the run", count(causes.len(), "cause")),
        (1, 0) => format!("Does not match: {}", exit.why),
        (1, gating) => format!("Does not conform: {}{others}", count(gating, "cause")),
        _ => format!("Not decided: {}", exit.why),
    }
}

/// `must, should and robust`: the levels at which a failure gates.
fn levels(gate: Level) -> String {
    let words: Vec<&str> =
        Level::ALL.into_iter().filter(|level| crate::account::gates(*level, gate)).map(Level::word).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// The entries of a baseline or snapshot that no longer hold.
fn stale(record: &Record) -> Markup {
    html! {
        @if !record.ended.stale.is_empty() {
            ul.stale { @for stale in &record.ended.stale {
                li { (stale.reference) ": " (link(&stale.id)) ": " (shown(&stale.problem)) "; " (shown(&stale.remedy)) }
            } }
        }
    }
}

/// The verdicts that a case has.
fn used(record: &Record) -> impl Iterator<Item = Verdict> + '_ {
    Verdict::ALL.into_iter().filter(|verdict| record.account.count(*verdict) > 0)
}

/// The verdicts of a run as one bar.
pub(crate) fn run_bar(record: &Record) -> Markup {
    let verdicts: Vec<Verdict> = record.outcomes.iter().map(|outcome| outcome.verdict).collect();
    bar("bar", &record.sum(), &verdicts)
}

/// How many cases passed, by group and level.
fn groups(record: &Record) -> Markup {
    let mut groups = Groups::default();
    record.outcomes.iter().for_each(|outcome| groups.add(outcome));
    let levels = groups.levels();
    html! {
        @if groups.all().len() > 1 {
            table.groups {
                caption { "Passed, by group of cases and level" }
                thead { tr { th scope="col" { "group" } @for level in &levels { th scope="col" { (level) } } } }
                tbody { @for group in groups.all() {
                    tr { th scope="row" { (shown(&group.name)) } @for level in &levels { (tally(group.of(*level))) } }
                } }
            }
        }
    }
}

fn tally(tally: &Tally) -> Markup {
    let (passed, judged) = (tally.passed(), tally.judged());
    html! {
        @if tally.0.is_empty() {
            td {}
        } @else if judged == 0 {
            td { small { "none judged" } }
        } @else {
            @let words = format!("{passed} of {judged}");
            td class={ @if passed < judged { "short" } } { (bar("small", &words, &tally.0)) span aria-hidden="true" { (words) } }
        }
    }
}
