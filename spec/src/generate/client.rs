//! The client of a generated session: it makes the moves of a plan that are legal now, and knows what each function that it gets does.

mod values;

use super::illegal::Illegal;
use super::plan::{KINDS, Move};
use super::rare::Rare;
use crate::graph::{Graph, Node, NodeId};
use crate::message::{Id, Method};
use crate::monitor::End;
use crate::probe::Probe;
use crate::session::{Event, Function, Handle, Session};
use crate::transcript::{About, Recorder, Style};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

pub(super) type Values = Graph<Function>;

/// What a function of ours is for: what the functions in a call of it do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Those call functions of ours.
    Plain,
    /// A counter.
    Counter,
    /// A keeper.
    Keeper,
    /// Those say a word.
    Say,
    /// The second argument passes its argument on.
    Apply,
}

/// What a function of the peer does, and on which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// Calls one of ours with what it is called with.
    CallOurs,
    /// Takes one value.
    PassOn,
    /// Takes a callback: a counter's `inc` and `get`, a keeper's `drop`, a word.
    Callback(Option<usize>),
    /// A keeper's `keep` and `is`: take a function and a callback.
    Keep(usize),
    /// A keeper's `fire`: takes a value.
    Fire(usize),
}

impl Does {
    pub(super) fn state(self) -> Option<usize> {
        match self {
            Does::CallOurs | Does::PassOn => None,
            Does::Callback(state) => state,
            Does::Keep(state) | Does::Fire(state) => Some(state),
        }
    }
}

/// Plays the moves against the reference peer.
pub(super) struct Client {
    pub(super) session: Session,
    peer: Session,
    probe: Probe,
    pub(super) recorder: Recorder,
    pub(super) steps: Vec<String>,
    /// What each of our functions is for, by handle.
    purposes: Vec<Purpose>,
    /// Functions of ours that were sent as values.
    pub(super) sent: Vec<Handle>,
    /// Functions of the peer that may be called.
    pub(super) held: Vec<(Id, Does)>,
    pub(super) methods: BTreeMap<String, Id>,
    /// The names of the members of our object.
    members: &'static [&'static str],
    states: usize,
    /// The states that moves depend on whose answers have not come.
    busy: HashSet<usize>,
    /// What both ends said.
    #[cfg(test)]
    pub(super) said: Vec<(End, Vec<u8>)>,
}

/// The members of our object, which `callMe` can call, where they are nothing rare.
pub(super) const MEMBERS: [&str; 2] = ["hello", "other"];

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

/// How much more likely than others each kind is: what leads further comes more often.
const LIKELY: [u8; KINDS] = [4, 1, 1, 2, 2, 2, 1, 1, 1, 1, 2, 1, 1, 2, 8, 2];

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
            members: Rare::members(rare),
            states: 0,
            busy: HashSet::new(),
            #[cfg(test)]
            said: Vec::new(),
        };
        if manual {
            client.hear_object();
            client.steps.push("{\"expect\":{\"method\":\"methods\",\"arguments\":[\"?object\"]}}".to_owned());
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
    pub(super) fn offer(&mut self) {
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

    /// Makes a move, as far as it can be made now.
    pub(super) fn play(&mut self, step: &Move, weights: &[u8]) {
        let kind = weighted(step.kind, weights);
        if kind == CULL {
            self.cull(step);
        } else {
            self.make_call(kind, step);
        }
        if !step.together {
            self.exchange();
        }
    }

    /// Makes a move that crosses what the peer says.
    pub(super) fn cross(&mut self, step: &Move, weights: &[u8]) {
        let kind = weighted(step.kind, weights);
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
            self.call_method(METHODS[kind.min(METHODS.len() - 1)], step);
        }
    }

    /// The transcript, with an illegal step at its end where there is one.
    pub(super) fn finish(self, rare: Option<Rare>, illegal: Option<Illegal>, about: &About) -> String {
        let mut header = self.recorder.header(about);
        if let Some(rare) = rare {
            header.insert_str(header.len() - 1, &format!(",\"requires\":[\"{}\"]", rare.clause()));
        }
        let mut steps = self.steps;
        if let Some(Illegal { clause, line }) = illegal {
            let bytes = crate::transcript::written_bytes(line);
            steps.push(format!("{{\"line\":{bytes},\"label\":\"illegal: {clause}\"}}"));
            steps.push("{\"survive\":true}".to_owned());
            header = header.replacen("\"callback/own-function\"", "\"robust/not-deaf\"", 1);
            header.insert_str(header.len() - 1, ",\"hostile\":true");
        }
        format!("{header}\n{}\n", steps.join("\n"))
    }

    /// The transcript of a session in which what both ends say crosses.
    pub(super) fn finish_crossing(self, about: &About) -> String {
        let mut header = self.recorder.header(about);
        header.insert_str(header.len() - 1, ",\"crossing\":true");
        format!("{header}\n{}\n", self.steps.join("\n"))
    }

    pub(super) fn own(&mut self, graph: &mut Values, purpose: Purpose) -> NodeId {
        self.purposes.push(purpose);
        graph.add(Node::Leaf(Function::Own(Handle(self.purposes.len() as u64 - 1))))
    }

    pub(super) fn call_method(&mut self, method: &str, step: &Move) {
        // Nothing of an empty object can be called.
        let method = if method == "callMe" && self.members.is_empty() { "add" } else { method };
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
                values.push(graph.string(self.members[usize::from(step.pick) % self.members.len()]));
                let items: Vec<NodeId> =
                    step.values.iter().map(|shape| self.value(&mut graph, shape)).collect();
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
        // What depends on state waits for all that was asked of it.
        if does.state().is_some_and(|state| !self.busy.insert(state)) {
            self.exchange();
            self.busy.extend(does.state());
        }
        let mut graph = Graph::new();
        let values = match does {
            Does::CallOurs => step.values.iter().map(|shape| self.value(&mut graph, shape)).collect(),
            Does::PassOn | Does::Fire(_) => vec![self.first(&mut graph, step)],
            Does::Callback(_) => vec![self.own(&mut graph, Purpose::Plain)],
            Does::Keep(_) => {
                let kept = match self.sent.get(usize::from(step.pick) % self.sent.len().max(1)) {
                    Some(handle) => graph.add(Node::Leaf(Function::Own(*handle))),
                    None => self.remembered(&mut graph),
                };
                vec![kept, self.own(&mut graph, Purpose::Plain)]
            }
        };
        self.call(&Method::Id(id), graph, values, step);
    }

    /// Gives a function back, between two barriers.
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

    pub(super) fn remembered(&mut self, graph: &mut Values) -> NodeId {
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

    /// Hands what we sent to the peer; the answers stay under way.
    pub(super) fn deliver(&mut self, split: Option<&[u8]>) {
        let from = self.steps.len();
        let ascii = self.deliver_changed(|line| line);
        // A character that is cut is rare, and would hide the rest.
        if let (Some(cuts), Some(last)) = (split.filter(|_| ascii), self.steps[from..].last_mut()) {
            last.insert_str(last.len() - 1, &format!(",\"split\":{}", json!(cuts)));
        }
    }

    /// The same, with each line changed on its way; says whether all were ASCII.
    pub(super) fn deliver_changed(&mut self, change: impl Fn(Vec<u8>) -> Vec<u8>) -> bool {
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

    /// Carries everything over until nothing is under way.
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
            self.steps.extend(heard.iter().map(|step| without_identity(step)));
            while let Some(event) = self.session.poll_event() {
                self.learn(event);
            }
            if !moved {
                break;
            }
        }
        self.busy.clear();
    }

    /// What we hold after this event.
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

    /// Takes the functions out of a call of ours.
    fn take(&mut self, purpose: Purpose, graph: &Values, root: NodeId) {
        let first = graph.items(root).first().copied();
        let state = self.states;
        let parts: &[(&str, Does)] = match purpose {
            Purpose::Counter => &[("inc", Does::Callback(Some(state))), ("get", Does::Callback(Some(state)))],
            Purpose::Keeper => &[
                ("keep", Does::Keep(state)),
                ("is", Does::Keep(state)),
                ("fire", Does::Fire(state)),
                ("drop", Does::Callback(Some(state))),
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
                // Of a value that was passed on beside it we know only that it calls one of ours.
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

/// The step with either answer of a keeper's `is`: whether a function that is sent again is the same one is left free.
fn without_identity(step: &str) -> String {
    ["yes", "no"].iter().fold(step.to_owned(), |step, answer| {
        step.replace(&format!("\"arguments\":[\"{answer}\"]"), "\"arguments\":[\"?string\"]")
    })
}

/// The kind of move that this number picks.
fn weighted(pick: u16, weights: &[u8]) -> usize {
    let weights: Vec<u32> =
        weights.iter().zip(LIKELY).map(|(&weight, more)| u32::from(weight) * u32::from(more)).collect();
    let total: u32 = weights.iter().sum();
    if total == 0 {
        return usize::from(pick) % weights.len().max(1);
    }
    let mut left = u32::from(pick) % total;
    for (kind, &weight) in weights.iter().enumerate() {
        match left.checked_sub(weight) {
            Some(rest) => left = rest,
            None => return kind,
        }
    }
    0
}
