//! The monitor, compared with a session that receives the same lines.

use super::emitted;
use crate::generators::conversation::Conversation;
use dnode_spec::clause;
use dnode_spec::dialect::Dialect;
use dnode_spec::message::{Id, Method, Problem};
use dnode_spec::monitor::{End, Judgement, Monitor};
use dnode_spec::session::Event;
use std::collections::HashSet;

/// The clauses that a call of an unknown id breaks.
const UNKNOWN_ID: [&str; 2] = ["callback/declared", "callback/not-culled"];

/// Judges a session ([`End::A`]) and a stream ([`End::B`]) in the order of their lines, in each dialect.
///
/// 1. The lines of the session break no clause.
/// 2. The session and the monitor refuse the same messages, because of the same clause.
/// 3. The session refuses every call that the monitor judges illegal. The monitor judges every call
///    illegal that the session refuses, except if it cannot know: a cull may have crossed a
///    declaration, or both ends own the number.
/// 4. Judging lines of both ends in an arbitrary order does not panic and names existing clauses.
///
/// # Panics
/// If one of these does not hold.
pub fn monitor(data: &[u8]) {
    for dialect in [Dialect::V0_2, Dialect::V0_1] {
        in_dialect(data, dialect);
    }
}

fn in_dialect(data: &[u8], dialect: Dialect) {
    let (monitor, conversation) = (Monitor::of(dialect), Conversation::speaking(dialect));
    let mut watch = Watch { monitor, conversation, dialect, culled: HashSet::new() };
    watch.judge_session();
    let (lines, rest) = data.split_at(data.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1));
    let mut lines = lines.split_inclusive(|&byte| byte == b'\n');
    while lines.next().is_some_and(|line| watch.receive(line)) {}
    watch.conversation.session.end();
    assert!(watch.conversation.session.is_ended());
    assert_eq!(watch.monitor.end(End::B, rest).is_empty(), rest.is_empty());
    let mut unordered = Monitor::of(dialect);
    for (n, line) in data.split(|&byte| byte == b'\n').enumerate() {
        let from = if n % 2 == 0 { End::A } else { End::B };
        check_clauses(&unordered.line(from, line).problems);
    }
}

fn check_clauses(problems: &[Problem]) {
    for problem in problems {
        assert!(clause::find(problem.clause).is_some(), "there is no clause {}", problem.clause);
    }
}

struct Watch {
    monitor: Monitor,
    conversation: Conversation,
    dialect: Dialect,
    /// The ids that the stream has culled; in dialect 0.1, in which owners cull, also those that the
    /// session has culled.
    culled: HashSet<Id>,
}

impl Watch {
    /// Judges the lines that the session emits.
    fn judge_session(&mut self) {
        while let Some(line) = self.conversation.poll_output() {
            let received = emitted::check_judgement(&mut self.monitor, End::A, &line);
            if self.dialect == Dialect::V0_1 {
                self.culled.extend(received.into_iter().flat_map(|received| received.culls));
            }
        }
    }

    /// Feeds a line of the stream to the session and to the monitor. Returns `false` once the
    /// session has ended.
    fn receive(&mut self, line: &[u8]) -> bool {
        let events = self.conversation.feed(line);
        let judgement = self.monitor.line(End::B, &line[..line.len() - 1]);
        check_clauses(&judgement.problems);
        let refused = judgement.problems.iter().find(|problem| problem.refused).map(|problem| problem.clause);
        match events.first() {
            Some(Event::Ended(_)) => {
                assert!(
                    refused.is_some_and(|clause| clause.starts_with("framing/")),
                    "the session ended, but the monitor says {refused:?}"
                );
                return false;
            }
            Some(Event::Refused(problem)) => self.check_refusal(problem, refused, &judgement),
            _ => assert_eq!(refused, None, "the session accepts {}", line.escape_ascii()),
        }
        self.culled.extend(judgement.received.into_iter().flat_map(|received| received.culls));
        self.judge_session();
        true
    }

    /// Checks that the monitor also refused this message, and for the same clause.
    fn check_refusal(&self, problem: &Problem, refused: Option<&str>, judgement: &Judgement) {
        match (problem.clause, judgement.received.as_ref().map(|received| &received.method)) {
            ("methods/unknown-name", _) => assert_eq!(refused, None),
            ("callback/unknown-id", Some(Method::Id(id))) if refused.is_none() => {
                assert!(self.culled.contains(id), "only the monitor accepts a call of {id}");
            }
            ("callback/unknown-id", _) => {
                assert!(refused.is_some_and(|clause| UNKNOWN_ID.contains(&clause)));
            }
            (clause, _) => assert_eq!(Some(clause), refused),
        }
    }
}
