//! The entries of a baseline, and how they are read.

use super::{Date, KNOWN};
use dnode_reports::event::Outcome;
use globset::{Glob, GlobMatcher};
use std::ops::Range;
use toml_edit::{Document, Item, Table};

/// One known failure, or a glob for the known failures of several cases.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The case, or the glob.
    pub case: String,
    /// The fingerprint of the finding; `None` for a glob.
    pub fingerprint: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The issue that tracks it.
    pub issue: Option<String>,
    /// The last day on which it is accepted.
    pub expires: Option<Date>,
    glob: Option<GlobMatcher>,
}

impl Entry {
    /// Whether it is a glob.
    pub(super) fn is_glob(&self) -> bool {
        self.glob.is_some()
    }

    /// Whether it is about this case.
    pub(super) fn covers(&self, id: &str) -> bool {
        self.glob.as_ref().map_or(self.case == id, |glob| glob.is_match(id))
    }

    /// Whether it has not expired.
    pub(super) fn holds(&self, today: Date) -> bool {
        self.expires.is_none_or(|expires| today <= expires)
    }

    /// Whether the outcome is the known finding, or any finding if this is a glob.
    pub(super) fn knows(&self, outcome: &Outcome) -> bool {
        let fingerprint = outcome.divergence.as_ref().map(|divergence| &divergence.fingerprint);
        outcome.verdict.is_finding() && (self.is_glob() || fingerprint == self.fingerprint.as_ref())
    }
}

/// The entries of a file.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let document = Document::parse(text).map_err(|error| {
        format!("line {}: invalid TOML: {}", line(text, error.span()), error.message().trim())
    })?;
    if let Some((key, _)) = document.iter().find(|(key, _)| *key != KNOWN) {
        let at = document.as_table().key(key).and_then(toml_edit::Key::span);
        return Err(format!(
            "line {}: expected [[{KNOWN}]], got {key:?}: a baseline contains nothing else",
            line(text, at)
        ));
    }
    let Some(item) = document.get(KNOWN) else { return Ok(Vec::new()) };
    let tables = item.as_array_of_tables().ok_or_else(|| {
        format!("line {}: each known failure must begin with a line [[{KNOWN}]]", line(text, item.span()))
    })?;
    let mut entries: Vec<Entry> = Vec::new();
    for table in tables {
        let problem = |problem: String| format!("line {}: {problem}", line(text, table.span()));
        let entry = entry(table).map_err(problem)?;
        if entries.iter().any(|other| other.case == entry.case) {
            return Err(problem(format!("{} has two entries; remove one of them", entry.case)));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(table: &Table) -> Result<Entry, String> {
    const KEYS: [&str; 5] = ["case", "fingerprint", "reason", "issue", "expires"];
    if let Some((key, _)) = table.iter().find(|(key, _)| !KEYS.contains(key)) {
        return Err(format!("unknown key {key:?}; expected one of {}", KEYS.join(", ")));
    }
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(item) => match item.as_str().map(str::trim) {
            Some(text) if !text.is_empty() => Ok(Some(text.to_owned())),
            _ => Err(format!("{key} must be a text that is not empty")),
        },
    };
    let required = |key: &str, why: &str| text(key)?.ok_or_else(|| format!("{key} is missing: {why}"));
    let expires = match table.get("expires") {
        None => None,
        Some(item) => Some(date(item).ok_or("expires must be a date without quotes, such as 2027-03-01")?),
    };
    let case = required("case", "the id at the beginning of the finding")?;
    let glob = glob(&case)?;
    let fingerprint = match &glob {
        None => Some(required("fingerprint", "the text report shows it below the finding's difference")?),
        Some(_) if table.contains_key("fingerprint") => {
            return Err(format!("{case} is a glob, so it cannot have a fingerprint: remove the fingerprint"));
        }
        Some(_) => None,
    };
    let reason = required("reason", "say why this failure is accepted")?;
    Ok(Entry { case, glob, fingerprint, reason, issue: text("issue")?, expires })
}

/// The matcher of a case that is a glob. The ids of cases have none of its signs.
fn glob(case: &str) -> Result<Option<GlobMatcher>, String> {
    if !case.contains(['*', '?', '[', '{']) {
        return Ok(None);
    }
    let glob = Glob::new(case).map_err(|error| format!("case is not a valid glob: {error}"))?;
    Ok(Some(glob.compile_matcher()))
}

/// A date without a time.
fn date(item: &Item) -> Option<Date> {
    let value = item.as_datetime()?;
    value.date.filter(|_| value.time.is_none())
}

/// The line in which a span begins, counted from 1.
fn line(text: &str, span: Option<Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start);
    text.bytes().take(start).filter(|&byte| byte == b'\n').count() + 1
}
