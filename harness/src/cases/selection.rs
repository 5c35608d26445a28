//! Which cases are selected.

use crate::error::{Fault, Faulted};
use globset::{Glob, GlobSet, GlobSetBuilder};
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

/// Patterns of case ids.
#[derive(Debug, Clone)]
pub struct Selection(Option<GlobSet>);

impl Selection {
    /// Everything.
    #[must_use]
    pub fn all() -> Selection {
        Selection(None)
    }

    /// Reads patterns, for example `callback/*`. An empty list selects everything.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn new(patterns: &[String]) -> Result<Selection, PatternError> {
        if patterns.is_empty() {
            return Ok(Selection(None));
        }
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(Glob::new(pattern)?);
        }
        Ok(Selection(Some(set.build()?)))
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this case is selected.
    #[must_use]
    pub fn takes(&self, id: &str) -> bool {
        self.0.as_ref().is_none_or(|set| set.is_match(id))
    }
}
