//! Reading the standard error of a process that ended.

use dnode_reports::trace;

/// Reads an input as the standard error of a peer.
///
/// 1. Reading and folding do not panic.
/// 2. A name for a crash is one line, and no longer than its error.
/// 3. Folding keeps the cause: a report keeps the folded text.
///
/// # Panics
/// If one of these does not hold.
pub fn trace(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = trace::read(&text);
    let last = trace::last_line(&text);
    for name in read.iter().flat_map(|it| [it.key(), it.cause()]).chain(last) {
        assert!(!name.contains('\n'), "{name:?}");
    }
    let folded = trace::fold(&text);
    assert!(folded.lines().count() <= text.lines().count(), "{folded}");
    // A peer may write the mark of folded lines itself.
    if !text.contains('…') {
        let cause = |text: &str| trace::read(text).map(|it| it.cause());
        assert_eq!(cause(&folded), cause(&text), "{folded}");
    }
}
