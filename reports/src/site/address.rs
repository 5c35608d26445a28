//! The addresses of the pages: paths from the root of the site, with `/` between the parts.

use std::collections::BTreeSet;

pub(super) const FRONT: &str = "index.html";
pub(super) const INTEROP: &str = "interop.html";
pub(super) const CLAUSES: &str = "clauses.html";
pub(super) const GUIDES: &str = "guides.html";
pub(super) const SEARCH: &str = "search.html";
pub(super) const STYLE: &str = "style.css";
pub(super) const SCRIPT: &str = "search.js";
pub(super) const INDEX: &str = "search-index.js";

/// The page of a clause. The ids of clauses have only letters, digits, hyphens and one slash.
pub(super) fn clause(id: &str) -> String {
    format!("clauses/{id}.html")
}

/// The page of a version.
pub(super) fn version(slug: &str) -> String {
    format!("implementations/{slug}.html")
}

/// The page that compares the versions of an implementation.
pub(super) fn history(slug: &str) -> String {
    format!("history/{slug}.html")
}

/// The page of a learned machine.
pub(super) fn machine(slug: &str) -> String {
    format!("machines/{slug}.html")
}

/// The page of a document of the suite, given its path in the repository.
pub(super) fn document(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("docs/{}.html", name.strip_suffix(".md").unwrap_or(name))
}

/// The page of a Markdown file of the folder that belongs to no report.
pub(super) fn note(slug: &str) -> String {
    format!("notes/{slug}.html")
}

/// The badge of a report.
pub(super) fn badge(slug: &str) -> String {
    format!("badges/{slug}.svg")
}

/// The link from one page to another.
pub(super) fn href(from: &str, to: &str) -> String {
    format!("{}{to}", "../".repeat(from.matches('/').count()))
}

/// Gives each name a part of an address: letters, digits, dots, hyphens and underscores. Two names
/// never get the same one, not even on a disk that ignores case.
#[derive(Debug, Default)]
pub(super) struct Slugs(BTreeSet<String>);

impl Slugs {
    /// The longest slug without its number.
    const LONGEST: usize = 80;

    pub(super) fn of(&mut self, name: &str) -> String {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let plain: String =
            name.chars().take(Self::LONGEST).map(|c| if is_plain(c) { c } else { '-' }).collect();
        let plain = plain.trim_matches(['.', '-']);
        let plain = if plain.is_empty() { "unnamed" } else { plain };
        let numbered = std::iter::once(plain.to_owned()).chain((2..).map(|n| format!("{plain}-{n}")));
        let mut free = numbered.filter(|slug| self.0.insert(slug.to_ascii_lowercase()));
        free.next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative() {
        assert_eq!(href("index.html", "clauses/a/b.html"), "clauses/a/b.html");
        assert_eq!(href("clauses/a/b.html", "index.html"), "../../index.html");
    }

    #[test]
    fn slugs_are_safe_and_unique() {
        let mut slugs = Slugs::default();
        assert_eq!(slugs.of("java-dnode-1.0-SNAPSHOT"), "java-dnode-1.0-SNAPSHOT");
        assert_eq!(slugs.of("JAVA-dnode-1.0-snapshot"), "JAVA-dnode-1.0-snapshot-2");
        assert_eq!(slugs.of("../../etc/passwd"), "etc-passwd");
        assert_eq!(slugs.of("\u{202e}<b>"), "b");
        assert_eq!(slugs.of("…"), "unnamed");
        assert!(slugs.of(&"x".repeat(1000)).len() <= Slugs::LONGEST);
    }
}
