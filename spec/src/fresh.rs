//! For tests: a generated file in the tree must say what the code says.

/// Fails where the file at `path` differs from `expected`; with `UPDATE=1` in the environment, writes it instead.
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
