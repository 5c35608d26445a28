//! The probe of the reference peer: an object whose methods make an implementation use each part of
//! the protocol.
//!
//! `fixtures/PROBE.md` describes each method. Each connection has its own [`Probe`], which holds
//! the state.
//!
//! The contract: offer [`Probe::object`], give every [`Event`] to [`Probe::handle`], and call
//! [`Probe::turn`] after all events of a feed: it makes the calls that `later` has put off.

use crate::dialect::Dialect;
use crate::graph::{Graph, Node, NodeId};
use crate::message::{Id, Method};
use crate::session::{Event, Function, Handle, Session};
use std::collections::VecDeque;

/// The method that a program with the probe must offer.
pub const REQUIRED: &[&str] = &["conformProbe"];

/// The methods that a program with the probe offers or declares absent.
pub const OPTIONAL: &[&str] = &[
    "echo",
    "add",
    "callTwice",
    "applyTo",
    "getCounter",
    "keeper",
    "repeat",
    "cycle",
    "shared",
    "nest",
    "callMe",
    "throwNow",
    "later",
    "plain",
];

/// The optional methods that only this dialect has.
#[must_use]
pub fn optional_in(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::V0_1 => &["limited"],
        Dialect::V0_2 => &[],
    }
}

/// The member that is not a function.
pub const PLAIN: &str = "plain";

/// The behaviour of a function of the probe.
#[derive(Debug, Clone, Copy)]
enum Does {
    Claim,
    Echo,
    Add,
    CallTwice,
    ApplyTo,
    GetCounter,
    MakeKeeper,
    Repeat,
    Cycle,
    Shared,
    Nest,
    CallMe,
    Throw,
    Later,
    /// Makes a function that can be called once.
    Limit,
    /// The function with this handle: it calls its callback, and is dropped.
    Once(Handle),
    Increment(usize),
    Count(usize),
    Keep(usize),
    IsKept(usize),
    Fire(usize),
    Forget(usize),
    /// Calls its callback with this word.
    Say(&'static str),
    /// Calls this function with its own arguments.
    PassOn(Id),
}

const METHODS: &[(&str, Does)] = &[
    ("conformProbe", Does::Claim),
    ("echo", Does::Echo),
    ("add", Does::Add),
    ("callTwice", Does::CallTwice),
    ("applyTo", Does::ApplyTo),
    ("getCounter", Does::GetCounter),
    ("keeper", Does::MakeKeeper),
    ("repeat", Does::Repeat),
    ("cycle", Does::Cycle),
    ("shared", Does::Shared),
    ("nest", Does::Nest),
    ("callMe", Does::CallMe),
    ("throwNow", Does::Throw),
    ("later", Does::Later),
];

/// The methods that only dialect 0.1 has.
const METHODS_0_1: &[(&str, Does)] = &[("limited", Does::Limit)];

type Values = Graph<Function>;

/// The reference behaviour of the probe's object, for one connection.
#[derive(Debug, Clone)]
pub struct Probe {
    dialect: Dialect,
    name: String,
    functions: Vec<Does>,
    counters: Vec<i64>,
    kept: Vec<Option<Function>>,
    remote: Option<(Values, NodeId)>,
    put_off: VecDeque<(Function, Values, NodeId)>,
}

impl Probe {
    /// A probe that gives its name as `name`: `NAME VERSION`.
    #[must_use]
    pub fn new(name: &str) -> Probe {
        Probe {
            dialect: Dialect::default(),
            name: name.to_owned(),
            functions: METHODS.iter().map(|(_, does)| *does).collect(),
            counters: Vec::new(),
            kept: Vec::new(),
            remote: None,
            put_off: VecDeque::new(),
        }
    }

    /// The same, for this dialect.
    #[must_use]
    pub fn speaking(self, dialect: Dialect) -> Probe {
        let functions = Probe::methods(dialect).map(|(_, does)| *does).collect();
        Probe { dialect, functions, ..self }
    }

    fn methods(dialect: Dialect) -> impl Iterator<Item = &'static (&'static str, Does)> {
        let more = if dialect == Dialect::V0_1 { METHODS_0_1 } else { &[] };
        METHODS.iter().chain(more)
    }

    /// The object to offer, and its node.
    #[must_use]
    pub fn object(&self) -> (Values, NodeId) {
        let mut graph = Graph::new();
        let mut members: Vec<(&str, NodeId)> = Probe::methods(self.dialect)
            .enumerate()
            .map(|(n, (name, _))| (*name, graph.add(Node::Leaf(Function::Own(Handle(n as u64))))))
            .collect();
        members.push((PLAIN, graph.number(42)));
        let object = graph.object(members);
        (graph, object)
    }

    /// Acts on an event of `session`.
    pub fn handle(&mut self, event: Event, session: &mut Session) {
        match event {
            Event::Remote(graph, object) => self.remote = object.map(|object| (graph, object)),
            Event::Called(Handle(handle), graph, arguments) => {
                let does = usize::try_from(handle).ok().and_then(|n| self.functions.get(n)).copied();
                if let Some(does) = does {
                    self.run(does, graph, arguments, session);
                }
            }
            Event::Culled(..) | Event::Error(..) | Event::Refused(_) | Event::Ended(_) => {}
        }
    }

    /// Makes the calls that were put off until all events of a feed were handled.
    pub fn turn(&mut self, session: &mut Session) {
        for (function, graph, value) in std::mem::take(&mut self.put_off) {
            reply(session, Some(function), graph, &[value]);
        }
    }

    fn run(&mut self, does: Does, mut graph: Values, arguments: NodeId, session: &mut Session) {
        let argument = |n: usize| graph.items(arguments).get(n).copied();
        let function = |n: usize| argument(n).and_then(|id| graph.leaf(id)).copied();
        match does {
            Does::Claim => {
                let cb = function(0);
                let name = graph.string(&self.name);
                reply(session, cb, graph, &[name]);
            }
            Does::Echo => {
                let (value, cb) = (argument(0), function(1));
                let value = value.unwrap_or_else(|| graph.add(Node::Missing));
                reply(session, cb, graph, &[value]);
            }
            Does::Add => {
                let cb = function(2);
                let sum = number(&graph, argument(0)) + number(&graph, argument(1));
                let sum = if sum.is_finite() { graph.number(sum) } else { graph.add(Node::Null) };
                reply(session, cb, graph, &[sum]);
            }
            Does::CallTwice => {
                let cb = function(0);
                for n in 1..=2 {
                    let mut graph = Graph::new();
                    let n = graph.number(n);
                    reply(session, cb, graph, &[n]);
                }
            }
            Does::ApplyTo => self.apply_to(graph, arguments, session),
            Does::Throw => {}
            Does::Later => {
                if let (Some(value), Some(cb)) = (argument(0), function(1)) {
                    self.put_off.push_back((cb, graph, value));
                }
            }
            Does::PassOn(id) => {
                let values = graph.items(arguments).to_vec();
                reply(session, Some(Function::Theirs(id)), graph, &values);
            }
            Does::Say(word) => {
                let cb = function(0);
                let word = graph.string(word);
                reply(session, cb, graph, &[word]);
            }
            Does::Limit | Does::Once(_) => {
                let cb = function(0);
                self.limit(does, cb, session);
            }
            Does::CallMe => self.call_back(graph, arguments, session),
            Does::GetCounter | Does::Increment(_) | Does::Count(_) => {
                let cb = function(0);
                self.count(does, cb, session);
            }
            Does::MakeKeeper | Does::Keep(_) | Does::IsKept(_) | Does::Fire(_) | Does::Forget(_) => {
                self.keep(does, graph, arguments, session);
            }
            Does::Repeat | Does::Cycle | Does::Shared | Does::Nest => {
                let cb = function(0);
                self.structure(does, cb, session);
            }
        }
    }

    fn apply_to(&mut self, mut graph: Values, arguments: NodeId, session: &mut Session) {
        let argument = |n: usize| graph.items(arguments).get(n).copied();
        let function = |n: usize| argument(n).and_then(|id| graph.leaf(id)).copied();
        let (f, value, cb) = (function(0), argument(1), function(2));
        let value = value.unwrap_or_else(|| graph.add(Node::Missing));
        let pass_on = match cb {
            Some(Function::Theirs(id)) => self.new_function(&mut graph, Does::PassOn(id)),
            _ => graph.add(Node::Null),
        };
        reply(session, f, graph, &[value, pass_on]);
    }

    fn limit(&mut self, does: Does, cb: Option<Function>, session: &mut Session) {
        let mut graph = Graph::new();
        let Does::Once(handle) = does else {
            let handle = Handle(self.functions.len() as u64);
            let limited = self.new_function(&mut graph, Does::Once(handle));
            return reply(session, cb, graph, &[limited]);
        };
        let word = graph.string("limited");
        reply(session, cb, graph, &[word]);
        for id in session.ids(Function::Own(handle)).to_vec() {
            // This fails only if the session is over, and then no cull is needed.
            let _ = session.cull(id);
        }
    }

    fn new_function(&mut self, graph: &mut Values, does: Does) -> NodeId {
        self.functions.push(does);
        graph.add(Node::Leaf(Function::Own(Handle(self.functions.len() as u64 - 1))))
    }

    fn count(&mut self, does: Does, cb: Option<Function>, session: &mut Session) {
        let mut graph = Graph::new();
        let answer = match does {
            Does::Increment(n) => {
                self.counters[n] += 1;
                graph.number(self.counters[n])
            }
            Does::Count(n) => graph.number(self.counters[n]),
            _ => {
                self.counters.push(0);
                let n = self.counters.len() - 1;
                let increment = self.new_function(&mut graph, Does::Increment(n));
                let get = self.new_function(&mut graph, Does::Count(n));
                graph.object([("inc", increment), ("get", get)])
            }
        };
        reply(session, cb, graph, &[answer]);
    }

    fn keep(&mut self, does: Does, mut graph: Values, arguments: NodeId, session: &mut Session) {
        let argument = |n: usize| graph.items(arguments).get(n).copied();
        let function = |n: usize| argument(n).and_then(|id| graph.leaf(id)).copied();
        match does {
            Does::Keep(n) => {
                self.kept[n] = function(0);
                reply(session, function(1), graph, &[]);
            }
            Does::IsKept(n) => {
                let cb = function(1);
                let same = function(0).is_some() && function(0) == self.kept[n];
                let same = graph.string(if same { "yes" } else { "no" });
                reply(session, cb, graph, &[same]);
            }
            Does::Fire(n) => {
                let values: Vec<NodeId> = argument(0).into_iter().collect();
                reply(session, self.kept[n], graph, &values);
            }
            Does::Forget(n) => {
                self.kept[n] = None;
                reply(session, function(0), graph, &[]);
            }
            _ => {
                let cb = function(0);
                self.kept.push(None);
                let n = self.kept.len() - 1;
                let parts = [
                    ("keep", Does::Keep(n)),
                    ("is", Does::IsKept(n)),
                    ("fire", Does::Fire(n)),
                    ("drop", Does::Forget(n)),
                ];
                let parts = parts.map(|(name, does)| (name, self.new_function(&mut graph, does)));
                let keeper = graph.object(parts);
                reply(session, cb, graph, &[keeper]);
            }
        }
    }

    /// `callMe(name, args, cb)`: calls the method of the other end's object by its id, then calls
    /// `cb()`.
    fn call_back(&mut self, mut graph: Values, arguments: NodeId, session: &mut Session) {
        let argument = |n: usize| graph.items(arguments).get(n).copied();
        let cb = argument(2).and_then(|id| graph.leaf(id)).copied();
        let values = argument(1).map(|id| graph.items(id).to_vec()).unwrap_or_default();
        let name = match argument(0).map(|id| graph.node(id)) {
            Some(Node::String(name)) => name.as_text().to_str(),
            _ => None,
        };
        let member = name.zip(self.remote.as_ref()).and_then(|(name, (remote, object))| {
            remote.member(*object, name).and_then(|id| remote.leaf(id)).copied()
        });
        if let Some(Function::Theirs(id)) = member {
            let list = graph.array(values);
            let _ = session.call(&Method::Id(id), &graph, list);
        }
        reply(session, cb, graph, &[]);
    }

    fn structure(&mut self, does: Does, cb: Option<Function>, session: &mut Session) {
        let mut graph = Graph::new();
        let values = match does {
            Does::Repeat => {
                let function = self.new_function(&mut graph, Does::Say("repeat"));
                vec![function, function]
            }
            Does::Cycle => {
                let name = graph.string("cycle");
                let object = graph.object([("name", name)]);
                if let Some(Node::Object(members)) = graph.node_mut(object) {
                    members.insert("self".into(), object);
                }
                vec![object]
            }
            Does::Shared => {
                let name = graph.string("shared");
                let object = graph.object([("name", name)]);
                vec![graph.array([object, object])]
            }
            _ => {
                let function = self.new_function(&mut graph, Does::Say("nest"));
                let inner = graph.object([("f", function)]);
                let middle = graph.object([("b", inner)]);
                let zero = graph.number(0);
                let list = graph.array([zero, middle]);
                vec![graph.object([("a", list)])]
            }
        };
        reply(session, cb, graph, &values);
    }
}

/// Calls `function` with `values`. Does nothing if there is no function or it was culled: the
/// caller made the error.
fn reply(session: &mut Session, function: Option<Function>, mut graph: Values, values: &[NodeId]) {
    if let Some(Function::Theirs(id)) = function {
        let arguments = graph.array(values.iter().copied());
        let _ = session.call(&Method::Id(id), &graph, arguments);
    }
}

fn number(graph: &Values, id: Option<NodeId>) -> f64 {
    match id.map(|id| graph.node(id)) {
        Some(Node::Number(text)) => {
            text.as_text().to_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests;
