//! A static site about a folder of reports: the implementations, the clauses, the grid of clients
//! and servers, the documents, badges, and a search.
//!
//! [`build`] turns [`Content`] into files. The site works from a disk and below any address, because
//! every link is relative (`address.rs`). One style sheet serves all pages, and only the search has a
//! script. The same content gives the same bytes.
//!
//! Rules: those of the HTML report. Text of a peer is escaped, then maud escapes it again for HTML.
//! Markdown comes from the folder of the reports too, so only a few tags in it become markup
//! (`document.rs`).
//!
//! Deliberately absent: reading and writing files, and any decision about verdicts.

mod address;
mod badge;
mod clause;
mod clauses;
mod content;
mod document;
mod front;
mod guides;
mod history;
mod implementation;
mod interop;
mod links;
mod manifest;
mod part;
mod search;
mod shell;

pub use content::{Content, ContentError, Document, Machine, Sources};

/// A file of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the folder of the site, with `/` between the parts.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// All files of the site, sorted by path.
#[must_use]
pub fn build(content: &Content) -> Vec<File> {
    let mut files = vec![
        File { path: address::STYLE.to_owned(), text: shell::style() },
        front::page(content),
        interop::page(content),
        clauses::page(content),
        guides::page(content),
        search::page(),
        search::index(content),
        File { path: address::SCRIPT.to_owned(), text: search::SCRIPT.to_owned() },
    ];
    files.extend(content.versions().map(|(of, version)| implementation::page(content, of, version)));
    files.extend(content.versions().flat_map(|(_, version)| badge::files(version)));
    files.extend(content.implementations.iter().filter_map(history::page));
    files.extend(dnode_spec::clause::CLAUSES.iter().map(|it| clause::page(content, it)));
    files.extend(guides::documents(content));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
