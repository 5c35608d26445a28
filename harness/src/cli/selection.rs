//! `--case` and `--skip`.

use crate::cases::{PatternError, Selection};
use clap::Args;

/// Which cases are selected.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct SelectionArgs {
    /// Only the cases whose id matches, for example 'callback/*'; can be repeated
    ///
    /// A run always adds the cases always/…, because they judge every line of the other cases.
    #[arg(long = "case", value_name = "GLOB", help_heading = "Selection")]
    pub(super) cases: Vec<String>,
    /// Without the cases whose id matches, for example 'robust/*'; can be repeated
    ///
    /// Skipped cases are not planned, so they have no verdict. To accept a known failure, use
    /// --baseline.
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    pub(super) skip: Vec<String>,
}

impl SelectionArgs {
    /// Whether a single case is selected by its id, mostly to repeat a finding.
    pub(super) fn is_one_case(&self) -> bool {
        matches!(&*self.cases, [id] if globset::escape(id) == *id)
    }

    /// Reads the patterns.
    pub(super) fn selection(&self) -> Result<Selection, PatternError> {
        Selection::new(&self.cases)?.without(&self.skip)
    }
}
