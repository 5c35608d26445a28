//! The monitor: judges every line of both ends of a connection, clause by clause.
//!
//! It is fed the lines in the order in which one place saw them ([`Monitor::line`]) and the ends of the two streams
//! ([`Monitor::end`]), and says what each line breaks. It never waits and never guesses: what may have crossed on the wire is legal.
//!
//! Judged here: JSON and UTF-8, the shape of messages, paths and links, calls only of what was declared, calls after a
//! cull, and the end of the stream. Not judged: answers (the protocol has none), numbering and identity of ids, and what is
//! absent. Memory is linear in the ids that were declared.

use crate::dialect::Dialect;
use crate::graph::{Graph, Node, NodeId};
use crate::message::{self, Id, Message, Method, Problem};
use crate::path::Path;
use crate::scrub::unscrub;
use crate::state::{Event, State};
use crate::text::TextBuf;
use crate::value::Value;
use foldhash::{HashMap, HashSet};
use std::collections::VecDeque;

/// One of the two ends of a connection. Which is which is the caller's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The one.
    A,
    /// The other.
    B,
}

impl End {
    /// The other end.
    #[must_use]
    pub fn other(self) -> End {
        match self {
            End::A => End::B,
            End::B => End::A,
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// A message as the monitor understood it, with its functions and links in place.
#[derive(Debug, Clone)]
pub struct Received {
    /// What it calls.
    pub method: Method,
    /// The values; a function is the id that stands there.
    pub graph: Graph<Id>,
    /// The array of arguments.
    pub root: NodeId,
    /// The declared functions and their places.
    pub callbacks: Vec<(Id, Path)>,
    /// For `cull`: the ids that it names.
    pub culls: Vec<Id>,
}

/// What the monitor says of one line.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// The message, as far as it can be understood.
    pub received: Option<Received>,
    /// The clauses that the line breaks, each with where and what.
    pub problems: Vec<Problem>,
}

/// A watcher of one connection.
#[derive(Debug, Clone, Default)]
pub struct Monitor {
    dialect: Dialect,
    ends: [Side; 2],
    lines: u64,
}

/// What is known of the functions of one end.
#[derive(Debug, Clone, Default)]
struct Side {
    /// The ids that this end has declared.
    ids: HashMap<Id, Known>,
    /// The last line of this end that the other is known to have read.
    read: u64,
    /// The ids of this end that the other culled, and when; the oldest first.
    culling: VecDeque<(Id, u64)>,
    /// This end has sent the text "[Circular]" as a value of its own.
    said_circular: bool,
    /// The members of this end's objects so far.
    names: HashSet<TextBuf>,
    /// This end has sent a line that is no sound message: whoever guesses may have found ids in it that are not known here, so
    /// calls and culls of unknown ids of this end are not judged any more.
    opaque: bool,
}

/// What is known of one id.
#[derive(Debug, Clone, Copy)]
struct Known {
    state: State,
    /// The lines that declared it: the first of all, the first since it was culled, and the last.
    first: u64,
    since: u64,
    last: u64,
}

const CIRCULAR: &str = "[Circular]";

impl Monitor {
    /// A monitor of a new connection, whose ends speak the latest dialect.
    #[must_use]
    pub fn new() -> Monitor {
        Monitor::default()
    }

    /// A monitor of a new connection, whose ends speak this dialect.
    #[must_use]
    pub fn of(dialect: Dialect) -> Monitor {
        Monitor { dialect, ..Monitor::default() }
    }

    /// Judges one line, without its newline, that `from` sent.
    pub fn line(&mut self, from: End, line: &[u8]) -> Judgement {
        self.lines += 1;
        let value = match Value::parse(line) {
            Ok(value) => value,
            Err(error) => {
                let clause = if error.is_utf8() { "framing/utf8" } else { "framing/json" };
                self.side(from).opaque = true;
                return Judgement { received: None, problems: vec![not_json(clause, error.to_string())] };
            }
        };
        let decoded = message::decode(&value);
        self.side(from).opaque |= !decoded.is_sound() || decoded.ambiguous;
        let mut problems = decoded.problems;
        let Some(message) = decoded.message else {
            return Judgement { received: None, problems };
        };
        let unscrubbed = unscrub(&message, |id| id);
        problems.extend(unscrubbed.problems);
        if value.has_string(CIRCULAR) {
            self.check_circular(from, &unscrubbed.graph, unscrubbed.root, &mut problems);
        }
        if message.method.is("methods") {
            self.object(from, &unscrubbed.graph, unscrubbed.root, &mut problems);
        }
        let culls = culled_ids(&message);
        self.method(from, &message.method, &mut problems);
        self.declared(from, &message);
        // Nobody has to act on a message that is refused, so what it says it culls may be called all the same.
        if !problems.iter().any(|problem| problem.refused) {
            for (n, id) in culls.iter().enumerate() {
                self.culled(from, *id, n, &mut problems);
            }
        }
        let received = Received {
            method: message.method,
            graph: unscrubbed.graph,
            root: unscrubbed.root,
            callbacks: message.callbacks,
            culls,
        };
        Judgement { received: Some(received), problems }
    }

    /// Judges the end of the stream that `from` sent; `rest` is what came after the last newline.
    ///
    /// A rest is a problem only where the sender ended the connection in order: the caller knows.
    #[must_use]
    pub fn end(&mut self, from: End, rest: &[u8]) -> Vec<Problem> {
        if rest.is_empty() {
            return Vec::new();
        }
        // Somebody may take it for a message all the same.
        self.side(from).opaque = true;
        vec![Problem {
            clause: "framing/newline",
            at: String::new(),
            expected: "a newline after the last message".to_owned(),
            actual: format!("the end of the stream after {} bytes without one", rest.len()),
            refused: true,
        }]
    }

    /// What a line that is longer than the receiver takes breaks.
    #[must_use]
    pub fn too_long(limit: usize) -> Problem {
        not_json("framing/json", format!("a line of more than {limit} bytes without a newline"))
    }

    fn side(&mut self, end: End) -> &mut Side {
        &mut self.ends[end.index()]
    }

    /// The state of an id of this end.
    #[must_use]
    pub fn state(&self, owner: End, id: Id) -> State {
        self.ends[owner.index()].ids.get(&id).map_or(State::Unknown, |known| known.state)
    }

    /// An object whose members are marked as functions declares them.
    fn object(&mut self, from: End, graph: &Graph<Id>, root: NodeId, problems: &mut Vec<Problem>) {
        let Some(&object) = graph.items(root).first() else { return };
        let Node::Object(members) = graph.node(object) else { return };
        let marked =
            |id: NodeId| matches!(graph.node(id), Node::String(text) if text.as_text() == "[Function]");
        if let Some((key, _)) = members.iter().find(|(_, id)| marked(**id)) {
            problems.push(Problem {
                clause: "methods/declared",
                at: "callbacks".to_owned(),
                expected: "the path of each function of the object".to_owned(),
                actual: format!("none for {key:?}, where \"[Function]\" stands"),
                refused: false,
            });
        }
        if graph.items(root).len() > 1 {
            problems.push(Problem {
                clause: "methods/declared",
                at: "callbacks".to_owned(),
                expected: "paths within the object, which is the only argument".to_owned(),
                actual: format!(
                    "{} arguments, once the functions stand at their places",
                    graph.items(root).len()
                ),
                refused: false,
            });
        }
        // A later object replaces an earlier one, but a call may have crossed it.
        self.side(from).names.extend(members.keys().cloned());
    }

    /// A call by name that can only be meant for a function with this number.
    fn number_as_name(&mut self, owner: End, name: &TextBuf, problems: &mut Vec<Problem>) {
        let Some(id) = name.as_text().to_str().and_then(Id::from_key) else { return };
        let known = self.state(owner, id) != State::Unknown;
        if known && !self.side(owner).names.contains(name) {
            problems.push(Problem {
                clause: "message/string-method",
                at: "method".to_owned(),
                expected: format!("the number {id}, which the other end has declared"),
                actual: format!("the string {name:?}, which is no method of the other end's object"),
                refused: false,
            });
        }
    }

    fn method(&mut self, from: End, method: &Method, problems: &mut Vec<Problem>) {
        if let Method::Name(name) = method {
            self.number_as_name(from.other(), name, problems);
        }
        let Method::Id(id) = method else {
            return;
        };
        let owner = from.other();
        let state = self.state(owner, *id);
        let guess = state == State::Unknown && self.side(owner).opaque;
        if let Some(clause) = state.on(Event::Called).1.filter(|_| !guess) {
            let actual = match state {
                State::Unknown => format!("a call of {id}, which the other end has not declared"),
                _ => format!("a call of {id}, which this end has culled"),
            };
            let expected = "the id of a function of the other end".to_owned();
            problems.push(Problem { clause, at: "method".to_owned(), expected, actual, refused: true });
        }
        // Who calls an id has read the line that declared it, and everything up to it: the culls there have been seen.
        let Some(since) = self.side(owner).ids.get(id).map(|known| known.since) else { return };
        self.side(owner).read = self.side(owner).read.max(since);
        let side = self.side(from);
        while let Some((culled, _)) = side.culling.front().copied().filter(|(_, at)| *at < since) {
            side.culling.pop_front();
            if let Some(known) = side.ids.get_mut(&culled) {
                known.state = known.state.on(Event::Answered).0;
            }
        }
    }

    fn declared(&mut self, from: End, message: &Message<'_>) {
        let line = self.lines;
        let ids = &mut self.ends[from.index()].ids;
        ids.reserve(message.callbacks.len());
        for (id, _) in &message.callbacks {
            let new = Known { state: State::Unknown, first: line, since: line, last: line };
            let known = ids.entry(*id).or_insert(new);
            let next = known.state.on(Event::Declared).0;
            known.since = if next == known.state { known.since } else { line };
            (known.state, known.last) = (next, line);
        }
    }

    /// In dialect 0.1 the owner culls: a call may cross that, and breaks nothing.
    fn culled_by_owner(&mut self, from: End, id: Id, argument: usize, problems: &mut Vec<Problem>) {
        if self.state(from, id) == State::Unknown && !self.side(from).opaque {
            problems.push(Problem {
                clause: "owner-cull/own",
                at: format!("arguments[{argument}]"),
                expected: "the id of a function of the end that says it".to_owned(),
                actual: format!("{id}, which this end has not declared"),
                refused: false,
            });
        }
    }

    fn culled(&mut self, from: End, id: Id, argument: usize, problems: &mut Vec<Problem>) {
        if self.dialect == Dialect::V0_1 {
            return self.culled_by_owner(from, id, argument, problems);
        }
        let known = |end: End, monitor: &Monitor| monitor.state(end, id) != State::Unknown;
        let (holder_side, owner_side) = (known(from.other(), self), known(from, self));
        let (line, state) = (self.lines, self.state(from.other(), id));
        let change = |side: &mut Side, event| {
            if let Some(known) = side.ids.get_mut(&id) {
                known.state = known.state.on(event).0;
            }
        };
        match (holder_side, owner_side) {
            (true, true) => {
                change(self.side(from), Event::CulledByEither);
                change(self.side(from.other()), Event::CulledByEither);
            }
            (true, false) => {
                let side = self.side(from.other());
                // The holder has read the first declaration. If it has not read the last, that crosses the cull and lifts it.
                let read = side.read;
                if side.ids.get(&id).is_some_and(|known| known.last <= read.max(known.first)) {
                    if state == State::Live {
                        side.culling.push_back((id, line));
                    }
                    change(side, Event::Culled);
                }
            }
            // As in dialect 0.1, whose owners say that their functions are gone: who speaks both is not blamed.
            (false, true) => {}
            (false, false) if self.side(from).opaque || self.side(from.other()).opaque => {}
            (false, false) => problems.extend(State::Unknown.on(Event::Culled).1.map(|clause| Problem {
                clause,
                at: format!("arguments[{argument}]"),
                expected: "the id of a function".to_owned(),
                actual: format!("{id}, which neither end has declared"),
                refused: false,
            })),
        }
    }

    /// A place marked as circular must be reached by a link, unless the text was somebody's own value.
    fn check_circular(&mut self, from: End, graph: &Graph<Id>, root: NodeId, problems: &mut Vec<Problem>) {
        let marks = circular_marks(graph, root);
        if marks == 0 {
            return;
        }
        self.side(from).said_circular = true;
        if self.side(from.other()).said_circular {
            return;
        }
        problems.push(Problem {
            clause: "link/circular-marked",
            at: "links".to_owned(),
            expected: "a link to each place marked \"[Circular]\"".to_owned(),
            actual: format!("{marks} marked places that no link reaches"),
            refused: false,
        });
    }
}

/// How many places of the arguments still hold the mark, now that the links are applied.
fn circular_marks(graph: &Graph<Id>, root: NodeId) -> usize {
    let (mut seen, mut todo, mut marks) = (HashSet::from_iter([root]), vec![root], 0);
    while let Some(at) = todo.pop() {
        match graph.node(at) {
            Node::String(text) => marks += usize::from(*text == CIRCULAR),
            Node::Array(items) => todo.extend(items.iter().filter(|&&item| seen.insert(item))),
            Node::Object(members) => todo.extend(members.values().filter(|&&member| seen.insert(member))),
            _ => {}
        }
    }
    marks
}

fn not_json(clause: &'static str, actual: String) -> Problem {
    Problem {
        clause,
        at: String::new(),
        expected: "one JSON text in UTF-8".to_owned(),
        actual,
        refused: true,
    }
}

fn culled_ids(message: &Message<'_>) -> Vec<Id> {
    if !message.method.is("cull") {
        return Vec::new();
    }
    let arguments = message.arguments.into_iter().flat_map(|arguments| arguments.items());
    arguments.filter_map(|id| id.as_number()).filter_map(Id::from_number).collect()
}

#[cfg(test)]
mod tests;
