//! Faults of culling the other end's functions.

use super::definition::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{
    Both, Conduct, Json, OnReceive, OnSend, Reaction, callbacks, culled, declared, id, is_call, name, pass,
    set, set_callbacks,
};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

pub(super) const FAULTS: &[Fault] = &[
    fault("closes-on-second-cull", "cull/unknown-id", LEGAL, "closes after a second cull", || {
        let mut culls = 0;
        Box::new(OnReceive(move |m: &mut Json| {
            culls += u32::from(name(m) == Some("cull"));
            if culls == 2 { vec![Reaction::Close] } else { pass(m) }
        }))
    }),
    fault(
        "cull-cancels",
        "cull/only-named",
        LEGAL,
        "drops the answers that are pending when a cull arrives",
        || Box::new(CullCancels { culled: false }),
    ),
    fault("culls-in-quotes", "cull/integral", LEGAL, "culls with the id as a string", || {
        culls_after_calls(|id| json!(id.to_string()))
    }),
    fault("culls-unknown", "cull/declared", LEGAL, "culls ids that were never declared", || {
        culls_after_calls(|id| json!(id + 7_000_000))
    }),
    fault(
        "culls-own",
        "cull/declared",
        LEGAL,
        "culls each function that it passes after a call of it, as dialect 0.1 does",
        || Box::new(culls_own(is_call)),
    ),
    fault("ignores-cull", "cull/deletes", HOSTILE, "still runs culled functions", || {
        receives_cull(|_| Vec::new())
    }),
    fault("answers-cull", "cull/no-answer", LEGAL, "calls the latest callback after a cull", || {
        Box::new(answers_culls())
    }),
    fault("culls-the-first", "cull/several", HOSTILE, "applies only the first id of a cull", || {
        receives_cull(|ids| ids.into_iter().take(1).collect())
    }),
    fault("culls-two-at-most", "cull/several", HOSTILE, "applies only the first two ids of a cull", || {
        receives_cull(|ids| ids.into_iter().take(2).collect())
    }),
    fault("culls-booleans", "cull/not-an-id", HOSTILE, "takes true for 1 and false for 0 in a cull", || {
        Box::new(OnReceive(|m: &mut Json| {
            if name(m) == Some("cull") {
                for id in m["arguments"].as_array_mut().into_iter().flatten() {
                    if let Some(truth) = id.as_bool() {
                        *id = json!(u8::from(truth));
                    }
                }
            }
            pass(m)
        }))
    }),
    fault("culls-three-times", "cull/deletes", HOSTILE, "applies only the first three culls", || {
        let mut culls = 0;
        Box::new(OnReceive(move |m: &mut Json| {
            culls += u32::from(name(m) == Some("cull"));
            if name(m) == Some("cull") && culls > 3 { Vec::new() } else { pass(m) }
        }))
    }),
    fault(
        "culls-both-ends",
        "cull/only-named",
        LEGAL,
        "drops the other end's function too, if it has the number of a culled one",
        || {
            Box::new(Both {
                state: HashSet::new(),
                receive: |gone: &mut HashSet<i64>, m: &mut Json| {
                    gone.extend(culled(m));
                    let again = declared(m);
                    gone.retain(|id| !again.contains(id));
                    pass(m)
                },
                send: |gone: &mut HashSet<i64>, m: &mut Json| {
                    if id(m).is_some_and(|id| gone.contains(&id)) { Vec::new() } else { vec![m.clone()] }
                },
            })
        },
    ),
    fault(
        "culls-both-ids",
        "cull/only-named",
        LEGAL,
        "drops a function with all its ids when one of two is culled",
        || {
            Box::new(Both {
                state: HashMap::new(),
                receive: |twins: &mut HashMap<i64, i64>, m: &mut Json| {
                    let named = culled(m);
                    if !named.is_empty() {
                        let twins = named.iter().filter_map(|id| twins.get(id));
                        set(m, "arguments", json!(named.iter().chain(twins).collect::<Vec<_>>()));
                    }
                    pass(m)
                },
                send: |twins: &mut HashMap<i64, i64>, m: &mut Json| {
                    // Only `repeat` answers with two functions.
                    let both = m["arguments"].as_array().is_some_and(|arguments| arguments.len() == 2);
                    if let (&[first, second], true) = (declared(m).as_slice(), both) {
                        twins.extend([(first, second), (second, first)]);
                    }
                    vec![m.clone()]
                },
            })
        },
    ),
    fault(
        "culls-everything",
        "cull/only-named",
        LEGAL,
        "forgets all functions that it sent when one of them is culled",
        || {
            Box::new(Both {
                state: HashSet::new(),
                receive: |known: &mut HashSet<i64>, m: &mut Json| {
                    if name(m) == Some("cull") {
                        // The ids up to 13 are those of its methods.
                        let passed: Vec<_> = known.iter().filter(|id| **id > 13).collect();
                        set(m, "arguments", json!(passed));
                    }
                    pass(m)
                },
                send: |known: &mut HashSet<i64>, m: &mut Json| {
                    known.extend(declared(m));
                    vec![m.clone()]
                },
            })
        },
    ),
    fault(
        "closes-on-unknown-cull",
        "cull/unknown-id",
        HOSTILE,
        "closes after a cull of an unknown id",
        || {
            Box::new(Both {
                state: HashSet::new(),
                receive: |known: &mut HashSet<i64>, m: &mut Json| {
                    let unknown = culled(m).into_iter().any(|id| !known.remove(&id));
                    if unknown { vec![Reaction::Close] } else { pass(m) }
                },
                send: |known: &mut HashSet<i64>, m: &mut Json| {
                    known.extend(declared(m));
                    vec![m.clone()]
                },
            })
        },
    ),
    fault("culled-for-good", "cull/sent-again", LEGAL, "declares no functions after a cull", || {
        Box::new(Both {
            state: false,
            receive: |after: &mut bool, m: &mut Json| {
                *after |= name(m) == Some("cull");
                pass(m)
            },
            send: |after: &mut bool, m: &mut Json| {
                if *after && id(m).is_some() {
                    set_callbacks(m, []);
                }
                vec![m.clone()]
            },
        })
    }),
    fault(
        "name-goes-with-id",
        "cull/by-name",
        LEGAL,
        "does not answer a call by name of a method whose id was culled",
        || {
            Box::new(Both {
                state: (HashMap::new(), HashSet::new()),
                receive: |(names, gone): &mut (HashMap<i64, String>, HashSet<String>), m: &mut Json| {
                    gone.extend(culled(m).iter().filter_map(|id| names.get(id).cloned()));
                    if name(m).is_some_and(|name| gone.contains(name)) { Vec::new() } else { pass(m) }
                },
                send: |(names, _): &mut (HashMap<i64, String>, HashSet<String>), m: &mut Json| {
                    if name(m) == Some("methods") {
                        let own = callbacks(m)
                            .into_iter()
                            .filter_map(|(id, path)| Some((id.parse().ok()?, path[1].as_str()?.to_owned())));
                        names.extend(own);
                    }
                    vec![m.clone()]
                },
            })
        },
    ),
];

/// Culls a callback after each call of it. `written` makes the id in the cull.
/// Culls its own functions after a call of each: those that it declares in the messages that match.
pub(super) fn culls_own(of: impl Fn(&Json) -> bool + Send) -> impl Conduct {
    Both {
        state: (HashSet::new(), HashSet::new()),
        receive: |(known, gone): &mut (HashSet<i64>, HashSet<i64>), m: &mut Json| {
            let Some(id) = id(m).filter(|id| known.contains(id)) else { return pass(m) };
            if !gone.insert(id) {
                return Vec::new();
            }
            let cull = json!({"method": "cull", "arguments": [id], "callbacks": {}, "links": []});
            pass(m).into_iter().chain([Reaction::Answer(cull)]).collect()
        },
        send: move |(known, _): &mut (HashSet<i64>, HashSet<i64>), m: &mut Json| {
            if of(m) {
                known.extend(declared(m));
            }
            vec![m.clone()]
        },
    }
}

/// Calls the latest function that the other end declared, after a cull of the other end. A name would
/// prove nothing, because either end may call any name unasked.
pub(super) fn answers_culls() -> impl Conduct {
    let mut latest = None;
    OnReceive(move |m: &mut Json| {
        latest = declared(m).last().copied().or(latest);
        let call = latest.filter(|_| name(m) == Some("cull"));
        let call = call.map(|id| Reaction::Answer(json!({"method": id, "arguments": ["culled"]})));
        pass(m).into_iter().chain(call).collect()
    })
}

fn culls_after_calls(written: fn(i64) -> Json) -> Box<dyn Conduct> {
    Box::new(OnSend(move |m: &mut Json| {
        let cull = id(m).map(|id| json!({"method": "cull", "arguments": [written(id)]}));
        std::iter::once(m.clone()).chain(cull).collect()
    }))
}

/// Changes the ids of an incoming cull.
fn receives_cull(change: fn(Vec<i64>) -> Vec<i64>) -> Box<dyn Conduct> {
    Box::new(OnReceive(move |m: &mut Json| {
        if name(m) == Some("cull") {
            set(m, "arguments", json!(change(culled(m))));
        }
        pass(m)
    }))
}

struct CullCancels {
    culled: bool,
}

impl Conduct for CullCancels {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        self.culled |=
            serde_json::from_slice::<Json>(&line).is_ok_and(|message| name(&message) == Some("cull"));
        vec![Reaction::Pass(line)]
    }

    fn hold(&mut self, answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        if std::mem::take(&mut self.culled) {
            answers.clear();
        }
        Some(Duration::from_millis(5))
    }
}
