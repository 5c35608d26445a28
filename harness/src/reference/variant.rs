//! Variants: the reference peer with legal differences, to show that the suite accepts them.

use super::conduct::{
    Both, Chain, Conduct, Json, OnSend, Reaction, arguments, callbacks, culled, declared, id, is_call, name,
    pass, rewrite, set, set_callbacks,
};
use super::fault::shifted;
use dnode_spec::message;
use dnode_spec::value::Value;
use fastrand::Rng;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

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

/// Several variants at once.
#[must_use]
pub fn combined(variants: &[&'static Variant], seed: u64) -> Box<dyn Conduct> {
    Box::new(Chain(variants.iter().map(|variant| (variant.make)(seed)).collect()))
}

/// Replaces the session's ids by random ones on the wire. `keep`: a function keeps its id when it
/// is sent again. `reuse`: an id that was culled is the next to be given.
fn renumbered(seed: u64, keep: bool, reuse: bool) -> impl Conduct {
    struct State {
        random: Rng,
        /// From an id on the wire to the session's.
        inside: HashMap<i64, i64>,
        /// From the session's id to the last one on the wire.
        outside: HashMap<i64, i64>,
        keep: bool,
        /// The culled ids, to be used again.
        free: Option<Vec<i64>>,
    }
    let random = Rng::with_seed(seed);
    let state =
        State { random, inside: HashMap::new(), outside: HashMap::new(), keep, free: reuse.then(Vec::new) };
    Both {
        state,
        receive: |state: &mut State, m: &mut Json| {
            if let Some(id) = id(m) {
                set(m, "method", json!(state.inside.get(&id).copied().unwrap_or(-1 - id)));
            }
            if name(m) == Some("cull") {
                let ids: Vec<i64> =
                    culled(m).into_iter().filter(|id| state.inside.contains_key(id)).collect();
                let mut gone: Vec<i64> = ids.iter().filter_map(|id| state.inside.remove(id)).collect();
                state.free.iter_mut().for_each(|free| free.extend(&ids));
                // A function that has another id on the wire is still known.
                gone.retain(|id| !state.inside.values().any(|other| other == id));
                set(m, "arguments", json!(gone));
                state.outside.retain(|inside, _| !gone.contains(inside));
            }
            pass(m)
        },
        send: |state: &mut State, m: &mut Json| {
            if name(m) == Some("cull") {
                return vec![m.clone()];
            }
            let renamed = callbacks(m).into_iter().map(|(id, path)| {
                let number: i64 = id.parse().unwrap_or_default();
                let known = state.outside.get(&number).copied().filter(|_| state.keep);
                let free = || state.free.as_mut().and_then(Vec::pop);
                let outside = known.or_else(free).unwrap_or_else(|| {
                    loop {
                        let drawn = state.random.i64(0..1 << 31);
                        if !state.inside.contains_key(&drawn) {
                            break drawn;
                        }
                    }
                });
                state.inside.insert(outside, number);
                state.outside.insert(number, outside);
                (outside.to_string(), path)
            });
            let renamed: Vec<_> = renamed.collect();
            set_callbacks(m, renamed);
            vec![m.clone()]
        },
    }
}

fn sends(change: fn(&mut Json)) -> Box<dyn Conduct> {
    Box::new(OnSend(move |m: &mut Json| {
        change(m);
        vec![m.clone()]
    }))
}

fn integer_paths() -> Box<dyn Conduct> {
    fn integers(path: &mut Json) {
        for key in path.as_array_mut().into_iter().flatten() {
            if let Some(index) = key.as_str().and_then(|key| key.parse::<u64>().ok()) {
                *key = json!(index);
            }
        }
    }
    sends(|m| {
        for path in
            m.get_mut("callbacks").and_then(Json::as_object_mut).into_iter().flat_map(|all| all.values_mut())
        {
            integers(path);
        }
        for link in m.get_mut("links").and_then(Json::as_array_mut).into_iter().flatten() {
            ["from", "to"].into_iter().for_each(|end| integers(&mut link[end]));
        }
    })
}

fn omitted_fields() -> Box<dyn Conduct> {
    sends(|m| {
        if let Some(object) = m.as_object_mut() {
            object.retain(|field, value| {
                let empty = value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(serde_json::Map::is_empty);
                field == "method" || !empty
            });
        }
    })
}

fn field_order() -> Box<dyn Conduct> {
    sends(|m| {
        if let Some(object) = m.as_object_mut() {
            *object = std::mem::take(object).into_iter().rev().collect();
        }
    })
}

fn other_placeholder() -> Box<dyn Conduct> {
    sends(|m| {
        for (_, path) in callbacks(m) {
            let keys = path.as_array().into_iter().flatten().filter_map(Json::as_str);
            let pointer: String =
                keys.map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
            if let Some(place) = m["arguments"].pointer_mut(&pointer).filter(|place| **place == "[Function]")
            {
                *place = Json::Null;
            }
        }
    })
}

fn links_for_duplicates() -> Box<dyn Conduct> {
    sends(|m| {
        let pair = m["arguments"][0]
            .as_array()
            .is_some_and(|list| list.len() == 2 && list[0] == list[1] && list[0].is_object());
        if is_call(m) && pair && callbacks(m).is_empty() && m["links"] == json!([]) {
            m["arguments"][0][1] = json!("[Circular]");
            set(m, "links", json!([{"from": ["0", "0"], "to": ["0", "1"]}]));
        }
    })
}

/// Culls the callback of a method that answers once, after the answer.
fn culls() -> impl Conduct {
    // `conformProbe`, `echo`, `add`, `getCounter`, `keeper` and `later`, by their place in the
    // object.
    const ONCE: [i64; 6] = [0, 1, 2, 5, 6, 13];
    Both {
        state: HashSet::new(),
        receive: |once: &mut HashSet<i64>, m: &mut Json| {
            let plain = id(m).is_some_and(|id| ONCE.contains(&id)) && callbacks(m).len() == 1;
            if plain {
                once.extend(declared(m));
            } else {
                // A callback that is declared again elsewhere may be needed longer.
                let again = declared(m);
                once.retain(|id| !again.contains(id));
            }
            pass(m)
        },
        send: |once: &mut HashSet<i64>, m: &mut Json| {
            let cull =
                id(m).filter(|id| once.remove(id)).map(|id| json!({"method": "cull", "arguments": [id]}));
            std::iter::once(m.clone()).chain(cull).collect()
        },
    }
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
            if id(m).is_some_and(|id| asked.contains(&id)) {
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

struct SmallWrites;

impl Conduct for SmallWrites {
    fn piece(&self) -> Option<usize> {
        Some(3)
    }
}

struct Escapes;

impl Conduct for Escapes {
    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let Ok(text) = String::from_utf8(line.clone()) else { return vec![line] };
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if c.is_ascii() {
                out.push(c);
            } else {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
            }
        }
        vec![out.into_bytes()]
    }
}

struct WhiteSpace;

impl Conduct for WhiteSpace {
    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let Some(body) = line.strip_suffix(b"\n").and_then(|body| body.strip_prefix(b"{")) else {
            return vec![line];
        };
        vec![[b" \t{ ", body, b" \t\r\n"].concat()]
    }
}

fn points() -> Box<dyn Conduct> {
    sends(|m| {
        if is_call(m) {
            arguments(m).into_iter().flatten().for_each(|argument| {
                rewrite(argument, &mut |value| {
                    if let Some(number) = value.as_i64().filter(|number| number.abs() < 1 << 53) {
                        #[allow(clippy::cast_precision_loss, reason = "exact below 2^53")]
                        let float = number as f64;
                        *value = json!(float);
                    }
                })
            });
        }
    })
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

/// Each method has a second id, which is culled for itself.
fn object_renumbered() -> impl Conduct {
    const NEW: i64 = 1 << 40;
    #[derive(Default)]
    struct State {
        again: Option<Json>,
        methods: HashSet<i64>,
        culled: HashSet<i64>,
    }
    Both {
        state: State::default(),
        receive: |state: &mut State, m: &mut Json| {
            let gone = culled(m);
            if !gone.is_empty() {
                state.culled.extend(&gone);
                set(
                    m,
                    "arguments",
                    json!(gone.iter().filter(|id| !state.methods.contains(id)).collect::<Vec<_>>()),
                );
            }
            match id(m).filter(|id| state.methods.contains(id)) {
                Some(id) if state.culled.contains(&id) => return Vec::new(),
                Some(id) => set(m, "method", json!(id % NEW)),
                None => {}
            }
            pass(m)
        },
        send: |state: &mut State, m: &mut Json| {
            if name(m) == Some("methods") {
                let mut again = m.clone();
                let all =
                    callbacks(m).into_iter().filter_map(|(id, path)| Some((id.parse::<i64>().ok()?, path)));
                let all: Vec<(i64, Json)> = all.collect();
                state.methods = all.iter().flat_map(|(id, _)| [*id, *id + NEW]).collect();
                set_callbacks(&mut again, all.into_iter().map(|(id, path)| ((id + NEW).to_string(), path)));
                state.again = Some(again);
                return vec![m.clone()];
            }
            state.again.take().into_iter().chain([m.clone()]).collect()
        },
    }
}

/// Sends its first line after the other end's first segment, or after 50 ms.
struct MethodsLate;

impl Conduct for MethodsLate {
    fn hold(&mut self, answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        let first = answers.first().is_some_and(|(cause, _)| *cause == 0);
        first.then_some(Duration::from_millis(50))
    }
}
