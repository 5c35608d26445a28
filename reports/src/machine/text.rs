//! The machine for people: a terminal, or the log of a CI job.
//!
//! The verdict comes first, then each difference, and then the parts of the machine as lists: a
//! table of states and inputs is wider than a terminal. Inputs with the same answer and the same
//! next state share a line.
//!
//! Rules: those of the text report. Every text is escaped, and no line needs colour.

use anstyle::Style;
use dnode_spec::clause::find;
use dnode_spec::machine::Output;

use super::part::{self, Kind, Line, Part, Target};
use super::{Judged, Learned, Verdict, sentence};
use crate::escape::cut;
use crate::page::{Page, style};
use crate::summary::count;

/// How many characters of one answer are shown.
const LONGEST: usize = 300;

pub(super) fn write(learned: &Learned, styles: bool, width: usize) -> String {
    let parts = part::parts(learned);
    let mut page = Page::new(styles, width);
    let color = match (learned.differences.is_empty(), learned.fails()) {
        (true, _) => style::GOOD,
        (_, true) => style::BAD,
        (_, false) => style::UNSURE,
    };
    let peer = cut(sentence::peer(learned), 80);
    page.wrapped("", color, format!("{peer}: {}", sentence::headline(learned)));
    for limit in sentence::limits(learned) {
        page.wrapped("note: ", style::PLAIN, limit);
    }
    if !learned.broken.is_empty() {
        page.blank();
        page.plain(0, style::BOLD, sentence::BROKEN);
    }
    for it in &learned.broken {
        page.wrapped("    ", style::PLAIN, &*cut(&sentence::broken(it), LONGEST));
    }
    for (index, difference) in learned.differences.iter().enumerate() {
        one(&mut page, learned, index, difference);
    }
    mixed(&mut page, learned);
    left_out(&mut page, learned);
    machine(&mut page, learned, &parts);
    page.blank();
    page.wrapped("", style::PLAIN, effort(learned));
    page.into_string()
}

/// The parts as text without colours, for other formats.
pub(super) fn part(of: &Part<'_>) -> String {
    let mut page = Page::new(false, crate::page::WIDTH);
    states(&mut page, of);
    page.into_string()
}

fn one(page: &mut Page, learned: &Learned, index: usize, difference: &Judged) {
    let Judged { word, expected, found, verdict, follows, .. } = difference;
    let kind = Kind::of(verdict);
    page.blank();
    page.wrapped(
        &format!("{:4}", sentence::sign(index, difference)),
        color(kind),
        sentence::verdict(verdict),
    );
    page.wrapped("    word      ", style::BOLD, sentence::word(word));
    if let Some(about) = sentence::about(learned, difference) {
        page.wrapped("    input     ", style::PLAIN, about);
    }
    page.wrapped("    expected  ", style::PLAIN, answer(expected));
    page.wrapped("    got       ", color(kind), answer(found));
    if let Verdict::Breaks { clause, step, expected, actual, .. } = verdict {
        if let Some(clause) = find(clause) {
            page.wrapped("    clause    ", style::PLAIN, clause.text);
            page.wrapped("    hint      ", style::PLAIN, clause.hint);
        }
        let [expected, actual] = [expected, actual].map(|text| cut(text, LONGEST));
        page.wrapped("    replayed  ", style::FAINT, format!("{step}: expected {expected}, got {actual}"));
    }
    if let Some(command) = &difference.repeat {
        page.command("    repeat    ", command);
    }
    if *follows {
        page.wrapped("    note      ", style::FAINT, sentence::FOLLOWS);
    }
}

fn mixed(page: &mut Page, learned: &Learned) {
    if learned.mixed.is_empty() {
        return;
    }
    page.blank();
    page.plain(0, style::UNSURE, "not deterministic: the peer answered the last input in several ways");
    for mixed in &learned.mixed {
        page.wrapped("    word      ", style::BOLD, sentence::word(&mixed.word));
        for it in &mixed.answers {
            let times = format!("{} times", it.count);
            page.wrapped(&format!("    {times:10}"), style::PLAIN, answer(&it.output));
        }
    }
}

fn left_out(page: &mut Page, learned: &Learned) {
    if learned.left_out.is_empty() {
        return;
    }
    page.blank();
    page.plain(0, style::BOLD, "inputs left out");
    for (input, reason) in &learned.left_out {
        let [input, reason] = [input, reason].map(|text| cut(text, LONGEST));
        page.wrapped("    ", style::PLAIN, format!("{input}: {reason}"));
    }
}

fn machine(page: &mut Page, learned: &Learned, parts: &[Part<'_>]) {
    if parts.is_empty() {
        return;
    }
    page.blank();
    page.plain(0, style::BOLD, "The machine in parts");
    let [_, names] = sentence::LEGEND;
    page.wrapped(
        "",
        style::FAINT,
        "Each line is `input / answer`, and `→` names the next state if it changes.",
    );
    page.wrapped("", style::FAINT, names);
    for kind in part::kinds(parts) {
        page.wrapped("", color(kind), kind.legend());
    }
    for of in parts {
        page.blank();
        let size = count(of.states.len(), "state");
        page.wrapped("", style::BOLD, format!("{}: {}, {size}", of.name, of.title()));
        states(page, of);
    }
    let hidden = sentence::hidden(learned, parts);
    if !hidden.is_empty() {
        page.blank();
        hidden.iter().for_each(|text| page.wrapped("", style::PLAIN, text));
    }
}

fn states(page: &mut Page, of: &Part<'_>) {
    for (number, state) in of.states.iter().enumerate() {
        page.wrapped("  ", style::BOLD, &state.name);
        let stays = state.stays.iter().map(|line| (line, None));
        let leaves = of
            .arrows
            .iter()
            .filter(|arrow| arrow.from == number)
            .flat_map(|arrow| arrow.lines.iter().map(|line| (line, Some(arrow.to))));
        for group in grouped(stays.chain(leaves)) {
            lines(page, of, &group);
        }
        if !state.ignores.is_empty() {
            page.wrapped("      ignores: ", style::FAINT, state.ignores.join(", "));
        }
        if !state.impossible.is_empty() {
            page.wrapped("      not possible: ", style::FAINT, state.impossible.join(", "));
        }
    }
}

type Led<'p> = (&'p Line<'p>, Option<Target>);

/// The lines with the same answer and the same target together. A line with a mark is alone.
fn grouped<'p>(lines: impl Iterator<Item = Led<'p>>) -> Vec<Vec<Led<'p>>> {
    let mut groups: Vec<Vec<Led<'p>>> = Vec::new();
    for (line, to) in lines {
        let same = groups.iter_mut().find(|group| {
            group.iter().all(|(other, target)| {
                *target == to
                    && other.answer == line.answer
                    && other.marks.is_empty()
                    && line.marks.is_empty()
            })
        });
        match same {
            Some(group) => group.push((line, to)),
            None => groups.push(vec![(line, to)]),
        }
    }
    groups
}

/// One line for inputs with the same answer, and the marks below it.
fn lines(page: &mut Page, of: &Part<'_>, group: &[Led<'_>]) {
    let [(line, to), ..] = group else { return };
    let inputs: Vec<&str> = group.iter().map(|(line, _)| line.input).collect();
    let next = match to {
        Some(Target::State(to)) => format!(" → {}", of.states[*to].name),
        Some(Target::End(_)) | None => String::new(),
    };
    let sign = line.kind().map_or(" ", Kind::sign);
    let text = format!("{} / {}{next}", inputs.join(", "), cut(&line.answer, LONGEST));
    page.wrapped(&format!("    {sign} "), line.kind().map_or(style::PLAIN, color), text);
    for mark in &line.marks {
        page.wrapped("        ", color(mark.kind), cut(&mark.text(), LONGEST).as_ref());
    }
}

fn answer(output: &Output) -> String {
    cut(&part::answer(output), LONGEST).into_owned()
}

fn color(kind: Kind) -> Style {
    match kind {
        Kind::Breaks => style::BAD,
        Kind::Free => style::UNSURE,
        Kind::Unclear => style::BOLD,
    }
}

/// `24 states, 22 inputs; 1,234 words with 5,678 inputs, 900 of them tests, in 12.3 s`.
pub(super) fn effort(learned: &Learned) -> String {
    let effort = &learned.effort;
    format!(
        "{}; learned with {} words ({} of them tests), {} inputs, in {:.1} s",
        sentence::size(learned),
        effort.queries,
        effort.tests,
        effort.inputs,
        effort.seconds
    )
}
