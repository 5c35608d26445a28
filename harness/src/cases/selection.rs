//! Which cases are selected.

use crate::error::{Fault, Faulted};
use crate::nearest::nearest;
use crate::shell::quote;
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::collections::BTreeSet;
use thiserror::Error;

/// A pattern of case ids that is not valid.
#[derive(Debug, Error)]
#[error("--case: {0}")]
pub struct PatternError(#[from] globset::Error);

impl Faulted for PatternError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }
}

/// No case matches the patterns.
#[derive(Debug, Error)]
#[error("no case matches {}", .patterns.iter().map(|it| format!("--case {}", quote(it))).collect::<Vec<_>>().join(" or "))]
pub struct NoMatch {
    patterns: Vec<String>,
    nearest: Vec<String>,
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

/// Patterns of case ids.
#[derive(Debug, Clone)]
pub struct Selection {
    patterns: Vec<String>,
    /// `None` selects everything.
    set: Option<GlobSet>,
}

impl Selection {
    /// Everything.
    #[must_use]
    pub fn all() -> Selection {
        Selection { patterns: Vec::new(), set: None }
    }

    /// Reads patterns, for example `callback/*`. An empty list selects everything.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn new(patterns: &[String]) -> Result<Selection, PatternError> {
        if patterns.is_empty() {
            return Ok(Selection::all());
        }
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(Glob::new(pattern)?);
        }
        Ok(Selection { patterns: patterns.to_vec(), set: Some(set.build()?) })
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.set.is_none()
    }

    /// Whether this case is selected.
    #[must_use]
    pub fn takes(&self, id: &str) -> bool {
        self.set.as_ref().is_none_or(|set| set.is_match(id))
    }

    /// The error if it takes none of these ids. It suggests the nearest ids and groups.
    #[must_use]
    pub fn no_match<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> NoMatch {
        let ids: BTreeSet<&str> = ids.into_iter().collect();
        let groups: BTreeSet<String> =
            ids.iter().filter_map(|id| id.split_once('/')).map(|(group, _)| format!("{group}/*")).collect();
        let groups = || groups.iter().map(String::as_str);
        let near = |pattern: &String| match pattern.contains('*') {
            true => nearest(pattern, groups()),
            false => nearest(pattern, groups().chain(ids.iter().copied())),
        };
        let nearest = self.patterns.iter().flat_map(near).map(quote).collect();
        NoMatch { patterns: self.patterns.clone(), nearest }
    }
}
