//! One page: the matrix of peers by clauses and cases, and everything about each finding.
//!
//! It is a single file that asks no network for anything and works from a disk. `#case/ID` leads to a case, `#clause/ID`
//! to a clause. Filters need its script; all else is there without it.
//!
//! Rules: maud escapes every text, and hidden characters are made visible before; a verdict is told by its word, and by a
//! colour that differs in lightness too; long texts and long logs are cut, so that eight peers stay a small page. The
//! script and the style are files of their own beside this one, and the page takes them in as they are.
//!
//! Deliberately absent: any state. What a reader filters is gone with the page.

mod finding;
mod mark;
mod matrix;

use std::io::{self, Write};

use dnode_spec::clause::Level;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::Report;
use crate::clauses::{Row, groups};
use crate::escape::terminal_cut;
use crate::event::{Event, Verdict};
use crate::record::{Record, Records};

/// How many characters of one text are shown.
const LONGEST: usize = 600;

/// Writes the page at the end.
#[derive(Debug)]
pub struct Html<W> {
    out: W,
    records: Records,
}

impl<W: Write> Html<W> {
    /// A page that will be written to `out`.
    #[must_use]
    pub fn new(out: W) -> Self {
        Html { out, records: Records::default() }
    }
}

impl<W: Write> Report for Html<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.records.event(event)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(page(self.records.all()).into_string().as_bytes())?;
        self.out.flush()
    }
}

fn page(records: &[Record]) -> Markup {
    let groups = groups(records);
    let title = match records {
        [record] => format!("dnode-conform: {}", shown(record.name())),
        _ => format!("dnode-conform: {} peers", records.len()),
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Nothing is loaded, whatever a text of a peer should become.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(include_str!("html/page.css"))) }
            }
            body {
                header { h1 { "dnode-conform" } (runs(records)) }
                (filters(records))
                main {
                    h2 id="matrix" { "Matrix" }
                    (matrix::matrix(records, &groups))
                    h2 id="cases" { "Cases" }
                    (finding::cases(records, &groups))
                }
                script { (PreEscaped(include_str!("html/page.js"))) }
            }
        }
    }
}

/// What was run, a row a run.
fn runs(records: &[Record]) -> Markup {
    html! {
        div.scroll { table.runs {
            thead { tr { th { "peer" } th { "result" } th { "how it was reached" } th { "suite" } } }
            tbody { @for (number, record) in records.iter().enumerate() {
                @let exit = record.exit();
                tr data-peer=(number) {
                    th scope="row" { (shown(record.run.peer.as_deref().unwrap_or("unnamed"))) }
                    td { strong { (exit.to_string()) } br; (record.sum())
                        @for note in &record.run.notes { br; span.note { (shown(note)) } }
                        @for stale in &record.ended.stale {
                            br; span.stale { (stale.reference.word()) ": " (shown(&stale.id)) ": " (shown(&stale.problem)) }
                        }
                    }
                    td { code { (shown(&record.run.target)) } }
                    td { (shown(&record.run.suite)) "; " (record.run.gate) " and stricter gate" }
                }
            } }
        } }
    }
}

/// What the script filters by. It is hidden until the script is there.
fn filters(records: &[Record]) -> Markup {
    let check = |name: &str, value: &str, text: Markup| {
        html! { label { input type="checkbox" name=(name) value=(value) checked; (text) } }
    };
    html! {
        form #filters hidden {
            label.search { "Search " input type="search" name="text" placeholder="id, sentence, what came …"; }
            fieldset { legend { "Verdict" }
                @for verdict in Verdict::ALL { (check("verdict", letter(verdict), badge(verdict))) }
            }
            fieldset { legend { "Level" }
                @for level in Level::ALL { (check("level", level.word(), html! { (level) })) }
            }
            @if records.len() > 1 {
                fieldset { legend { "Peer" }
                    @for (number, record) in records.iter().enumerate() {
                        (check("peer", &number.to_string(), html! { (shown(record.name())) }))
                    }
                }
            }
            p { output #count aria-live="polite" {} " " button type="reset" { "Show all" } }
        }
    }
}

/// A verdict's word in its colour.
fn badge(verdict: Verdict) -> Markup {
    html! { span class={ "v " (letter(verdict)) } { (verdict) } }
}

/// The class of a verdict. One letter, as there is one in every cell of the matrix.
fn letter(verdict: Verdict) -> &'static str {
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

/// A text of anyone, made visible and cut.
fn shown(text: &str) -> String {
    terminal_cut(text, LONGEST, 0)
}

/// An id as part of a fragment: what would not stand in one as it is becomes `%` and two digits a byte.
fn fragment(id: &str) -> String {
    let mut out = String::new();
    for byte in shown(id).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

/// The letters of the verdicts of a case, one a run, `-` where a run does not have it: what the script looks at.
fn letters(row: &Row<'_>) -> String {
    row.outcomes.iter().map(|outcome| outcome.map_or("-", |it| letter(it.verdict))).collect()
}

#[cfg(test)]
mod tests;
