//! The files of this crate import downward only, and never in a circle.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads the tree it runs in")]

#[path = "../../../spec/tests/support/layers.rs"]
mod layers;

use std::path::Path;

/// The layers of `src`, from the bottom up.
const LAYERS: &[&[&str]] =
    &[&["event", "limits"], &["file"], &["frame", "lane"], &["flow"], &["table"], &["capture"]];

#[test]
fn files_import_from_lower_layers_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let faults = layers::check(&source, LAYERS);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
