//! The causes, as cards.

use maud::{Markup, html};

use super::parts::{badge, link, name, shown};
use super::sequence;
use crate::cause::{Cause, instead, sent};
use crate::escape::terminal_cut;
use crate::event::Verdict;
use crate::record::Record;
use crate::summary::{EMPTY_LINE, count};

/// How many characters of a line are shown.
const LINE: usize = 200;

/// How many cases of a cause are named at first.
const CASES: usize = 6;

/// The causes of all runs; nothing without a finding. Only the card of a single run has the session
/// of its finding: those of many runs would make the page too large.
pub(super) fn causes(records: &[Record], causes: &[Vec<Cause>]) -> Markup {
    html! {
        @if causes.iter().any(|causes| !causes.is_empty()) {
            h2 id="causes" { "Causes" }
            @if records.len() == 1 {
                p.note { "In the order in which to fix them. One fix should end all findings of a cause. The keys j and k go to the next and the previous one." }
                (cards(0, causes.first().map_or(&[], Vec::as_slice), true))
            } @else {
                @for (number, (record, causes)) in records.iter().zip(causes).enumerate() {
                    @if !causes.is_empty() {
                        details.peer id={ "causes/" (number) } data-peer=(number) {
                            summary { strong { (name(record)) } ": " (count(causes.len(), "cause")) @if let Some(first) = causes.first() { "; first: " (title(first)) } }
                            (cards(number, causes, false))
                        }
                    }
                }
            }
        }
    }
}

fn cards(peer: usize, causes: &[Cause], sessions: bool) -> Markup {
    html! { @for cause in causes { (card(peer, cause, causes, sessions)) } }
}

fn card(peer: usize, cause: &Cause, causes: &[Cause], session: bool) -> Markup {
    let shown_case = &cause.shown;
    let (pieces, missing) = sent(shown_case);
    let line = terminal_cut(pieces.join(&b" + "[..]), LINE, missing);
    let divergence = shown_case.divergence.as_ref().filter(|_| shown_case.verdict == Verdict::Fail);
    let at = |cause: &Cause| match session {
        true => format!("cause/{}", cause.number),
        false => format!("cause/{peer}/{}", cause.number),
    };
    let id = at(cause);
    html! {
        section.cause.waived[!cause.gates] id=(id) tabindex="-1" aria-labelledby={ (id) "/title" } {
            h3 id={ (id) "/title" } {
                a.number href={ "#" (id) } { (cause.number) } " " (badge(shown_case.verdict)) " " (title(cause)) " " small { (cause.level()) }
            }
            @if !cause.gates { p.note { "Does not fail the run." } }
            @if cause.resting > 0 { p.note { (count(cause.resting, "more case")) " could not be judged because of it." } }
            dl {
                @if !pieces.is_empty() { dt { "sent" } dd { @if pieces.len() > 1 { "in " (pieces.len()) " pieces: " } @if line.is_empty() { (EMPTY_LINE) } @else { code { (line) } } } }
                @if let Some((line, missing)) = instead(shown_case) { dt { "got" } dd { code { (terminal_cut(line, LINE, missing)) } } }
                @if let Some(divergence) = divergence {
                    @let (expected, got) = crate::summary::values(shown_case, divergence);
                    dt { "expected" } dd { code { (shown(expected)) } }
                    dt { "got" } dd { code { (shown(got)) }
                        @if !divergence.path.is_empty() { " at " code { (shown(&divergence.path)) } } }
                }
                @if !cause.hint().is_empty() { dt { "hint" } dd { (hint(cause, causes, &at)) } }
                dt { (if cause.findings.len() == 1 { "case" } else { "cases" }) } dd { (cases(cause)) }
                @if !shown_case.evidence.repeat.is_empty() {
                    dt { "repeat" } dd.copy { code { (shown(&shown_case.evidence.repeat)) } }
                }
            }
            @if session && !shown_case.evidence.wire.is_empty() {
                details.session {
                    summary { "Session of " code { (shown(&shown_case.id)) } }
                    (sequence::session(&shown_case.evidence, shown_case.divergence.as_ref()))
                }
            }
        }
    }
}

/// The cause in one sentence. An end of a process without a trace has many causes, so the case that
/// shows it is named.
pub(crate) fn title(cause: &Cause) -> Markup {
    let unnamed = cause.trace.is_none() && matches!(cause.shown.verdict, Verdict::Crash | Verdict::Hang);
    html! { (shown(&cause.sentence())) @if unnamed { " (" (shown(&cause.shown.id)) ")" } }
}

/// The hint. Many causes may have the same: only the first shows it.
fn hint(cause: &Cause, causes: &[Cause], at: &dyn Fn(&Cause) -> String) -> Markup {
    let first = causes.iter().find(|other| other.hint() == cause.hint()).unwrap_or(cause);
    html! {
        @if first.number < cause.number {
            "as for " a href={ "#" (at(first)) } { "cause " (first.number) }
        } @else { (cause.hint()) }
    }
}

/// Links to the cases; the shown one first, and many of them folded.
fn cases(cause: &Cause) -> Markup {
    let ids: Vec<&str> =
        std::iter::once(&*cause.shown.id).chain(cause.others().map(|finding| &*finding.id)).collect();
    let (few, more) = ids.split_at(ids.len().min(CASES));
    html! {
        @for id in few { (link(id)) " " }
        @if !more.is_empty() {
            details.more { summary { "and " (more.len()) " more" } @for id in more { (link(id)) " " } }
        }
    }
}
