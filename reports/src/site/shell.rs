//! The frame of every page: the links at its top, the search, and the style.

use maud::{DOCTYPE, Markup, html};

use super::File;
use super::address::{self, href};

/// The parts of the site, as the top of each page links them.
const PARTS: [(&str, &str); 4] = [
    (address::FRONT, "Implementations"),
    (address::CLAUSES, "Clauses"),
    (address::INTEROP, "Interop"),
    (address::GUIDES, "Documents"),
];

/// The style of all pages: that of the HTML report, and more.
pub(super) fn style() -> String {
    [include_str!("../html/page.css"), include_str!("site.css")].concat()
}

/// A page with this body.
pub(super) fn page(at: &str, title: &str, body: &Markup) -> File {
    with_scripts(at, title, body, &[])
}

/// A page with this body and these scripts.
pub(super) fn with_scripts(at: &str, title: &str, body: &Markup, scripts: &[&str]) -> File {
    let link = |to: &str| href(at, to);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // The browser runs nothing but the files of the site, even if a text of a peer became
                // markup. A page on a disk has no origin, so it needs `file:`.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file: data:; base-uri 'none'";
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(link(address::STYLE));
                title { (title) " – dnode-conform" }
                @for script in scripts { script src=(link(script)) defer {} }
            }
            body.site {
                a.skip href="#main" { "Skip to the content" }
                div.top {
                    nav aria-label="Site" {
                        @for (to, word) in PARTS {
                            a href=(link(to)) aria-current=[(to == at).then_some("page")] { (word) }
                        }
                    }
                    @if at != address::SEARCH {
                        form role="search" action=(link(address::SEARCH)) {
                            input type="search" name="q" aria-label="Search" placeholder="Search";
                            button { "Search" }
                        }
                    }
                }
                main #main tabindex="-1" { (body) }
                footer.end { p { "Made by dnode-conform " (env!("CARGO_PKG_VERSION")) ", the conformance suite for dnode." } }
            }
        }
    };
    File { path: at.to_owned(), text: page.into_string() }
}
