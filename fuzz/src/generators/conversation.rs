//! A session that answers whatever the other end says.
//!
//! The session under test offers a small object. Its functions do all that a user can do with what comes: echo it, with the
//! functions in it; call those functions; give them back. So a stream of one end alone reaches every state of the other.
//!
//! Deliberately absent: crossing. Each line is answered before the next one comes; `operations` has the rest.

use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::message::{Id, Method};
use dnode_spec::session::{Event, Function, Handle, Session};
use std::sync::LazyLock;

/// What the functions of the object do, by their handles.
const ECHO: Handle = Handle(0);
const GIVE: Handle = Handle(1);
const DROP: Handle = Handle(2);

/// How many functions of one message are called or given back.
const FEW: usize = 4;

/// A session that has said its first line: to make it anew for each input would take as long as a short input does.
static STARTED: LazyLock<Conversation> = LazyLock::new(Conversation::start);

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
    /// A session that has offered `{echo, give, drop}`.
    #[must_use]
    pub fn new() -> Conversation {
        STARTED.clone()
    }

    fn start() -> Conversation {
        let mut session = Session::new(1 << 20);
        let mut graph = Graph::new();
        let members = [("echo", ECHO), ("give", GIVE), ("drop", DROP)];
        let members = members.map(|(name, handle)| (name, graph.add(Node::Leaf(Function::Own(handle)))));
        let object = graph.object(members);
        session.start(graph, object);
        Conversation { session }
    }

    /// Takes a segment of the other end's stream and acts on what it says; gives what that was.
    pub fn hear(&mut self, segment: &[u8]) -> Vec<Event> {
        self.session.feed(segment);
        let mut events = Vec::new();
        while let Some(event) = self.session.poll_event() {
            self.act(&event);
            events.push(event);
        }
        events
    }

    /// The next line that the session says, with its newline.
    pub fn say(&mut self) -> Option<Vec<u8>> {
        self.session.poll_output()
    }

    fn act(&mut self, event: &Event) {
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
                    // It may have been culled; then this is the caller's error, and nothing is said.
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

    /// Calls these functions with functions of our own, one of them twice.
    fn give(&mut self, ids: &[Id]) {
        for id in ids {
            let mut graph = Graph::new();
            let given = [DROP, ECHO, DROP].map(|handle| graph.add(Node::Leaf(Function::Own(handle))));
            let root = graph.array(given);
            let _ = self.session.call(&Method::Id(*id), &graph, root);
        }
    }
}

/// The first few functions of the other end among these nodes.
fn functions(graph: &Graph<Function>, nodes: &[NodeId]) -> Vec<Id> {
    let theirs = nodes.iter().filter_map(|node| match graph.leaf(*node) {
        Some(Function::Theirs(id)) => Some(*id),
        _ => None,
    });
    theirs.take(FEW).collect()
}
