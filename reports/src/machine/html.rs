//! The machine as one web page, with the style of the HTML report: the verdict, the drawings, a
//! table of the differences, and the transcript of each one.
//!
//! In a drawing, a line with a difference links to it. Each drawing is there as text too.
//!
//! Rules: those of the HTML report. Transcripts are shown in full.

use dnode_spec::clause;
use maud::{Markup, html};

use super::part::{self, Kind, Part, answer};
use super::svg::{Picture, heading, number, picture, view};
use super::{Judged, Learned, Verdict, sentence, svg, text};
use crate::escape::{no_command, terminal};
use crate::html::{shell, shown};
use crate::summary::count;

pub(super) fn write(learned: &Learned) -> String {
    let parts = part::parts(learned);
    let peer = shown(crate::escape::cut(sentence::peer(learned), 80).as_ref());
    let status = match (learned.differences.is_empty(), learned.fails()) {
        (true, _) => "s0",
        (_, true) => "s1",
        (_, false) => "s2",
    };
    let body = html! {
        header {
            h1 { "State machine of " (peer) }
            p class={ "headline " (status) } { (shown(&sentence::headline(learned))) }
            p.sum { (sentence::size(learned)) }
            @for limit in sentence::limits(learned) { p.note { (shown(&limit)) } }
            (contents(learned, &parts))
        }
        main {
            (broken(learned))
            (drawings(learned, &parts))
            (differences(learned))
            (mixed(learned))
            (left_out(learned))
            (effort(learned))
        }
    };
    shell(&format!("dnode-conform: state machine of {peer}"), "report", svg::STYLE, &body).into_string()
}

/// Links to the parts of the page.
fn contents(learned: &Learned, parts: &[Part<'_>]) -> Markup {
    let links = [
        ("differences", "Differences", !learned.differences.is_empty()),
        ("broken", "Clauses outside of the machine", !learned.broken.is_empty()),
        ("mixed", "Several answers", !learned.mixed.is_empty()),
        ("left-out", "Inputs left out", !learned.left_out.is_empty()),
        ("inputs", "Inputs", true),
    ];
    html! {
        nav aria-label="Parts of the page" {
            @for (number, of) in parts.iter().enumerate() { a href={ "#part/" (number) } { (shown(of.name)) } " " }
            @for (id, title, _) in links.into_iter().filter(|(.., shown)| *shown) { a href={ "#" (id) } { (title) } " " }
        }
    }
}

/// The clauses that no state shows.
fn broken(learned: &Learned) -> Markup {
    html! {
        @if !learned.broken.is_empty() {
            h2 id="broken" { (sentence::BROKEN) }
            ul { @for it in &learned.broken { li { (shown(&sentence::broken(it))) } } }
        }
    }
}

fn drawings(learned: &Learned, parts: &[Part<'_>]) -> Markup {
    let hidden = part::hidden(learned, parts);
    html! {
        @if parts.is_empty() { p { "There is no machine to draw." } }
        h2 id="machine" { "The machine in parts" }
        p.note { (sentence::LEGEND.join(" ")) " A filled box is the end of the connection." }
        ul.note { @for kind in part::kinds(parts) {
            li { strong { (kind.sign()) "N" } ": difference N, " (kind.meaning()) }
        } }
        div.parts { @for (number, of) in parts.iter().enumerate() { (drawing(number, of)) } }
        @if !hidden.is_empty() {
            p { "These differences need inputs of several parts, so no part shows them: "
                @for index in hidden { (link(index, &learned.differences[index])) " " }
            }
        }
    }
}

fn drawing(at: usize, of: &Part<'_>) -> Markup {
    let Picture { size, content } = picture(of, true);
    let differences = of.lines().filter(|line| !line.marks.is_empty()).count();
    let about = format!(
        "{}: {} and {}; {} with an unexpected answer",
        heading(of),
        count(of.states.len(), "state"),
        count(of.arrows.len(), "arrow"),
        count(differences, "line")
    );
    html! {
        section {
            h3 id={ "part/" (at) } { (heading(of)) }
            div.drawing tabindex="0" role="region" aria-label={ "Drawing of " (shown(of.name)) } {
                svg.machine viewBox=(view(size)) width=(number(size.width)) height=(number(size.height)) role="group"
                    aria-label=(about) { (content) }
            }
            details { summary { "as text" } pre { (text::part(of)) } }
        }
    }
}

/// A link to a difference.
fn link(index: usize, difference: &Judged) -> Markup {
    html! { a href={ "#difference/" (index + 1) } { (sentence::sign(index, difference)) } }
}

fn differences(learned: &Learned) -> Markup {
    html! {
        @if !learned.differences.is_empty() {
            h2 id="differences" { "Differences" }
            div.drawing tabindex="0" role="region" aria-label="Table of differences" { table.runs {
                thead { tr { @for head in ["number", "word", "expected", "got", "verdict"] { th scope="col" { (head) } } } }
                tbody { @for (index, it) in learned.differences.iter().enumerate() { tr {
                    td.sign { (link(index, it)) }
                    td { code { (shown(&sentence::word(&it.word))) } }
                    td { code { (shown(&answer(&it.expected))) } }
                    td { code { (shown(&answer(&it.found))) } }
                    td { (shown(&sentence::verdict(&it.verdict))) }
                } } }
            } }
            @for (index, it) in learned.differences.iter().enumerate() { (article(learned, index, it)) }
        }
    }
}

fn article(learned: &Learned, index: usize, it: &Judged) -> Markup {
    html! {
        article.cause.waived[Kind::of(&it.verdict) != Kind::Breaks] id={ "difference/" (index + 1) } tabindex="-1" {
            h3 { (link(index, it)) " " (shown(&sentence::verdict(&it.verdict))) }
            dl {
                dt { "word" } dd { code { (shown(&sentence::word(&it.word))) } }
                @if let Some(about) = sentence::about(learned, it) { dt { "input" } dd { (shown(about)) } }
                dt { "expected" } dd { code { (shown(&answer(&it.expected))) } }
                dt { "got" } dd { code { (shown(&answer(&it.found))) } }
                @if let Verdict::Breaks { clause, step, expected, actual, .. } = &it.verdict {
                    @if let Some(clause) = clause::find(clause) {
                        dt { "clause" } dd { a href=(clause.link()) { (clause.id) } ": " (clause.text) }
                    }
                    dt { "replayed" } dd { (shown(step)) ": expected " code { (shown(expected)) } ", got " code { (shown(actual)) } }
                }
                @if it.follows { dt { "note" } dd { (sentence::FOLLOWS) } }
            }
            h4 { "transcript" }
            pre { @for line in it.transcript.lines() { (no_command(&terminal(line))) "\n" } }
        }
    }
}

fn mixed(learned: &Learned) -> Markup {
    html! {
        @if !learned.mixed.is_empty() {
            h2 id="mixed" { "Several answers" }
            p { "The peer answered the last input of each word in several ways." }
            table {
                thead { tr { @for head in ["word", "times", "answer"] { th scope="col" { (head) } } } }
                tbody { @for mixed in &learned.mixed { @for it in &mixed.answers { tr {
                    td { code { (shown(&sentence::word(&mixed.word))) } }
                    td { (it.count) }
                    td { code { (shown(&answer(&it.output))) } }
                } } } }
            }
        }
    }
}

fn left_out(learned: &Learned) -> Markup {
    html! {
        @if !learned.left_out.is_empty() {
            h2 id="left-out" { "Inputs left out" }
            dl { @for (input, reason) in &learned.left_out { dt { (shown(input)) } dd { (shown(reason)) } } }
        }
    }
}

/// The meaning of each input, and the effort.
fn effort(learned: &Learned) -> Markup {
    html! {
        h2 id="inputs" { "Inputs" }
        dl { @for input in &learned.inputs { dt { (shown(&input.name)) } dd { (shown(&input.about)) } } }
        footer { (text::effort(learned)) }
    }
}
