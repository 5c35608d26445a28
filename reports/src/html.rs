//! One web page: the verdict in words, the causes, the matrix of peers, and the details of each
//! finding.
//!
//! The page is a single file that needs no network. `#case/ID` links to a case, `#clause/ID` to a
//! clause, and `#cause/N` to a cause. After a `?`, the fragment has the filters. Only filters, keys,
//! folding of the matrix and copying need its script.
//!
//! Rules: hidden characters are escaped, and then maud escapes every text. A verdict is shown as a
//! word or a mark, and in a colour whose lightness differs too. A pass is quiet. Long texts and logs
//! are cut, so that the page stays small even with many peers. The script and the style are separate
//! files, and the page includes them unchanged.
//!
//! Deliberately absent: any state outside the address of the page.

mod bar;
mod causes;
mod finding;
mod life;
mod mark;
mod matrix;
mod overview;
mod parts;
mod sequence;

use std::io::{self, Write};

use dnode_spec::clause::Level;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::cause::Cause;
use crate::clauses::{Group, groups};
use crate::event::{Event, Verdict};
use crate::record::{Record, Records};
use crate::report::Report;
pub(crate) use bar::bar;
pub(crate) use causes::title as cause_title;
pub(crate) use finding::finding;
pub(crate) use overview::{headline, run_bar};
use parts::has_article;
pub(crate) use parts::{badge, fragment, letter, mark as sign, name, shown};
pub(crate) use sequence::session;

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
    let causes: Vec<Vec<Cause>> =
        records.iter().map(|record| Cause::of(&record.outcomes, record.run.gate)).collect();
    let title = match records {
        [record] => format!("dnode-conform: {}", shown(record.name())),
        _ => format!("dnode-conform: {} peers", records.len()),
    };
    let grid = overview::interop(records);
    shell(
        &title,
        "report",
        "",
        &html! {
            header { (overview::overview(records, &causes)) (contents(records, &causes, &groups)) }
            main {
                @if grid { (table(records, &groups, "Clients and servers")) }
                (causes::causes(records, &causes))
                @if !grid { (table(records, &groups, "Cases")) }
                @if any_finding(&groups) {
                    h2 id="findings" { "Cases that did not pass" }
                    (finding::cases(records, &groups))
                }
                (life::life(records))
            }
        },
    )
}

/// Links to the parts of the page.
fn contents(records: &[Record], causes: &[Vec<Cause>], groups: &[Group<'_>]) -> Markup {
    let parts = [
        ("causes", "Causes", causes.iter().any(|causes| !causes.is_empty())),
        ("matrix", "Cases", true),
        ("findings", "Cases that did not pass", any_finding(groups)),
        ("life", "Life of an id", life::is_known(records)),
    ];
    html! {
        nav aria-label="Parts of the page" {
            @for (id, title, _) in parts.into_iter().filter(|(.., shown)| *shown) { a href={ "#" (id) } { (title) } " " }
        }
    }
}

fn any_finding(groups: &[Group<'_>]) -> bool {
    groups.iter().flat_map(|group| &group.rows).any(has_article)
}

/// The filters and the matrix.
fn table(records: &[Record], groups: &[Group<'_>], title: &str) -> Markup {
    html! {
        h2 id="matrix" { (title) }
        (filters(records))
        (matrix::matrix(records, groups))
    }
}

/// A whole page with this body. The style depends on its class, and has `rules` in addition.
pub(crate) fn shell(title: &str, class: &str, rules: &str, body: &Markup) -> Markup {
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
                style { (PreEscaped(include_str!("html/page.css"))) (PreEscaped(rules)) }
                script { (PreEscaped(include_str!("html/page.js"))) }
            }
            body class=(class) {
                (body)
            }
        }
    }
}

/// The filters. They are hidden until the script runs.
fn filters(records: &[Record]) -> Markup {
    let check = |name: &str, value: &str, text: Markup| {
        html! { label { input type="checkbox" name=(name) value=(value) checked; (text) } }
    };
    html! {
        form #filters.one[records.len() == 1] hidden {
            label.search { "Search " input type="search" name="text" placeholder="id, sentence, text …"; }
            fieldset { legend { "Verdict" }
                @for verdict in Verdict::ALL { (check("verdict", letter(verdict), badge(verdict))) }
            }
            fieldset { legend { "Level" }
                @for level in Level::ALL { (check("level", level.word(), html! { (level) })) }
            }
            @if records.len() > 1 {
                label { input type="checkbox" name="differ"; "only rows that differ" }
                details.peers { summary { "Peers" } fieldset { legend.who { "Peers" }
                    @for (number, record) in records.iter().enumerate() {
                        (check("peer", &number.to_string(), name(record)))
                    }
                } }
            }
            p { output #count aria-live="polite" {} " " button #problems type="button" { "Hide passes" } " " button type="reset" { "Show all" } }
        }
    }
}

#[cfg(test)]
mod tests;
