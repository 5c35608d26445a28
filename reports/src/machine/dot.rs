//! The machine for Graphviz: one graph, with a cluster for each part.
//!
//! Rules: hidden characters are escaped, answers are cut, and every text is in a label like HTML, in
//! which `&`, `<`, `>` and `"` are escaped. Ids are numbers.

use std::fmt::Write as _;

use dnode_spec::machine::Then;

use super::part::{self, Kind, Line, Part, Target};
use super::{Learned, sentence};
use crate::escape::terminal_cut;

/// How many characters of one text are shown.
const LONGEST: usize = 160;

// Writing to a string cannot fail, so the results of `write!` are ignored below.

pub(super) fn write(learned: &Learned) -> String {
    let title = format!("{}: {}", sentence::peer(learned), sentence::headline(learned));
    let mut out = String::from("digraph machine {\n");
    out.push_str(
        "  node [shape=box, style=rounded, fontname=monospace, fontsize=11, margin=\"0.15,0.1\"];\n",
    );
    out.push_str(
        "  edge [fontname=monospace, fontsize=11];\n  fontname=monospace; labelloc=t; compound=true;\n",
    );
    let parts = part::parts(learned);
    let mut about = vec![format!("<b>{}</b>", escaped(&title))];
    about.extend(part::kinds(&parts).into_iter().map(|kind| colored(Some(kind), &kind.legend())));
    about.extend(learned.broken.iter().map(|it| escaped(&sentence::broken(it))));
    about.extend(sentence::hidden(learned, &parts).iter().map(|text| escaped(text)));
    let _ = writeln!(out, "  label=<{}>;", about.join("<br/>"));
    for (number, of) in parts.iter().enumerate() {
        part(&mut out, number, of);
    }
    out.push_str("}\n");
    out
}

fn part(out: &mut String, number: usize, of: &Part<'_>) {
    let _ = writeln!(out, "  subgraph cluster_{number} {{");
    let _ = writeln!(out, "    label=<<b>{}</b>: {}>;", escaped(of.name), escaped(of.title()));
    for (state, place) in of.states.iter().enumerate() {
        let mut text = vec![format!("<b>{}</b>", escaped(&place.name))];
        text.extend(place.stays.iter().flat_map(lines));
        for (about, inputs) in [("ignores", &place.ignores), ("not possible", &place.impossible)] {
            if !inputs.is_empty() {
                text.push(format!("<i>{about}: {}</i>", escaped(&inputs.join(", "))));
            }
        }
        let _ = writeln!(out, "    s{number}_{state} [label=<{}>];", left(&text));
    }
    for then in of.ends() {
        let name = escaped(&Target::end(then));
        let _ = writeln!(
            out,
            "    {} [label=<<b>{name}</b>>, style=\"rounded,filled\", fillcolor=black, fontcolor=white];",
            end(number, then)
        );
    }
    for arrow in &of.arrows {
        let to = match arrow.to {
            Target::State(to) => format!("s{number}_{to}"),
            Target::End(then) => end(number, then),
        };
        let text: Vec<String> = arrow.lines.iter().flat_map(lines).collect();
        let look = match arrow.kind() {
            Some(Kind::Breaks) => format!(", color=\"{}\", penwidth=3", color(Kind::Breaks)),
            Some(kind) => format!(", color=\"{}\", style=dashed", color(kind)),
            None => String::new(),
        };
        let from = arrow.from;
        let _ = writeln!(out, "    s{number}_{from} -> {to} [label=<{}>{look}];", left(&text));
    }
    out.push_str("  }\n");
}

fn end(number: usize, then: Then) -> String {
    let name: String = Target::end(then).chars().filter(char::is_ascii_alphabetic).collect();
    format!("e{number}_{name}")
}

/// A line, and its marks below it, as markup.
fn lines(line: &Line<'_>) -> Vec<String> {
    let marks = line.marks.iter().map(|mark| colored(Some(mark.kind), &mark.text()));
    std::iter::once(colored(line.kind(), &line.text())).chain(marks).collect()
}

/// Lines that start at the left.
fn left(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |out, line| out + line + "<br align=\"left\"/>")
}

fn colored(kind: Option<Kind>, text: &str) -> String {
    let text = escaped(text);
    match kind {
        Some(Kind::Breaks) => format!("<font color=\"{}\"><b>{text}</b></font>", color(Kind::Breaks)),
        Some(kind) => format!("<font color=\"{}\"><i>{text}</i></font>", color(kind)),
        None => text,
    }
}

fn color(kind: Kind) -> &'static str {
    match kind {
        Kind::Breaks => "#a83a00",
        Kind::Free => "#6a4fb3",
        Kind::Unclear => "#575757",
    }
}

fn escaped(text: &str) -> String {
    let shown = terminal_cut(text, LONGEST, 0);
    shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
