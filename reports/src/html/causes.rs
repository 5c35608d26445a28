//! The causes, as cards.

use maud::{Markup, html};

use super::parts::{badge, fragment, shown};
use crate::cause::{Cause, sent};
use crate::escape::terminal_cut;
use crate::event::Verdict;
use crate::record::Record;

/// How many characters of a line are shown.
const LINE: usize = 400;

/// The causes of all runs; nothing without a finding.
pub(super) fn causes(records: &[Record]) -> Markup {
    let causes: Vec<(usize, &Record, Vec<Cause>)> = records
        .iter()
        .enumerate()
        .map(|(number, record)| (number, record, Cause::of(&record.outcomes, record.run.gate)))
        .filter(|(_, _, causes)| !causes.is_empty())
        .collect();
    html! {
        @if !causes.is_empty() {
            h2 id="causes" { "Causes" }
            @for (number, record, causes) in &causes {
                @if records.len() > 1 {
                    details.peer data-peer=(number) {
                        summary { (shown(record.name())) ": " (crate::summary::count(causes.len(), "cause")) }
                        (cards(causes))
                    }
                } @else {
                    (cards(causes))
                }
            }
        }
    }
}

fn cards(causes: &[Cause]) -> Markup {
    html! { ol.causes { @for cause in causes { (card(cause)) } } }
}

fn card(cause: &Cause) -> Markup {
    let (pieces, missing) = sent(&cause.shown);
    let line = terminal_cut(pieces.join(&b" + "[..]), LINE, missing);
    let divergence = cause.shown.divergence.as_ref().filter(|_| cause.shown.verdict == Verdict::Fail);
    html! {
        li.waived[!cause.gates] {
            p.sentence { (badge(cause.shown.verdict)) " " small { (cause.level()) } " " strong { (shown(&cause.sentence())) } }
            p.cases { @for finding in &cause.findings {
                a href={ "#case/" (fragment(&finding.id)) } { (shown(&finding.id)) } " "
            } }
            @if cause.resting > 0 {
                p.note { (crate::summary::count(cause.resting, "more case")) " could not be judged because of it" }
            }
            dl {
                @if !pieces.is_empty() { dt { "sent" } dd { code { (line) } } }
                @if let Some(divergence) = divergence {
                    dt { "got" } dd { code { (shown(&divergence.actual)) }
                        @if !divergence.path.is_empty() { " at " code { (shown(&divergence.path)) } } }
                    dt { "expected" } dd { code { (shown(&divergence.expected)) } }
                }
                @if !cause.hint().is_empty() { dt { "hint" } dd { (cause.hint()) } }
                @if !cause.shown.evidence.repeat.is_empty() {
                    dt { "repeat" } dd { code { (shown(&cause.shown.evidence.repeat)) } }
                }
            }
        }
    }
}
