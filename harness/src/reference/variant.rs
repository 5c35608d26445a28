//! Variants: the reference peer with legal differences, to show that the suite accepts them.

mod ids;
mod writing;

use super::conduct::{
    Both, Chain, Conduct, Json, OnSend, Reaction, arguments, callbacks, declared, id, is_call, name, pass,
    set_callbacks,
};
use super::fault::Fault;
use super::fault::shifted;
use dnode_spec::message;
use dnode_spec::value::Value;
use fastrand::Rng;
use ids::{closes_on_unknown_ids, culls, object_renumbered, renumbered};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use writing::{
    Escapes, SmallWrites, WhiteSpace, field_order, integer_paths, links_for_duplicates, omitted_fields,
    other_placeholder, points, sends,
};

/// A legal way to differ from the reference.
#[derive(Clone, Copy)]
pub struct Variant {
    /// The variant's permanent name.
    pub name: &'static str,
    /// The behaviour of the peer, in one line.
    pub about: &'static str,
    /// Makes it for one connection, from a random seed.
    pub make: fn(u64) -> Box<dyn Conduct>,
}

const fn variant(name: &'static str, about: &'static str, make: fn(u64) -> Box<dyn Conduct>) -> Variant {
    Variant { name, about, make }
}

/// All variants.
pub const VARIANTS: &[Variant] = &[
    variant("random-ids", "gives its functions random ids", |seed| Box::new(renumbered(seed, true, false))),
    variant("reused-ids", "gives culled ids to other functions", |seed| {
        Box::new(renumbered(seed, true, true))
    }),
    variant(
        "fresh-ids",
        "gives a function a new id each time it sends it, as the Perl, Ruby and PHP ports do",
        |seed| Box::new(renumbered(seed, false, false)),
    ),
    variant("ids-from-42", "counts its ids from 42, as the PHP synchronous client does", |_| {
        Box::new(shifted(42))
    }),
    variant(
        "integer-paths",
        "writes indexes in paths as integers, as the Perl, Ruby and PHP ports do",
        |_| integer_paths(),
    ),
    variant("omitted-fields", "omits empty fields", |_| omitted_fields()),
    variant("field-order", "writes the fields of a message in another order", |_| field_order()),
    variant("other-placeholder", "writes null in the place of a function", |_| other_placeholder()),
    variant("links-for-duplicates", "sends the second of two equal values as a link", |_| {
        links_for_duplicates()
    }),
    variant("culls", "culls a callback as soon as it has answered with it", |_| Box::new(culls())),
    variant("late-answers", "answers late, and not in the order of the calls", |seed| {
        Box::new(Late(Rng::with_seed(seed)))
    }),
    variant("concurrent-handlers", "handles calls that arrive together in any order", |seed| {
        Box::new(Concurrent { kept: Vec::new(), random: Rng::with_seed(seed) })
    }),
    variant(
        "extra-methods",
        "offers more members than the probe has, among them the strings [Function] and [Circular]",
        |_| extra_methods(),
    ),
    variant("declares-absent", "lacks a method of the probe, and declares it absent", |_| {
        Box::new(declares_absent())
    }),
    variant("closes-on-bad-lines", "closes the connection after an invalid message", |_| {
        Box::new(ClosesOnBadLines)
    }),
    variant(
        "closes-on-unknown-ids",
        "closes the connection when an id is called that it does not know",
        |_| Box::new(closes_on_unknown_ids()),
    ),
    variant("small-writes", "writes three bytes at a time", |_| Box::new(SmallWrites)),
    variant("escapes", "escapes every character outside ASCII", |_| Box::new(Escapes)),
    variant("white-space", "adds white space that JSON allows, and ends lines with CRLF", |_| {
        Box::new(WhiteSpace)
    }),
    variant("points", "writes integer arguments as fractions, such as 1.0", |_| points()),
    variant("object-twice", "sends its object twice", |_| object_twice()),
    variant("object-renumbered", "sends its object again, with new ids, before its first answer", |_| {
        Box::new(object_renumbered())
    }),
    variant("calls-unasked", "calls a name and a method of the other end's object, unasked", |_| {
        Box::new(calls_unasked())
    }),
    variant("methods-late", "sends its methods after the other end's", |_| Box::new(MethodsLate)),
];

/// The variant with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Variant> {
    VARIANTS.iter().find(|variant| variant.name == name)
}

/// Several variants at once, after a fault if there is one.
#[must_use]
pub fn combined(fault: Option<&Fault>, variants: &[&'static Variant], seed: u64) -> Box<dyn Conduct> {
    let fault = fault.map(|fault| (fault.make)());
    Box::new(Chain(fault.into_iter().chain(variants.iter().map(|variant| (variant.make)(seed))).collect()))
}

/// Sends answers to different calls in a random order, and the answers to one call in their own
/// order.
struct Late(Rng);

impl Conduct for Late {
    fn hold(&mut self, answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        let mut keys: HashMap<u64, u64> = HashMap::new();
        for (cause, _) in answers.iter() {
            let drawn = self.0.u64(..);
            keys.entry(*cause).or_insert(drawn);
        }
        answers.sort_by_key(|(cause, _)| keys.get(cause).copied());
        Some(Duration::from_millis(3))
    }
}

/// Keeps calls until no more arrive, or until a message that is no call, and handles them in a
/// random order.
struct Concurrent {
    kept: Vec<Vec<u8>>,
    random: Rng,
}

impl Conduct for Concurrent {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let is_kept = serde_json::from_slice::<Json>(&line)
            .is_ok_and(|m| id(&m).is_some() || name(&m).is_some_and(|_| is_call(&m)));
        if is_kept {
            self.kept.push(line);
            return Vec::new();
        }
        let mut reactions = self.release();
        reactions.push(Reaction::Pass(line));
        reactions
    }

    fn keeps(&self) -> Option<Duration> {
        (!self.kept.is_empty()).then_some(Duration::from_millis(3))
    }

    fn release(&mut self) -> Vec<Reaction> {
        self.random.shuffle(&mut self.kept);
        self.kept.drain(..).map(Reaction::Pass).collect()
    }
}

fn extra_methods() -> Box<dyn Conduct> {
    sends(|m| {
        if name(m) == Some("methods") {
            let mut all = callbacks(m);
            for n in 0..20 {
                let method = format!("extra{n}");
                all.push(((9000 + n).to_string(), json!(["0", method])));
                m["arguments"][0][&method] = json!("[Function]");
            }
            m["arguments"][0]["note"] = json!("[Function]");
            m["arguments"][0]["remark"] = json!("[Circular]");
            m["arguments"][0]["extra"] = json!({"nested": [1, null, "two"]});
            set_callbacks(m, all);
        }
    })
}

/// Lacks `throwNow`, and says so in the answer to `conformProbe`, which has the id 0.
fn declares_absent() -> impl Conduct {
    Both {
        state: HashSet::new(),
        receive: |asked: &mut HashSet<i64>, m: &mut Json| {
            let again = declared(m);
            asked.retain(|id| !again.contains(id));
            if id(m) == Some(0) || name(m) == Some("conformProbe") {
                asked.extend(again);
            }
            pass(m)
        },
        send: |asked: &mut HashSet<i64>, m: &mut Json| {
            if name(m) == Some("methods") {
                let all = callbacks(m).into_iter().filter(|(_, path)| path[1] != "throwNow");
                set_callbacks(m, all.collect::<Vec<_>>());
                m["arguments"][0].as_object_mut().map(|object| object.remove("throwNow"));
            }
            // One call has one answer.
            if id(m).is_some_and(|id| asked.remove(&id)) {
                arguments(m).into_iter().for_each(|all| all.push(json!(["throwNow"])));
            }
            vec![m.clone()]
        },
    }
}

struct ClosesOnBadLines;

impl Conduct for ClosesOnBadLines {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let Ok(value) = Value::parse(&line) else { return vec![Reaction::Close] };
        let decoded = message::decode(&value);
        let valid = decoded.message.as_ref().is_some_and(|message| {
            let placed = dnode_spec::scrub::unscrub(message, |id| id);
            !placed.problems.iter().any(|problem| problem.refused)
        });
        if valid && decoded.is_sound() { vec![Reaction::Pass(line)] } else { vec![Reaction::Close] }
    }
}

/// Calls, after each message, the name `welcome` and the first function of the other end's object.
fn calls_unasked() -> impl Conduct {
    Both {
        state: None,
        receive: |first: &mut Option<i64>, m: &mut Json| {
            if name(m) == Some("methods") {
                *first = declared(m).first().copied();
            }
            pass(m)
        },
        send: |first: &mut Option<i64>, m: &mut Json| {
            let call = |method: Json| json!({"method": method, "arguments": ["unasked"], "callbacks": {}, "links": []});
            let ours = first.map(|id| call(json!(id)));
            [m.clone(), call(json!("welcome"))].into_iter().chain(ours).collect()
        },
    }
}

fn object_twice() -> Box<dyn Conduct> {
    Box::new(OnSend(|m: &mut Json| vec![m.clone(); if name(m) == Some("methods") { 2 } else { 1 }]))
}

/// Sends its first line after the other end's first segment, or after 50 ms.
struct MethodsLate;

impl Conduct for MethodsLate {
    fn hold(&mut self, answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        let first = answers.first().is_some_and(|(cause, _)| *cause == 0);
        first.then_some(Duration::from_millis(50))
    }
}
