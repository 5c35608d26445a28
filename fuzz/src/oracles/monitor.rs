//! The monitor, held against the session that hears what it judges.

use crate::generators::conversation::Conversation;
use dnode_spec::clause::{self, Level};
use dnode_spec::message::{Id, Method, Problem};
use dnode_spec::monitor::{End, Judgement, Monitor};
use dnode_spec::session::Event;
use std::collections::HashSet;

/// What a call of an id breaks that cannot be called.
const STATE: [&str; 2] = ["callback/declared", "callback/not-culled"];

/// Watches a session ([`End::A`]) and a stream ([`End::B`]) that talk, in their true order.
///
/// 1. What the session says breaks nothing.
/// 2. What the session refuses the monitor refuses, for the same clause, and the other way.
/// 3. A call that the monitor judges illegal the session refuses; one that the session refuses the monitor judges illegal, unless
///    a cull that may have crossed a declaration, or a number that both ends own, leaves it open.
/// 4. Lines that both ends say with no order are judged without a panic, by clauses that exist.
///
/// # Panics
/// Where one of these is not so.
pub fn monitor(data: &[u8]) {
    let mut watch =
        Watch { monitor: Monitor::new(), conversation: Conversation::new(), culled: HashSet::new() };
    watch.listen();
    let mut lines = data.split_inclusive(|&byte| byte == b'\n').take_while(|line| line.ends_with(b"\n"));
    while lines.next().is_some_and(|line| watch.hear(line)) {}
    let mut loose = Monitor::new();
    for (n, line) in data.split(|&byte| byte == b'\n').enumerate() {
        let from = if n % 2 == 0 { End::A } else { End::B };
        exists(&loose.line(from, line).problems);
    }
}

fn exists(problems: &[Problem]) {
    for problem in problems {
        assert!(clause::find(problem.clause).is_some(), "no clause {}", problem.clause);
    }
}

struct Watch {
    monitor: Monitor,
    conversation: Conversation,
    /// The numbers that the stream has culled.
    culled: HashSet<Id>,
}

impl Watch {
    /// Judges what the session says.
    fn listen(&mut self) {
        while let Some(line) = self.conversation.say() {
            let Some((b'\n', line)) = line.split_last() else { panic!("a line without its newline") };
            for problem in self.monitor.line(End::A, line).problems {
                let level = clause::find(problem.clause).map(|clause| clause.level);
                assert_eq!(level, Some(Level::Observed), "{problem:?} in {}", line.escape_ascii());
            }
        }
    }

    /// Lets the session hear a line and judges it; gives whether the session goes on.
    fn hear(&mut self, line: &[u8]) -> bool {
        let events = self.conversation.hear(line);
        let judgement = self.monitor.line(End::B, &line[..line.len() - 1]);
        exists(&judgement.problems);
        let refused = judgement.problems.iter().find(|problem| problem.refused).map(|problem| problem.clause);
        match events.first() {
            Some(Event::Ended(_)) => {
                assert!(
                    refused.is_some_and(|clause| clause.starts_with("framing/")),
                    "it ends for {refused:?}"
                );
                return false;
            }
            Some(Event::Refused(problem)) => self.refuses(problem, refused, &judgement),
            _ => assert_eq!(refused, None, "the session acts on {}", line.escape_ascii()),
        }
        self.culled.extend(judgement.received.into_iter().flat_map(|received| received.culls));
        self.listen();
        true
    }

    fn refuses(&self, problem: &Problem, refused: Option<&str>, judgement: &Judgement) {
        match (problem.clause, judgement.received.as_ref().map(|received| &received.method)) {
            ("methods/unknown-name", _) => assert_eq!(refused, None),
            ("callback/unknown-id", Some(Method::Id(id))) if refused.is_none() => {
                assert!(self.culled.contains(id), "a call of {id} is legal for the monitor alone");
            }
            ("callback/unknown-id", _) => assert!(refused.is_some_and(|clause| STATE.contains(&clause))),
            (clause, _) => assert_eq!(Some(clause), refused),
        }
    }
}
