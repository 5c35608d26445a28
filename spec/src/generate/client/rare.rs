//! The moves of a client that are legal and rare.

use super::{Client, Does, Purpose, Values};
use crate::generate::plan::Move;
use crate::generate::rare::Rare;
use crate::graph::{Graph, Node, NodeId};
use crate::message::{Id, Method};
use crate::session::Function;
use crate::transcript::write::{Cuts, Step, raw};
use crate::transcript::{Bytes, Form};
use serde_json::{Value as Json, json};

impl Client {
    /// Makes the rare move, with a barrier before and after it.
    pub(in crate::generate) fn do_rare(&mut self, rare: Rare, pick: u16) {
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
                self.allow_absent(from);
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
        self.set_clause(from, rare);
    }

    /// A divergence in the steps from here on breaks the clause of the rare move.
    fn set_clause(&mut self, from: usize, rare: Rare) {
        self.steps[from..].iter_mut().for_each(|step| step.clause = Some(rare.clause().to_owned()));
    }

    /// Replaces an argument, which is JSON text, in the expectations from here on. Gives the steps
    /// that had it.
    fn replace_arguments(&mut self, from: usize, old: &str, new: &'static str) -> Vec<&mut Step> {
        let Some(new) = raw(new.as_bytes().to_vec()) else { return Vec::new() };
        let replaced = self.steps[from..].iter_mut().filter_map(|step| {
            let mut found = false;
            for argument in step.expected_mut().filter(|argument| argument.get() == old) {
                argument.clone_from(&new);
                found = true;
            }
            found.then_some(step)
        });
        replaced.collect()
    }

    /// Expects any answer to `conformProbe`: each implementation has its own name, and may declare
    /// methods absent in a second argument.
    fn allow_absent(&mut self, from: usize) {
        for step in self.replace_arguments(from, "\"reference\"", "\"?string\"") {
            let Some(name) = step.expect.take() else { continue };
            let mut both = name.clone();
            both.arguments.iter_mut().for_each(|list| list.extend(raw(b"\"?any\"".to_vec())));
            let branch = |message| vec![Step { expect: Some(message), ..Step::default() }];
            step.either = Some(vec![branch(name), branch(both)]);
        }
    }

    fn written_as(&mut self, form: Form, pick: u16) {
        self.recorder.write_as(Some(form));
        self.call_method("add", &Move::bare(pick));
        self.exchange();
        self.recorder.write_as(None);
    }

    /// Calls `echo` with a rare value.
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
            // No two offsets differ by a multiple of four: at most one of them is between two
            // characters.
            (Rare::SplitCharacter, Some(step)) => step.split = Some(Cuts::At(vec![60, 101, 142])),
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
            // A peer may limit the depth of a value to 40 (fixtures/PROBE.md).
            Rare::Deep => (0..40 - many % 8).fold(graph.number(1), |inner, level| match level % 2 {
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

    /// Puts a lone surrogate into the call that was recorded last: no text can hold one. The echo
    /// of it is left free.
    fn break_pair(&mut self) {
        if let Some(Bytes::Concat(parts)) = self.steps.last_mut().and_then(|step| step.line.as_mut()) {
            for part in parts {
                if let Bytes::Plain(text) = part {
                    *text = String::from_utf8_lossy(text).replace(MARKED, "a\\ud800b").into_bytes();
                }
            }
        }
        let from = self.steps.len();
        self.exchange();
        let echoed = format!("\"{MARKED}\"");
        self.replace_arguments(from, &echoed, "\"?string\"")
            .into_iter()
            .for_each(|step| step.optional = true);
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

    /// Gives a function to a keeper, and asks whether the keeper still has the same one.
    fn ask_identity(&mut self, pick: u16) {
        self.call_method("keeper", &Move::bare(pick));
        self.exchange();
        let ours: Vec<_> = self.held.iter().rev().take_while(|(_, does)| does.state().is_some()).collect();
        let keeps: Vec<Id> = ours
            .iter()
            .rev()
            .filter(|(_, does)| matches!(does, Does::Keep(_) | Does::IsKept(_)))
            .map(|(id, _)| *id)
            .collect();
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
            self.replace_arguments(from, "\"?string\"", "\"yes\"");
        }
    }

    /// Sends another object, and asks the peer to call its methods.
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

    /// Culls a function that the pending calls do not use.
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

    /// Ends the session, if its end is the rare move.
    pub(in crate::generate) fn end_rare(&mut self, rare: Rare, pick: u16) {
        self.exchange();
        let from = self.steps.len();
        match rare {
            Rare::HalfCloses => {
                self.call_method("add", &Move::bare(pick));
                self.steps.push(Step { half_close: true, ..Step::default() });
                self.exchange();
            }
            Rare::UnfinishedLine => {
                self.recorder.write_as(Some(Form::Plain));
                self.call_method("add", &Move::bare(pick));
                if let Some(step) = self.steps.last_mut() {
                    step.bytes = step.line.take();
                }
                self.steps.push(Step { half_close: true, ..Step::default() });
            }
            _ => return,
        }
        self.steps.push(Step { closed: true, ..Step::default() });
        self.set_clause(from, rare);
    }
}

/// A text in the place of one with a lone surrogate.
const MARKED: &str = "half of a pair";

/// The links to add to a call of `echo`.
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

/// The line, with its message changed.
fn changed(line: Vec<u8>, change: impl FnOnce(&mut Json)) -> Vec<u8> {
    let Ok(mut message) = serde_json::from_slice::<Json>(&line) else { return line };
    change(&mut message);
    format!("{message}\n").into_bytes()
}
