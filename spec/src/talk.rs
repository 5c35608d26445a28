//! For tests: two sessions and a wire between them. An observer sees each line before it arrives.

use crate::graph::{Graph, NodeId, describe};
use crate::session::{Arguments, Event, Function, Handle, Session};
use std::collections::VecDeque;

/// Two ends, numbered 0 and 1.
pub(crate) struct Talk {
    pub(crate) ends: [Session; 2],
    /// The lines of each end that the observer has not seen.
    sent: [VecDeque<Vec<u8>>; 2],
    /// The lines of each end that the observer has seen and that have not arrived.
    passed: [VecDeque<Vec<u8>>; 2],
    /// All lines that the observer has seen.
    pub(crate) seen: Vec<(usize, String)>,
}

impl Talk {
    /// Two ends that have offered these objects. Nothing has arrived.
    pub(crate) fn new(objects: [Arguments; 2]) -> Talk {
        let ends = objects.map(|(graph, object)| {
            let mut session = Session::new(1 << 20);
            session.start(graph, object);
            session
        });
        Talk::of(ends)
    }

    /// Two ends that have started.
    pub(crate) fn of(ends: [Session; 2]) -> Talk {
        Talk { ends, sent: Default::default(), passed: Default::default(), seen: Vec::new() }
    }

    /// Two ends with empty objects, after the handshake.
    pub(crate) fn silent() -> Talk {
        let mut talk = Talk::new([empty(), empty()]);
        talk.settle();
        talk.seen.clear();
        talk
    }

    /// The lines of this end that have not arrived.
    pub(crate) fn under_way(&mut self, from: usize) -> impl Iterator<Item = &Vec<u8>> {
        self.collect(from);
        self.sent[from].iter().chain(&self.passed[from])
    }

    fn collect(&mut self, from: usize) {
        while let Some(bytes) = self.ends[from].poll_output() {
            self.sent[from].push_back(bytes);
        }
    }

    /// The observer sees the next line of this end, without its newline.
    pub(crate) fn pass(&mut self, from: usize) -> Option<Vec<u8>> {
        self.collect(from);
        let line = self.sent[from].pop_front()?;
        self.passed[from].push_back(line.clone());
        let line = line.strip_suffix(b"\n").unwrap().to_vec();
        self.seen.push((from, String::from_utf8(line.clone()).unwrap()));
        Some(line)
    }

    /// The next line that the observer has seen arrives. Gives the events of the receiver.
    pub(crate) fn arrive(&mut self, from: usize) -> Option<Vec<Event>> {
        let line = self.passed[from].pop_front()?;
        let end = &mut self.ends[1 - from];
        end.feed(&line);
        Some(std::iter::from_fn(|| end.poll_event()).collect())
    }

    /// Delivers all lines until none is left. Gives the events, each with the number of its end.
    pub(crate) fn settle(&mut self) -> Vec<(usize, Event)> {
        let mut events = Vec::new();
        while (0..2).any(|from| self.under_way(from).next().is_some()) {
            for from in 0..2 {
                while self.pass(from).is_some() {}
                while let Some(arrived) = self.arrive(from) {
                    events.extend(arrived.into_iter().map(|event| (1 - from, event)));
                }
            }
        }
        events
    }

    /// The same as [`Talk::settle`], in words.
    pub(crate) fn settled(&mut self) -> String {
        let events = self.settle();
        events.iter().map(|(end, event)| format!("{end}: {}\n", shown(event))).collect()
    }

    /// The lines that the observer has seen since the last time.
    pub(crate) fn wire(&mut self) -> String {
        self.seen.drain(..).map(|(from, line)| format!("{from}> {line}\n")).collect()
    }
}

/// An object without members.
pub(crate) fn empty() -> Arguments {
    let mut graph = Graph::new();
    let object = graph.object([]);
    (graph, object)
}

/// An object with the functions of these handles as members.
pub(crate) fn object(members: &[(&str, u64)]) -> Arguments {
    let mut graph = Graph::new();
    let members: Vec<(&str, NodeId)> =
        members.iter().map(|&(name, handle)| (name, own(&mut graph, handle))).collect();
    let object = graph.object(members);
    (graph, object)
}

/// A list of functions.
pub(crate) fn functions(list: &[Function]) -> Arguments {
    let mut graph = Graph::new();
    let nodes: Vec<NodeId> =
        list.iter().map(|function| graph.add(crate::graph::Node::Leaf(*function))).collect();
    let list = graph.array(nodes);
    (graph, list)
}

/// An own function.
pub(crate) fn own(graph: &mut Graph<Function>, handle: u64) -> NodeId {
    graph.add(crate::graph::Node::Leaf(Function::Own(Handle(handle))))
}

/// An event in one line.
pub(crate) fn shown(event: &Event) -> String {
    match event {
        Event::Remote(graph, Some(object)) => format!("remote {}", describe(graph, *object)),
        Event::Remote(_, None) => "remote nothing".to_owned(),
        Event::Called(Handle(handle), graph, root) => {
            format!("called {handle} with {}", describe(graph, *root))
        }
        Event::Error(..) => "an error".to_owned(),
        Event::Culled(ids, _) => format!("culled {ids:?}"),
        Event::Refused(problem) => {
            format!("refused {} at `{}`: {}", problem.clause, problem.at, problem.actual)
        }
        Event::Ended(None) => "ended".to_owned(),
        Event::Ended(Some(problem)) => format!("ended, {}: {}", problem.clause, problem.actual),
    }
}
