//! A session with a user that reacts to every message of the other end.
//!
//! The session offers an object with three functions. They do everything that a user can do with
//! the functions in the arguments: echo them, call them, or cull them. So a stream from one end
//! alone reaches every state of the other end.
//!
//! Deliberately absent: messages that cross. The session answers each line before it reads the
//! next one; `operations` covers crossing.

use dnode_spec::dialect::Dialect;
use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::message::{Id, Method};
use dnode_spec::session::{Event, Function, Handle, Session};
use std::sync::LazyLock;

/// `echo` calls the last function of its arguments with the same arguments.
const ECHO: Handle = Handle(0);
/// `give` calls each function of its arguments with functions of our own.
const GIVE: Handle = Handle(1);
/// `drop` culls each function of its arguments.
const DROP: Handle = Handle(2);

/// The maximum number of functions of one message that the user calls or culls.
const FEW: usize = 4;

/// A session that has emitted `methods`. Every conversation starts as a clone of it: to set one up
/// takes as long as to run a short input.
static STARTED: LazyLock<Conversation> = LazyLock::new(|| Conversation::start(Dialect::default()));

/// A session and its user.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The session.
    pub session: Session,
}

impl Default for Conversation {
    fn default() -> Self {
        Conversation::new()
    }
}

impl Conversation {
    /// A session that offers `{echo, give, drop}`.
    #[must_use]
    pub fn new() -> Conversation {
        STARTED.clone()
    }

    /// The same, in this dialect.
    #[must_use]
    pub fn speaking(dialect: Dialect) -> Conversation {
        if dialect == Dialect::default() { Conversation::new() } else { Conversation::start(dialect) }
    }

    fn start(dialect: Dialect) -> Conversation {
        let mut session = Session::new(1 << 20).speaking(dialect);
        let mut graph = Graph::new();
        let members = [("echo", ECHO), ("give", GIVE), ("drop", DROP)];
        let members = members.map(|(name, handle)| (name, graph.add(Node::Leaf(Function::Own(handle)))));
        let object = graph.object(members);
        session.start(graph, object);
        Conversation { session }
    }

    /// Feeds a segment of the other end's stream to the session and reacts to its events. Returns
    /// these events.
    pub fn feed(&mut self, segment: &[u8]) -> Vec<Event> {
        self.session.feed(segment);
        let mut events = Vec::new();
        while let Some(event) = self.session.poll_event() {
            self.react(&event);
            events.push(event);
        }
        events
    }

    /// The next line that the session emits, with its newline.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.session.poll_output()
    }

    fn react(&mut self, event: &Event) {
        match event {
            Event::Remote(graph, Some(object)) => {
                let members = match graph.node(*object) {
                    Node::Object(members) => members.values().copied().collect(),
                    _ => Vec::new(),
                };
                self.give(&functions(graph, &members));
            }
            Event::Called(ECHO, graph, root) => {
                if let Some(id) = functions(graph, graph.items(*root)).pop() {
                    // The function may have been culled: then the call fails and emits nothing.
                    let _ = self.session.call(&Method::Id(id), graph, *root);
                }
            }
            Event::Called(GIVE, graph, root) => self.give(&functions(graph, graph.items(*root))),
            Event::Called(DROP, graph, root) => {
                for id in functions(graph, graph.items(*root)) {
                    let _ = self.session.cull(id);
                }
            }
            _ => {}
        }
    }

    /// Calls these functions with functions of our own. One of these is passed twice.
    fn give(&mut self, ids: &[Id]) {
        for id in ids {
            let mut graph = Graph::new();
            let given = [DROP, ECHO, DROP].map(|handle| graph.add(Node::Leaf(Function::Own(handle))));
            let root = graph.array(given);
            let _ = self.session.call(&Method::Id(*id), &graph, root);
        }
    }
}

/// The first [`FEW`] functions of the other end among these nodes.
fn functions(graph: &Graph<Function>, nodes: &[NodeId]) -> Vec<Id> {
    let theirs = nodes.iter().filter_map(|node| match graph.leaf(*node) {
        Some(Function::Theirs(id)) => Some(*id),
        _ => None,
    });
    theirs.take(FEW).collect()
}
