//! Makes and mends baselines: with the least change, so that what a person wrote stays as it is.

use super::{Baseline, BaselineError, Date, Entry, KNOWN};
use dnode_reports::event::{Outcome, Verdict};
use dnode_spec::clause::Level;
use std::fmt;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

/// What new entries say, beside the case and its fingerprint.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Why the failures are accepted.
    pub reason: Option<String>,
    /// Where they are followed up.
    pub issue: Option<String>,
    /// The last day on which they are accepted.
    pub expires: Option<Date>,
}

/// What was changed in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An entry for a failure that was not known.
    Added(String),
    /// The entry of a case that no longer fails, and why it is gone.
    Removed(String, &'static str),
    /// The fingerprint of an entry.
    Changed(String),
    /// An entry that is left for a person to decide on, and why.
    Left(String, String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Added(case) => write!(f, "added    {case}"),
            Change::Removed(case, why) => write!(f, "removed  {case}: {why}"),
            Change::Changed(case) => write!(f, "changed  {case}: its failure is another"),
            Change::Left(case, why) => write!(f, "left     {case}: {why}"),
        }
    }
}

/// The text of a baseline with these outcomes' failures, as far as they gate, and what that changes; `text` is empty where there is none yet.
///
/// # Errors
/// What is wrong with the text, in which line; or that new entries need a reason.
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
    let mut changes = Vec::new();
    // What stands above the last entry and is not about it alone, once that is gone.
    let mut trailing = String::new();
    for entry in known.entries.clone() {
        let at = list.iter().position(|table| table.get("case").and_then(Item::as_str) == Some(&entry.case));
        let Some(at) = at else { continue };
        match fate(&known, &entry, find(&entry.case)) {
            Fate::Stays => {}
            Fate::Goes(why) => {
                remove(list, at, &mut trailing);
                changes.push(Change::Removed(entry.case, why));
            }
            Fate::Changes(fingerprint) => {
                if let Some(field) = list.get_mut(at).and_then(|table| table.get_mut("fingerprint")) {
                    replace(field, &fingerprint);
                }
                changes.push(Change::Changed(entry.case));
            }
            Fate::IsLeft(why) => changes.push(Change::Left(entry.case, why)),
        }
    }
    for outcome in outcomes {
        let Some(divergence) = outcome.divergence.as_ref().filter(|_| outcome.gates(gate)) else { continue };
        if known.entries.iter().any(|entry| entry.case == outcome.id) {
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

/// What becomes of an entry.
enum Fate {
    Stays,
    Goes(&'static str),
    Changes(String),
    IsLeft(String),
}

fn fate(known: &Baseline, entry: &Entry, outcome: Option<&Outcome>) -> Fate {
    let Some((problem, _)) = known.wrong(entry, outcome) else { return Fate::Stays };
    let Some(outcome) = outcome else { return Fate::Goes("no case has this id") };
    match (outcome.verdict, &outcome.divergence) {
        (Verdict::Pass, _) => Fate::Goes("it passes"),
        (Verdict::NotApplicable, _) => Fate::Goes("it is not applicable"),
        (_, Some(divergence)) if entry.holds(known.today) => Fate::Changes(divergence.fingerprint.clone()),
        _ => Fate::IsLeft(problem),
    }
}

/// Removes an entry with the comment that stands directly above it. What an empty line parts from that stays.
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

/// Another text in the place of one, with the comment behind it.
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
