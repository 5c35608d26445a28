//! For tests: a generated file in the tree must match the code.

/// Fails if the file at `path` differs from `expected`. With `UPDATE=1` in the environment, writes
/// the file instead.
#[allow(clippy::disallowed_methods, reason = "compiled for tests only, which read the tree they run in")]
pub(crate) fn assert_fresh(path: &str, expected: &str) {
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(path, expected).unwrap();
        return;
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{path} is stale: run `UPDATE=1 cargo test --workspace` and commit what it writes"
    );
}
