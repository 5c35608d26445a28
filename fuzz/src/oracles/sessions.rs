//! Two sessions that talk to each other, and an observer on the wire.

use super::emitted;
use super::session::check_tables;
use crate::generators::operations::{Arguments, Operation, Shape, Which, operations};
use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::message::{Id, Method};
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::session::{CallError, Event, Function, Handle, Session};
use std::collections::{HashSet, VecDeque};

/// Runs operations of two sessions whose lines cross on the wire.
///
/// 1. A call reaches the function that the caller chose.
/// 2. A call or cull succeeds if and only if the caller holds the id.
/// 3. The monitor sees each line while it is in transit and finds no violation.
/// 4. Once all lines have arrived, both ends agree on which functions exist, except for
///    declarations that crossed a cull.
///
/// # Panics
/// If one of these does not hold.
pub fn sessions(data: &[u8]) {
    let mut connection = Connection::new();
    for (end, operation) in operations(data) {
        connection.run(end, operation);
    }
    connection.deliver_all();
    connection.check_agreement(64 * (data.len() + 64));
}

/// The lines that one end has sent and the other has not received, in order.
#[derive(Default)]
struct InTransit {
    /// Lines that the observer has not seen.
    sent: VecDeque<Vec<u8>>,
    /// Lines that the observer has seen.
    observed: VecDeque<Vec<u8>>,
    /// The ids that each line declares and culls, the oldest line first.
    ids: VecDeque<(HashSet<Id>, HashSet<Id>)>,
}

/// Two sessions and the wire. Every function is passed together with a label, which names its end
/// and its handle. So the receiver of an id knows which function it must mean.
struct Connection {
    ends: [Session; 2],
    in_transit: [InTransit; 2],
    monitor: Monitor,
    /// The ids that each end has received, and their labels.
    received: [Vec<(Id, String)>; 2],
    /// The ids of each end whose declaration crossed a cull.
    crossed: [HashSet<Id>; 2],
}

impl Connection {
    fn new() -> Connection {
        let ends = [(); 2].map(|()| {
            let mut session = Session::new(1 << 20);
            let mut graph = Graph::new();
            let method = graph.add(Node::Leaf(Function::Own(Handle(0))));
            let object = graph.object([("m", method)]);
            session.start(graph, object);
            session
        });
        let mut connection = Connection {
            ends,
            in_transit: Default::default(),
            monitor: Monitor::new(),
            received: Default::default(),
            crossed: Default::default(),
        };
        (0..2).for_each(|end| connection.send(end));
        connection
    }

    fn run(&mut self, end: usize, operation: Operation) {
        match operation {
            Operation::CallMethod(arguments) => {
                self.call(end, &Method::named("m"), &format!("{} 0", 1 - end), arguments);
            }
            Operation::CallId(which, arguments) => {
                if let Some((id, label)) = self.known(end, which) {
                    self.call(end, &Method::Id(id), &label, arguments);
                }
            }
            Operation::Cull(which) => {
                if let Some((id, _)) = self.known(end, which) {
                    let held = self.ends[end].held().any(|held| held == id);
                    let expected = if held { Ok(()) } else { Err(CallError::NotCallable(id)) };
                    assert_eq!(self.ends[end].cull(id), expected);
                }
            }
            Operation::Pass => self.observe(end),
            Operation::Arrive => self.deliver(end),
            Operation::Half => {
                if let Some(line) = self.in_transit[end].observed.front_mut() {
                    let rest = line.split_off(line.len() / 2);
                    let half = std::mem::replace(line, rest);
                    self.ends[1 - end].feed(&half);
                }
            }
        }
        self.send(end);
    }

    /// The id at this index, modulo the number of ids that the end has received.
    fn known(&self, end: usize, which: u8) -> Option<(Id, String)> {
        let received = &self.received[end];
        received.get(usize::from(which) % received.len().max(1)).cloned()
    }

    /// Calls a function with `[its label, [[function, label], …], shape]`.
    fn call(&mut self, end: usize, method: &Method, label: &str, arguments: Arguments) {
        let mut graph = Graph::new();
        let label = graph.string(label);
        let mut pairs = Vec::new();
        for which in arguments.functions() {
            let known = match which {
                Which::Own(handle) => Some((Function::Own(Handle(handle)), format!("{end} {handle}"))),
                Which::Received(which) => {
                    self.known(end, which).map(|(id, label)| (Function::Theirs(id), label))
                }
            };
            let Some((function, label)) = known else { continue };
            let pair = [graph.add(Node::Leaf(function)), graph.string(&label)];
            pairs.push(graph.array(pair));
        }
        let pairs = graph.array(pairs);
        let shape = build(arguments.shape, &mut graph);
        let root = graph.array([label, pairs, shape]);
        let expected = match method {
            Method::Id(id) if !self.ends[end].held().any(|held| held == *id) => {
                Err(CallError::NotCallable(*id))
            }
            _ => Ok(()),
        };
        assert_eq!(self.ends[end].call(method, &graph, root), expected);
    }

    /// Puts the output of an end on the wire and records which declarations and culls cross.
    fn send(&mut self, end: usize) {
        while let Some(line) = self.ends[end].poll_output() {
            let value = emitted::parse(&line);
            let message = emitted::decode(&value);
            let declares: HashSet<Id> = message.callbacks.iter().map(|(id, _)| *id).collect();
            let arguments = message.arguments.filter(|_| message.method.is("cull"));
            let ids = arguments.into_iter().flat_map(|ids| ids.items()).filter_map(|id| id.as_number());
            let culls: HashSet<Id> = ids.filter_map(Id::from_number).collect();
            for (declared, culled) in &self.in_transit[1 - end].ids {
                self.crossed[end].extend(declares.intersection(culled));
                self.crossed[1 - end].extend(culls.intersection(declared));
            }
            self.in_transit[end].ids.push_back((declares, culls));
            self.in_transit[end].sent.push_back(line);
        }
    }

    /// The observer sees the next line of this end.
    fn observe(&mut self, end: usize) {
        let Some(line) = self.in_transit[end].sent.pop_front() else { return };
        let from = if end == 0 { End::A } else { End::B };
        emitted::check_judgement(&mut self.monitor, from, &line);
        self.in_transit[end].observed.push_back(line);
    }

    /// The next line of this end arrives, if the observer has seen it.
    fn deliver(&mut self, end: usize) {
        let Some(line) = self.in_transit[end].observed.pop_front() else { return };
        self.in_transit[end].ids.pop_front();
        self.ends[1 - end].feed(&line);
        while let Some(event) = self.ends[1 - end].poll_event() {
            self.receive(1 - end, event);
        }
        self.send(1 - end);
    }

    fn receive(&mut self, end: usize, event: Event) {
        match event {
            Event::Remote(graph, Some(object)) => {
                let method = graph.member(object, "m").and_then(|method| graph.leaf(method));
                let Some(Function::Theirs(id)) = method else { panic!("the object has no method") };
                self.learn(end, *id, format!("{} 0", 1 - end));
            }
            Event::Called(Handle(handle), graph, root) => {
                let &[label, pairs, _] = graph.items(root) else { panic!("the arguments have changed") };
                assert_eq!(
                    text(&graph, label),
                    format!("{end} {handle}"),
                    "the call reached the wrong function"
                );
                for &pair in graph.items(pairs) {
                    let &[function, label] = graph.items(pair) else { panic!("an argument is not a pair") };
                    let Some(Function::Theirs(id)) = graph.leaf(function) else {
                        panic!("an argument is not a function")
                    };
                    self.learn(end, *id, text(&graph, label));
                }
            }
            // The call crossed a cull of its function.
            Event::Refused(problem) => assert_eq!(problem.clause, "callback/unknown-id"),
            Event::Culled(..) => {}
            other => panic!("{other:?}"),
        }
    }

    fn learn(&mut self, end: usize, id: Id, label: String) {
        match self.received[end].iter().find(|(known, _)| *known == id) {
            Some((_, known)) => assert_eq!(*known, label, "{id} means two functions"),
            None => self.received[end].push((id, label)),
        }
    }

    /// Delivers lines until nothing is in transit.
    fn deliver_all(&mut self) {
        while self.in_transit.iter().any(|lines| !lines.sent.is_empty() || !lines.observed.is_empty()) {
            for end in 0..2 {
                self.observe(end);
                self.deliver(end);
            }
        }
    }

    fn check_agreement(&self, bound: usize) {
        for owner in 0..2 {
            check_tables(&self.ends[owner], bound);
            let own: HashSet<Id> = self.ends[owner].own().map(|(id, _)| id).collect();
            let held: HashSet<Id> = self.ends[1 - owner].held().collect();
            assert!(own.is_subset(&held), "end {owner} keeps functions that the other end does not hold");
            let dropped: Vec<&Id> = held.difference(&own).collect();
            let crossed = &self.crossed[owner];
            assert!(
                dropped.iter().all(|id| crossed.contains(id)),
                "end {owner} has dropped {dropped:?}, but only {crossed:?} crossed a cull"
            );
        }
    }
}

fn text(graph: &Graph<Function>, at: NodeId) -> String {
    match graph.node(at) {
        Node::String(text) => text.to_string(),
        other => panic!("{other:?} is not a string"),
    }
}

fn build(shape: Shape, graph: &mut Graph<Function>) -> NodeId {
    match shape {
        Shape::Nothing => graph.add(Node::Null),
        Shape::Cycle => {
            let array = graph.array([]);
            if let Some(Node::Array(items)) = graph.node_mut(array) {
                items.push(array);
            }
            array
        }
        Shape::Shared => {
            let function = graph.add(Node::Leaf(Function::Own(Handle(1))));
            let object = graph.object([("f", function)]);
            graph.array([object, object])
        }
        Shape::Hole => {
            let parts = [graph.add(Node::Missing), graph.number(1)];
            graph.array(parts)
        }
        Shape::Deep => {
            let core = graph.string("core");
            (0..40).fold(core, |inner, _| graph.array([inner]))
        }
        Shape::Words => {
            let words =
                ["[Function]", "[Circular]", "methods", "\u{1b}\n\"\\"].map(|word| graph.string(word));
            graph.array(words)
        }
    }
}
