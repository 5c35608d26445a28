//! The content of the site: reports and documents, sorted by implementation and version.

use std::collections::BTreeMap;

use dnode_spec::clause::CLAUSES;
use dnode_spec::dialect::Dialect;
use thiserror::Error;

use super::address::{self, Slugs};
use super::document::{self, Style};
use super::links::Links;
use super::manifest::{Entry, Manifest, Released};
use crate::cause::Cause;
use crate::event::{Event, Role};
use crate::grid::Grid;
use crate::record::{Record, Records};

/// The texts of a folder of reports, and the documents.
#[derive(Debug, Default)]
pub struct Sources {
    /// The text of `site/implementations.json`.
    pub manifest: Option<String>,
    /// The events of each report by its name: that of the file without the ending.
    pub reports: BTreeMap<String, Vec<Event>>,
    /// The Markdown files of the folder by their names.
    pub notes: BTreeMap<String, String>,
    /// The learned machines by the names of their versions.
    pub machines: BTreeMap<String, Machine>,
    /// The grid of clients and servers.
    pub grid: Option<Grid>,
    /// The documents of the suite.
    pub documents: Vec<Document>,
}

/// A learned machine.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The report that `learn` wrote as Markdown.
    pub text: String,
    /// The drawing, as SVG.
    pub drawing: Option<String>,
}

/// A document of the suite.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its path in the repository.
    pub path: String,
    /// Its text, as Markdown.
    pub text: String,
}

/// A file of the folder cannot be used. The caller is at fault.
#[derive(Debug, Error)]
pub enum ContentError {
    /// `site/implementations.json` is not valid.
    #[error("site/implementations.json: {0}")]
    Manifest(#[from] serde_json::Error),
    /// The manifest names a report that does not exist.
    #[error(
        "site/implementations.json names the report {0}, but the folder has neither {0}.json nor {0}-client.json"
    )]
    NoReport(String),
    /// The manifest names a report twice.
    #[error("site/implementations.json names the report {0} twice")]
    Twice(String),
    /// The report has no run, or several.
    #[error("{0}.json does not have exactly one run")]
    Runs(String),
    /// There are no reports.
    #[error("the folder has no report of a run")]
    Nothing,
}

impl ContentError {
    /// How the caller can fix it, one sentence.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            ContentError::Manifest(_) | ContentError::NoReport(_) | ContentError::Twice(_) => {
                "edit the file; harness/docs/site.md describes it"
            }
            ContentError::Runs(_) => "write one file for each run, with --report json=FILE",
            ContentError::Nothing => {
                "write a report into it with `dnode-conform … --report json=FOLDER/NAME.json`"
            }
        }
    }
}

/// The content of the site.
#[derive(Debug)]
pub struct Content {
    pub(super) implementations: Vec<Implementation>,
    pub(super) grid: Option<Grid>,
    pub(super) documents: Vec<Document>,
    /// The Markdown files of the folder that belong to no report.
    pub(super) notes: Vec<Page<String>>,
    /// All learned machines.
    pub(super) machines: Vec<Page<Machine>>,
    /// The chapter of the protocol that has each clause: its address and its title.
    pub(super) chapters: BTreeMap<&'static str, (String, String)>,
    pub(super) links: Links,
}

/// A file of the folder that is a page of its own.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) slug: String,
    /// The name of the file, without the ending.
    pub(super) name: String,
    pub(super) file: T,
}

/// An implementation, in all its versions.
#[derive(Debug)]
pub(super) struct Implementation {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) language: Option<String>,
    pub(super) homepage: Option<String>,
    pub(super) advice: Option<String>,
    /// The newest first.
    pub(super) versions: Vec<Version>,
}

/// A version of an implementation.
#[derive(Debug)]
pub(super) struct Version {
    pub(super) slug: String,
    /// Empty if it is not known.
    pub(super) version: String,
    pub(super) released: Option<String>,
    pub(super) reported: Option<String>,
    /// As a server, as a client, and in other dialects.
    pub(super) reports: Vec<Report>,
    /// Whether there is a learned machine; its page has the slug of the version.
    pub(super) has_machine: bool,
}

/// The report of one run.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) slug: String,
    /// The name of its file, without the ending.
    pub(super) name: String,
    pub(super) record: Record,
    pub(super) causes: Vec<Cause>,
    pub(super) notes: Option<String>,
}

impl Report {
    /// `server`, `client`, or `server, dialect 0.1`.
    pub(super) fn role(&self) -> String {
        let run = &self.record.run;
        match run.dialect == Dialect::default() {
            true => run.role.to_string(),
            false => format!("{}, dialect {}", run.role, run.dialect),
        }
    }
}

impl Version {
    /// The report in this role, in the latest dialect.
    pub(super) fn report(&self, role: Role) -> Option<&Report> {
        let is_it = |it: &&Report| it.record.run.role == role && it.record.run.dialect == Dialect::default();
        self.reports.iter().find(is_it)
    }
}

impl Content {
    /// Sorts the sources by implementation and version. Reports that the manifest does not name
    /// follow, each version as an implementation of its own.
    ///
    /// # Errors
    /// [`ContentError`]: a file cannot be used. The caller is at fault.
    pub fn new(sources: Sources) -> Result<Content, ContentError> {
        if sources.reports.is_empty() {
            return Err(ContentError::Nothing);
        }
        let manifest: Manifest = match &sources.manifest {
            Some(text) => serde_json::from_str(text)?,
            None => Manifest::default(),
        };
        let mut builder = Builder { notes: sources.notes, machines: sources.machines, ..Builder::default() };
        for (name, events) in &sources.reports {
            builder.add(name, events)?;
        }
        let mut implementations = Vec::new();
        for entry in manifest.implementations {
            implementations.push(builder.implementation(entry)?);
        }
        while let Some(version) = builder.versions.keys().next().cloned() {
            implementations.push(builder.unlisted(&version)?);
        }
        let (notes, machines) = builder.pages();
        let documents = sources.documents;
        let links = links(&implementations, &documents, &notes, &machines, manifest.source);
        let chapters = chapters(&documents);
        Ok(Content { implementations, grid: sources.grid, documents, notes, machines, chapters, links })
    }

    /// All versions, with their implementations.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&Implementation, &Version)> {
        self.implementations.iter().flat_map(|it| it.versions.iter().map(move |version| (it, version)))
    }

    /// All reports, with their implementations and versions.
    pub(super) fn reports(&self) -> impl Iterator<Item = (&Implementation, &Version, &Report)> {
        self.versions().flat_map(|(of, version)| version.reports.iter().map(move |it| (of, version, it)))
    }
}

/// The pages of all Markdown files.
fn links(
    implementations: &[Implementation],
    documents: &[Document],
    notes: &[Page<String>],
    machines: &[Page<Machine>],
    source: Option<String>,
) -> Links {
    let mut links = Links::new(source);
    documents.iter().for_each(|it| links.add(&it.path, address::document(&it.path)));
    notes.iter().for_each(|it| links.add_note(&it.name, address::note(&it.slug)));
    machines
        .iter()
        .for_each(|it| links.add_note(&format!("machines/{}", it.name), address::machine(&it.slug)));
    for version in implementations.iter().flat_map(|it| &it.versions) {
        for report in &version.reports {
            links.add_part(&report.name, address::version(&version.slug), &report.slug);
        }
    }
    links
}

/// The chapter of the protocol that links each clause.
fn chapters(documents: &[Document]) -> BTreeMap<&'static str, (String, String)> {
    let Some(protocol) = documents.iter().find(|it| it.path == "spec/PROTOCOL.md") else {
        return BTreeMap::new();
    };
    let rendered = document::render(&protocol.text, &Style { prefix: "", lowered: 0, link: &|_| None });
    let chapter = |(link, above): &(String, usize)| {
        let anchor = link.strip_prefix("CLAUSES.md#")?;
        let clause = CLAUSES.iter().find(|it| it.id.replace('/', "") == anchor)?;
        let (_, id, title) = rendered.headings.get(above.checked_sub(1)?)?;
        Some((clause.id, (format!("{}#{id}", address::document(&protocol.path)), title.clone())))
    };
    // The first chapter that has the clause states it.
    rendered.links.iter().rev().filter_map(chapter).collect()
}

/// The version that a report is about: its name without the role and the dialect.
fn version_of(name: &str) -> &str {
    let name = name.strip_suffix("-client").unwrap_or(name);
    let dialects = Dialect::ALL.map(|dialect| format!("-dialect-{dialect}"));
    let name = dialects.iter().find_map(|it| name.strip_suffix(it.as_str())).unwrap_or(name);
    name.strip_suffix("-client").unwrap_or(name)
}

#[derive(Default)]
struct Builder {
    slugs: Slugs,
    pages: Slugs,
    histories: Slugs,
    /// The reports of each version that no implementation has yet.
    versions: BTreeMap<String, Vec<Report>>,
    notes: BTreeMap<String, String>,
    machines: BTreeMap<String, Machine>,
    /// The machines of versions.
    drawn: Vec<Page<Machine>>,
    taken: Vec<String>,
}

impl Builder {
    fn add(&mut self, name: &str, events: &[Event]) -> Result<(), ContentError> {
        let bad = || ContentError::Runs(name.to_owned());
        let mut records = Records::default();
        for event in events {
            records.event(event).map_err(|_| bad())?;
        }
        let [record] = records.all() else { return Err(bad()) };
        let report = Report {
            slug: self.slugs.of(name),
            name: name.to_owned(),
            causes: Cause::of(&record.outcomes, record.run.gate),
            record: record.clone(),
            notes: self.notes.remove(name),
        };
        let reports = self.versions.entry(version_of(name).to_owned()).or_default();
        reports.push(report);
        reports.sort_by_key(|it| (it.record.run.dialect != Dialect::default(), it.record.run.role));
        Ok(())
    }

    fn implementation(&mut self, entry: Entry) -> Result<Implementation, ContentError> {
        let Entry { name, language, homepage, advice, versions } = entry;
        let versions = versions.into_iter().map(|it| self.version(it)).collect::<Result<_, _>>()?;
        Ok(Implementation { slug: self.histories.of(&name), name, language, homepage, advice, versions })
    }

    fn version(&mut self, released: Released) -> Result<Version, ContentError> {
        let Released { version, report, released, reported } = released;
        let Some(reports) = self.versions.remove(&report) else {
            return Err(match self.taken.contains(&report) {
                true => ContentError::Twice(report),
                false => ContentError::NoReport(report),
            });
        };
        let slug = self.pages.of(&report);
        let machine = self.machines.remove(&report);
        let has_machine = machine.is_some();
        let page = |file| Page { slug: slug.clone(), name: report.clone(), file };
        self.drawn.extend(machine.map(page));
        self.taken.push(report);
        Ok(Version { slug, version, released, reported, reports, has_machine })
    }

    /// The files that are pages of their own.
    fn pages(self) -> (Vec<Page<String>>, Vec<Page<Machine>>) {
        let (mut slugs, mut pages, mut machines) = (Slugs::default(), self.pages, self.drawn);
        let note = |(name, file): (String, String)| Page { slug: slugs.of(&name), name, file };
        let notes = self.notes.into_iter().map(note).collect();
        machines.extend(self.machines.into_iter().map(|(name, file)| Page {
            slug: pages.of(&name),
            name,
            file,
        }));
        (notes, machines)
    }

    /// An implementation that the manifest does not name. Its name is that of the peer.
    fn unlisted(&mut self, report: &str) -> Result<Implementation, ContentError> {
        let peer =
            self.versions.get(report).and_then(|it| it.iter().find_map(|it| it.record.run.peer.clone()));
        let (version, report) = (String::new(), report.to_owned());
        let name = peer.unwrap_or_else(|| report.clone());
        let versions = vec![self.version(Released { version, report, released: None, reported: None })?];
        Ok(Implementation {
            slug: self.histories.of(&name),
            name,
            language: None,
            homepage: None,
            advice: None,
            versions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_report_has_its_version() {
        for name in ["dnode-1.2", "dnode-1.2-client", "dnode-1.2-dialect-0.1", "dnode-1.2-client-dialect-0.1"]
        {
            assert_eq!(version_of(name), "dnode-1.2", "{name}");
        }
        assert_eq!(version_of("my-client-library"), "my-client-library");
    }
}
