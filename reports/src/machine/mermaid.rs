//! The machine for Mermaid: a flowchart, because it can quote labels, and a state diagram cannot.
//!
//! Rules: hidden characters are escaped, answers are cut, and every character that is not a letter,
//! a digit or one of a few harmless ones becomes an entity of Mermaid, `#60;` for `<`. Ids are
//! numbers.

use std::fmt::Write as _;

use dnode_spec::machine::Then;

use super::part::{self, Kind, Line, Part, Target};
use super::{Learned, sentence};
use crate::escape::terminal_cut;

/// How many characters of one text are shown.
const LONGEST: usize = 120;

/// GitHub draws no diagram that is longer, and no one can read it.
const STATES: usize = 16;
const ARROWS: usize = 48;

/// The start of a diagram. Without the first line, Mermaid wraps lines after about 30 letters.
const START: &str = "%%{init: {\"flowchart\": {\"wrappingWidth\": 420}}}%%\nflowchart TB\n";

// Writing to a string cannot fail, so the results of `write!` are ignored below.

/// All parts as one diagram.
pub(super) fn write(learned: &Learned) -> String {
    let mut out = String::from(START);
    let mut links = Vec::new();
    let parts = part::parts(learned);
    for (number, of) in parts.iter().enumerate() {
        let title = format!("{}: {}", of.name, of.title());
        let _ = writeln!(out, "  subgraph p{number}[\"{}\"]\n    direction TB", escaped(&title));
        part(&mut out, number, of, &mut links);
        out.push_str("  end\n");
    }
    legend(&mut out, learned, &parts);
    styles(&mut out, &links, &part::kinds(&parts));
    out
}

/// A box with the verdict, the meanings of the signs, and the differences that no part shows.
fn legend(out: &mut String, learned: &Learned, parts: &[Part<'_>]) {
    let title = format!("{}: {}", sentence::peer(learned), sentence::headline(learned));
    let mut text = vec![format!("<b>{}</b>", escaped(&title))];
    text.extend(part::kinds(parts).into_iter().map(|kind| escaped(&kind.legend())));
    text.extend(learned.broken.iter().map(|it| escaped(&sentence::broken(it))));
    text.extend(sentence::hidden(learned, parts).iter().map(|text| escaped(text)));
    let _ = writeln!(out, "  legend[\"{}\"]", text.join("<br/>"));
}

/// One part as a diagram; `None` if it is too large.
pub(super) fn one(of: &Part<'_>) -> Option<String> {
    if of.states.len() > STATES || of.arrows.len() > ARROWS {
        return None;
    }
    let mut out = String::from(START);
    let mut links = Vec::new();
    part(&mut out, 0, of, &mut links);
    styles(&mut out, &links, &part::kinds(std::slice::from_ref(of)));
    Some(out)
}

/// Adds the states and arrows of a part, and the kinds of its arrows.
fn part(out: &mut String, number: usize, of: &Part<'_>, links: &mut Vec<Option<Kind>>) {
    for (state, place) in of.states.iter().enumerate() {
        let mut text = vec![format!("<b>{}</b>", escaped(&place.name))];
        text.extend(place.stays.iter().flat_map(lines));
        for (about, inputs) in [("ignores", &place.ignores), ("not possible", &place.impossible)] {
            if !inputs.is_empty() {
                text.push(format!("<i>{about}: {}</i>", escaped(&inputs.join(", "))));
            }
        }
        let kind = place.stays.iter().filter_map(Line::kind).max();
        let class = kind.map(|kind| format!(":::{}", kind.class())).unwrap_or_default();
        let _ = writeln!(out, "    s{number}_{state}[\"{}\"]{class}", text.join("<br/>"));
    }
    for then in of.ends() {
        let _ = writeln!(out, "    {}([\"<b>{}</b>\"])", end(number, then), escaped(&Target::end(then)));
    }
    for arrow in &of.arrows {
        let to = match arrow.to {
            Target::State(to) => format!("s{number}_{to}"),
            Target::End(then) => end(number, then),
        };
        let text: Vec<String> = arrow.lines.iter().flat_map(lines).collect();
        let _ = writeln!(out, "    s{number}_{} -->|\"{}\"| {to}", arrow.from, text.join("<br/>"));
        links.push(arrow.kind());
    }
}

/// The looks of marked arrows and states. The text of a label has a sign too.
fn styles(out: &mut String, links: &[Option<Kind>], kinds: &[Kind]) {
    for (number, kind) in links.iter().enumerate() {
        if let Some(kind) = kind {
            let _ = writeln!(out, "    linkStyle {number} {}", style(*kind));
        }
    }
    for kind in kinds {
        let _ = writeln!(out, "    classDef {} {}", kind.class(), style(*kind));
    }
}

fn style(kind: Kind) -> &'static str {
    match kind {
        Kind::Breaks => "stroke:#d1480a,stroke-width:3px",
        Kind::Free => "stroke:#8a6fd3,stroke-width:2px,stroke-dasharray:7 4",
        Kind::Unclear => "stroke:#888888,stroke-width:2px,stroke-dasharray:2 4",
    }
}

fn end(number: usize, then: Then) -> String {
    let name: String = Target::end(then).chars().filter(char::is_ascii_alphabetic).collect();
    format!("e{number}_{name}")
}

/// A line, and its marks below it, as markup.
fn lines(line: &Line<'_>) -> Vec<String> {
    let text = escaped(&line.text());
    let first = if line.marks.is_empty() { text } else { format!("<b>{text}</b>") };
    let marks = line.marks.iter().map(|mark| escaped(&mark.text()));
    std::iter::once(first).chain(marks).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in terminal_cut(text, LONGEST, 0).chars() {
        match c {
            ' ' | '-' | '/' | ',' | '.' | ':' | '(' | ')' | '!' | '→' | '…' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}
