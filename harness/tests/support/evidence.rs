//! Tables of evidence: `reports/evidence/TABLE.json` has the data, and `TABLE.md` is generated from
//! it.
//!
//! `UPDATE=1` measures a table and writes both files. `FAULTS=a,b` measures only these rows and
//! keeps the others.

use super::library::on_threads;
use super::root;
use dnode_conform::reference::fault::Fault;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The subject of a row.
pub trait Subject: Send {
    /// The name of the fault or peer.
    fn name(&self) -> String;
}

impl Subject for &'static Fault {
    fn name(&self) -> String {
        self.name.to_owned()
    }
}

/// One row of a table.
pub trait Row: Clone + Send + Sync + Serialize + DeserializeOwned {
    /// The name of the table, which names its files.
    const TABLE: &'static str;

    /// The Markdown before the first row.
    const HEAD: &'static str;

    /// The name of its subject.
    fn name(&self) -> &str;

    /// The row in Markdown, without a line break.
    fn line(&self) -> String;

    /// The Markdown after the last row.
    fn tail(_rows: &[Self]) -> String {
        String::new()
    }

    /// The problem of a row that must not be committed.
    fn problem(&self) -> Option<String> {
        None
    }
}

/// The result of a search that may find nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Search<F> {
    Found(F),
    NotFound {
        /// The reason. A person writes it into the JSON file.
        not_found: String,
    },
}

impl<F> Search<F> {
    /// Keeps the committed reason if nothing was found again.
    pub fn new(found: Option<F>, committed: Option<&Search<F>>) -> Search<F> {
        match (found, committed) {
            (Some(found), _) => Search::Found(found),
            (None, Some(Search::NotFound { not_found })) => Search::NotFound { not_found: not_found.clone() },
            (None, _) => Search::NotFound { not_found: String::new() },
        }
    }

    pub fn found(&self) -> Option<&F> {
        match self {
            Search::Found(found) => Some(found),
            Search::NotFound { .. } => None,
        }
    }

    pub fn problem(&self) -> Option<String> {
        let has_no_reason = matches!(self, Search::NotFound { not_found } if not_found.is_empty());
        has_no_reason.then(|| "nothing finds it, and `not_found` gives no reason".to_owned())
    }
}

/// Whether the tables are to be written.
pub fn is_update() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn path<R: Row>(ending: &str) -> PathBuf {
    root().join("reports/evidence").join(R::TABLE).with_extension(ending)
}

fn markdown<R: Row>(rows: &[R]) -> String {
    let lines: String = rows.iter().map(|row| row.line() + "\n").collect();
    R::HEAD.to_owned() + &lines + &R::tail(rows)
}

/// The committed rows.
pub fn committed<R: Row>() -> Vec<R> {
    let path = path::<R>("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "[]".to_owned());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes both files.
pub fn write<R: Row>(rows: &[R]) {
    std::fs::write(path::<R>("json"), serde_json::to_string_pretty(rows).unwrap() + "\n").unwrap();
    std::fs::write(path::<R>("md"), markdown(rows)).unwrap();
}

/// The committed rows. With `UPDATE=1`, measures them first, on this many threads. `measure` also
/// gets the committed row.
pub fn measured<R: Row, S: Subject>(
    threads: usize,
    subjects: Vec<S>,
    measure: impl Fn(S, Option<&R>) -> R + Sync,
) -> Vec<R> {
    let committed = committed::<R>();
    if !is_update() {
        return committed;
    }
    let only = std::env::var("FAULTS").ok();
    let is_wanted = |name: &str| only.as_ref().is_none_or(|only| only.split(',').any(|it| it == name));
    let rows = on_threads(threads, subjects, |subject| {
        let name = subject.name();
        let before = committed.iter().find(|row| row.name() == name);
        if let Some(row) = before.filter(|_| !is_wanted(&name)) {
            return row.clone();
        }
        let row = measure(subject, before);
        println!("{}", row.line());
        row
    });
    write(&rows);
    rows
}

/// Fails if the data does not have exactly the rows with these names, if a row has a problem, or if
/// the Markdown file is stale. With `UPDATE=1`, writes the Markdown file instead.
pub fn assert_fresh<'n, R: Row>(names: impl IntoIterator<Item = &'n str>) {
    let (rows, table) = (committed::<R>(), R::TABLE);
    let expected = markdown(&rows);
    if is_update() {
        return std::fs::write(path::<R>("md"), expected).unwrap();
    }
    let found: Vec<&str> = rows.iter().map(Row::name).collect();
    let names: Vec<&str> = names.into_iter().collect();
    assert!(
        found == names,
        "{table}.json is stale: `UPDATE=1 cargo test -p dnode-conform --test {table}` measures it\nexpected {names:?}\ngot      {found:?}"
    );
    let problems = rows.iter().filter_map(|row| Some(format!("{}: {}", row.name(), row.problem()?)));
    let problems: Vec<String> = problems.collect();
    assert!(problems.is_empty(), "{table}.json has problems:\n{}", problems.join("\n"));
    let markdown = std::fs::read_to_string(path::<R>("md")).unwrap_or_default();
    assert!(
        markdown == expected,
        "{table}.md is stale: `UPDATE=1 cargo test -p dnode-conform --test {table} evidence_is_fresh` generates it"
    );
}
