//! Evidence of how strong the suite is, from the data in `reports/evidence/`.
//!
//! Only the matrix is part of the crate. `harness/tests/` measures it and all other tables.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A row of the matrix: a fault of the reference peer, and the cases that catch it.
///
/// A case catches a fault if its finding names the clause that the fault breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caught {
    /// The name of the fault.
    pub fault: String,
    /// The id of the clause that it breaks.
    pub breaks: String,
    /// The ids of the cases that catch it.
    pub caught_by: BTreeSet<String>,
}

/// The committed matrix: a row for each fault, in the order of `dnode-conform serve --list-faults`.
///
/// # Errors
/// The data does not have the form of [`Caught`]. A test ensures that it has.
pub fn matrix() -> serde_json::Result<Vec<Caught>> {
    serde_json::from_str(include_str!("../evidence/matrix.json"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn matrix_is_valid() {
        assert!(!super::matrix().unwrap().is_empty());
    }
}
