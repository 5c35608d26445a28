//! Small pieces that several parts of the page use.

use maud::{Markup, html};

use crate::clauses::Row;
use crate::escape::terminal_cut;
use crate::event::Verdict;

/// How many characters of one text are shown.
const LONGEST: usize = 600;

/// A verdict as a coloured word.
pub(super) fn badge(verdict: Verdict) -> Markup {
    html! { span class={ "v " (letter(verdict)) } { (verdict) } }
}

/// The CSS class of a verdict: one letter, because every cell of the matrix has it.
pub(super) fn letter(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "p",
        Verdict::Fail => "f",
        Verdict::Crash => "c",
        Verdict::Hang => "h",
        Verdict::NotApplicable => "n",
        Verdict::Inconclusive => "i",
        Verdict::HarnessError => "e",
    }
}

/// Any text, escaped and cut.
pub(super) fn shown(text: &str) -> String {
    terminal_cut(text, LONGEST, 0)
}

/// An id as a URL fragment: each byte that needs an escape becomes `%` and two hex digits.
pub(super) fn fragment(id: &str) -> String {
    let mut out = String::new();
    for byte in shown(id).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

/// The verdicts of a case for the script: one letter per run, `-` if the run does not have the
/// case.
pub(super) fn letters(row: &Row<'_>) -> String {
    row.outcomes.iter().map(|outcome| outcome.map_or("-", |it| letter(it.verdict))).collect()
}
