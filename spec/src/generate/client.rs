//! The client of a generated session. It makes the moves of a plan that are legal now, and knows
//! the behaviour of each function that it receives.

mod rare;
mod values;

use super::illegal::Illegal;
use super::plan::Move;
use super::rare::Rare;
use crate::graph::{Graph, Node, NodeId};
use crate::message::{Id, Method};
use crate::probe::Probe;
use crate::session::{Event, Function, Handle, Session};
use crate::state::End;
use crate::transcript::write::{Cuts, HeaderLine, Message, Step, raw};
use crate::transcript::{About, Bytes, Recorder, Style};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

type Values = Graph<Function>;

/// The purpose of a function of ours. The functions in the arguments of its calls behave
/// accordingly.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    /// They call functions of ours.
    Plain,
    /// They are a counter.
    Counter,
    /// They are a keeper.
    Keeper,
    /// They say a word.
    Say,
    /// The second argument passes its argument on.
    Apply,
}

/// The behaviour of a function of the peer, with the state that it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Calls one of ours with its arguments.
    CallOurs,
    /// Takes one value.
    PassOn,
    /// Takes a callback: a counter's `inc` and `get`, a word.
    Callback(Option<usize>),
    /// A keeper's `keep`: takes a function and a callback.
    Keep(usize),
    /// A keeper's `is`: takes a function and a callback.
    IsKept(usize),
    /// A keeper's `drop`: takes a callback.
    Drop(usize),
    /// A keeper's `fire`: takes a value.
    Fire(usize),
}

impl Does {
    fn state(self) -> Option<usize> {
        match self {
            Does::CallOurs | Does::PassOn => None,
            Does::Callback(state) => state,
            Does::Keep(state) | Does::IsKept(state) | Does::Fire(state) | Does::Drop(state) => Some(state),
        }
    }
}

/// Plays the moves against the reference peer.
pub(super) struct Client {
    session: Session,
    peer: Session,
    probe: Probe,
    recorder: Recorder,
    steps: Vec<Step>,
    /// The purpose of each of our functions, by handle.
    purposes: Vec<Purpose>,
    /// Our functions that were sent as values.
    sent: Vec<Handle>,
    /// The peer's functions that may be called.
    held: Vec<(Id, Does)>,
    methods: BTreeMap<String, Id>,
    /// The names of the members of our object.
    members: &'static [&'static str],
    states: usize,
    /// The states of pending calls.
    busy: HashSet<usize>,
    /// The keepers that keep a function.
    kept: HashSet<usize>,
    /// The lines of both ends.
    #[cfg(test)]
    pub(super) said: Vec<(End, Vec<u8>)>,
}

/// The members of our object, which `callMe` can call.
fn members(rare: Option<Rare>) -> &'static [&'static str] {
    match rare {
        Some(Rare::ReservedNames) => &["methods", "cull"],
        Some(Rare::DigitNames) => &["7", "0"],
        Some(Rare::EmptyObject) => &[],
        _ => USUAL,
    }
}

/// The members of our object if no rare move is about them.
const USUAL: &[&str] = &["hello", "other"];

/// The methods of the probe in the order of the kinds of moves; the last two kinds are no methods.
const METHODS: [&str; 14] = [
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
    "later",
    "applyTo",
    "echo",
];

const CULL: usize = 15;

impl Client {
    pub(super) fn new(style: Style, rare: Option<Rare>) -> Client {
        let recorder = Recorder::new(End::A).styled(style);
        let manual = matches!(rare, Some(Rare::WaitsForObject | Rare::CallsBeforeObject));
        let mut client = Client {
            session: Session::new(usize::MAX),
            peer: Session::new(usize::MAX),
            probe: Probe::new("reference"),
            recorder: if manual { recorder.with_handshake() } else { recorder },
            steps: Vec::new(),
            purposes: Vec::new(),
            sent: Vec::new(),
            held: Vec::new(),
            methods: BTreeMap::new(),
            members: members(rare),
            states: 0,
            busy: HashSet::new(),
            kept: HashSet::new(),
            #[cfg(test)]
            said: Vec::new(),
        };
        if manual {
            client.hear_object();
            let arguments = raw(b"\"?object\"".to_vec()).into_iter().collect();
            let methods =
                Message { method: json!("methods"), arguments: Some(arguments), ..Message::default() };
            client.steps.push(Step { expect: Some(methods), ..Step::default() });
        }
        if rare == Some(Rare::CallsBeforeObject) {
            client.call_method("add", &Move::bare(0));
            client.exchange();
        }
        client.offer();
        if !manual {
            client.hear_object();
        }
        client.exchange();
        client
    }

    /// Sends our object.
    fn offer(&mut self) {
        let mut graph = Graph::new();
        let members: Vec<_> =
            self.members.iter().map(|name| (*name, self.own(&mut graph, Purpose::Plain))).collect();
        let object = graph.object(members);
        self.session.start(graph, object);
        self.deliver(None);
    }

    /// The peer sends its object.
    fn hear_object(&mut self) {
        let (graph, object) = self.probe.object();
        self.peer.start(graph, object);
        self.exchange();
    }

    /// Makes a move, if it is possible now.
    pub(super) fn play(&mut self, step: &Move, weights: &[u8]) {
        let kind = step.kind(weights);
        if kind == CULL {
            self.cull(step);
        } else {
            self.make_call(kind, step);
        }
        if !step.together {
            self.exchange();
        }
    }

    /// Makes a move that may cross messages of the peer.
    pub(super) fn cross(&mut self, step: &Move, weights: &[u8]) {
        let kind = step.kind(weights);
        if kind == CULL && !self.held.is_empty() {
            let (id, _) = self.held.swap_remove(usize::from(step.pick) % self.held.len());
            if self.session.cull(id).is_ok() {
                self.deliver(None);
            }
        } else {
            self.make_call(kind, step);
        }
        if self.held.is_empty() || !step.together {
            self.exchange();
        }
    }

    fn make_call(&mut self, kind: usize, step: &Move) {
        if kind + 1 == CULL && !self.held.is_empty() {
            self.call_held(step);
        } else {
            // Only the rare move calls members with unusual names.
            let method = match METHODS[kind.min(METHODS.len() - 1)] {
                "callMe" if self.members != USUAL => "add",
                method => method,
            };
            self.call_method(method, step);
        }
    }

    /// The transcript, with an illegal step at its end if there is one.
    pub(super) fn finish(
        mut self,
        rare: Option<Rare>,
        illegal: Option<Illegal>,
        about: &About,
    ) -> (HeaderLine, Vec<Step>) {
        let mut header = self.recorder.header(about);
        header.requires = rare.into_iter().map(|rare| rare.clause().to_owned()).collect();
        if let Some(Illegal { clause, line }) = illegal {
            let (label, line) = (Some(format!("illegal: {clause}")), Some(Bytes::Plain(line.to_vec())));
            self.steps.push(Step { line, label, ..Step::default() });
            self.steps.push(Step { survive: true, ..Step::default() });
            header.clauses = vec!["robust/not-deaf".to_owned()];
            header.hostile = true;
        }
        (header, self.steps)
    }

    /// The transcript of a session in which the messages of both ends cross.
    pub(super) fn finish_crossing(self, about: &About) -> (HeaderLine, Vec<Step>) {
        (HeaderLine { crossing: true, ..self.recorder.header(about) }, self.steps)
    }

    fn own(&mut self, graph: &mut Values, purpose: Purpose) -> NodeId {
        self.purposes.push(purpose);
        graph.add(Node::Leaf(Function::Own(Handle(self.purposes.len() as u64 - 1))))
    }

    fn call_method(&mut self, method: &str, step: &Move) {
        let mut graph = Graph::new();
        let mut values: Vec<NodeId> = Vec::new();
        let purpose = match method {
            "getCounter" => Purpose::Counter,
            "keeper" => Purpose::Keeper,
            "repeat" | "nest" => Purpose::Say,
            _ => Purpose::Plain,
        };
        match method {
            "echo" | "later" => values.push(self.first(&mut graph, step)),
            "add" => values.extend([i32::from(step.pick), 1].map(|number| graph.number(number))),
            "applyTo" => {
                values.push(self.own(&mut graph, Purpose::Apply));
                values.push(self.first(&mut graph, step));
            }
            "callMe" => {
                let member = self.members[usize::from(step.pick) % self.members.len()];
                values.push(graph.string(member));
                // A peer that calls members by their names says a message of the protocol here.
                let items = match member {
                    "cull" => Vec::new(),
                    "methods" => vec![graph.object([])],
                    _ => step.values.iter().map(|shape| self.value(&mut graph, shape)).collect(),
                };
                values.push(graph.array(items));
            }
            _ => {}
        }
        values.push(self.own(&mut graph, purpose));
        let method = match self.methods.get(method).filter(|_| !step.by_name) {
            Some(id) => Method::Id(*id),
            None => Method::named(method),
        };
        self.call(&method, graph, values, step);
    }

    fn call_held(&mut self, step: &Move) {
        let (id, does) = self.held[usize::from(step.pick) % self.held.len()];
        match does {
            Does::Keep(state) => drop(self.kept.insert(state)),
            Does::Drop(state) => drop(self.kept.remove(&state)),
            // Nothing would show when the peer has handled this call.
            Does::Fire(state) if !self.kept.contains(&state) => return,
            _ => {}
        }
        // A call that depends on a state waits for the answers of the earlier calls on it.
        if does.state().is_some_and(|state| !self.busy.insert(state)) {
            self.exchange();
            self.busy.extend(does.state());
        }
        let mut graph = Graph::new();
        let values = match does {
            Does::CallOurs => step.values.iter().map(|shape| self.value(&mut graph, shape)).collect(),
            Does::PassOn | Does::Fire(_) => vec![self.first(&mut graph, step)],
            Does::Callback(_) | Does::Drop(_) => vec![self.own(&mut graph, Purpose::Plain)],
            Does::Keep(_) | Does::IsKept(_) => {
                let kept = match self.sent.get(usize::from(step.pick) % self.sent.len().max(1)) {
                    Some(handle) => graph.add(Node::Leaf(Function::Own(*handle))),
                    None => self.remembered(&mut graph),
                };
                vec![kept, self.own(&mut graph, Purpose::Plain)]
            }
        };
        self.call(&Method::Id(id), graph, values, step);
    }

    /// Culls a function, between two barriers.
    fn cull(&mut self, step: &Move) {
        self.exchange();
        if self.held.is_empty() {
            return;
        }
        let (id, _) = self.held.swap_remove(usize::from(step.pick) % self.held.len());
        if self.session.cull(id).is_ok() {
            self.deliver(None);
            self.call_method("add", &Move::bare(0));
            self.exchange();
        }
    }

    fn remembered(&mut self, graph: &mut Values) -> NodeId {
        let node = self.own(graph, Purpose::Plain);
        self.sent.push(Handle(self.purposes.len() as u64 - 1));
        node
    }

    fn call(&mut self, method: &Method, mut graph: Values, values: Vec<NodeId>, step: &Move) {
        let arguments = graph.array(values);
        if self.session.call(method, &graph, arguments).is_ok() {
            self.deliver(step.split.as_deref());
        }
    }

    fn note(&mut self, from: End, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.recorder.line(from, line);
        #[cfg(test)]
        self.said.push((from, line.to_vec()));
    }

    /// Hands our lines to the peer. The answers stay pending.
    fn deliver(&mut self, split: Option<&[u8]>) {
        let from = self.steps.len();
        let ascii = self.deliver_changed(|line| line);
        // To cut within a character is a rare move of its own.
        if let (Some(cuts), Some(last)) = (split.filter(|_| ascii), self.steps[from..].last_mut()) {
            last.split = Some(Cuts::At(cuts.iter().map(|&cut| usize::from(cut)).collect()));
        }
    }

    /// The same, with each line changed on its way. Gives whether all were ASCII.
    fn deliver_changed(&mut self, change: impl Fn(Vec<u8>) -> Vec<u8>) -> bool {
        let mut ascii = true;
        while let Some(line) = self.session.poll_output() {
            let line = change(line);
            ascii &= line.is_ascii();
            self.note(End::A, &line);
            let mut written = self.recorder.take_steps();
            self.steps.append(&mut written);
            self.peer.feed(&line);
        }
        ascii
    }

    /// Delivers all lines of both ends, and the answers to them, until none is pending.
    pub(super) fn exchange(&mut self) {
        loop {
            self.deliver(None);
            while let Some(event) = self.peer.poll_event() {
                self.probe.handle(event, &mut self.peer);
            }
            self.probe.turn(&mut self.peer);
            let mut moved = false;
            while let Some(line) = self.peer.poll_output() {
                moved = true;
                self.note(End::B, &line);
                self.session.feed(&line);
            }
            let heard = self.recorder.take_steps();
            self.steps.extend(heard.into_iter().map(without_identity));
            while let Some(event) = self.session.poll_event() {
                self.learn(event);
            }
            if !moved {
                break;
            }
        }
        self.busy.clear();
    }

    /// Notes the functions that an event gives us.
    fn learn(&mut self, event: Event) {
        match event {
            Event::Remote(graph, Some(object)) => {
                let Node::Object(members) = graph.node(object) else { return };
                let methods = members.iter().filter_map(|(key, &id)| match graph.leaf(id) {
                    Some(Function::Theirs(id)) => Some((key.as_text().to_str()?.to_owned(), *id)),
                    _ => None,
                });
                self.methods = methods.collect();
            }
            Event::Called(Handle(handle), graph, root) => {
                let purpose = usize::try_from(handle).ok().and_then(|n| self.purposes.get(n)).copied();
                self.take(purpose.unwrap_or(Purpose::Plain), &graph, root);
            }
            _ => {}
        }
    }

    /// Notes the functions in the arguments of a call of ours.
    fn take(&mut self, purpose: Purpose, graph: &Values, root: NodeId) {
        let first = graph.items(root).first().copied();
        let state = self.states;
        let parts: &[(&str, Does)] = match purpose {
            Purpose::Counter => &[("inc", Does::Callback(Some(state))), ("get", Does::Callback(Some(state)))],
            Purpose::Keeper => &[
                ("keep", Does::Keep(state)),
                ("is", Does::IsKept(state)),
                ("fire", Does::Fire(state)),
                ("drop", Does::Drop(state)),
            ],
            Purpose::Plain | Purpose::Say | Purpose::Apply => &[],
        };
        for (name, does) in parts {
            let function = first.and_then(|object| graph.member(object, name)).and_then(|id| graph.leaf(id));
            if let Some(Function::Theirs(id)) = function {
                self.hold(*id, *does);
            }
        }
        if !parts.is_empty() {
            self.states += 1;
            return;
        }
        let does = match purpose {
            Purpose::Say => Does::Callback(None),
            Purpose::Apply => Does::PassOn,
            _ => Does::CallOurs,
        };
        let mut seen = HashSet::from([root]);
        let mut todo = vec![root];
        while let Some(at) = todo.pop() {
            match graph.node(at) {
                Node::Array(items) => todo.extend(items.iter().filter(|&&item| seen.insert(item))),
                Node::Object(members) => todo.extend(members.values().filter(|&&item| seen.insert(item))),
                // A function in a value that was passed on only calls one of ours.
                Node::Leaf(Function::Theirs(id)) => {
                    let passed = does == Does::PassOn && graph.items(root).get(1) != Some(&at);
                    self.hold(*id, if passed { Does::CallOurs } else { does });
                }
                _ => {}
            }
        }
    }

    fn hold(&mut self, id: Id, does: Does) {
        if self.held.iter().all(|(held, _)| *held != id) {
            self.held.push((id, does));
        }
    }
}

/// Expects either answer of a keeper's `is`: the protocol does not say whether a function that is
/// sent again is the same.
fn without_identity(mut step: Step) -> Step {
    let arguments = step.expect.iter_mut().find_map(|message| message.arguments.as_mut());
    if let Some([answer]) = arguments.map(Vec::as_mut_slice)
        && ["\"yes\"", "\"no\""].contains(&answer.get())
        && let Some(any) = raw(b"\"?string\"".to_vec())
    {
        *answer = any;
    }
    step
}
