//! The documents: the protocol, the guides, the Markdown files of the folder, and the machines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::address::{self, href};
use super::content::{Content, Document, Machine, Page};
use super::document::{self, Rendered, Style};
use super::links::Origin;
use super::{File, shell};
use crate::html::shown;

const AT: &str = address::GUIDES;

/// A document with at least so many headings has links to them.
const CONTENTS: usize = 4;

/// The list of all documents.
pub(super) fn page(content: &Content) -> File {
    let list = |entries: Vec<(String, Rendered)>| {
        html! {
            ul.documents { @for (to, it) in entries {
                li { a href=(href(AT, &to)) { (it.title) } @if !it.start.is_empty() { p { (shown(&it.start)) } } }
            } }
        }
    };
    let ours = content.documents.iter().map(|it| (address::document(&it.path), of_suite(content, AT, it)));
    let notes =
        content.notes.iter().map(|it| (address::note(&it.slug), of_folder(content, AT, &it.name, &it.file)));
    let machines = content.machines.iter().map(|it| {
        (address::machine(&it.slug), of_folder(content, AT, &format!("machines/{}", it.name), &it.file.text))
    });
    let body = html! {
        h1.headline { "Documents" }
        (list(ours.collect()))
        @if !content.notes.is_empty() { h2 id="notes" { "About these reports" } (list(notes.collect())) }
        @if !content.machines.is_empty() { h2 id="machines" { "Learned state machines" } (list(machines.collect())) }
    };
    shell::page(AT, "Documents", &body)
}

/// The pages of all documents.
pub(super) fn documents(content: &Content) -> impl Iterator<Item = File> + '_ {
    let ours = content.documents.iter().map(move |it| {
        let at = address::document(&it.path);
        show(&at, &of_suite(content, &at, it), None)
    });
    let notes = content.notes.iter().map(move |it| {
        let at = address::note(&it.slug);
        show(&at, &of_folder(content, &at, &it.name, &it.file), None)
    });
    let machines = content.machines.iter().map(move |it| machine(content, it));
    ours.chain(notes).chain(machines)
}

fn machine(content: &Content, page: &Page<Machine>) -> File {
    let at = address::machine(&page.slug);
    let rendered = of_folder(content, &at, &format!("machines/{}", page.name), &page.file.text);
    show(&at, &rendered, page.file.drawing.as_deref())
}

/// A document of the suite, as a page sees it.
pub(super) fn of_suite(content: &Content, at: &str, document: &Document) -> Rendered {
    let origin = Origin::of_suite(&document.path);
    let link = |to: &str| content.links.resolve(at, &origin, "", to);
    document::render(&document.text, &Style { prefix: "", lowered: 0, link: &link })
}

/// A Markdown file of the folder, as a page sees it.
pub(super) fn of_folder(content: &Content, at: &str, name: &str, text: &str) -> Rendered {
    let origin = Origin::of_folder(name);
    let link = |to: &str| content.links.resolve(at, &origin, "", to);
    document::render(text, &Style { prefix: "", lowered: 0, link: &link })
}

fn show(at: &str, it: &Rendered, drawing: Option<&str>) -> File {
    let top: Vec<&(usize, String, String)> = it.headings.iter().filter(|(level, ..)| *level == 2).collect();
    let body = html! {
        h1.headline { (it.title) }
        @if top.len() >= CONTENTS {
            nav.contents aria-label="Parts of the page" { ul { @for (_, id, text) in top { li { a href={ "#" (id) } { (text) } } } } }
        }
        @if let Some(drawing) = drawing { (drawn(drawing)) }
        div.prose { (it.body) }
    };
    shell::page(at, &it.title, &body)
}

/// A drawing as a picture. No script in it runs, and it has no address of its own.
fn drawn(svg: &str) -> Markup {
    html! {
        div.scroll.drawing tabindex="0" role="group" aria-label="Drawing" {
            img src={ "data:image/svg+xml;base64," (STANDARD.encode(svg)) } alt="A drawing of the state machine. The text below describes the same machine.";
        }
    }
}
