//! One web page: the causes, the matrix of peers by clause and case, and the details of each
//! finding.
//!
//! The page is a single file that needs no network. `#case/ID` links to a case and `#clause/ID` to
//! a clause. Only the filters need its script.
//!
//! Rules: hidden characters are escaped, and then maud escapes every text. A verdict is shown as a
//! word, and in a colour whose lightness differs too. Long texts and logs are cut, so that the page
//! stays small even with eight peers. The script and the style are separate files, and the page
//! includes them unchanged.
//!
//! Deliberately absent: any state. Closing the page resets the filters.

mod causes;
mod finding;
mod mark;
mod matrix;
mod parts;

use std::io::{self, Write};

use dnode_spec::clause::Level;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::clauses::groups;
use crate::event::{Event, Verdict};
use crate::record::{Record, Records};
use crate::report::Report;
use parts::{badge, letter, shown};

/// Writes the page at the end.
#[derive(Debug)]
pub struct Html<W> {
    out: W,
    records: Records,
}

impl<W: Write> Html<W> {
    /// A page to `out`, written at the end.
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
                // The browser loads nothing, even if a text of the peer became markup.
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
                    (causes::causes(records))
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

/// The runs, one row each.
fn runs(records: &[Record]) -> Markup {
    html! {
        div.scroll { table.runs {
            thead { tr { th { "peer" } th { "result" } th { "target" } th { "suite" } } }
            tbody { @for (number, record) in records.iter().enumerate() {
                @let exit = record.exit();
                tr data-peer=(number) {
                    th scope="row" { (shown(record.run.peer.as_deref().unwrap_or("unnamed"))) }
                    td { strong { (exit.to_string()) } br; (record.sum())
                        @if let Some(time) = record.run.time { br; span.note { "Deadlines: " (time.describe()) } }
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

/// The filters. They are hidden until the script runs.
fn filters(records: &[Record]) -> Markup {
    let check = |name: &str, value: &str, text: Markup| {
        html! { label { input type="checkbox" name=(name) value=(value) checked; (text) } }
    };
    html! {
        form #filters hidden {
            label.search { "Search " input type="search" name="text" placeholder="id, sentence, text …"; }
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

#[cfg(test)]
mod tests;
