//! Faults of callbacks: declaring, calling and answering functions.

pub(super) mod identity;
pub(super) mod lifetime;

pub(in crate::reference) use identity::shifted;

use super::definition::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{
    Both, Conduct, Json, OnReceive, OnSend, Reaction, above_nine, answer, callbacks, declared, id, is_call,
    name, pass, place, set, set_callbacks,
};
use identity::{MixesAnswers, new_each_time, once_when_declared_again, reuses_ids, two_for_one};
use serde_json::json;
use std::collections::HashSet;

pub(super) const FAULTS: &[Fault] = &[
    fault("ids-with-zeros", "callback/id-integral", LEGAL, "writes ids with a leading zero", || {
        sends_callbacks(|(id, path)| (format!("0{id}"), path))
    }),
    fault("path-text", "callback/path", LEGAL, "writes a path as a string with dots", || {
        sends_callbacks(|(id, path)| {
            let keys =
                path.as_array().into_iter().flatten().map(|key| key.as_str().unwrap_or_default().to_owned());
            (id, json!(keys.collect::<Vec<_>>().join(".")))
        })
    }),
    fault(
        "path-too-long",
        "callback/path-place",
        LEGAL,
        "appends a key to the path of each function",
        || {
            sends_callbacks(|(id, mut path)| {
                if let Some(keys) = path.as_array_mut() {
                    keys.push(json!("prototype"));
                }
                (id, path)
            })
        },
    ),
    fault("one-based-paths", "callback/in-answer", LEGAL, "counts the indexes of paths from 1", || {
        sends_callbacks(|(id, mut path)| {
            for key in path.as_array_mut().into_iter().flatten().skip(1) {
                if let Some(index) = key.as_str().and_then(|key| key.parse::<u64>().ok()) {
                    *key = json!((index + 1).to_string());
                }
            }
            if let Some(key) =
                path.as_array_mut().filter(|keys| keys.len() == 1).and_then(|keys| keys.first_mut())
            {
                let index = key.as_str().and_then(|key| key.parse::<u64>().ok()).unwrap_or_default();
                *key = json!((index + 1).to_string());
            }
            (id, path)
        })
    }),
    fault("declares-twice", "callback/path-unique", LEGAL, "declares two ids for each function", || {
        Box::new(OnSend(|m: &mut Json| {
            let twice = callbacks(m)
                .into_iter()
                .flat_map(|(id, path)| [(format!("{id}00000"), path.clone()), (id, path)]);
            set_callbacks(m, twice);
            vec![m.clone()]
        }))
    }),
    fault("answers-elsewhere", "callback/declared", LEGAL, "calls ids that were never declared", || {
        Box::new(OnSend(|m: &mut Json| {
            if let Some(id) = id(m) {
                set(m, "method", json!(id + 5_000_000));
            }
            vec![m.clone()]
        }))
    }),
    fault("culls-then-calls", "callback/not-culled", LEGAL, "culls a function before it calls it", || {
        Box::new(OnSend(|m: &mut Json| match id(m) {
            Some(id) => vec![json!({"method": "cull", "arguments": [id]}), m.clone()],
            None => vec![m.clone()],
        }))
    }),
    fault("ids-from-2-53", "callback/id-exact", LEGAL, "numbers its functions from 2^53", || {
        Box::new(shifted(1 << 53))
    }),
    fault(
        "no-string-indexes",
        "callback/path-forms",
        LEGAL,
        "does not accept a string of digits as an index within an argument",
        || {
            receives_callbacks(|_, path| {
                let digits = |key: &Json| key.as_str().is_some_and(|key| key.parse::<u32>().is_ok());
                !path.as_array().into_iter().flatten().skip(1).any(digits)
            })
        },
    ),
    fault(
        "no-integer-indexes",
        "callback/path-forms",
        LEGAL,
        "does not accept an integer as an index",
        || {
            receives_callbacks(|_, path| {
                !path.as_array().is_some_and(|keys| keys.first().is_some_and(Json::is_i64))
            })
        },
    ),
    fault(
        "one-digit-indexes",
        "callback/any-depth",
        LEGAL,
        "ignores callbacks with an index above 9",
        || receives_callbacks(|_, path| !above_nine(path)),
    ),
    fault(
        "integers-are-indexes",
        "callback/path-forms",
        LEGAL,
        "finds no function at a key of an object that a path has as an integer",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let in_object = |path: &Json| {
                    let (last, parent) = path.as_array()?.split_last()?;
                    let parent = place(&m["arguments"], parent)?;
                    Some(last.is_i64() && parent.is_object())
                };
                let found: Vec<_> =
                    callbacks(m).into_iter().filter(|(_, path)| in_object(path) != Some(true)).collect();
                set_callbacks(m, found);
                pass(m)
            }))
        },
    ),
    fault("integer-paths-only", "callback/path-forms", LEGAL, "accepts only integers as indexes", || {
        receives_callbacks(|_, path| {
            let digits = |key: &Json| key.as_str().is_some_and(|key| key.parse::<u32>().is_ok());
            !path.as_array().into_iter().flatten().any(digits)
        })
    }),
    fault("truncates-fractions", "callback/unknown-id", LEGAL, "calls the id 7 if the method is 7.5", || {
        Box::new(OnReceive(|m: &mut Json| {
            if let Some(method) = m["method"].as_f64().filter(|method| method.fract() != 0.0) {
                #[allow(clippy::cast_possible_truncation, reason = "it is the fault")]
                set(m, "method", json!(method as i64));
            }
            pass(m)
        }))
    }),
    fault("ids-of-32-bits", "callback/any-id", LEGAL, "truncates ids to 32 bits", || {
        Box::new(OnReceive(|m: &mut Json| {
            let cut = callbacks(m).into_iter().map(|(id, path)| {
                #[allow(clippy::cast_possible_truncation, reason = "it is the fault")]
                let cut = id.parse::<i64>().map_or(id.clone(), |id| (id as i32).to_string());
                (cut, path)
            });
            set_callbacks(m, cut);
            pass(m)
        }))
    }),
    fault("ids-below-100", "callback/any-id", LEGAL, "accepts only ids below 100", || {
        receives_callbacks(|id, _| id.parse::<i64>().is_ok_and(|id| id < 100))
    }),
    fault("no-id-zero", "callback/any-id", LEGAL, "treats the id 0 as missing", || {
        receives_callbacks(|id, _| id != "0")
    }),
    fault(
        "top-level-functions-only",
        "callback/any-depth",
        LEGAL,
        "finds functions only at the top level of the arguments",
        || receives_callbacks(|_, path| path.as_array().is_none_or(|keys| keys.len() <= 1)),
    ),
    fault(
        "no-functions-in-arrays",
        "callback/any-depth",
        LEGAL,
        "finds functions in objects, but not in arrays",
        || {
            receives_callbacks(|_, path| {
                let keys = path.as_array().into_iter().flatten().skip(1);
                !keys
                    .into_iter()
                    .any(|key| key.is_i64() || key.as_str().is_some_and(|key| key.parse::<u32>().is_ok()))
            })
        },
    ),
    fault(
        "sends-no-deep-functions",
        "callback/any-depth",
        LEGAL,
        "declares no functions nested more than one level deep in an argument",
        || {
            Box::new(OnSend(|m: &mut Json| {
                let shallow = callbacks(m)
                    .into_iter()
                    .filter(|(_, path)| path.as_array().is_none_or(|keys| keys.len() <= 2));
                if is_call(m) {
                    set_callbacks(m, shallow);
                }
                vec![m.clone()]
            }))
        },
    ),
    fault(
        "dies-of-missing-arguments",
        "callback/placeholder",
        LEGAL,
        "ignores a message without arguments, and crashes if it declares callbacks",
        || {
            Box::new(OnReceive(|m: &mut Json| match m.get("arguments") {
                Some(_) => pass(m),
                None if declared(m).is_empty() => Vec::new(),
                None => vec![Reaction::Crash],
            }))
        },
    ),
    fault(
        "needs-placeholder",
        "callback/placeholder",
        LEGAL,
        "finds a function only if \"[Function]\" stands in its place",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let found = callbacks(m).into_iter().filter(|(_, path)| {
                    place(&m["arguments"], path.as_array().into_iter().flatten())
                        == Some(&json!("[Function]"))
                });
                let found: Vec<_> = found.collect();
                set_callbacks(m, found);
                pass(m)
            }))
        },
    ),
    fault(
        "no-functions-in-answers",
        "callback/in-answer",
        LEGAL,
        "ignores functions in calls of its callbacks",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                // The ids up to 13 are those of its methods, higher ids those of its callbacks.
                if id(m).is_some_and(|id| id > 13) {
                    set_callbacks(m, []);
                }
                pass(m)
            }))
        },
    ),
    fault(
        "sends-no-functions",
        "callback/in-answer",
        LEGAL,
        "declares no functions in calls of callbacks",
        || {
            Box::new(OnSend(|m: &mut Json| {
                if id(m).is_some() {
                    set_callbacks(m, []);
                }
                vec![m.clone()]
            }))
        },
    ),
    fault(
        "callable-once",
        "callback/called-again",
        LEGAL,
        "forgets a function that it sent after one call",
        || {
            Box::new(Both {
                state: HashSet::new(),
                receive: |called: &mut HashSet<i64>, m: &mut Json| {
                    let again = id(m).is_some_and(|id| id > 13 && !called.insert(id));
                    if again { Vec::new() } else { pass(m) }
                },
                send: |_: &mut HashSet<i64>, m: &mut Json| vec![m.clone()],
            })
        },
    ),
    fault("calls-once", "callback/called-again", LEGAL, "calls each callback only once", || {
        Box::new(Both {
            state: HashSet::new(),
            receive: |_: &mut HashSet<i64>, m: &mut Json| pass(m),
            send: |called: &mut HashSet<i64>, m: &mut Json| {
                let again = id(m).is_some_and(|id| !called.insert(id));
                if again { Vec::new() } else { vec![m.clone()] }
            },
        })
    }),
    fault("answers-twice", "callback/answer-once", LEGAL, "calls each callback twice", || {
        Box::new(OnSend(|m: &mut Json| match id(m) {
            Some(_) => vec![m.clone(), m.clone()],
            None => vec![m.clone()],
        }))
    }),
    fault(
        "reuses-ids",
        "callback/own-function",
        LEGAL,
        "reuses the id of a live function for another one",
        reuses_ids,
    ),
    fault(
        "mixes-answers",
        "callback/own-function",
        LEGAL,
        "swaps the answers of two concurrent calls",
        || Box::new(MixesAnswers::default()),
    ),
    fault(
        "last-function-only",
        "callback/own-function",
        LEGAL,
        "calls the last function of a message instead of the first",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let all = callbacks(m);
                if let Some((last, _)) = all.last().cloned().filter(|_| is_call(m) && all.len() == 2) {
                    // The first function of the message is called by the id of the last.
                    let (_, first) = all[0].clone();
                    set_callbacks(m, [(last, first)]);
                }
                pass(m)
            }))
        },
    ),
    fault(
        "loses-returned-functions",
        "callback/returned",
        LEGAL,
        "returns the other end's function as a string",
        || {
            Box::new(Both {
                state: HashSet::new(),
                receive: |echoes: &mut HashSet<i64>, m: &mut Json| {
                    // `echo` is the second method of the object, and the only one that returns
                    // functions.
                    if id(m) == Some(1) || name(m) == Some("echo") {
                        echoes.extend(declared(m));
                    }
                    pass(m)
                },
                send: |echoes: &mut HashSet<i64>, m: &mut Json| {
                    if id(m).is_some_and(|id| echoes.contains(&id)) {
                        set_callbacks(m, []);
                    }
                    vec![m.clone()]
                },
            })
        },
    ),
    fault(
        "new-function-each-time",
        "callback/same-id",
        LEGAL,
        "treats an id that is declared again as a new function",
        new_each_time,
    ),
    fault(
        "once-when-declared-again",
        "callback/same-id",
        LEGAL,
        "calls an id that was declared twice only once after that",
        once_when_declared_again,
    ),
    fault(
        "two-for-one",
        "callback/same-function",
        LEGAL,
        "treats two neighbouring functions in a list as one",
        || Box::new(OnReceive(two_for_one)),
    ),
    fault(
        "same-function-once",
        "callback/same-function",
        LEGAL,
        "declares a function that a message contains twice only at its first place",
        || {
            Box::new(OnSend(|m: &mut Json| {
                let pair =
                    m["arguments"].as_array().is_some_and(|list| list.len() == 2 && list[0] == list[1]);
                if is_call(m) && pair {
                    let first: Vec<_> = callbacks(m).into_iter().take(1).collect();
                    set_callbacks(m, first);
                }
                vec![m.clone()]
            }))
        },
    ),
    fault(
        "answers-unknown-ids",
        "callback/unknown-id",
        HOSTILE,
        "answers a call of an unknown id with an error",
        || {
            Box::new(OnReceive(|m: &mut Json| match id(m) {
                Some(id) if id > 10_000 => {
                    answer(m, json!("error")).into_iter().map(Reaction::Answer).collect()
                }
                _ => pass(m),
            }))
        },
    ),
    fault(
        "cuts-method-to-32-bits",
        "callback/unknown-id",
        HOSTILE,
        "truncates the id of a call to 32 bits, as the Java port does",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                if let Some(number) = m["method"].as_f64() {
                    #[allow(clippy::cast_possible_truncation, reason = "it is the fault")]
                    let cut = number as i64 as i32;
                    set(m, "method", json!(cut));
                }
                pass(m)
            }))
        },
    ),
    fault(
        "no-functions-at-digits",
        "callback/any-depth",
        LEGAL,
        "finds no function at a key of digits in an object, such as \"0\"",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let in_object = |path: &Json| {
                    let (last, parent) = path.as_array()?.split_last()?;
                    let digits = last.is_i64() || last.as_str()?.parse::<u32>().is_ok();
                    let parent = place(&m["arguments"], parent)?;
                    Some(digits && parent.is_object())
                };
                let found: Vec<_> =
                    callbacks(m).into_iter().filter(|(_, path)| in_object(path) != Some(true)).collect();
                set_callbacks(m, found);
                pass(m)
            }))
        },
    ),
    fault("few-callbacks", "callback/many", LEGAL, "accepts at most 256 functions in a message", || {
        Box::new(OnReceive(|m: &mut Json| {
            if callbacks(m).len() > 256 {
                let few: Vec<_> = callbacks(m).into_iter().take(256).collect();
                set_callbacks(m, few);
            }
            pass(m)
        }))
    }),
    fault(
        "slow-to-keep",
        "callback/own-function",
        LEGAL,
        "remembers at most eight functions of the other end",
        || {
            Box::new(Both {
                state: Vec::new(),
                receive: |known: &mut Vec<i64>, m: &mut Json| {
                    known.extend(declared(m));
                    known.drain(..known.len().saturating_sub(8));
                    pass(m)
                },
                send: |known: &mut Vec<i64>, m: &mut Json| {
                    let lost = id(m).is_some_and(|id| !known.contains(&id));
                    if lost { Vec::new() } else { vec![m.clone()] }
                },
            })
        },
    ),
];

/// Changes the entries of the field `callbacks` in outgoing messages.
fn sends_callbacks(change: fn((String, Json)) -> (String, Json)) -> Box<dyn Conduct> {
    Box::new(OnSend(move |m: &mut Json| {
        if name(m) != Some("cull") {
            let changed: Vec<_> = callbacks(m).into_iter().map(change).collect();
            set_callbacks(m, changed);
        }
        vec![m.clone()]
    }))
}

/// Keeps only the matching functions of incoming calls.
fn receives_callbacks(keep: fn(&str, &Json) -> bool) -> Box<dyn Conduct> {
    Box::new(OnReceive(move |m: &mut Json| {
        let kept: Vec<_> = callbacks(m).into_iter().filter(|(id, path)| keep(id, path)).collect();
        if is_call(m) {
            set_callbacks(m, kept);
        }
        pass(m)
    }))
}
