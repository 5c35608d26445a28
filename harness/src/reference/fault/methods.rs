//! Faults of the handshake and of calls by name.

use super::definition::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{
    Both, Conduct, Json, OnReceive, OnSend, Reaction, answer, callbacks, id, is_call, name, pass, set,
    set_callbacks,
};
use crate::reference::fault::cull::culls_own;
use dnode_spec::probe::{OPTIONAL, REQUIRED};
use serde_json::json;
use std::collections::{HashMap, HashSet};

pub(super) const FAULTS: &[Fault] = &[
    fault("never-sends-methods", "methods/sent", LEGAL, "never sends its methods", || {
        Box::new(OnSend(|m: &mut Json| if name(m) == Some("methods") { Vec::new() } else { vec![m.clone()] }))
    }),
    fault(
        "waits-for-methods",
        "methods/sent",
        LEGAL,
        "sends its methods only after it receives the other end's",
        || {
            Box::new(Both {
                state: None,
                receive: |held: &mut Option<Json>, m: &mut Json| {
                    let own = held.take_if(|_| name(m) == Some("methods")).map(Reaction::Answer);
                    own.into_iter().chain(pass(m)).collect()
                },
                send: |held: &mut Option<Json>, m: &mut Json| {
                    if name(m) == Some("methods") {
                        *held = Some(m.clone());
                        return Vec::new();
                    }
                    vec![m.clone()]
                },
            })
        },
    ),
    fault("object-and-more", "methods/one-object", LEGAL, "sends a second argument with methods", || {
        Box::new(on_methods(|m| set(m, "arguments", json!([m["arguments"][0], "dnode"]))))
    }),
    fault(
        "undeclared-methods",
        "methods/declared",
        LEGAL,
        "sends its object without declaring its functions",
        || Box::new(on_methods(|m| set(m, "callbacks", json!({})))),
    ),
    fault(
        "one-shot-ids",
        "methods/by-id",
        LEGAL,
        "culls the id of each of its methods after a call of it",
        || Box::new(culls_own(|m| name(m) == Some("methods"))),
    ),
    fault(
        "finds-names-at-any-depth",
        "methods/other-object",
        LEGAL,
        "takes a function deeper in the other end's object for a method of the same name",
        || {
            Box::new(on_object(|path, all| {
                let depth = path.as_array().map_or(0, Vec::len);
                let is_deeper = |other: &Json| other.as_array().is_some_and(|it| it.len() > depth);
                !all.iter().any(|other| is_deeper(other) && last(other) == last(path))
            }))
        },
    ),
    fault(
        "library-names-are-its-own",
        "methods/other-object",
        LEGAL,
        "does not find methods with the names that its library uses: on, emit, end, write",
        || Box::new(on_object(|path, _| !["on", "emit", "end", "write"].contains(&last(path)))),
    ),
    fault(
        "language-names-are-its-own",
        "methods/other-object",
        LEGAL,
        "does not find methods with the names that its language uses: then, toJSON, toString",
        || Box::new(on_object(|path, _| !["then", "toJSON", "toString"].contains(&last(path)))),
    ),
    fault(
        "dies-of-a-cyclic-object",
        "methods/other-object",
        LEGAL,
        "dies if the other end's object contains itself",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let is_cyclic = m["arguments"].to_string().contains("[Circular]");
                if name(m) == Some("methods") && is_cyclic { vec![Reaction::Crash] } else { pass(m) }
            }))
        },
    ),
    fault(
        "no-links-in-methods",
        "link/new-place",
        LEGAL,
        "ignores the links of the other end's methods",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                if name(m) == Some("methods") {
                    set(m, "links", json!([]));
                }
                pass(m)
            }))
        },
    ),
    fault("names-only", "methods/by-id", LEGAL, "answers calls of its methods by name only", || {
        Box::new(OnReceive(|m: &mut Json| {
            // All members are functions but `plain`.
            let methods = REQUIRED.len() + OPTIONAL.len() - 1;
            let own = id(m).is_some_and(|id| (0..methods).any(|n| i64::try_from(n) == Ok(id)));
            if own { Vec::new() } else { pass(m) }
        }))
    }),
    fault(
        "ids-only",
        "methods/by-name",
        LEGAL,
        "ignores calls by name, as the Perl, Ruby, PHP and Java ports do",
        || {
            Box::new(OnReceive(
                |m: &mut Json| if is_call(m) && name(m).is_some() { Vec::new() } else { pass(m) },
            ))
        },
    ),
    fault(
        "ignores-their-object",
        "methods/other-object",
        LEGAL,
        "ignores the functions of the other end's object",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                if name(m) == Some("methods") {
                    set(m, "callbacks", json!({}));
                }
                pass(m)
            }))
        },
    ),
    fault(
        "reserved-by-name",
        "methods/reserved-names",
        LEGAL,
        "calls the other end's own methods `methods` and `cull` by their names",
        reserved_by_name,
    ),
    fault(
        "refuses-empty-object",
        "methods/empty-object",
        LEGAL,
        "closes when the other end's object is empty",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let empty = m["arguments"][0].as_object().is_some_and(serde_json::Map::is_empty);
                if name(m) == Some("methods") && empty { vec![Reaction::Close] } else { pass(m) }
            }))
        },
    ),
    fault(
        "no-call-before-methods",
        "methods/call-before",
        LEGAL,
        "ignores calls that arrive before the other end's methods",
        || {
            Box::new(Both {
                state: false,
                receive: |greeted: &mut bool, m: &mut Json| {
                    *greeted |= name(m) == Some("methods");
                    if *greeted { pass(m) } else { Vec::new() }
                },
                send: |_: &mut bool, m: &mut Json| vec![m.clone()],
            })
        },
    ),
    fault("methods-once", "methods/again", LEGAL, "ignores a second message `methods`", || {
        Box::new(Both {
            state: false,
            receive: |greeted: &mut bool, m: &mut Json| {
                let again = name(m) == Some("methods") && std::mem::replace(greeted, true);
                if again { Vec::new() } else { pass(m) }
            },
            send: |_: &mut bool, m: &mut Json| vec![m.clone()],
        })
    }),
    fault(
        "answers-unknown-names",
        "methods/unknown-name",
        HOSTILE,
        "answers a call of an unknown name with an error",
        || answers_names(|name| !REQUIRED.contains(&name) && !OPTIONAL.contains(&name)),
    ),
    fault(
        "inherited-names",
        "methods/inherited-name",
        HOSTILE,
        "answers calls of names that every JavaScript object inherits",
        || {
            answers_names(|name| {
                ["toString", "constructor", "__proto__", "hasOwnProperty", "valueOf"].contains(&name)
            })
        },
    ),
    fault(
        "names-of-the-language",
        "methods/inherited-name",
        HOSTILE,
        "answers calls of names that every Python or Perl object has",
        || answers_names(|name| ["__class__", "__init__", "isa", "can", "DESTROY"].contains(&name)),
    ),
    fault(
        "library-names",
        "methods/inherited-name",
        HOSTILE,
        "answers calls of the methods of its own library",
        || {
            answers_names(|name| {
                [
                    "callbacks",
                    "close",
                    "connect",
                    "__construct",
                    "destroy",
                    "emit",
                    "end",
                    "handle",
                    "instance",
                    "listen",
                    "on",
                    "once",
                    "parse",
                    "pipe",
                    "proto",
                    "remote",
                    "removeAllListeners",
                    "request",
                    "start",
                    "stop",
                    "write",
                ]
                .contains(&name)
            })
        },
    ),
    fault(
        "dies-of-a-plain-member",
        "methods/not-a-function",
        HOSTILE,
        "crashes on a call of a member that is not a function",
        || {
            Box::new(OnReceive(
                |m: &mut Json| if name(m) == Some("plain") { vec![Reaction::Crash] } else { pass(m) },
            ))
        },
    ),
    fault(
        "defines-getters",
        "methods/inherited-name",
        HOSTILE,
        "answers a name after the other end has defined it with __defineGetter__",
        || {
            let mut defined = HashSet::new();
            Box::new(OnReceive(move |m: &mut Json| {
                if name(m) == Some("__defineGetter__") {
                    defined.extend(m["arguments"][0].as_str().map(str::to_owned));
                    return Vec::new();
                }
                match name(m).filter(|name| defined.contains(*name)) {
                    Some(_) => answer(m, json!("defined")).map(Reaction::Answer).into_iter().collect(),
                    None => pass(m),
                }
            }))
        },
    ),
    fault(
        "keeps-old-members",
        "methods/again",
        LEGAL,
        "adds the members of a second object of the other end to those of the first",
        || {
            let mut before: Option<Json> = None;
            Box::new(OnReceive(move |m: &mut Json| {
                if name(m) == Some("methods") {
                    if let Some(old) = &before {
                        let members = old["arguments"][0].as_object().cloned().unwrap_or_default();
                        let (mut functions, mut kept) = (callbacks(m), callbacks(old));
                        kept.retain(|(_, path)| {
                            path[1].as_str().is_some_and(|name| m["arguments"][0][name].is_null())
                        });
                        functions.append(&mut kept);
                        if let Some(object) = m["arguments"][0].as_object_mut() {
                            for (key, value) in members {
                                object.entry(key).or_insert(value);
                            }
                        }
                        set_callbacks(m, functions);
                    }
                    before = Some(m.clone());
                }
                pass(m)
            }))
        },
    ),
    fault(
        "needs-an-object",
        "methods/without-object",
        LEGAL,
        "closes the connection if the other end's methods has no object",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let bare = name(m) == Some("methods") && m["arguments"][0].is_null();
                if bare { vec![Reaction::Close] } else { pass(m) }
            }))
        },
    ),
    fault("one-keeper", "probe/complete", LEGAL, "has one keeper for all calls of its method", || {
        let mut first: Option<Vec<(String, Json)>> = None;
        Box::new(OnSend(move |m: &mut Json| {
            if m["arguments"][0]["fire"].is_string() && is_call(m) {
                let functions = first.get_or_insert_with(|| callbacks(m)).clone();
                set_callbacks(m, functions);
            }
            vec![m.clone()]
        }))
    }),
    fault(
        "one-connection",
        "methods/connections",
        LEGAL,
        "serves a second connection only after the first has ended",
        || Box::new(OneConnection),
    ),
    fault(
        "lacks-later",
        "probe/complete",
        LEGAL,
        "claims the probe, but lacks one of its methods and does not declare that",
        || {
            Box::new(on_methods(|m| {
                let id = callbacks(m).into_iter().find(|(_, path)| path[1] == "later").map(|(id, _)| id);
                set_callbacks(m, callbacks(m).into_iter().filter(|(known, _)| Some(known) != id.as_ref()));
                if let Some(object) = m["arguments"][0].as_object_mut() {
                    object.remove("later");
                }
            }))
        },
    ),
    fault("wrong-sum", "probe/complete", LEGAL, "claims the probe, but one of its methods is wrong", || {
        Box::new(OnReceive(|m: &mut Json| {
            // `add` is the third method of the object.
            if id(m) == Some(2)
                && let Some(first) = m["arguments"][0].as_f64()
            {
                m["arguments"][0] = json!(first + 1.0);
            }
            pass(m)
        }))
    }),
    fault(
        "wrong-methods",
        "probe/complete",
        LEGAL,
        "claims the probe, but its methods change their arguments",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                // `echo` and `later` return their first argument; `applyTo` and `callMe` pass the
                // second on.
                match id(m) {
                    Some(1 | 13) => m["arguments"][0] = json!("wrong"),
                    Some(4) => m["arguments"][1] = json!("wrong"),
                    Some(11) => m["arguments"][1] = json!(["wrong"]),
                    _ => {}
                }
                pass(m)
            }))
        },
    ),
    fault("nameless-claim", "probe/complete", LEGAL, "claims the probe, but returns no name", || {
        Box::new(OnSend(|m: &mut Json| {
            if m["arguments"][0].as_str().is_some_and(|text| text.starts_with("dnode-conform-reference")) {
                set(m, "arguments", json!([42]));
            }
            vec![m.clone()]
        }))
    }),
    fault(
        "probe-forgets",
        "probe/complete",
        LEGAL,
        "claims the probe, but forgets its state between calls",
        || {
            Box::new(OnSend(|m: &mut Json| {
                let counted = m["arguments"].as_array().is_some_and(|list| *list == [json!(2)]);
                if id(m).is_some() && counted {
                    set(m, "arguments", json!([1]));
                }
                vec![m.clone()]
            }))
        },
    ),
];

fn reserved_by_name() -> Box<dyn Conduct> {
    Box::new(Both {
        state: HashMap::new(),
        receive: |reserved: &mut HashMap<i64, String>, m: &mut Json| {
            if name(m) == Some("methods") {
                reserved.extend(callbacks(m).iter().filter_map(|(id, path)| {
                    let name = path
                        .as_array()?
                        .last()?
                        .as_str()
                        .filter(|name| ["methods", "cull"].contains(name))?;
                    Some((id.parse::<i64>().ok()?, name.to_owned()))
                }));
            }
            pass(m)
        },
        send: |reserved: &mut HashMap<i64, String>, m: &mut Json| {
            if let Some(name) = id(m).and_then(|id| reserved.get(&id)) {
                set(m, "method", json!(name));
            }
            vec![m.clone()]
        },
    })
}

/// Changes the outgoing `methods`.
fn on_methods(change: fn(&mut Json)) -> impl Conduct {
    OnSend(move |m: &mut Json| {
        if name(m) == Some("methods") {
            change(m);
        }
        vec![m.clone()]
    })
}

/// Keeps only some functions of the other end's object, from the path of each and those of all.
fn on_object(keep: fn(&Json, &[Json]) -> bool) -> impl Conduct {
    OnReceive(move |m: &mut Json| {
        if name(m) == Some("methods") {
            let all = callbacks(m);
            let paths: Vec<Json> = all.iter().map(|(_, path)| path.clone()).collect();
            set_callbacks(m, all.into_iter().filter(|(_, path)| keep(path, &paths)));
        }
        pass(m)
    })
}

/// The last key of a path.
fn last(path: &Json) -> &str {
    path.as_array().and_then(|keys| keys.last()).and_then(Json::as_str).unwrap_or_default()
}

/// Answers calls of these names instead of ignoring them.
fn answers_names(matches: fn(&str) -> bool) -> Box<dyn Conduct> {
    Box::new(OnReceive(move |m: &mut Json| match name(m) {
        Some(name) if is_call(m) && matches(name) => {
            answer(m, json!("error")).into_iter().map(Reaction::Answer).collect()
        }
        _ => pass(m),
    }))
}

struct OneConnection;

impl Conduct for OneConnection {
    fn one_at_a_time(&self) -> bool {
        true
    }
}
