//! Creates and updates baselines. An update changes as little as possible and keeps the author's
//! comments and layout.

use super::glob::GlobProblem;
use super::{Baseline, BaselineError, Date, Entry, KNOWN};
use dnode_reports::event::{Outcome, Verdict};
use dnode_spec::clause::Level;
use std::fmt;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

/// The fields of new entries, other than the case and its fingerprint.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Why the failures are accepted.
    pub reason: Option<String>,
    /// The issue that tracks them.
    pub issue: Option<String>,
    /// The last day on which they are accepted.
    pub expires: Option<Date>,
}

/// A change to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Added an entry for a new failure.
    Added(String),
    /// Removed the entry of a case that no longer fails, for this reason.
    Removed(String, &'static str),
    /// Changed the fingerprint of an entry.
    Changed(String),
    /// Left an entry for a person to decide, for this reason.
    Left(String, String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Added(case) => write!(f, "added    {case}"),
            Change::Removed(case, why) => write!(f, "removed  {case}: {why}"),
            Change::Changed(case) => write!(f, "changed  {case}: it fails differently now"),
            Change::Left(case, why) => write!(f, "left     {case}: {why}"),
        }
    }
}

/// Updates a baseline to the gating failures among these outcomes. Returns the new text and the
/// changes. For a new baseline, `text` is empty.
///
/// # Errors
/// If the text is not a baseline, or if a new entry needs a reason and `words` has none.
pub fn update(
    text: &str,
    name: &str,
    outcomes: &[Outcome],
    gate: Level,
    words: &Words,
    today: Date,
) -> Result<(String, Vec<Change>), BaselineError> {
    let known = Baseline::read(text, name, today)?;
    let malformed = |problem| BaselineError::Malformed { name: name.to_owned(), problem };
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| malformed(error.to_string()))?;
    let list = document.entry(KNOWN).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let list =
        list.as_array_of_tables_mut().ok_or_else(|| malformed(format!("{KNOWN} is not a list of tables")))?;
    let find = |case: &str| outcomes.iter().find(|outcome| outcome.id == case);
    let is_whole = known.is_whole(|id| find(id).is_some());
    let mut changes = Vec::new();
    // Comments that stood above a removed last entry and do not belong to it.
    let mut trailing = String::new();
    for entry in known.entries.clone() {
        let at = list.iter().position(|table| table.get("case").and_then(Item::as_str) == Some(&entry.case));
        let Some(at) = at else { continue };
        let fate = match entry.is_glob() {
            true => fate_of_glob(&known, &entry, outcomes),
            false => fate(&known, &entry, find(&entry.case), is_whole),
        };
        match fate {
            Fate::Keep => {}
            Fate::Remove(why) => {
                remove(list, at, &mut trailing);
                changes.push(Change::Removed(entry.case, why));
            }
            Fate::Change(fingerprint) => {
                if let Some(field) = list.get_mut(at).and_then(|table| table.get_mut("fingerprint")) {
                    replace(field, &fingerprint);
                }
                changes.push(Change::Changed(entry.case));
            }
            Fate::Leave(why) => changes.push(Change::Left(entry.case, why)),
        }
    }
    for outcome in outcomes {
        let Some(divergence) = outcome.divergence.as_ref().filter(|_| outcome.gates(gate)) else { continue };
        if known.entries.iter().any(|entry| entry.covers(&outcome.id)) {
            continue;
        }
        let reason = words.reason.as_ref().ok_or_else(|| BaselineError::NoReason(outcome.id.clone()))?;
        list.push(table(&outcome.id, &divergence.fingerprint, reason, words));
        changes.push(Change::Added(outcome.id.clone()));
    }
    if list.is_empty() {
        document.remove(KNOWN);
    }
    let mut new = document.to_string() + &trailing;
    if text.contains("\r\n") {
        // toml_edit writes plain newlines.
        new = new.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    Ok((if text.is_empty() { new.trim_start().to_owned() } else { new }, changes))
}

/// What to do with an entry.
enum Fate {
    Keep,
    Remove(&'static str),
    /// Gives it this fingerprint.
    Change(String),
    /// Leaves it to a person, for this reason.
    Leave(String),
}

fn fate(known: &Baseline, entry: &Entry, outcome: Option<&Outcome>, is_whole: bool) -> Fate {
    let Some((problem, _)) = known.problem(entry, outcome, is_whole) else { return Fate::Keep };
    let Some(outcome) = outcome else { return Fate::Remove("no case has this id") };
    match (outcome.verdict, &outcome.divergence) {
        (Verdict::Pass, _) => Fate::Remove("it passes"),
        (Verdict::NotApplicable, _) => Fate::Remove("it is not applicable"),
        (_, Some(divergence)) if entry.holds(known.today) => Fate::Change(divergence.fingerprint.clone()),
        _ => Fate::Leave(problem),
    }
}

fn fate_of_glob(known: &Baseline, entry: &Entry, outcomes: &[Outcome]) -> Fate {
    match known.problem_of_glob(entry, outcomes.iter()) {
        None => Fate::Keep,
        Some(GlobProblem::NoCase) => Fate::Remove("no case matches"),
        Some(GlobProblem::Unused) => Fate::Remove("none of its cases fails without an entry of its own"),
        Some(problem @ GlobProblem::Expired(_)) => Fate::Leave(problem.words(&known.name).0),
    }
}

/// Removes an entry and the comment directly above it. Comments above an empty line stay.
fn remove(list: &mut ArrayOfTables, at: usize, trailing: &mut String) {
    let above = |table: Option<&Table>| {
        let prefix = table.and_then(|table| table.decor().prefix()?.as_str());
        prefix.unwrap_or_default().to_owned()
    };
    let prefix = above(list.get(at));
    list.remove(at);
    let Some((kept, _)) = prefix.rsplit_once("\n\n") else { return };
    match list.get_mut(at) {
        Some(next) => {
            let own = above(Some(next));
            next.decor_mut().set_prefix(format!("{kept}\n\n{}", own.trim_start_matches('\n')));
        }
        None => *trailing = format!("{kept}\n{trailing}"),
    }
}

/// Replaces a text and keeps the comment after it.
fn replace(field: &mut Item, text: &str) {
    let decor = field.as_value().map(|value| value.decor().clone());
    let mut new = Value::from(text);
    if let Some(decor) = decor {
        *new.decor_mut() = decor;
    }
    *field = Item::Value(new);
}

fn table(case: &str, fingerprint: &str, reason: &str, words: &Words) -> Table {
    let mut table = Table::new();
    table.insert("case", value(case));
    table.insert("fingerprint", value(fingerprint));
    table.insert("reason", value(reason));
    if let Some(issue) = &words.issue {
        table.insert("issue", value(issue));
    }
    if let Some(expires) = words.expires {
        table.insert("expires", value(toml_edit::Datetime::from(expires)));
    }
    // An empty line before each.
    table.decor_mut().set_prefix("\n");
    table
}
