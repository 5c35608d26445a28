//! `--version`

use super::failure::Failure;
use super::output;
use crate::cases::{catalogue, over_the_run};
use dnode_spec::dialect::Dialect;

/// The commit that the build script found.
const COMMIT: Option<&str> = option_env!("DNODE_CONFORM_COMMIT");

/// Prints the version, the commit, and how many cases a run of the whole catalogue has.
pub(super) fn version() -> Result<u8, Failure> {
    let dialect = Dialect::default();
    let cases = catalogue(dialect)?.len() + over_the_run().filter(|case| case.clause.is_of(dialect)).count();
    let commit = COMMIT.unwrap_or("commit unknown");
    output::say(format!("dnode-conform {} ({commit}, {cases} cases)", env!("CARGO_PKG_VERSION")))?;
    Ok(0)
}
