//! A session as a sequence diagram: two lifelines, and an arrow for each line.
//!
//! The suite is at the left. Each arrow has its number and the step of the transcript that sent or
//! expected it. The handshake is folded, unless the difference is in it. A long line is shortened
//! around the difference and is shown in full on a click.

use maud::{Markup, html};

use super::mark::{self, Marked};
use super::parts::shown;
use crate::escape::{no_command, terminal, terminal_cut};
use crate::event::{Divergence, Evidence, Origin, Wire};
use crate::summary::count;

/// How many entries are shown from the start and from the end.
const ENTRIES: (usize, usize) = (12, 16);

/// How many characters of a line are shown in full.
const WHOLE: usize = 4000;

/// How many characters of a long line are shown before it is opened, and how many of them are at its
/// end.
const SHORT: (usize, usize) = (160, 40);

/// How many steps of a transcript are shown.
const STEPS: usize = 30;

/// The diagram, and the transcript, folded.
pub(crate) fn session(evidence: &Evidence, divergence: Option<&Divergence>) -> Markup {
    let log = &evidence.wire;
    let place = divergence.and_then(|divergence| mark::place(log, divergence));
    let handshake = handshake(log, place);
    let (first, last) = (handshake + ENTRIES.0, log.len().saturating_sub(ENTRIES.1));
    let entry =
        |number: usize, entry: &Wire| arrow(number + 1, entry, divergence.filter(|_| Some(number) == place));
    html! {
        @if log.is_empty() { p.note { "The file of this run has no traffic." } } @else { ol.wire {
            li.lanes aria-hidden="true" { span { "suite" } span { "peer" } }
            @if handshake > 0 {
                li.fold { details { summary { "handshake: " (count(handshake, "message")) }
                    ol.wire { @for (number, it) in log.iter().take(handshake).enumerate() { (entry(number, it)) } }
                } }
            }
            @for (number, it) in log.iter().enumerate().skip(handshake) {
                @if number == first && first < last { (omitted(last - first)) }
                @if number < first || number >= last || Some(number) == place { (entry(number, it)) }
            }
            @if let Some(divergence) = divergence {
                li.verdict { mark { (divergence.kind) } " expected "
                    code { (terminal_cut(&divergence.expected, 120, 0)) } ", got " code { (terminal_cut(&divergence.actual, 120, 0)) }
                }
            }
        } }
        @if !evidence.transcript.is_empty() { (transcript(evidence)) }
    }
}

/// How many entries at the start are the handshake: the objects of both ends. None if the difference
/// is there, or if there is nothing else.
fn handshake(log: &[Wire], place: Option<usize>) -> usize {
    let objects = log.iter().take_while(|entry| entry.is_methods()).count();
    if objects == log.len() || place.is_some_and(|place| place < objects) { 0 } else { objects }
}

fn arrow(number: usize, entry: &Wire, divergence: Option<&Divergence>) -> Markup {
    let side = |from: &Origin| match from {
        Origin::Suite => "suite",
        Origin::Peer => "peer",
    };
    let hot = if divergence.is_some() { " diverged" } else { "" };
    html! {
        @match entry {
            Wire::Bytes { from, bytes, cut, step } => li class={ (side(from)) (hot) } {
                p.step { b { (number) } span.who { " " (side(from)) } @if !step.is_empty() { " " (shown(step)) } }
                div.message { (message(bytes, *cut, divergence)) }
            },
            Wire::Event { from, what } => li class={ (side(from)) " act" (hot) } {
                p.step { b { (number) } span.who { " " (side(from)) } }
                div.message { em { @if divergence.is_some() { mark { (what) } } @else { (what) } } }
            },
            Wire::Omitted(entries) => (omitted(*entries)),
        }
    }
}

/// A line, without its newline. A missing newline is noted.
fn message(bytes: &[u8], cut: usize, divergence: Option<&Divergence>) -> Markup {
    let whole = cut == 0 && bytes.ends_with(b"\n");
    let body = bytes.strip_suffix(b"\n").filter(|_| whole).unwrap_or(bytes);
    let text = terminal_cut(body, WHOLE, cut);
    let marked = mark::within(&text, divergence);
    let long = text.chars().count() > SHORT.0;
    html! {
        @if long {
            details.long { summary { code { (part(&marked.around(SHORT.0, SHORT.1))) } " " small { (count(body.len().saturating_add(cut), "byte")) } }
                code { (part(&marked)) }
            }
        } @else {
            code { (part(&marked)) }
        }
        @if !whole && cut == 0 { em { " (no newline)" } } @else if body.is_empty() { em { "(an empty line)" } }
    }
}

/// A text with its mark.
pub(super) fn part(text: &Marked) -> Markup {
    html! { (text.before) @if !text.marked.is_empty() { mark { (text.marked) } } (text.after) }
}

fn omitted(entries: usize) -> Markup {
    html! { li.omitted { (entries) @if entries == 1 { " entry" } @else { " entries" } " left out" } }
}

/// The first steps, folded, with the names of functions in them.
fn transcript(evidence: &Evidence) -> Markup {
    let steps = evidence.transcript.lines().count();
    html! {
        details.steps { summary { "transcript" }
            pre { @for line in evidence.transcript.lines().take(STEPS) { (no_command(&terminal_cut(line, 600, 0))) "\n" }
                @if steps > STEPS { "(" (steps - STEPS) " more)\n" }
            }
            @if !evidence.names.is_empty() { p.note { (terminal(&evidence.names)) } }
        }
    }
}
