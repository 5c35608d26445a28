//! What is legal and seldom seen. A session has at most one of these, so that a peer that cannot take it is still asked all the rest.

use super::client::{Client, Does, MEMBERS, Purpose, Values};
use super::plan::Move;
use crate::graph::{Graph, Node, NodeId};
use crate::message::{Id, Method};
use crate::session::Function;
use crate::transcript::Form;
use serde_json::{Value as Json, json};

/// One thing that is seldom seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rare {
    /// A message is written in an unusual form.
    Written(Form),
    /// A segment ends within a character.
    SplitCharacter,
    /// Something else than a placeholder stands where a function is.
    OtherPlaceholder,
    /// A link leads to a place that isn't there.
    NewPlace,
    /// A link leads to a place whose parent isn't there.
    NewParent,
    /// A link starts where another one led.
    LinkOfLink,
    /// A link starts at a function.
    LinkedFunction,
    /// A list of more than a thousand elements.
    LongList,
    /// A line of more than a mebibyte.
    LongLine,
    /// Arrays and objects, forty deep and more.
    Deep,
    /// Hundreds of functions in a message.
    ManyFunctions,
    /// Keys that the language or protocol knows.
    SpecialKeys,
    /// A character NUL in a key.
    NulInKey,
    /// A letter and its accent as two characters.
    Accent,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A function that we send twice is the same one both times.
    SameFunction,
    /// We ask the peer for its name.
    AsksName,
    /// Our object has members called `methods` and `cull`.
    ReservedNames,
    /// Our object has members whose names are numbers.
    DigitNames,
    /// Our object is empty.
    EmptyObject,
    /// We send our object once that of the peer has come.
    WaitsForObject,
    /// We call before we send our object.
    CallsBeforeObject,
    /// We send a second object.
    ObjectAgain,
    /// We cull the id of a method, and go on calling it by its name.
    CullsMethod,
    /// We cull while the answers of other calls are under way.
    CullsUnderWay,
    /// We close our sending half while answers are under way.
    HalfCloses,
    /// The stream ends within a line.
    UnfinishedLine,
}

/// All of them, with the clause that says that it is legal.
#[rustfmt::skip]
pub const RARE: &[(Rare, &str)] = &[
    (Rare::Written(Form::Spaced), "framing/white-space"),
    (Rare::Written(Form::PointZero), "message/integer-by-value"),
    (Rare::Written(Form::Twice), "message/duplicate-fields"),
    (Rare::SplitCharacter, "framing/split-character"),
    (Rare::OtherPlaceholder, "callback/placeholder"),
    (Rare::NewPlace, "link/new-place"),
    (Rare::NewParent, "link/new-parents"),
    (Rare::LinkOfLink, "link/order"),
    (Rare::LinkedFunction, "link/order"),
    (Rare::LongList, "value/containers"),
    (Rare::LongLine, "framing/line-length"),
    (Rare::Deep, "value/depth"),
    (Rare::ManyFunctions, "callback/many"),
    (Rare::SpecialKeys, "value/keys"),
    (Rare::NulInKey, "value/keys"),
    (Rare::Accent, "value/strings"),
    (Rare::LoneSurrogate, "value/lone-surrogate"),
    (Rare::SameFunction, "callback/same-id"),
    (Rare::AsksName, "probe/complete"),
    (Rare::ReservedNames, "methods/reserved-names"),
    (Rare::DigitNames, "message/string-method"),
    (Rare::EmptyObject, "methods/empty-object"),
    (Rare::WaitsForObject, "methods/sent"),
    (Rare::CallsBeforeObject, "methods/call-before"),
    (Rare::ObjectAgain, "methods/again"),
    (Rare::CullsMethod, "cull/by-name"),
    (Rare::CullsUnderWay, "cull/only-named"),
    (Rare::HalfCloses, "framing/half-close"),
    (Rare::UnfinishedLine, "framing/last-line"),
];

impl Rare {
    /// The clause that says that this is legal.
    #[must_use]
    pub fn clause(self) -> &'static str {
        RARE.iter().find(|(rare, _)| *rare == self).map_or("", |(_, clause)| clause)
    }

    /// The names of the members of our object.
    pub(super) fn members(this: Option<Rare>) -> &'static [&'static str] {
        match this {
            Some(Rare::ReservedNames) => &["methods", "cull"],
            Some(Rare::DigitNames) => &["7", "0"],
            Some(Rare::EmptyObject) => &[],
            _ => &MEMBERS,
        }
    }
}

impl Client {
    /// Does what is rare, with a barrier before and after it.
    pub(super) fn do_rare(&mut self, rare: Rare, pick: u16) {
        self.exchange();
        let from = self.steps.len();
        match rare {
            Rare::Written(form) => self.written_as(form, pick),
            Rare::ReservedNames | Rare::DigitNames => {
                (0..2).for_each(|member| self.call_method("callMe", &Move::bare(member)));
            }
            Rare::AsksName => {
                self.call_method("conformProbe", &Move::bare(pick));
                self.exchange();
                // Each has its own.
                let names = self.steps[from..].iter_mut();
                names.for_each(|step| *step = step.replace("\"reference\"", "\"?string\""));
            }
            Rare::SameFunction => self.ask_identity(pick),
            Rare::ObjectAgain => self.offer_again(),
            Rare::CullsMethod => self.cull_method(pick),
            Rare::CullsUnderWay => self.cull_under_way(pick),
            Rare::OtherPlaceholder => self.replace_placeholder(pick),
            Rare::EmptyObject
            | Rare::WaitsForObject
            | Rare::CallsBeforeObject
            | Rare::HalfCloses
            | Rare::UnfinishedLine => {}
            _ => self.echo_rare(rare, pick),
        }
        self.exchange();
        self.blame(from, rare);
    }

    /// What differs in the steps from here on is about what is rare.
    pub(super) fn blame(&mut self, from: usize, rare: Rare) {
        let clause = format!(",\"clause\":\"{}\"", rare.clause());
        self.steps[from..].iter_mut().for_each(|step| step.insert_str(step.len() - 1, &clause));
    }

    fn written_as(&mut self, form: Form, pick: u16) {
        self.recorder.write_as(Some(form));
        self.call_method("add", &Move::bare(pick));
        self.exchange();
        self.recorder.write_as(None);
    }

    /// A call of `echo` with a value that is not often seen.
    fn echo_rare(&mut self, rare: Rare, pick: u16) {
        let mut graph = Graph::new();
        let value = self.rare_value(rare, pick, &mut graph);
        let cb = self.own(&mut graph, Purpose::Plain);
        let arguments = graph.array([value, cb]);
        if self.session.call(&Method::named("echo"), &graph, arguments).is_err() {
            return;
        }
        let links = added_links(rare);
        self.recorder.write_as((rare == Rare::LoneSurrogate).then_some(Form::Plain));
        self.deliver_changed(|line| with_links(line, &links));
        self.recorder.write_as(None);
        match (rare, self.steps.last_mut()) {
            // No offset is a multiple of four from the next: at most one of them stands between two characters.
            (Rare::SplitCharacter, Some(step)) => step.insert_str(step.len() - 1, ",\"split\":[60,101,142]"),
            (Rare::LoneSurrogate, Some(_)) => self.break_pair(),
            _ => {}
        }
    }

    fn rare_value(&mut self, rare: Rare, pick: u16, graph: &mut Values) -> NodeId {
        let many = usize::from(pick % 200);
        let object = |graph: &mut Values, keys: &[&str]| {
            let members: Vec<_> = keys.iter().map(|key| (*key, graph.number(1))).collect();
            graph.object(members)
        };
        match rare {
            Rare::NewPlace | Rare::NewParent => {
                let inner = object(graph, &["k"]);
                graph.object([("a", inner)])
            }
            Rare::LinkOfLink => {
                let values =
                    [("a", graph.string("x")), ("b", graph.add(Node::Null)), ("c", graph.add(Node::Null))];
                graph.object(values)
            }
            Rare::LinkedFunction => {
                let members = [("f", self.remembered(graph)), ("g", graph.add(Node::Null))];
                graph.object(members)
            }
            Rare::LongList => {
                let items: Vec<_> = (0..1001 + many).map(|n| graph.number(n)).collect();
                graph.array(items)
            }
            Rare::LongLine => graph.string(&"x".repeat((1 << 20) + many)),
            // Some parsers end at a hundred.
            Rare::Deep => (0..40 + many / 8).fold(graph.number(1), |inner, level| match level % 2 {
                0 => graph.array([inner]),
                _ => graph.object([("d", inner)]),
            }),
            Rare::ManyFunctions => {
                let items: Vec<_> = (0..257 + many).map(|_| self.own(graph, Purpose::Plain)).collect();
                graph.array(items)
            }
            Rare::SpecialKeys => {
                object(graph, &["constructor", "toString", "length", "arguments", "callbacks", "each"])
            }
            Rare::NulInKey => object(graph, &["a\0b"]),
            Rare::Accent => graph.string("cafe\u{301}"),
            Rare::SplitCharacter => graph.string(&"😀".repeat(40)),
            _ => graph.string(MARKED),
        }
    }

    /// Makes the call just recorded one that says half of a pair, which no text can hold. What comes back is left free.
    fn break_pair(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            *step = step.replace(MARKED, "a\\\\ud800b");
        }
        let from = self.steps.len();
        self.exchange();
        let echoed = format!("\"{MARKED}\"");
        for step in self.steps[from..].iter_mut().filter(|step| step.contains(&echoed)) {
            *step = step.replace(&echoed, "\"?string\"");
            step.insert_str(step.len() - 1, ",\"optional\":true");
        }
    }

    fn replace_placeholder(&mut self, pick: u16) {
        let mut graph = Graph::new();
        let values = [graph.number(1), graph.number(2), self.own(&mut graph, Purpose::Plain)];
        let arguments = graph.array(values);
        self.recorder.write_as(Some(Form::Plain));
        if self.session.call(&Method::named("add"), &graph, arguments).is_ok() {
            let others =
                [json!(null), json!(99), json!({"a": [1]}), json!([[]]), json!(false), json!("[function]")];
            let other = &others[usize::from(pick) % others.len()];
            self.deliver_changed(|line| changed(line, |message| message["arguments"][2].clone_from(other)));
        }
        self.recorder.write_as(None);
    }

    /// Gives a function to a keeper, and asks whether it is the one that it keeps.
    fn ask_identity(&mut self, pick: u16) {
        self.call_method("keeper", &Move::bare(pick));
        self.exchange();
        let ours: Vec<_> = self.held.iter().rev().take_while(|(_, does)| does.state().is_some()).collect();
        let keeps: Vec<Id> =
            ours.iter().rev().filter(|(_, does)| matches!(does, Does::Keep(_))).map(|(id, _)| *id).collect();
        let mut graph = Graph::new();
        self.remembered(&mut graph);
        let Some(function) = self.sent.last().copied() else { return };
        // Its `keep`, then its `is`.
        for id in keeps.iter().rev().take(2).rev() {
            let mut graph = Graph::new();
            let values =
                [graph.add(Node::Leaf(Function::Own(function))), self.own(&mut graph, Purpose::Plain)];
            let arguments = graph.array(values);
            if self.session.call(&Method::Id(*id), &graph, arguments).is_ok() {
                self.deliver(None);
            }
            let from = self.steps.len();
            self.exchange();
            self.steps[from..].iter_mut().for_each(|step| *step = step.replace("\"?string\"", "\"yes\""));
        }
    }

    /// Sends another object, and has its methods called.
    fn offer_again(&mut self) {
        self.offer();
        (0..2).for_each(|member| self.call_method("callMe", &Move::bare(member)));
    }

    fn cull_method(&mut self, pick: u16) {
        let at = usize::from(pick) % self.methods.len().max(1);
        let Some((name, id)) = self.methods.iter().nth(at).map(|(name, id)| (name.clone(), *id)) else {
            return;
        };
        if name == "throwNow" || name == "conformProbe" || self.session.cull(id).is_err() {
            return;
        }
        self.deliver(None);
        self.methods.remove(&name);
        self.call_method("add", &Move::bare(pick));
        self.exchange();
        self.call_method(&name, &Move::bare(pick));
    }

    /// Gives a function back that the calls under way have nothing to do with.
    fn cull_under_way(&mut self, pick: u16) {
        self.call_method("getCounter", &Move::bare(pick));
        self.exchange();
        let Some((id, _)) = self.held.pop() else { return };
        ["add", "later", "echo"].iter().for_each(|method| self.call_method(method, &Move::bare(pick)));
        if self.session.cull(id).is_ok() {
            self.deliver(None);
        }
        self.exchange();
        self.call_method("add", &Move::bare(pick));
    }

    /// The end of the session, where that is what is rare.
    pub(super) fn end_rare(&mut self, rare: Rare, pick: u16) {
        self.exchange();
        let from = self.steps.len();
        match rare {
            Rare::HalfCloses => {
                self.call_method("add", &Move::bare(pick));
                self.steps.push("{\"half-close\":true}".to_owned());
                self.exchange();
            }
            Rare::UnfinishedLine => {
                self.recorder.write_as(Some(Form::Plain));
                self.call_method("add", &Move::bare(pick));
                if let Some(step) = self.steps.last_mut() {
                    *step = step.replacen("{\"line\":", "{\"bytes\":", 1);
                }
                self.steps.push("{\"half-close\":true}".to_owned());
            }
            _ => return,
        }
        self.steps.push("{\"closed\":true}".to_owned());
        self.blame(from, rare);
    }
}

/// What stands for what a text cannot hold.
const MARKED: &str = "half of a pair";

/// The links that are added to a call of `echo`.
fn added_links(rare: Rare) -> Vec<Json> {
    let link = |from: &[&str], to: &[&str]| json!({ "from": from, "to": to });
    match rare {
        Rare::NewPlace => vec![link(&["0", "a"], &["0", "b"])],
        Rare::NewParent => vec![link(&["0", "a"], &["0", "x", "y"])],
        Rare::LinkOfLink => vec![link(&["0", "a"], &["0", "b"]), link(&["0", "b"], &["0", "c"])],
        Rare::LinkedFunction => vec![link(&["0", "f"], &["0", "g"])],
        _ => Vec::new(),
    }
}

fn with_links(line: Vec<u8>, links: &[Json]) -> Vec<u8> {
    if links.is_empty() {
        return line;
    }
    changed(line, |message| message["links"] = json!(links))
}

/// The line with its message changed.
fn changed(line: Vec<u8>, change: impl FnOnce(&mut Json)) -> Vec<u8> {
    let Ok(mut message) = serde_json::from_slice::<Json>(&line) else { return line };
    change(&mut message);
    format!("{message}\n").into_bytes()
}
