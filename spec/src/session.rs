//! One end of a dnode connection, without I/O.
//!
//! The contract, in this order:
//! 1. [`Session::start`] once, with the object to offer: it queues `methods`.
//! 2. [`Session::feed`] whenever bytes arrive; [`Session::end`] when the other end has closed its
//!    sending half.
//! 3. Then take all events from [`Session::poll_event`] and act on them: [`Session::call`],
//!    [`Session::cull`].
//! 4. Then write all output of [`Session::poll_output`]. If [`Session::is_closed`] after that, close
//!    the connection.
//!
//! It never blocks and never panics, whatever the other end sends. A message that it cannot act on
//! is [`Event::Refused`], with the clause that the message breaks. Only a line that is not JSON
//! ends the session, as in the reference. Memory is linear in the live functions, the longest line,
//! and the events and output that were not polled.
//!
//! Ids follow the reference: they count from 0, and a function keeps its id at its first place in a
//! message. If a function of the other end is sent back to it, it becomes a function of this end
//! that calls the original.
//!
//! Deliberately absent: judging ([`crate::monitor`]), and dropping unused functions: the caller
//! does that with [`Session::cull`].

use crate::dialect::Dialect;
use crate::graph::{Graph, Node, NodeId};
use crate::line::Splitter;
use crate::message::{self, Id, Message, Method, Problem};
use crate::scrub::{Written, scrub, unscrub};
use crate::state::connection;
use crate::value::Value;
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use std::collections::VecDeque;

/// A function of this end. The caller chooses the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(pub u64);

/// A function in the arguments of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// A function of this end.
    Own(Handle),
    /// A function of the other end, by its id.
    Theirs(Id),
}

impl std::fmt::Display for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Function::Own(handle) => write!(f, "own function {}", handle.0),
            Function::Theirs(id) => write!(f, "function {id}"),
        }
    }
}

/// Arguments: values with functions, and the node of their array.
pub type Arguments = (Graph<Function>, NodeId);

/// An action of the other end.
#[derive(Debug, Clone)]
pub enum Event {
    /// It sent its object: the graph, and the node of the first argument of `methods`. A later
    /// object replaces an earlier one.
    Remote(Graph<Function>, Option<NodeId>),
    /// It called a function of this end, with these arguments: the graph and the node of their
    /// array.
    Called(Handle, Graph<Function>, NodeId),
    /// It culled these ids of this end: calls of them are refused from now on. The functions are
    /// those that have no id left. In dialect 0.1 the ids are those of its own functions, which
    /// cannot be called any more.
    Culled(Vec<Id>, Vec<Function>),
    /// It reported an error, in dialect 0.1, with these arguments.
    Error(Graph<Function>, NodeId),
    /// It sent a message that the session cannot act on. The session has not changed.
    Refused(Problem),
    /// The session is over: the other end closed its sending half, or sent a line that is not JSON.
    Ended(Option<Problem>),
}

/// A call or a cull is not possible. The caller is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The session has ended.
    #[error("caller: the session has ended")]
    Ended,
    /// The other end has not declared this id, or it was culled.
    #[error("caller: the other end has no function {0}, or it was culled")]
    NotCallable(Id),
}

/// One end of a connection.
#[derive(Debug, Clone)]
pub struct Session {
    dialect: Dialect,
    splitter: Splitter,
    object: Arguments,
    own: HashMap<Id, Function>,
    ids: HashMap<Function, Vec<Id>>,
    next_id: i64,
    /// The ids of the other end's functions that may be called.
    held: HashSet<Id>,
    output: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    connection: connection::State,
}

impl Session {
    /// A session that accepts lines of up to `line_limit` bytes, without their newlines. It speaks
    /// the latest dialect.
    #[must_use]
    pub fn new(line_limit: usize) -> Session {
        let mut graph = Graph::new();
        let root = graph.object([]);
        Session {
            dialect: Dialect::default(),
            splitter: Splitter::new(line_limit),
            object: (graph, root),
            own: HashMap::new(),
            ids: HashMap::new(),
            next_id: 0,
            held: HashSet::new(),
            output: VecDeque::new(),
            events: VecDeque::new(),
            connection: connection::State::Open,
        }
    }

    /// The same, for this dialect.
    #[must_use]
    pub fn speaking(self, dialect: Dialect) -> Session {
        Session { dialect, ..self }
    }

    /// Offers an object to the other end. `object` is its node. A second call replaces the first
    /// object.
    pub fn start(&mut self, mut graph: Graph<Function>, object: NodeId) {
        let arguments = graph.array([object]);
        self.send(&Method::named("methods"), &graph, arguments);
        self.object = (graph, object);
    }

    /// Takes bytes from the other end, in segments of any size.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.is_ended() {
            return;
        }
        // The line borrows from the splitter while the session acts on it.
        let mut splitter = std::mem::replace(&mut self.splitter, Splitter::new(0));
        splitter.push(bytes);
        while let Some(line) = splitter.next_line().filter(|_| !self.is_ended()) {
            match line.map(Value::parse) {
                Ok(Ok(value)) if self.step(connection::Event::Received) => self.receive(&value),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => self.broken(error.to_string()),
                Err(error) => self.broken(error.to_string()),
            }
        }
        self.splitter = splitter;
    }

    /// A malformed line ends the session.
    fn broken(&mut self, actual: String) {
        let expected = "one JSON text a line".to_owned();
        let problem = Problem { clause: "framing/json", at: String::new(), expected, actual, refused: true };
        self.finish(connection::Event::Malformed, Some(problem));
    }

    /// The other end has closed its sending half. Bytes without a newline are dropped, as in the
    /// reference.
    pub fn end(&mut self) {
        self.finish(connection::Event::InputEnded, None);
    }

    /// Whether the session is over: it takes no input and no calls, but output may be left.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.connection != connection::State::Open
    }

    /// Whether the session is over and [`Session::poll_output`] had nothing left.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.connection == connection::State::Closed
    }

    /// Calls a function of the other end: a method of its object by name, or an id that it
    /// declared. `arguments` is the node of their array.
    ///
    /// # Errors
    /// [`CallError`] if the session has ended or the id cannot be called. Names are not checked: a
    /// new object of the other end may be on its way.
    pub fn call(
        &mut self,
        method: &Method,
        graph: &Graph<Function>,
        arguments: NodeId,
    ) -> Result<(), CallError> {
        if !self.step(connection::Event::Sent) {
            return Err(CallError::Ended);
        }
        if let Method::Id(id) = method
            && !self.held.contains(id)
        {
            return Err(CallError::NotCallable(*id));
        }
        self.send(method, graph, arguments);
        Ok(())
    }

    /// Drops a function of the other end: this end cannot call it until it is declared again. In
    /// dialect 0.1, drops a function of this end: calls of the id are refused from now on.
    ///
    /// # Errors
    /// [`CallError`] if the session has ended or there is no such function.
    pub fn cull(&mut self, id: Id) -> Result<(), CallError> {
        if !self.step(connection::Event::Sent) {
            return Err(CallError::Ended);
        }
        let known = match self.dialect {
            Dialect::V0_1 => self.take_back(id).is_some(),
            Dialect::V0_2 => self.held.remove(&id),
        };
        if !known {
            return Err(CallError::NotCallable(id));
        }
        let arguments = format!("[{id}]");
        self.output.push_back(message::encode(&Method::named("cull"), arguments.into_bytes(), &[], &[]));
        Ok(())
    }

    /// Forgets a function without telling the other end. Calls of a function of this end by id are
    /// refused from now on, and it gets a new id if it is sent again. A function of the other end
    /// cannot be called until it is declared again. Methods of the object can still be called by
    /// name.
    pub fn forget(&mut self, function: Function) {
        for id in self.ids.remove(&function).unwrap_or_default() {
            self.own.remove(&id);
        }
        if let Function::Theirs(id) = function {
            self.held.remove(&id);
        }
    }

    /// The next bytes to write.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        let line = self.output.pop_front();
        if line.is_none() {
            self.step(connection::Event::Written);
        }
        line
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The functions of this end that the other end may call, with their ids; in no order.
    pub fn own(&self) -> impl Iterator<Item = (Id, Function)> + '_ {
        self.own.iter().map(|(id, function)| (*id, *function))
    }

    /// The ids by which the other end may call `function`, the oldest first.
    #[must_use]
    pub fn ids(&self, function: Function) -> &[Id] {
        self.ids.get(&function).map_or(&[], Vec::as_slice)
    }

    /// The ids of the other end's functions that this end may call; in no order.
    pub fn held(&self) -> impl Iterator<Item = Id> + '_ {
        self.held.iter().copied()
    }

    /// Moves the connection by its table. Returns whether the table allows the event now.
    fn step(&mut self, event: connection::Event) -> bool {
        let next = self.connection.on(event);
        self.connection = next.unwrap_or(self.connection);
        next.is_some()
    }

    fn finish(&mut self, event: connection::Event, problem: Option<Problem>) {
        if self.step(event) {
            self.events.push_back(Event::Ended(problem));
        }
    }

    fn send(&mut self, method: &Method, graph: &Graph<Function>, arguments: NodeId) {
        let mut used = HashSet::new();
        let scrubbed = scrub(graph, arguments, |function| {
            // Only the oldest id is used again. At a second place in the message the reference
            // takes a new id.
            let oldest = self.ids.get(function).and_then(|ids| ids.first()).copied();
            let id = oldest.filter(|id| !used.contains(id)).unwrap_or_else(|| {
                let id = Id(self.next_id);
                self.next_id += 1;
                self.own.insert(id, *function);
                self.ids.entry(*function).or_default().push(id);
                id
            });
            used.insert(id);
            Written::Function(id)
        });
        let line = message::encode(method, scrubbed.arguments, &scrubbed.callbacks, &scrubbed.links);
        self.output.push_back(line);
    }

    fn receive(&mut self, value: &Value<'_>) {
        let decoded = message::decode(value);
        let sound = decoded.is_sound();
        let Some(message) = decoded.message.filter(|_| sound) else {
            self.events
                .extend(decoded.problems.into_iter().find(|problem| problem.refused).map(Event::Refused));
            return;
        };
        let unscrubbed = unscrub(&message, Function::Theirs);
        if let Some(problem) = unscrubbed.problems.into_iter().find(|problem| problem.refused) {
            self.events.push_back(Event::Refused(problem));
            return;
        }
        self.held.extend(message.callbacks.iter().map(|(id, _)| *id));
        self.act(&message, unscrubbed.graph, unscrubbed.root);
    }

    fn act(&mut self, message: &Message<'_>, graph: Graph<Function>, root: NodeId) {
        if message.method.is("methods") {
            let object = graph.items(root).first().copied();
            self.events.push_back(Event::Remote(graph, object));
        } else if message.method.is("cull") {
            self.culled(message);
        } else if message.method.is("error") && self.dialect == Dialect::V0_1 {
            self.events.push_back(Event::Error(graph, root));
        } else {
            self.called(&message.method, graph, root);
        }
    }

    fn culled(&mut self, message: &Message<'_>) {
        let ids = message.culls();
        let gone = ids.iter().filter_map(|id| match self.dialect {
            Dialect::V0_1 => self.held.remove(id).then_some(Function::Theirs(*id)),
            Dialect::V0_2 => self.take_back(*id).filter(|function| !self.ids.contains_key(function)),
        });
        let gone = gone.collect();
        self.events.push_back(Event::Culled(ids, gone));
    }

    /// Removes an id of this end. Gives the function that it called.
    fn take_back(&mut self, id: Id) -> Option<Function> {
        let function = self.own.remove(&id)?;
        if let Some(ids) = self.ids.get_mut(&function) {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                self.ids.remove(&function);
            }
        }
        Some(function)
    }

    fn called(&mut self, method: &Method, graph: Graph<Function>, root: NodeId) {
        let function = match method {
            Method::Id(id) => self.own.get(id).copied(),
            Method::Name(name) => match self.object.0.node(self.object.1) {
                Node::Object(members) => {
                    members.get(name).and_then(|&member| self.object.0.leaf(member)).copied()
                }
                _ => None,
            },
        };
        match function {
            Some(Function::Own(handle)) => self.events.push_back(Event::Called(handle, graph, root)),
            // The other end calls its own function, which we sent back: pass the call on, unless it
            // has culled it.
            Some(Function::Theirs(id)) => {
                let _ = self.call(&Method::Id(id), &graph, root);
            }
            None => {
                let (clause, actual) = match method {
                    Method::Id(id) => ("callback/unknown-id", format!("the id {id}")),
                    Method::Name(name) => ("methods/unknown-name", format!("the name {name:?}")),
                };
                self.events.push_back(Event::Refused(Problem {
                    clause,
                    at: "method".to_owned(),
                    expected: "a function of this end".to_owned(),
                    actual,
                    refused: true,
                }));
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
