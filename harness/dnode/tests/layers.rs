//! The files of this crate import downward only, and never in a circle.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads the tree it runs in")]

#[path = "../../../spec/tests/support/layers.rs"]
mod layers;

use std::path::Path;

/// The layers of `src`, from the bottom up.
const LAYERS: &[&[&str]] = &[
    &["error", "transport/error", "transport/stream", "transport/trust", "transport/limits"],
    &["transport/tcp", "transport/unix", "transport/memory"],
    &["transport/tls", "transport/ws"],
    &["transport/address"],
    &["transport/connection"],
    &["transport/listener"],
    &["transport"],
    &["rpc/types", "rpc/outbox", "rpc/copies"],
    &["rpc/value", "rpc/from"],
    &["rpc/function"],
    &["rpc/shared"],
    &["rpc"],
    &["object"],
    &["connection"],
    &["peer"],
];

#[test]
fn files_import_from_lower_layers_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let faults = layers::check(&source, LAYERS);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
