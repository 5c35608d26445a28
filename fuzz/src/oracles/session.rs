//! One session, whatever the other end sends.

use crate::generators::conversation::Conversation;
use dnode_spec::session::{Event, Session};

/// How many bytes a session may say for each byte that it heard: a function that is called back in turn gets functions of ours,
/// and a value that stands at several places is written at each of them, up to a limit.
const AMPLIFICATION: usize = 64;

/// Checks what a session makes of a stream.
///
/// 1. It never panics, and makes at most one event of a line.
/// 2. What it says, holds and keeps is bounded by what it heard.
/// 3. Its tables agree with each other.
/// 4. Once it has ended it hears nothing.
///
/// # Panics
/// Where one of these is not so.
pub fn session(data: &[u8]) {
    let mut conversation = Conversation::new();
    let mut heard = 64;
    let mut said = 0;
    for segment in data.split_inclusive(|&byte| byte == b'\n') {
        let had_ended = conversation.session.is_ended();
        let events = conversation.hear(segment);
        assert!(events.len() <= usize::from(!had_ended), "{} events of a line", events.len());
        let ended = events.iter().any(|event| matches!(event, Event::Ended(_)));
        assert_eq!(conversation.session.is_ended(), had_ended || ended);
        heard += segment.len();
        said += std::iter::from_fn(|| conversation.say()).map(|line| line.len()).sum::<usize>();
        assert!(said <= AMPLIFICATION * heard, "{said} bytes said for {heard}");
    }
    check_tables(&conversation.session, heard);
}

/// Each own id is one of its function's, no other is, and there are no more of them than bytes could declare.
pub(super) fn check_tables(session: &Session, heard: usize) {
    // The shortest declaration, `"0":[0]`, and the shortest call that makes this end declare, `{"method":1}`.
    assert!(session.held().count() * 7 <= heard, "more is held than was declared");
    assert!(session.own().count() <= heard, "more is kept than was asked for");
    let mut ids = 0;
    for (id, function) in session.own() {
        let all = session.ids(function);
        assert!(all.contains(&id), "{id} is not among the ids of {function}");
        if all.first() == Some(&id) {
            assert!(all.is_sorted(), "the oldest id of {function} is not first");
            ids += all.len();
        }
    }
    assert_eq!(ids, session.own().count(), "a function has an id that is not known");
}
