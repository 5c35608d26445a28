//! Faults that confuse which function an id means.

use crate::reference::conduct::{
    Both, Conduct, Json, OnReceive, Reaction, callbacks, culled, declared, id, is_call, line_of, name, pass,
    set, set_callbacks,
};
use crate::reference::fault::definition::{Fault, HOSTILE, LEGAL, fault};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

pub(in crate::reference::fault) const FAULTS: &[Fault] = &[
    fault(
        "takes-the-number-below",
        "callback/unknown-id",
        LEGAL,
        "takes the number below its first id for that id",
        takes_the_number_below,
    ),
    fault(
        "numbers-by-count",
        "callback/own-function",
        LEGAL,
        "numbers a new function by the count of those it has, so after a cull it takes a number in use",
        numbers_by_count,
    ),
    fault(
        "reads-zeros",
        "callback/key-digits",
        HOSTILE,
        "takes the key 070 of callbacks for the id 70",
        || receives_keys(|key| key.parse::<u64>().map_or(key.to_owned(), |id| id.to_string())),
    ),
];

fn receives_keys(change: fn(&str) -> String) -> Box<dyn Conduct> {
    Box::new(OnReceive(move |m: &mut Json| {
        if is_call(m) {
            let changed: Vec<_> = callbacks(m).into_iter().map(|(key, path)| (change(&key), path)).collect();
            set_callbacks(m, changed);
        }
        pass(m)
    }))
}

/// Delays its answers and swaps the callbacks of the first two answers to different calls.
#[derive(Default)]
pub(super) struct MixesAnswers(HashSet<u64>);

impl Conduct for MixesAnswers {
    fn hold(&mut self, answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        let called = |line: &[u8]| id(&serde_json::from_slice(line).ok()?);
        let fresh: Vec<(usize, u64, i64)> = answers
            .iter()
            .enumerate()
            .filter(|(_, (cause, _))| !self.0.contains(cause))
            .filter_map(|(at, (cause, line))| Some((at, *cause, called(line)?)))
            .collect();
        let second = fresh.iter().find(|(_, cause, _)| *cause != fresh[0].1);
        if let Some(&(at, cause, id)) = second {
            let (first_at, first_cause, first_id) = fresh[0];
            self.0.extend([first_cause, cause]);
            for (at, id) in [(first_at, id), (at, first_id)] {
                if let Ok(mut message) = serde_json::from_slice::<Json>(&answers[at].1) {
                    set(&mut message, "method", json!(id));
                    answers[at].1 = line_of(&message);
                }
            }
        }
        Some(Duration::from_millis(5))
    }
}

pub(super) fn once_when_declared_again() -> Box<dyn Conduct> {
    Box::new(Both {
        state: HashMap::new(),
        receive: |counts: &mut HashMap<i64, (u32, u32)>, m: &mut Json| {
            for id in declared(m) {
                counts.entry(id).or_default().0 += 1;
            }
            pass(m)
        },
        send: |counts: &mut HashMap<i64, (u32, u32)>, m: &mut Json| {
            let Some((times, calls)) = id(m).and_then(|id| counts.get_mut(&id)) else {
                return vec![m.clone()];
            };
            *calls += u32::from(*times > 1);
            if *calls > 1 { Vec::new() } else { vec![m.clone()] }
        },
    })
}

/// If two functions are neighbours in a list, adds a link that copies the first over the second.
pub(super) fn two_for_one(m: &mut Json) -> Vec<Reaction> {
    let all = callbacks(m);
    let pair = all.iter().find_map(|(first, path)| {
        let (last, parent) = path.as_array()?.split_last()?;
        let index: u64 = last.as_u64().or_else(|| last.as_str()?.parse().ok())?;
        let next = |key: &Json| key.as_u64().or_else(|| key.as_str()?.parse().ok()) == Some(index + 1);
        let beside = |other: &Json| {
            other
                .as_array()
                .and_then(|keys| keys.split_last())
                .is_some_and(|(key, list)| list == parent && next(key))
        };
        let (second, other) = all.iter().find(|(id, path)| id != first && beside(path))?;
        (!parent.is_empty()).then(|| (second.clone(), json!({"from": path, "to": other})))
    });
    if let Some((second, link)) = pair {
        set_callbacks(m, all.into_iter().filter(|(id, _)| *id != second));
        set(m, "links", json!([link]));
    }
    pass(m)
}

/// Takes the number below its first id for that id.
fn takes_the_number_below() -> Box<dyn Conduct> {
    Box::new(OnReceive(|m: &mut Json| {
        if id(m) == Some(-1) {
            set(m, "method", json!(0));
        }
        pass(m)
    }))
}

/// The id of no function.
const NO_FUNCTION: i64 = 999_999_999;

/// Numbers a new function by the count of those it has. After a cull, that number may be in use; then
/// it means the new function.
fn numbers_by_count() -> Box<dyn Conduct> {
    // The functions by their ids on the wire.
    Box::new(Both {
        state: BTreeMap::new(),
        receive: |functions: &mut BTreeMap<i64, i64>, m: &mut Json| {
            if let Some(id) = id(m) {
                set(m, "method", json!(functions.get(&id).copied().unwrap_or(NO_FUNCTION)));
            }
            if name(m) == Some("cull") {
                let gone = culled(m).into_iter().filter_map(|id| functions.remove(&id));
                let gone: Vec<i64> = gone.collect();
                set(m, "arguments", json!(gone));
            }
            pass(m)
        },
        send: |functions: &mut BTreeMap<i64, i64>, m: &mut Json| {
            let mut number = |function: i64| {
                if let Some((id, _)) = functions.iter().find(|(_, other)| **other == function) {
                    return *id;
                }
                let id = i64::try_from(functions.len()).unwrap_or(NO_FUNCTION);
                functions.insert(id, function);
                id
            };
            let numbered: Vec<_> = callbacks(m)
                .into_iter()
                .map(|(key, path)| (key.parse().map_or(key, |function| number(function).to_string()), path))
                .collect();
            if name(m) != Some("cull") {
                set_callbacks(m, numbered);
            }
            vec![m.clone()]
        },
    })
}

/// Adds a number to its own ids on the wire.
pub(in crate::reference) fn shifted(by: i64) -> impl Conduct {
    Both {
        state: (),
        receive: move |(): &mut (), m: &mut Json| {
            if let Some(id) = id(m) {
                set(m, "method", json!(id - by));
            }
            if name(m) == Some("cull") {
                let ids: Vec<i64> = culled(m).iter().map(|id| id - by).collect();
                set(m, "arguments", json!(ids));
            }
            pass(m)
        },
        send: move |(): &mut (), m: &mut Json| {
            let higher = callbacks(m)
                .into_iter()
                .map(|(id, path)| (id.parse::<i64>().map_or(id.clone(), |id| (id + by).to_string()), path));
            let higher: Vec<_> = higher.collect();
            if name(m) != Some("cull") {
                set_callbacks(m, higher);
            }
            vec![m.clone()]
        },
    }
}

/// Has only two ids for functions other than its methods; an id means the function that got it
/// last.
pub(super) fn reuses_ids() -> Box<dyn Conduct> {
    Box::new(Both {
        state: HashMap::new(),
        receive: |meant: &mut HashMap<i64, i64>, m: &mut Json| {
            if let Some(id) = id(m) {
                set(m, "method", json!(meant.get(&id).copied().unwrap_or(id)));
            }
            pass(m)
        },
        send: |meant: &mut HashMap<i64, i64>, m: &mut Json| {
            let few = callbacks(m).into_iter().map(|(id, path)| match id.parse::<i64>() {
                Ok(number) if number > 13 => {
                    let few = 14 + number % 2;
                    meant.insert(few, number);
                    (few.to_string(), path)
                }
                _ => (id, path),
            });
            let few: Vec<_> = few.collect();
            if name(m) != Some("cull") {
                set_callbacks(m, few);
            }
            vec![m.clone()]
        },
    })
}

/// Gives each declaration a new id inside, and writes the other end's id on the wire.
pub(super) fn new_each_time() -> Box<dyn Conduct> {
    Box::new(Both {
        state: (HashMap::new(), 0_i64),
        receive: |(outside, next): &mut (HashMap<i64, i64>, i64), m: &mut Json| {
            let inside = callbacks(m).into_iter().map(|(id, path)| match id.parse::<i64>() {
                Ok(number) => {
                    *next += 1;
                    outside.insert(*next, number);
                    (next.to_string(), path)
                }
                Err(_) => (id, path),
            });
            let inside: Vec<_> = inside.collect();
            set_callbacks(m, inside);
            pass(m)
        },
        send: |(outside, _): &mut (HashMap<i64, i64>, i64), m: &mut Json| {
            if let Some(id) = id(m) {
                set(m, "method", json!(outside.get(&id).copied().unwrap_or(id)));
            }
            vec![m.clone()]
        },
    })
}
