//! The monitor: judges every line of both ends of a connection, clause by clause.
//!
//! Feed it the lines in the order in which one observer saw them ([`Monitor::line`]) and the end of
//! each stream ([`Monitor::end`]). It says which clauses each line breaks. It never waits and never
//! guesses: an order of messages that may come from crossing on the wire is legal.
//!
//! It judges JSON and UTF-8, the shape of messages, paths and links, calls of undeclared ids, calls
//! after a cull, and the end of the stream. It does not judge answers (the protocol has none), the
//! numbering and identity of ids, or missing messages. Memory is linear in the number of declared
//! ids.

use crate::dialect::Dialect;
use crate::graph::{Graph, Node, NodeId};
use crate::line::TooLong;
use crate::message::{self, Id, Message, Method, Problem};
use crate::path::Path;
use crate::scrub::unscrub;
use crate::state::{Ids, State, TABLE};
use crate::text::TextBuf;
use crate::value::Value;
use foldhash::{HashMap, HashSet};
use std::sync::Arc;

pub use crate::state::End;

/// A message as the monitor understood it, with its functions and links in place.
#[derive(Debug, Clone)]
pub struct Received {
    /// The number of its line among those of its end, from 1.
    pub line: u64,
    /// The method that it calls.
    pub method: Method,
    /// The values. A function is a leaf with its id.
    pub graph: Graph<Id>,
    /// The array of arguments, a node of `graph`.
    pub root: NodeId,
    /// The declared functions and their places, in the order of the field.
    pub callbacks: Vec<(Id, Path)>,
    /// The ids that a `cull` names; empty for any other message.
    pub culls: Vec<Id>,
}

/// The judgement of one line.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// The message, as far as it can be understood.
    pub received: Option<Received>,
    /// The clauses that the line breaks, in the order in which they were found.
    pub problems: Vec<Problem>,
}

/// An observer of one connection.
#[derive(Debug, Clone, Default)]
pub struct Monitor {
    dialect: Dialect,
    ids: Ids,
    sides: [Side; 2],
    /// Lines were lost, so each line is judged by itself.
    has_lost: bool,
}

/// The lines of one end so far, as far as later lines are judged by them.
#[derive(Debug, Clone, Default)]
struct Side {
    /// How many lines this end has sent.
    lines: u64,
    /// The members of this end's objects so far.
    names: HashSet<TextBuf>,
    /// The members of this end's objects that hold the text "[Function]" and have no id.
    marked: HashSet<TextBuf>,
    /// The functions of this end that it declared in calls whose answers may prove something.
    asked: HashMap<Id, Asked>,
    /// This end has sent a line that is not a sound message. A receiver that guesses may have found
    /// ids in it, so calls of ids of this end, and culls of unknown ids, are not judged any more.
    opaque: bool,
}

/// What a call of a function can prove about the end that makes the call.
#[derive(Debug, Clone)]
struct Asked {
    /// A marked member of that end's object, which the declaring message called by name.
    member: Option<TextBuf>,
    /// The places in the declaring message at which links ended.
    linked: Arc<[Path]>,
}

const CIRCULAR: &str = "[Circular]";
const FUNCTION: &str = "[Function]";

impl Monitor {
    /// A monitor of a new connection, for the latest dialect.
    #[must_use]
    pub fn new() -> Monitor {
        Monitor::default()
    }

    /// A monitor of a new connection, for this dialect.
    #[must_use]
    pub fn of(dialect: Dialect) -> Monitor {
        Monitor { dialect, ids: Ids::of(dialect), ..Monitor::default() }
    }

    /// Lines of this connection were lost. They may have declared, culled or replaced anything, so
    /// from here on each line is judged by itself: JSON, UTF-8, and the shape of the message.
    pub fn lose(&mut self) {
        self.has_lost = true;
    }

    /// Forgets the lines so far, as if lines that declared anything had been lost.
    fn forget(&mut self) {
        self.ids = Ids::of(self.dialect);
        for side in &mut self.sides {
            *side = Side { lines: side.lines, opaque: true, ..Side::default() };
        }
    }

    /// Judges one line that `from` sent, without its newline.
    pub fn line(&mut self, from: End, line: &[u8]) -> Judgement {
        if self.has_lost {
            self.forget();
        }
        self.ids.next_line();
        self.side(from).lines += 1;
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
        self.check_answer(from, &message, &unscrubbed.graph, unscrubbed.root, &mut problems);
        // Most messages have no links, so the search for the text is rare.
        let may_be_marked = !message.links.is_empty() && value.has_string(CIRCULAR);
        self.ask(from, &message, may_be_marked);
        if message.method.is("methods") {
            self.object(from, &unscrubbed.graph, unscrubbed.root, &mut problems);
        }
        let culls = message.culls();
        match &message.method {
            Method::Id(id) => self.called(from, *id, &mut problems),
            Method::Name(name) => self.number_as_name(from.other(), name, &mut problems),
        }
        self.ids.declared(from, message.callbacks.iter().map(|(id, _)| *id));
        // A receiver need not act on a refused message, so the ids that it culls may still be
        // called.
        if !problems.iter().any(|problem| problem.refused) {
            for (n, id) in culls.iter().enumerate() {
                self.culled(from, *id, n, &mut problems);
            }
        }
        let received = Received {
            line: self.side(from).lines,
            method: message.method,
            graph: unscrubbed.graph,
            root: unscrubbed.root,
            callbacks: message.callbacks,
            culls,
        };
        Judgement { received: Some(received), problems }
    }

    /// Judges the end of the stream that `from` sent. `rest` is the bytes after the last newline.
    ///
    /// A rest is a problem only if the sender closed the connection in order; the caller knows
    /// whether it did.
    #[must_use]
    pub fn end(&mut self, from: End, rest: &[u8]) -> Vec<Problem> {
        if rest.is_empty() {
            return Vec::new();
        }
        // A receiver may still read the rest as a message.
        self.side(from).opaque = true;
        vec![Problem {
            clause: "framing/newline",
            at: String::new(),
            expected: "a newline after the last message".to_owned(),
            actual: format!("the end of the stream after {} bytes without one", rest.len()),
            refused: true,
        }]
    }

    /// The problem of a line that is longer than the receiver accepts; `None` if it may be a message.
    /// No sentence of the protocol limits a line.
    #[must_use]
    pub fn too_long(line: TooLong) -> Option<Problem> {
        let TooLong { limit, first } = line;
        let first = first.filter(|first| *first != b'{')?;
        let actual = format!("a line of more than {limit} bytes that begins with {}", first.escape_ascii());
        let problem = not_json("framing/json", actual);
        let may_be_json = b"[\"-0123456789tfn".contains(&first);
        Some(match may_be_json {
            true => Problem { clause: "message/object", expected: "an object".to_owned(), ..problem },
            false => problem,
        })
    }

    fn side(&mut self, end: End) -> &mut Side {
        &mut self.sides[end.index()]
    }

    /// How often each row of the life of an id was used: see [`Ids::used`].
    #[must_use]
    pub fn used(&self) -> &[u64; TABLE.len()] {
        self.ids.used()
    }

    /// The state of an id that `owner` may have declared.
    #[must_use]
    pub fn state(&self, owner: End, id: Id) -> State {
        self.ids.state(owner, id)
    }

    /// `methods`: an object has one argument. A member that holds the text "[Function]" and has no
    /// id may be an ordinary string.
    fn object(&mut self, from: End, graph: &Graph<Id>, root: NodeId, problems: &mut Vec<Problem>) {
        let Some(&object) = graph.items(root).first() else { return };
        let Node::Object(members) = graph.node(object) else { return };
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
        let side = self.side(from);
        side.names.extend(members.keys().cloned());
        for (key, id) in members.iter() {
            match graph.node(*id) {
                Node::String(text) if *text == FUNCTION => side.marked.insert(key.clone()),
                _ => side.marked.remove(key),
            };
        }
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

    fn called(&mut self, from: End, id: Id, problems: &mut Vec<Problem>) {
        let is_unknown = self.state(from.other(), id) == State::Unknown;
        let breaks = self.ids.called(from, id);
        // An opaque line may have declared any id, also one that was culled.
        let Some(clause) = breaks.filter(|_| !self.side(from.other()).opaque) else { return };
        let actual = match is_unknown {
            true => format!("a call of {id}, which the other end has not declared"),
            false => format!("a call of {id}, which this end has culled"),
        };
        let expected = "the id of a function of the other end".to_owned();
        problems.push(Problem { clause, at: "method".to_owned(), expected, actual, refused: true });
    }

    fn culled(&mut self, from: End, id: Id, argument: usize, problems: &mut Vec<Problem>) {
        let Some(clause) = self.ids.culled(from, id) else { return };
        let is_opaque = |end: End| self.sides[end.index()].opaque;
        let (is_guess, owner) = match self.dialect {
            Dialect::V0_1 => (is_opaque(from), from),
            Dialect::V0_2 => (is_opaque(from) || is_opaque(from.other()), from.other()),
        };
        let which = if owner == from { "this end" } else { "the other end" };
        if !is_guess {
            problems.push(Problem {
                clause,
                at: format!("arguments[{argument}]"),
                expected: format!("the id of a function of {which}"),
                actual: format!("{id}, which {which} has not declared"),
                refused: false,
            });
        }
    }

    /// Notes what an answer to this call of `from` can prove. `has_mark`: the message has the text
    /// "[Circular]", so an answer may only repeat it.
    fn ask(&mut self, from: End, message: &Message<'_>, has_mark: bool) {
        let marked = &self.sides[from.other().index()].marked;
        let member = match &message.method {
            Method::Name(name) => marked.get(name).cloned(),
            Method::Id(_) => None,
        };
        let links = if has_mark { &[] } else { message.links.as_slice() };
        let asked = &mut self.side(from).asked;
        if member.is_none() && links.is_empty() {
            // Nearly every message: it needs no allocation.
            if !asked.is_empty() {
                message.callbacks.iter().for_each(|(id, _)| drop(asked.remove(id)));
            }
            return;
        }
        let linked: Arc<[Path]> = links.iter().map(|link| link.to.clone()).collect();
        for (id, _) in &message.callbacks {
            asked.insert(*id, Asked { member: member.clone(), linked: Arc::clone(&linked) });
        }
    }

    /// A call of a callback shows that the member with its call is a function. If "[Circular]" now
    /// stands where a link ended in that call, it is the mark of a cycle, and a link must end there.
    fn check_answer(
        &mut self,
        from: End,
        message: &Message<'_>,
        graph: &Graph<Id>,
        root: NodeId,
        problems: &mut Vec<Problem>,
    ) {
        let Method::Id(id) = &message.method else { return };
        let Some(asked) = self.sides[from.other().index()].asked.get(id) else { return };
        let is_mark = |path: &&Path| {
            let node = path.resolve(graph, root).map(|id| graph.node(id));
            matches!(node, Some(Node::String(text)) if *text == CIRCULAR)
        };
        let marks = asked.linked.iter().filter(is_mark).count();
        if marks > 0 {
            problems.push(Problem {
                clause: "link/circular-marked",
                at: "links".to_owned(),
                expected: "a link to each place marked \"[Circular]\"".to_owned(),
                actual: format!("{marks} marked places that no link reaches"),
                refused: false,
            });
        }
        let member = asked.member.clone().filter(|member| self.side(from).marked.remove(member));
        if let Some(member) = member {
            problems.push(Problem {
                clause: "methods/declared",
                at: "callbacks".to_owned(),
                expected: "the path of each function of the object".to_owned(),
                actual: format!("none for {member:?}, which answers calls by its name"),
                refused: false,
            });
        }
    }
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

#[cfg(test)]
mod tests;
