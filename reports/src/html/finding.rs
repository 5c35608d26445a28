//! The cases, with the findings of each run.

use dnode_spec::clause;
use maud::{Markup, html};

use super::mark::{self, Marked};
use super::parts::{badge, fragment, letters, shown};
use crate::clauses::{Group, Row};
use crate::event::{Activity, Death, Divergence, Origin, Outcome, Verdict, Wire};
use crate::record::Record;

/// How many entries of a wire log are shown from its start and from its end.
const ENTRIES: (usize, usize) = (12, 16);

/// How many characters of an entry are shown.
const ENTRY: usize = 400;

/// How many steps of a transcript, and lines of standard error, are shown.
const LINES: usize = 30;

/// All cases. With several runs the details are folded, so that a reader first sees which runs have
/// a finding.
pub(super) fn cases(records: &[Record], groups: &[Group<'_>]) -> Markup {
    html! {
        @for group in groups { @for row in &group.rows { (case(records, row)) } }
        p #none hidden { "No case matches the filters." }
    }
}

fn case(records: &[Record], row: &Row<'_>) -> Markup {
    let about = row.judged().map(|outcome| &outcome.about).find(|about| !about.is_empty());
    let clauses = row.judged().next().map(|outcome| outcome.clauses.as_slice()).unwrap_or_default();
    let transcript = row.judged().map(|outcome| &outcome.evidence.transcript).find(|it| !it.is_empty());
    // A case that passes in all runs is not printed on paper; the matrix has it.
    let passed = row.judged().all(|outcome| outcome.verdict == Verdict::Pass);
    html! {
        article.passed[passed] id={ "case/" (fragment(row.id)) } data-v=(letters(row)) data-l=(row.level) {
            h3 { a href={ "#case/" (fragment(row.id)) } { (shown(row.id)) } " " small { (row.level) } }
            @if let Some(about) = about { p { (shown(about)) } }
            p.clauses { "Clause " @for id in clauses { a href={ "#clause/" (fragment(id)) } { (shown(id)) } " " } }
            @for (number, outcome) in row.outcomes.iter().enumerate() {
                @if let (Some(outcome), Some(record)) = (outcome, records.get(number)) {
                    (judged(number, records.len(), record, outcome))
                }
            }
            @if let Some(transcript) = transcript { (lines("transcript", transcript)) }
        }
    }
}

/// The outcome of the case in one run.
fn judged(number: usize, runs: usize, record: &Record, outcome: &Outcome) -> Markup {
    let waiver = crate::summary::waiver(&record.run, outcome);
    let head = html! {
        (badge(outcome.verdict)) " " @if runs > 1 { strong { (shown(record.name())) } " " }
        @if let Some(why) = waiver { "(" (why) ") " }
    };
    html! {
        @if outcome.divergence.is_none() && !outcome.verdict.is_finding() {
            p.judged data-peer=(number) { (head) @if let Some(reason) = crate::summary::reason(outcome) { (shown(reason)) } }
        } @else {
            details.judged data-peer=(number) open[runs == 1] {
                summary { (head) span.brief { (shown(&crate::summary::brief(outcome))) } }
                (finding(outcome))
            }
        }
    }
}

fn finding(outcome: &Outcome) -> Markup {
    let evidence = &outcome.evidence;
    html! {
        @if outcome.verdict == Verdict::HarnessError {
            p { "The suite itself failed. This says nothing about the peer." }
        }
        @if let Some(reason) = crate::summary::reason(outcome) { p { (shown(reason)) } }
        @if let Some(excuse) = &outcome.excuse { p { "Excused: " (shown(excuse)) } }
        @if let Some(divergence) = &outcome.divergence { (difference(divergence, evidence.activity)) }
        @if !evidence.wire.is_empty() { (wire(&evidence.wire, outcome.divergence.as_ref())) }
        @if let Some(death) = &evidence.death { (process(death)) }
        @if !evidence.repeat.is_empty() {
            h4 { "Repeat it" }
            pre.repeat { code { (shown(&evidence.repeat)) } }
        }
    }
}

/// The clause, and the expected and the actual behaviour.
fn difference(divergence: &Divergence, activity: Option<Activity>) -> Markup {
    let hint = clause::find(&divergence.clause).map(|clause| clause.hint).filter(|hint| !hint.is_empty());
    let (expected, got) = mark::differing(&shown(&divergence.expected), &shown(&divergence.actual));
    html! {
        @if let Some(clause) = clause::find(&divergence.clause) {
            blockquote { (clause.text)
                footer { a href={ "#clause/" (clause.id) } { (clause.id) } " (" (clause.level) "), " a href=(clause.link()) { (clause.source) } }
            }
        }
        dl {
            dt { "step" } dd { (shown(&divergence.step)) }
            @if !divergence.path.is_empty() { dt { "where" } dd { code { (shown(&divergence.path)) } } }
            dt { "expected" } dd { code { (marked(&expected)) } }
            dt { "got" } dd { code { (marked(&got)) } }
            @if let Some(activity) = activity { dt { "meanwhile" } dd { "the peer " (activity) } }
            @if let Some(hint) = hint { dt { "hint" } dd { (hint) } }
            dt { "difference" } dd { (divergence.kind) ", fingerprint " (shown(&divergence.fingerprint)) }
        }
    }
}

fn marked(text: &Marked) -> Markup {
    html! { (text.before) @if !text.marked.is_empty() { mark { (text.marked) } } (text.after) }
}

/// The wire log in two lanes, the suite at the left. The difference is marked in its entry and
/// named at the end.
fn wire(log: &[Wire], divergence: Option<&Divergence>) -> Markup {
    let place = divergence.and_then(|divergence| mark::place(log, divergence));
    let (first, last) = ENTRIES;
    let left_out = log.len().saturating_sub(first + last);
    html! {
        h4 { "Wire" }
        ol.wire {
            li.lanes aria-hidden="true" { span { "suite" } span { "peer" } }
            @for (number, entry) in log.iter().enumerate() {
                @if number == first && left_out > 0 { (omitted(left_out)) }
                @if number < first || number >= first + left_out || Some(number) == place {
                    (wire_entry(entry, divergence.filter(|_| Some(number) == place)))
                }
            }
            @if let Some(divergence) = divergence {
                li.peer.diverged { mark { (divergence.kind) } " expected "
                    code { (terminal_short(&divergence.expected)) } ", got " code { (terminal_short(&divergence.actual)) }
                }
            }
        }
    }
}

fn wire_entry(entry: &Wire, divergence: Option<&Divergence>) -> Markup {
    let lane = |from: &Origin| match from {
        Origin::Suite => "suite",
        Origin::Peer => "peer",
    };
    let hot = if divergence.is_some() { " diverged" } else { "" };
    html! {
        @match entry {
            Wire::Bytes { from, bytes, cut, .. } => {
                @let whole = *cut == 0 && bytes.ends_with(b"\n");
                @let body = bytes.strip_suffix(b"\n").filter(|_| whole).unwrap_or(bytes);
                @let text = crate::escape::terminal_cut(body, ENTRY, *cut);
                li class={ (lane(from)) (hot) } {
                    span.who { (lane(from)) " " }
                    code { (marked(&mark::within(&text, divergence))) }
                    @if !whole && *cut == 0 { em { " (no newline)" } } @else if body.is_empty() { em { "(an empty line)" } }
                }
            }
            Wire::Event { from, what } => li class={ (lane(from)) (hot) } {
                span.who { (lane(from)) " " } em { @if divergence.is_some() { mark { (what) } } @else { (what) } }
            },
            Wire::Omitted(count) => (omitted(*count)),
        }
    }
}

fn omitted(count: usize) -> Markup {
    html! { li.omitted { (count) @if count == 1 { " entry" } @else { " entries" } " left out" } }
}

fn terminal_short(text: &str) -> String {
    crate::escape::terminal_cut(text, 120, 0)
}

/// How the peer's process ended, and its standard error.
fn process(death: &Death) -> Markup {
    let lines: Vec<&str> = death.stderr.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LINES));
    html! {
        h4 { "Process: " (shown(&death.status.to_string())) }
        @if !lines.is_empty() { pre { @for line in last { (shown(&line.replace('\t', "    "))) "\n" } } }
    }
}

/// The first lines of a text, folded.
fn lines(title: &str, text: &str) -> Markup {
    let count = text.lines().count();
    html! {
        details.steps { summary { (title) }
            pre { @for line in text.lines().take(LINES) { (shown(line)) "\n" }
                @if count > LINES { "(" (count - LINES) " more)\n" }
            }
        }
    }
}
