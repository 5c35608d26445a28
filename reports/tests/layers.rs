//! The files of this crate import downward only, and never in a circle.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads the tree it runs in")]

#[path = "../../spec/tests/support/layers.rs"]
mod layers;

use std::path::Path;

/// The layers of `src`, from the bottom up.
const LAYERS: &[&[&str]] = &[
    &["words", "escape", "serial", "evidence", "trace"],
    &["event"],
    &["fingerprint", "account", "report", "error"],
    &["summary", "record", "tally"],
    &["cause", "clauses", "grid", "page"],
    &["events", "github", "json", "tap", "text"],
    &["junit", "markdown", "html"],
    &["diff", "machine"],
    &["format", "site"],
];

#[test]
fn files_import_from_lower_layers_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let faults = layers::check(&source, LAYERS);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
