//! Small pieces that several parts of the page use.

use dnode_spec::dialect::Dialect;
use maud::{Markup, html};

use crate::clauses::Row;
use crate::escape::terminal_cut;
use crate::event::{Role, Verdict};
use crate::record::Record;

/// How many characters of one text are shown.
const LONGEST: usize = 600;

/// How many characters of a peer's name are shown in a narrow place.
const NAME: usize = 60;

/// A verdict as a coloured word.
pub(crate) fn badge(verdict: Verdict) -> Markup {
    html! { span class={ "v " (letter(verdict)) } { (verdict) } }
}

/// The CSS class of a verdict: one letter, because every cell of the matrix has it.
pub(crate) fn letter(verdict: Verdict) -> &'static str {
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

/// The mark of a verdict in a cell of the matrix.
pub(crate) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✕",
        Verdict::Crash => "C",
        Verdict::Hang => "H",
        Verdict::NotApplicable => "–",
        Verdict::Inconclusive => "?",
        Verdict::HarnessError => "!",
    }
}

/// Any text, escaped and cut.
pub(crate) fn shown(text: &str) -> String {
    terminal_cut(text, LONGEST, 0)
}

/// The name of a peer, and what tells its run apart from others of the same peer: `client`,
/// `dialect 0.1`.
pub(crate) fn name(record: &Record) -> Markup {
    let role = (record.run.role == Role::Client).then(|| "client".to_owned());
    let dialect =
        (record.run.dialect != Dialect::default()).then(|| format!("dialect {}", record.run.dialect));
    let about: Vec<String> = role.into_iter().chain(dialect).collect();
    html! {
        (terminal_cut(plain_name(record), NAME, 0))
        @if !about.is_empty() { " " small { (about.join(", ")) } }
    }
}

/// The name of a peer, raw. A peer without a name that was read from a file has the name of the
/// file, without its folders.
fn plain_name(record: &Record) -> &str {
    match &record.run.peer {
        Some(name) => name,
        None => {
            let target = record.run.target.as_str();
            let file = target.strip_suffix(".json").and_then(|path| path.rsplit('/').next());
            file.unwrap_or(target)
        }
    }
}

/// An id as a URL fragment: each byte that needs an escape becomes `%` and two hex digits.
pub(crate) fn fragment(id: &str) -> String {
    let mut out = String::new();
    for byte in shown(id).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

/// A link to a case.
pub(super) fn link(id: &str) -> Markup {
    html! { a href={ "#case/" (fragment(id)) } { (shown(id)) } }
}

/// The verdicts of a case for the script: one letter per run, `-` if the run does not have the
/// case.
pub(super) fn letters(row: &Row<'_>) -> String {
    row.outcomes.iter().map(|outcome| outcome.map_or("-", |it| letter(it.verdict))).collect()
}

/// Whether the case has an article with details: it did not pass in one of the runs.
pub(super) fn has_article(row: &Row<'_>) -> bool {
    row.judged().any(|outcome| outcome.verdict != Verdict::Pass)
}
