//! The machine as Markdown: a page of a repository, or a CI summary. It has the content of the text
//! report and the diagrams of Mermaid. It has no duration, so it is deterministic.
//!
//! Rules: a text of the peer appears only as code, as in the Markdown report, or escaped in a
//! diagram. Transcripts are shown in full until they take about 30 kB.

use std::fmt::Write as _;

use super::part::{self, Part, answer};
use super::{Judged, Learned, Verdict, mermaid, sentence, text};
use crate::escape::{no_command, terminal};
use crate::markdown::{cell, code, fence};
use crate::summary::count;

/// How many bytes the transcripts may take.
const FULL: usize = 30_000;

// Writing to a string cannot fail, so the results of `write!` are ignored below.

pub(super) fn write(learned: &Learned) -> String {
    let parts = part::parts(learned);
    let mark = if learned.fails() { "**" } else { "" };
    let mut out = format!("# State machine of {}\n", code(sentence::peer(learned)));
    let headline = code(&sentence::headline(learned));
    let _ = write!(out, "\n{mark}{headline}{mark}\n\n{}\n", sentence::size(learned));
    for limit in sentence::limits(learned) {
        let _ = write!(out, "\nNote: {}\n", code(&limit));
    }
    if !learned.broken.is_empty() {
        let _ = write!(out, "\n## {}\n\n", sentence::BROKEN);
        learned.broken.iter().for_each(|it| {
            let _ = writeln!(out, "- {}", code(&sentence::broken(it)));
        });
    }
    differences(&mut out, learned);
    mixed(&mut out, learned);
    if !learned.left_out.is_empty() {
        out.push_str("\n## Inputs left out\n\n| input | reason |\n|---|---|\n");
        for (input, reason) in &learned.left_out {
            let _ = writeln!(out, "| {} | {} |", cell(input), cell(reason));
        }
    }
    machine(&mut out, learned, &parts);
    out
}

fn differences(out: &mut String, learned: &Learned) {
    if learned.differences.is_empty() {
        return;
    }
    out.push_str("\n## Differences\n\n| | word | expected | got | verdict |\n|---|---|---|---|---|\n");
    for (index, it) in learned.differences.iter().enumerate() {
        let [expected, found] = [&it.expected, &it.found].map(|output| cell(&answer(output)));
        let [sign, word, verdict] =
            [sentence::sign(index, it), sentence::word(&it.word), sentence::verdict(&it.verdict)]
                .map(|text| cell(&text));
        let _ = writeln!(out, "| {sign} | {word} | {expected} | {found} | {verdict} |");
    }
    let limit = out.len() + FULL;
    for (index, it) in learned.differences.iter().enumerate() {
        let about = sentence::about(learned, it);
        transcript(out, index, it, about, limit);
    }
}

fn transcript(out: &mut String, index: usize, difference: &Judged, about: Option<&str>, limit: usize) {
    let sign = code(&sentence::sign(index, difference));
    let _ = write!(out, "\n### {sign} {}\n\n", code(&sentence::word(&difference.word)));
    if let Some(about) = about {
        let _ = write!(out, "Input: {}\n\n", code(about));
    }
    if let Verdict::Breaks { step, expected, actual, .. } = &difference.verdict {
        let [step, expected, actual] = [step, expected, actual].map(|text| code(text));
        let _ = write!(out, "Replayed: {step}: expected {expected}, got {actual}\n\n");
    }
    if difference.follows {
        let _ = write!(out, "Note: {}.\n\n", sentence::FOLLOWS);
    }
    if out.len() + difference.transcript.len() > limit {
        out.push_str("The transcript is left out.\n");
        return;
    }
    out.push_str("<details><summary>transcript</summary>\n\n");
    block(out, "json", &difference.transcript);
    out.push_str("\n</details>\n");
}

fn mixed(out: &mut String, learned: &Learned) {
    if learned.mixed.is_empty() {
        return;
    }
    out.push_str("\n## Several answers\n\nThe peer answered the last input of each word in several ways.\n");
    out.push_str("\n| word | times | answer |\n|---|---|---|\n");
    for mixed in &learned.mixed {
        for (number, it) in mixed.answers.iter().enumerate() {
            let word = if number == 0 { cell(&sentence::word(&mixed.word)) } else { String::new() };
            let _ = writeln!(out, "| {word} | {} | {} |", it.count, cell(&answer(&it.output)));
        }
    }
}

fn machine(out: &mut String, learned: &Learned, parts: &[Part<'_>]) {
    if parts.is_empty() {
        return;
    }
    out.push_str("\n## The machine in parts\n\n");
    let _ = writeln!(out, "{}", sentence::LEGEND.join("\n"));
    let kinds = part::kinds(parts);
    if !kinds.is_empty() {
        out.push('\n');
    }
    for kind in kinds {
        let _ = writeln!(out, "- `{}N`: difference N, {}", kind.sign(), kind.meaning());
    }
    for of in parts {
        let states = count(of.states.len(), "state");
        let _ = write!(out, "\n### {}: {}, {states}\n\n", code(of.name), title(of));
        match mermaid::one(of) {
            Some(diagram) => block(out, "mermaid", &diagram),
            None => out.push_str("The part is too large for a diagram.\n"),
        }
        out.push_str("\n<details><summary>as text</summary>\n\n");
        block(out, "text", &text::part(of));
        out.push_str("\n</details>\n");
    }
    let hidden = sentence::hidden(learned, parts);
    if let Some((about, lines)) = hidden.split_first() {
        let _ = write!(out, "\n{about}\n\n");
        lines.iter().for_each(|line| {
            let _ = writeln!(out, "- {}", code(line));
        });
    }
}

/// The title of a part. A word of the alphabet is code.
fn title(of: &Part<'_>) -> String {
    if of.title() == of.name { code(of.name) } else { of.title().to_owned() }
}

/// A block of code of this language. Each of its lines is escaped.
fn block(out: &mut String, language: &str, text: &str) {
    let shown: Vec<String> = text.lines().map(|line| no_command(&terminal(line)).into_owned()).collect();
    let shown = shown.join("\n");
    let fence = fence(&shown);
    let _ = write!(out, "{fence}{language}\n{shown}\n{fence}\n");
}
