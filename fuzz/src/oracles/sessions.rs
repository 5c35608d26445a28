//! Two sessions that talk, with an observer on the wire.

use super::session::check_tables;
use crate::generators::operations::{Given, Operation, Shape, Which, operations};
use dnode_spec::clause::{self, Level};
use dnode_spec::graph::{Graph, Node, NodeId};
use dnode_spec::message::{self, Id, Method};
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::session::{CallError, Event, Function, Handle, Session};
use dnode_spec::value::Value;
use std::collections::{HashSet, VecDeque};

/// Lets two sessions do arbitrary operations, with lines that cross on the wire.
///
/// 1. A call reaches the function that its caller meant.
/// 2. A call or cull is possible just where the id is held.
/// 3. The monitor, which sees each line somewhere on its way, finds nothing wrong.
/// 4. When nothing is under way, both agree on which functions are known, but for declarations that crossed a cull.
///
/// # Panics
/// Where one of these is not so.
pub fn sessions(data: &[u8]) {
    let mut talk = Talk::new();
    for (end, operation) in operations(data) {
        talk.run(end, operation);
    }
    talk.settle();
    talk.check_agreement(64 * (data.len() + 64));
}

/// One way of the wire.
#[derive(Default)]
struct Way {
    sent: VecDeque<Vec<u8>>,
    /// What the observer has seen, and has not arrived.
    passed: VecDeque<Vec<u8>>,
    /// What the lines under way declare and cull, the oldest first.
    meaning: VecDeque<(HashSet<Id>, HashSet<Id>)>,
}

/// Each function goes with a label, its end and its handle; so both ends know what an id should mean.
struct Talk {
    ends: [Session; 2],
    ways: [Way; 2],
    monitor: Monitor,
    /// The ids that each end has got, and their labels.
    got: [Vec<(Id, String)>; 2],
    /// The ids of each end whose declaration crossed a cull.
    crossed: [HashSet<Id>; 2],
}

impl Talk {
    fn new() -> Talk {
        let ends = [(); 2].map(|()| {
            let mut session = Session::new(1 << 20);
            let mut graph = Graph::new();
            let method = graph.add(Node::Leaf(Function::Own(Handle(0))));
            let object = graph.object([("m", method)]);
            session.start(graph, object);
            session
        });
        let mut talk = Talk {
            ends,
            ways: Default::default(),
            monitor: Monitor::new(),
            got: Default::default(),
            crossed: Default::default(),
        };
        (0..2).for_each(|end| talk.collect(end));
        talk
    }

    fn run(&mut self, end: usize, operation: Operation) {
        match operation {
            Operation::CallMethod(given) => {
                self.call(end, &Method::named("m"), &format!("{} 0", 1 - end), given);
            }
            Operation::CallId(which, given) => {
                if let Some((id, label)) = self.known(end, which) {
                    self.call(end, &Method::Id(id), &label, given);
                }
            }
            Operation::Cull(which) => {
                if let Some((id, _)) = self.known(end, which) {
                    let held = self.ends[end].held().any(|held| held == id);
                    let expected = if held { Ok(()) } else { Err(CallError::NotCallable(id)) };
                    assert_eq!(self.ends[end].cull(id), expected);
                }
            }
            Operation::Pass => self.pass(end),
            Operation::Arrive => self.arrive(end),
            Operation::Half => {
                if let Some(line) = self.ways[end].passed.front_mut() {
                    let rest = line.split_off(line.len() / 2);
                    let half = std::mem::replace(line, rest);
                    self.ends[1 - end].feed(&half);
                }
            }
        }
        self.collect(end);
    }

    fn known(&self, end: usize, which: u8) -> Option<(Id, String)> {
        let got = &self.got[end];
        got.get(usize::from(which) % got.len().max(1)).cloned()
    }

    /// Calls with `[label of the called, [[function, its label], …], what else there is]`.
    fn call(&mut self, end: usize, method: &Method, label: &str, given: Given) {
        let mut graph = Graph::new();
        let label = graph.string(label);
        let mut pairs = Vec::new();
        for which in given.functions() {
            let known = match which {
                Which::Own(handle) => Some((Function::Own(Handle(handle)), format!("{end} {handle}"))),
                Which::Got(which) => self.known(end, which).map(|(id, label)| (Function::Theirs(id), label)),
            };
            let Some((function, label)) = known else { continue };
            let pair = [graph.add(Node::Leaf(function)), graph.string(&label)];
            pairs.push(graph.array(pair));
        }
        let pairs = graph.array(pairs);
        let shape = build(given.shape, &mut graph);
        let root = graph.array([label, pairs, shape]);
        let expected = match method {
            Method::Id(id) if !self.ends[end].held().any(|held| held == *id) => {
                Err(CallError::NotCallable(*id))
            }
            _ => Ok(()),
        };
        assert_eq!(self.ends[end].call(method, &graph, root), expected);
    }

    /// Puts what an end says on the wire, and notes what crosses there.
    fn collect(&mut self, end: usize) {
        while let Some(line) = self.ends[end].poll_output() {
            let value = Value::parse(&line).unwrap_or_else(|error| panic!("a line is no JSON: {error}"));
            let decoded = message::decode(&value);
            assert!(decoded.problems.is_empty(), "{:?}", decoded.problems);
            let Some(message) = decoded.message else { panic!("a line is no message") };
            let declares: HashSet<Id> = message.callbacks.iter().map(|(id, _)| *id).collect();
            let arguments = message.arguments.filter(|_| message.method.is("cull"));
            let ids = arguments.into_iter().flat_map(|ids| ids.items()).filter_map(|id| id.as_number());
            let culls: HashSet<Id> = ids.filter_map(Id::from_number).collect();
            for (declared, culled) in &self.ways[1 - end].meaning {
                self.crossed[end].extend(declares.intersection(culled));
                self.crossed[1 - end].extend(culls.intersection(declared));
            }
            self.ways[end].meaning.push_back((declares, culls));
            self.ways[end].sent.push_back(line);
        }
    }

    /// The observer sees the next line of this end.
    fn pass(&mut self, end: usize) {
        let Some(line) = self.ways[end].sent.pop_front() else { return };
        let from = if end == 0 { End::A } else { End::B };
        for problem in self.monitor.line(from, &line[..line.len() - 1]).problems {
            let level = clause::find(problem.clause).map(|clause| clause.level);
            assert_eq!(level, Some(Level::Observed), "{problem:?} in {}", line.escape_ascii());
        }
        self.ways[end].passed.push_back(line);
    }

    /// The next line of this end that the observer has seen arrives.
    fn arrive(&mut self, end: usize) {
        let Some(line) = self.ways[end].passed.pop_front() else { return };
        self.ways[end].meaning.pop_front();
        self.ends[1 - end].feed(&line);
        while let Some(event) = self.ends[1 - end].poll_event() {
            self.receive(1 - end, event);
        }
        self.collect(1 - end);
    }

    fn receive(&mut self, end: usize, event: Event) {
        match event {
            Event::Remote(graph, Some(object)) => {
                let method = graph.member(object, "m").and_then(|method| graph.leaf(method));
                let Some(Function::Theirs(id)) = method else { panic!("no method in the object") };
                self.learn(end, *id, format!("{} 0", 1 - end));
            }
            Event::Called(Handle(handle), graph, root) => {
                let &[label, pairs, _] = graph.items(root) else { panic!("other arguments than were given") };
                assert_eq!(text(&graph, label), format!("{end} {handle}"), "another function was meant");
                for &pair in graph.items(pairs) {
                    let &[function, label] = graph.items(pair) else { panic!("no pair") };
                    let Some(Function::Theirs(id)) = graph.leaf(function) else { panic!("no function") };
                    self.learn(end, *id, text(&graph, label));
                }
            }
            // A call that crossed the cull of its function.
            Event::Refused(problem) => assert_eq!(problem.clause, "callback/unknown-id"),
            Event::Culled(..) => {}
            other => panic!("{other:?}"),
        }
    }

    fn learn(&mut self, end: usize, id: Id, label: String) {
        match self.got[end].iter().find(|(known, _)| *known == id) {
            Some((_, known)) => assert_eq!(*known, label, "{id} means two functions"),
            None => self.got[end].push((id, label)),
        }
    }

    /// Carries everything over.
    fn settle(&mut self) {
        while self.ways.iter().any(|way| !way.sent.is_empty() || !way.passed.is_empty()) {
            for end in 0..2 {
                self.pass(end);
                self.arrive(end);
            }
        }
    }

    fn check_agreement(&self, bound: usize) {
        for owner in 0..2 {
            check_tables(&self.ends[owner], bound);
            let own: HashSet<Id> = self.ends[owner].own().map(|(id, _)| id).collect();
            let held: HashSet<Id> = self.ends[1 - owner].held().collect();
            assert!(own.is_subset(&held), "end {owner} keeps functions for nobody");
            let dropped: Vec<&Id> = held.difference(&own).collect();
            let crossed = &self.crossed[owner];
            assert!(
                dropped.iter().all(|id| crossed.contains(id)),
                "end {owner} has dropped {dropped:?}, {crossed:?} crossed"
            );
        }
    }
}

fn text(graph: &Graph<Function>, at: NodeId) -> String {
    match graph.node(at) {
        Node::String(text) => text.to_string(),
        other => panic!("{other:?} is no text"),
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
            // Not "[Circular]": as a text of one's own it cannot be told from the mark, and the monitor says so.
            let words = ["[Function]", "methods", "\u{1b}\n\"\\"].map(|word| graph.string(word));
            graph.array(words)
        }
    }
}
