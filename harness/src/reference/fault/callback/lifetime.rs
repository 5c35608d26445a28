//! Faults of functions that die too early.

use crate::reference::conduct::{
    Both, Conduct, Json, OnReceive, callbacks, culled, declared, id, is_call, name, pass, set_callbacks,
};
use crate::reference::fault::definition::{Fault, LEGAL, fault};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

pub(in crate::reference::fault) const FAULTS: &[Fault] = &[
    fault(
        "keeps-1000-functions",
        "callback/called-again",
        LEGAL,
        "keeps only the last 1,000 functions of the other end",
        || Box::new(Keeps { known: VecDeque::new() }),
    ),
    fault(
        "wraps-ids",
        "callback/own-function",
        LEGAL,
        "gives the ids from 14 on again after 1,024 functions",
        || Box::new(wraps_ids()),
    ),
    fault(
        "works-ten-times",
        "callback/called-again",
        LEGAL,
        "runs a function that it passed ten times",
        || Box::new(own_calls(|calls, _| calls <= 10)),
    ),
    fault(
        "expires",
        "callback/called-again",
        LEGAL,
        "forgets a function that it passed a second ago",
        || Box::new(own_calls(|_, age| age < Duration::from_secs(1))),
    ),
    fault(
        "loses-to-json",
        "callback/any-depth",
        LEGAL,
        "takes a function at the key toJSON for one of its language",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                if is_call(m) {
                    let kept = callbacks(m).into_iter().filter(|(_, path)| last(path) != Some("toJSON"));
                    set_callbacks(m, kept.collect::<Vec<_>>());
                }
                pass(m)
            }))
        },
    ),
    fault(
        "merges-deep-siblings",
        "callback/any-depth",
        LEGAL,
        "gives a function four levels deep the path of the one beside it",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let mut parents = HashSet::new();
                let kept = callbacks(m).into_iter().filter(|(_, path)| {
                    let keys = path.as_array().map(Vec::as_slice).unwrap_or_default();
                    keys.len() < 5 || parents.insert(keys[..keys.len() - 1].to_vec())
                });
                let kept: Vec<_> = kept.collect();
                set_callbacks(m, kept);
                pass(m)
            }))
        },
    ),
];

fn last(path: &Json) -> Option<&str> {
    path.as_array()?.last()?.as_str()
}

/// Keeps only the last functions of the other end.
struct Keeps {
    known: VecDeque<i64>,
}

impl Conduct for Keeps {
    fn receive(&mut self, line: Vec<u8>) -> Vec<crate::reference::conduct::Reaction> {
        if let Ok(m) = serde_json::from_slice::<Json>(&line) {
            self.known.extend(declared(&m));
            let old = self.known.len().saturating_sub(1000);
            self.known.drain(..old);
        }
        vec![crate::reference::conduct::Reaction::Pass(line)]
    }

    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let called = serde_json::from_slice::<Json>(&line).ok().and_then(|m| id(&m));
        if called.is_some_and(|id| !self.known.contains(&id)) { Vec::new() } else { vec![line] }
    }
}

/// Calls of the functions that it passed reach them while `works` says so, from the number of the
/// call and the age of the function.
fn own_calls(works: fn(u32, Duration) -> bool) -> impl Conduct {
    Both {
        state: HashMap::new(),
        receive: move |passed: &mut HashMap<i64, (u32, Instant)>, m: &mut Json| {
            let Some((calls, since)) = id(m).and_then(|id| passed.get_mut(&id)) else { return pass(m) };
            *calls += 1;
            if works(*calls, since.elapsed()) { pass(m) } else { Vec::new() }
        },
        send: |passed: &mut HashMap<i64, (u32, Instant)>, m: &mut Json| {
            if is_call(m) {
                passed.extend(declared(m).into_iter().map(|id| (id, (0, Instant::now()))));
            }
            vec![m.clone()]
        },
    }
}

/// The number of ids that it gives to functions in calls, and the first of them.
const WRAPPED: (i64, i64) = (1024, 14);

/// Gives its functions ids modulo 1,024. Each calls the last function that has it.
fn wraps_ids() -> impl Conduct {
    let wrapped = |id: i64| if id < WRAPPED.1 { id } else { WRAPPED.1 + (id - WRAPPED.1) % WRAPPED.0 };
    Both {
        state: HashMap::new(),
        receive: move |inside: &mut HashMap<i64, i64>, m: &mut Json| {
            if let Some(real) = id(m).and_then(|id| inside.get(&id)) {
                m["method"] = Json::from(*real);
            }
            if name(m) == Some("cull") {
                let ids = culled(m).into_iter().map(|id| inside.get(&id).copied().unwrap_or(id));
                m["arguments"] = ids.collect();
            }
            pass(m)
        },
        send: move |inside: &mut HashMap<i64, i64>, m: &mut Json| {
            let all = callbacks(m).into_iter().filter_map(|(id, path)| Some((id.parse::<i64>().ok()?, path)));
            let all: Vec<(i64, Json)> = all.collect();
            inside.extend(all.iter().map(|(id, _)| (wrapped(*id), *id)));
            set_callbacks(m, all.into_iter().map(|(id, path)| (wrapped(id).to_string(), path)));
            vec![m.clone()]
        },
    }
}
