//! Links in Markdown: to pages of the site, or else to the repository.

use std::collections::BTreeMap;

use dnode_spec::clause::CLAUSES;

use super::address;

/// The files of this suite.
const REPOSITORY: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/");

/// The folder of the reports, as the documents of the suite name it. The Markdown files of any folder
/// of reports count as files in it.
const FOLDER: &str = "reports/known";

/// The document that has all clauses as headings.
const CLAUSE_DOCUMENT: &str = "spec/CLAUSES.md";

/// A Markdown file that a page shows.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// Its path in the repository.
    path: String,
    /// Whether it is a document of the suite, and not of the folder of reports.
    is_ours: bool,
}

impl Origin {
    /// A document of the suite.
    pub(super) fn of_suite(path: &str) -> Origin {
        Origin { path: path.to_owned(), is_ours: true }
    }

    /// A Markdown file of the folder, by its name.
    pub(super) fn of_folder(name: &str) -> Origin {
        Origin { path: format!("{FOLDER}/{name}.md"), is_ours: false }
    }
}

/// The pages of the site by the files that they show.
#[derive(Debug, Default)]
pub(super) struct Links {
    pages: BTreeMap<String, Place>,
    /// The public address of the folder of reports.
    source: Option<String>,
}

/// A page, or a part of one.
#[derive(Debug, Clone)]
struct Place {
    page: String,
    /// The start of the ids of its headings. Without one, the file is the whole page.
    prefix: Option<String>,
}

impl Links {
    /// The links of a site whose folder of reports has this public address.
    pub(super) fn new(source: Option<String>) -> Links {
        let mut links = Links { pages: BTreeMap::new(), source };
        links.add(FOLDER, address::FRONT.to_owned());
        links.add(CLAUSE_DOCUMENT, address::CLAUSES.to_owned());
        links
    }

    /// A page shows this file of the repository.
    pub(super) fn add(&mut self, path: &str, page: String) {
        self.pages.insert(path.to_owned(), Place { page, prefix: None });
    }

    /// A page shows the Markdown file of the folder that has this name.
    pub(super) fn add_note(&mut self, name: &str, page: String) {
        self.add(&Origin::of_folder(name).path, page);
    }

    /// A part of a page shows the Markdown file beside a report. The ids of its headings begin with
    /// the slug of the report.
    pub(super) fn add_part(&mut self, name: &str, page: String, slug: &str) {
        let prefix = Some(format!("{slug}-"));
        self.pages.insert(Origin::of_folder(name).path, Place { page, prefix });
    }

    /// The address that a link in this file leads to, seen from a page; `None` if the site and the web
    /// do not have it. `prefix` is the start of the ids of headings in the file itself.
    pub(super) fn resolve(&self, page: &str, origin: &Origin, prefix: &str, link: &str) -> Option<String> {
        if let Some(anchor) = link.strip_prefix('#') {
            return Some(format!("#{prefix}{anchor}"));
        }
        if let Some(rest) = link.strip_prefix(REPOSITORY) {
            let inside = rest.split_once('/').and_then(|(_, file)| self.inside(page, file));
            return inside.or_else(|| Some(link.to_owned()));
        }
        if ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
            return Some(link.to_owned());
        }
        if link.starts_with('/') || link.split(['/', '#', '?']).next().is_some_and(|it| it.contains(':')) {
            return None;
        }
        let folder = origin.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let joined = join(folder, link)?;
        self.inside(page, &joined).or_else(|| match (origin.is_ours, &self.source) {
            (true, _) => Some(format!("{REPOSITORY}v{}/{joined}", env!("CARGO_PKG_VERSION"))),
            (false, Some(source)) => outside(source, &joined),
            (false, None) => None,
        })
    }

    /// The page that shows this file of the repository. The link may have a fragment.
    fn inside(&self, page: &str, link: &str) -> Option<String> {
        let (path, anchor) = link.split_once('#').map_or((link, None), |(path, at)| (path, Some(at)));
        let path = path.trim_end_matches('/');
        if let (CLAUSE_DOCUMENT, Some(anchor)) = (path, anchor)
            && let Some(clause) = CLAUSES.iter().find(|it| it.id.replace('/', "") == anchor)
        {
            return Some(address::href(page, &address::clause(clause.id)));
        }
        let Place { page: to, prefix } = self.pages.get(path)?;
        let anchor = match (prefix, anchor) {
            (None, None) => String::new(),
            (None, Some(anchor)) => format!("#{anchor}"),
            (Some(prefix), None) => format!("#{}", prefix.trim_end_matches('-')),
            (Some(prefix), Some(anchor)) => format!("#{prefix}{anchor}"),
        };
        Some(address::href(page, to) + &anchor)
    }
}

/// A relative path from this folder; `None` if it leaves the root.
fn join(folder: &str, link: &str) -> Option<String> {
    let (path, fragment) = link.split_once('#').map_or((link, ""), |(path, at)| (path, at));
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    let end = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    Some(parts.join("/") + &end)
}

/// The public address of a file, given that of the folder of reports.
fn outside(source: &str, path: &str) -> Option<String> {
    let (scheme, rest) =
        source.split_once("://").filter(|(scheme, _)| *scheme == "https" || *scheme == "http")?;
    // The folder has as many parts as `FOLDER`, unless its address ends earlier.
    let mut root = rest.trim_end_matches('/').to_owned();
    for _ in FOLDER.split('/') {
        root = root.rsplit_once('/')?.0.to_owned();
    }
    match path.strip_prefix(FOLDER) {
        Some(file) => Some(format!("{}{file}", source.trim_end_matches('/'))),
        None => Some(format!("{scheme}://{root}/{path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(source: Option<&str>) -> Links {
        let mut links = Links::new(source.map(str::to_owned));
        links.add("spec/PROTOCOL.md", "docs/PROTOCOL.html".to_owned());
        links.add("harness/docs/ci.md", "docs/ci.html".to_owned());
        links.add_note("DEFECTS", "notes/DEFECTS.html".to_owned());
        links.add_part("x-1", "implementations/x-1.html".to_owned(), "x-1");
        links
    }

    fn from_ci(link: &str) -> Option<String> {
        let origin = Origin { path: "harness/docs/ci.md".to_owned(), is_ours: true };
        links(None).resolve("docs/ci.html", &origin, "", link)
    }

    #[test]
    fn links_of_documents_lead_to_pages_or_to_the_repository() {
        for (link, expected) in [
            ("#part", "#part"),
            ("../../spec/PROTOCOL.md#2-framing", "../docs/PROTOCOL.html#2-framing"),
            ("../../spec/CLAUSES.md#framingutf8", "../clauses/framing/utf8.html"),
            ("../../spec/CLAUSES.md#framing", "../clauses.html#framing"),
            ("../../reports/known", "../index.html"),
            ("../../reports/known/DEFECTS.md", "../notes/DEFECTS.html"),
            ("../../reports/known/x-1.md", "../implementations/x-1.html#x-1"),
            ("../../reports/known/x-1.md#defects", "../implementations/x-1.html#x-1-defects"),
            ("https://example.org/x", "https://example.org/x"),
        ] {
            assert_eq!(from_ci(link).as_deref(), Some(expected), "{link}");
        }
        let here = format!("{REPOSITORY}v{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(from_ci("../../fixtures/PROBE.md#x"), Some(format!("{here}/fixtures/PROBE.md#x")));
        assert_eq!(
            from_ci(&format!("{here}/spec/CLAUSES.md#framingutf8")).as_deref(),
            Some("../clauses/framing/utf8.html")
        );
    }

    #[test]
    fn other_links_lead_nowhere() {
        for link in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "/etc/passwd",
            "../../../x",
            "file:x",
        ] {
            assert_eq!(from_ci(link), None, "{link}");
        }
    }

    #[test]
    fn links_of_the_folder_lead_to_its_public_address() {
        let resolve = |source: Option<&str>, link: &str| {
            links(source).resolve("notes/x.html", &Origin::of_folder("x"), "p-", link)
        };
        assert_eq!(resolve(None, "other.txt"), None);
        assert_eq!(resolve(None, "#a").as_deref(), Some("#p-a"));
        let source = Some("https://example.org/me/port/tree/main/conform/reports/");
        assert_eq!(
            resolve(source, "other.txt").as_deref(),
            Some("https://example.org/me/port/tree/main/conform/reports/other.txt")
        );
        assert_eq!(
            resolve(source, "../../README.md").as_deref(),
            Some("https://example.org/me/port/tree/main/README.md")
        );
        assert_eq!(resolve(Some("javascript:x"), "other.txt"), None);
    }
}
