//! The search: a page, a script, and an index that the script reads.
//!
//! The index is a script too, because a page on a disk cannot fetch a file.

use std::collections::BTreeMap;

use dnode_spec::clause::CLAUSES;
use maud::html;
use serde::Serialize;

use super::content::Content;
use super::document::Rendered;
use super::{File, address, guides, part, shell};
use crate::escape;
use crate::html::{fragment, shown};

/// The script of the page.
pub(super) const SCRIPT: &str = include_str!("search.js");

/// How many characters of a text can be found.
const TEXT: usize = 240;

/// One entry: its title, its kind, its address, and its text.
#[derive(Serialize)]
struct Entry(String, &'static str, String, String);

pub(super) fn page() -> File {
    let body = html! {
        h1.headline { "Search" }
        form #search role="search" action=(address::SEARCH) {
            label for="words" { "Words in implementations, clauses, cases and documents" }
            input #words type="search" name="q" autofocus;
            button { "Search" }
        }
        noscript { p { "The search needs JavaScript. " a href=(address::CLAUSES) { "All clauses" } " and " a href=(address::GUIDES) { "all documents" } " are lists that need none." } }
        p role="status" #count {}
        ol #found {}
    };
    shell::with_scripts(address::SEARCH, "Search", &body, &[address::INDEX, address::SCRIPT])
}

/// The index, as a script.
pub(super) fn index(content: &Content) -> File {
    let mut entries = Vec::new();
    entries.extend(content.versions().map(|(of, version)| {
        let about = [&of.language, &of.advice]
            .into_iter()
            .flatten()
            .map(|it| shown(it))
            .collect::<Vec<_>>()
            .join(". ");
        Entry(part::title(of, version), "implementation", address::version(&version.slug), about)
    }));
    entries.extend(CLAUSES.iter().map(|it| {
        Entry(it.id.to_owned(), "clause", address::clause(it.id), format!("{} {}", it.text, it.hint))
    }));
    entries.extend(cases(content));
    for document in &content.documents {
        let at = address::document(&document.path);
        headings(&mut entries, &at, &guides::of_suite(content, &at, document));
    }
    for note in &content.notes {
        let at = address::note(&note.slug);
        headings(&mut entries, &at, &guides::of_folder(content, &at, &note.name, &note.file));
    }
    // Serializing strings cannot fail.
    let lines: Vec<String> = entries.iter().filter_map(|it| serde_json::to_string(it).ok()).collect();
    let text = format!(
        "// The index of the search: title, kind, address, text.\nconst INDEX = [\n{}\n];\n",
        lines.join(",\n")
    );
    File { path: address::INDEX.to_owned(), text: escape::json(&text) }
}

/// The cases of all reports, each on the page of its first clause.
fn cases(content: &Content) -> impl Iterator<Item = Entry> {
    let mut cases = BTreeMap::new();
    for (_, _, report) in content.reports() {
        for outcome in &report.record.outcomes {
            let clause = outcome.clauses.iter().find_map(|id| dnode_spec::clause::find(id));
            if let Some(clause) = clause {
                cases.entry(&outcome.id).or_insert((clause.id, &outcome.about));
            }
        }
    }
    cases.into_iter().map(|(id, (clause, about))| {
        let at = format!("{}#case/{}", address::clause(clause), fragment(id));
        Entry(shown(id), "case", at, escape::cut(&shown(about), TEXT).into_owned())
    })
}

/// A document and its headings.
fn headings(entries: &mut Vec<Entry>, at: &str, it: &Rendered) {
    let start = escape::cut(&it.start, TEXT).into_owned();
    entries.push(Entry(it.title.clone(), "document", at.to_owned(), start));
    let heading = |(_, id, text): &(usize, String, String)| {
        Entry(text.clone(), "chapter", format!("{at}#{id}"), it.title.clone())
    };
    entries.extend(it.headings.iter().map(heading));
}
