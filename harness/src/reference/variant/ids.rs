//! Variants of the ids of functions and of culls.

use crate::reference::conduct::{
    Both, Conduct, Json, Reaction, callbacks, culled, declared, id, name, pass, set, set_callbacks,
};
use fastrand::Rng;
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// Replaces the session's ids by random ones on the wire. `keep`: a function keeps its id when it
/// is sent again. `reuse`: an id that was culled is the next to be given.
pub(super) fn renumbered(seed: u64, keep: bool, reuse: bool) -> impl Conduct {
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
                // A cull may name an id twice, which is free only once.
                let mut gone = Vec::new();
                for id in culled(m) {
                    if let Some(function) = state.inside.remove(&id) {
                        gone.push(function);
                        state.free.iter_mut().for_each(|free| free.push(id));
                    }
                }
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

/// Culls the callback of a method that answers once, after the answer.
pub(super) fn culls() -> impl Conduct {
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

/// Each method has a second id, which is culled for itself.
pub(super) fn object_renumbered() -> impl Conduct {
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

/// Closes the connection when an id is called that it has not declared, or that is culled.
pub(super) fn closes_on_unknown_ids() -> impl Conduct {
    Both {
        state: HashSet::new(),
        receive: |known: &mut HashSet<i64>, m: &mut Json| {
            let gone = culled(m);
            known.retain(|id| !gone.contains(id));
            if id(m).is_some_and(|id| !known.contains(&id)) { vec![Reaction::Close] } else { pass(m) }
        },
        send: |known: &mut HashSet<i64>, m: &mut Json| {
            known.extend(declared(m));
            vec![m.clone()]
        },
    }
}
