//! One session that receives an arbitrary stream.

use crate::generators::conversation::Conversation;
use dnode_spec::session::{Event, Session};

/// The maximum number of bytes that a session may emit for each received byte. It emits more than
/// it receives because the user passes functions to each function that it calls, and because a
/// shared value is written once for each place, up to a limit.
const AMPLIFICATION: usize = 64;

/// Feeds a stream to a session.
///
/// 1. The session does not panic and produces at most one event for a line.
/// 2. The size of its output and of its tables is bounded by the size of its input.
/// 3. Its tables are consistent.
/// 4. It ignores all input after its end.
///
/// # Panics
/// If one of these does not hold.
pub fn session(data: &[u8]) {
    let mut conversation = Conversation::new();
    // Allows for the first message of the session, which answers no input.
    let mut received = 64;
    let mut emitted = 0;
    for segment in data.split_inclusive(|&byte| byte == b'\n') {
        let had_ended = conversation.session.is_ended();
        let events = conversation.feed(segment);
        assert!(events.len() <= usize::from(!had_ended), "{} events for one line", events.len());
        let ended = events.iter().any(|event| matches!(event, Event::Ended(_)));
        assert_eq!(conversation.session.is_ended(), had_ended || ended);
        received += segment.len();
        emitted += std::iter::from_fn(|| conversation.poll_output()).map(|line| line.len()).sum::<usize>();
        assert!(emitted <= AMPLIFICATION * received, "{emitted} bytes emitted for {received} received");
    }
    check_tables(&conversation.session, received);
}

/// Checks that the tables of own ids and of functions agree, and that `received` bytes could fill
/// them.
pub(super) fn check_tables(session: &Session, received: usize) {
    // The shortest declaration is `"0":[0]`; the shortest call that makes this end declare a
    // function is `{"method":1}`.
    assert!(session.held().count() * 7 <= received, "the session holds more ids than were declared");
    assert!(session.own().count() <= received, "the session keeps more functions than the input can request");
    let mut ids = 0;
    for (id, function) in session.own() {
        let all = session.ids(function);
        assert!(all.contains(&id), "{id} is not among the ids of {function}");
        if all.first() == Some(&id) {
            assert!(all.is_sorted(), "the ids of {function} are not sorted by age");
            ids += all.len();
        }
    }
    assert_eq!(ids, session.own().count(), "a function has an id that is not in the table");
}
