//! Which cases are selected.

use crate::error::{Fault, Faulted};
use crate::nearest::nearest;
use crate::shell::quote;
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::collections::BTreeSet;
use thiserror::Error;

/// A pattern of case ids that is not valid.
#[derive(Debug, Error)]
#[error("{option}: {error}")]
pub struct PatternError {
    option: &'static str,
    error: globset::Error,
}

impl Faulted for PatternError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }
}

/// Why a selection cannot be used for these cases.
#[derive(Debug, Error)]
pub enum SelectionError {
    /// A pattern matches no case.
    #[error(transparent)]
    NoMatch(#[from] NoMatch),
    /// Each selected case is skipped.
    #[error("--skip leaves no case to run")]
    AllSkipped,
}

impl Faulted for SelectionError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }

    fn help(&self) -> Option<String> {
        match self {
            SelectionError::NoMatch(error) => error.help(),
            SelectionError::AllSkipped => None,
        }
    }
}

/// These patterns match no case.
#[derive(Debug, Error)]
#[error("no case matches {}", .patterns.iter().map(|(option, it)| format!("{option} {}", quote(it))).collect::<Vec<_>>().join(" or "))]
pub struct NoMatch {
    /// Each with its option.
    patterns: Vec<(&'static str, String)>,
    nearest: Vec<String>,
}

impl NoMatch {
    /// The patterns.
    #[must_use]
    pub fn patterns(&self) -> Vec<String> {
        self.patterns.iter().map(|(_, pattern)| pattern.clone()).collect()
    }
}

impl Faulted for NoMatch {
    fn fault(&self) -> Fault {
        Fault::Caller
    }

    fn help(&self) -> Option<String> {
        let meant = match self.nearest.is_empty() {
            true => String::new(),
            false => format!("Did you mean {}? ", self.nearest.join(" or ")),
        };
        Some(format!("{meant}`dnode-conform list` lists all cases."))
    }
}

/// The patterns of one option.
#[derive(Debug, Clone)]
struct Patterns {
    option: &'static str,
    words: Vec<String>,
    set: GlobSet,
}

impl Patterns {
    fn none(option: &'static str) -> Patterns {
        Patterns { option, words: Vec::new(), set: GlobSet::empty() }
    }

    fn new(option: &'static str, words: &[String]) -> Result<Patterns, PatternError> {
        let build = || {
            let mut set = GlobSetBuilder::new();
            for word in words {
                set.add(Glob::new(word)?);
            }
            set.build()
        };
        let set = build().map_err(|error| PatternError { option, error })?;
        Ok(Patterns { option, words: words.to_vec(), set })
    }

    /// Those that match none of these ids, each with its option.
    fn unmatched(&self, ids: &BTreeSet<&str>) -> impl Iterator<Item = (&'static str, String)> {
        let matched: BTreeSet<usize> = ids.iter().flat_map(|id| self.set.matches(id)).collect();
        let words = self.words.iter().enumerate().filter(move |(at, _)| !matched.contains(at));
        words.map(|(_, word)| (self.option, word.clone()))
    }
}

/// Patterns of case ids: which cases are selected, and which of those are skipped.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Without patterns, everything.
    only: Patterns,
    skip: Patterns,
}

impl Selection {
    /// Everything.
    #[must_use]
    pub fn all() -> Selection {
        Selection { only: Patterns::none("--case"), skip: Patterns::none("--skip") }
    }

    /// Reads patterns, for example `callback/*`. An empty list selects everything.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn new(patterns: &[String]) -> Result<Selection, PatternError> {
        Ok(Selection { only: Patterns::new("--case", patterns)?, ..Selection::all() })
    }

    /// The same without the cases that match these patterns.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn without(self, patterns: &[String]) -> Result<Selection, PatternError> {
        Ok(Selection { skip: Patterns::new("--skip", patterns)?, ..self })
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.only.words.is_empty() && self.skip.words.is_empty()
    }

    /// Whether this case is selected.
    #[must_use]
    pub fn takes(&self, id: &str) -> bool {
        (self.only.words.is_empty() || self.only.set.is_match(id)) && !self.skips(id)
    }

    /// Whether this case is skipped.
    #[must_use]
    pub fn skips(&self, id: &str) -> bool {
        self.skip.set.is_match(id)
    }

    /// A note about the skipped cases for the reader of the verdicts.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let words: Vec<String> = self.skip.words.iter().map(|word| quote(word)).collect();
        (!words.is_empty()).then(|| format!("skipped: {}", words.join(", ")))
    }

    /// Checks that each pattern matches one of these ids, and that at least one of them is left.
    ///
    /// # Errors
    /// [`SelectionError`]. It suggests the nearest ids and groups.
    pub fn check<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<(), SelectionError> {
        let ids: BTreeSet<&str> = ids.into_iter().collect();
        let patterns: Vec<_> = self.only.unmatched(&ids).chain(self.skip.unmatched(&ids)).collect();
        if !patterns.is_empty() {
            return Err(NoMatch { nearest: nearest_to(&patterns, &ids), patterns }.into());
        }
        let left = self.skip.words.is_empty() || ids.iter().any(|id| self.takes(id));
        if left { Ok(()) } else { Err(SelectionError::AllSkipped) }
    }
}

/// The ids and groups that are most like these patterns.
fn nearest_to(patterns: &[(&'static str, String)], ids: &BTreeSet<&str>) -> Vec<String> {
    let groups: BTreeSet<String> =
        ids.iter().filter_map(|id| id.split_once('/')).map(|(group, _)| format!("{group}/*")).collect();
    let groups = || groups.iter().map(String::as_str);
    let near = |(_, pattern): &(&str, String)| match pattern.contains('*') {
        true => nearest(pattern, groups()),
        false => nearest(pattern, groups().chain(ids.iter().copied())),
    };
    patterns.iter().flat_map(near).map(quote).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = ["callback/many", "callback/main", "cull/many"];

    fn selection(only: &[&str], skip: &[&str]) -> Selection {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        Selection::new(&owned(only)).unwrap().without(&owned(skip)).unwrap()
    }

    fn error(only: &[&str], skip: &[&str]) -> String {
        let error = selection(only, skip).check(IDS).unwrap_err();
        let help = error.help().map(|help| format!(". {help}")).unwrap_or_default();
        format!("{error}{help}")
    }

    #[test]
    fn a_pattern_selects_by_id() {
        let only = selection(&["callback/*"], &[]);
        assert!(only.takes("callback/many") && !only.takes("cull/many"));
        assert!(Selection::new(&["[".to_owned()]).unwrap_err().to_string().starts_with("--case: "));
        let invalid = Selection::all().without(&["[".to_owned()]);
        assert!(invalid.unwrap_err().to_string().starts_with("--skip: "));
    }

    #[test]
    fn a_skipped_case_is_not_selected() {
        let takes = |only: &[&str], skip: &[&str]| IDS.map(|id| selection(only, skip).takes(id));
        assert_eq!(takes(&[], &["*/many"]), [false, true, false]);
        assert_eq!(takes(&["callback/*"], &["callback/main", "cull/*"]), [true, false, false]);
        assert!(!selection(&[], &["cull/*"]).is_all() && selection(&[], &[]).is_all());
        assert_eq!(selection(&[], &["cull/*", "b"]).note().as_deref(), Some("skipped: 'cull/*', b"));
    }

    #[test]
    fn a_pattern_without_a_match_gets_suggestions() {
        insta::assert_snapshot!(error(&["calback/*"], &[]), @"no case matches --case 'calback/*'. Did you mean 'callback/*'? `dnode-conform list` lists all cases.");
        insta::assert_snapshot!(error(&["callback/mny"], &[]), @"no case matches --case callback/mny. Did you mean callback/many or callback/main or 'callback/*'? `dnode-conform list` lists all cases.");
        insta::assert_snapshot!(error(&["callback"], &[]), @"no case matches --case callback. Did you mean 'callback/*'? `dnode-conform list` lists all cases.");
        insta::assert_snapshot!(error(&["zzz"], &[]), @"no case matches --case zzz. `dnode-conform list` lists all cases.");
    }

    #[test]
    fn a_pattern_without_a_match_is_an_error_beside_others_that_match() {
        insta::assert_snapshot!(error(&["cull/*", "zzz"], &["cul/many"]), @"no case matches --case zzz or --skip cul/many. Did you mean cull/many? `dnode-conform list` lists all cases.");
        insta::assert_snapshot!(error(&["cull/*"], &["c*"]), @"--skip leaves no case to run");
    }
}
