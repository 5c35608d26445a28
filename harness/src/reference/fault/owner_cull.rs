//! Faults of culling one's own functions, in dialect 0.1.

use super::cull::answers_culls;
use super::definition::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{
    Both, Json, OnReceive, OnSend, Reaction, answer, culled, declared, id, name, pass,
};
use serde_json::json;
use std::collections::HashSet;

pub(super) const FAULTS: &[Fault] = &[
    fault(
        "culls-by-holder",
        "owner-cull/own",
        LEGAL,
        "culls the other end's callback after each call of it, as dialect 0.2 does",
        || {
            Box::new(OnSend(|m: &mut Json| {
                let cull = id(m).map(|id| json!({"method": "cull", "arguments": [id]}));
                std::iter::once(m.clone()).chain(cull).collect()
            }))
        },
    ),
    fault(
        "deletes-own-number",
        "owner-cull/number",
        LEGAL,
        "applies the other end's cull to its own functions, as dialect 0.2 does",
        || {
            let mut gone = HashSet::new();
            Box::new(OnReceive(move |m: &mut Json| {
                gone.extend(culled(m));
                if id(m).is_some_and(|id| gone.contains(&id)) { Vec::new() } else { pass(m) }
            }))
        },
    ),
    fault(
        "forgets-all-at-a-cull",
        "owner-cull/only-named",
        LEGAL,
        "forgets all functions of the other end when it culls one",
        || {
            Box::new(Both {
                state: (HashSet::new(), HashSet::new()),
                receive: |(known, gone): &mut (HashSet<i64>, HashSet<i64>), m: &mut Json| {
                    if name(m) == Some("cull") {
                        gone.extend(known.drain());
                    }
                    known.extend(declared(m));
                    pass(m)
                },
                send: |(_, gone): &mut (HashSet<i64>, HashSet<i64>), m: &mut Json| {
                    if id(m).is_some_and(|id| gone.contains(&id)) { Vec::new() } else { vec![m.clone()] }
                },
            })
        },
    ),
    fault(
        "answers-owner-cull",
        "owner-cull/no-answer",
        LEGAL,
        "calls the latest callback after a cull of the other end",
        || Box::new(answers_culls()),
    ),
    fault(
        "closes-on-unknown-owner-cull",
        "owner-cull/unknown-id",
        HOSTILE,
        "closes when the other end culls an id that it never declared",
        || {
            let mut known = HashSet::new();
            Box::new(OnReceive(move |m: &mut Json| {
                let unknown = culled(m).into_iter().any(|id| !known.remove(&id));
                known.extend(declared(m));
                if unknown { vec![Reaction::Close] } else { pass(m) }
            }))
        },
    ),
    fault(
        "calls-the-first-id",
        "owner-cull/sent-again",
        LEGAL,
        "never calls the functions that the other end declares after a cull",
        || {
            Box::new(Both {
                state: (false, HashSet::new()),
                receive: |(after, new): &mut (bool, HashSet<i64>), m: &mut Json| {
                    *after |= name(m) == Some("cull");
                    // The last function of a call takes its answer.
                    let places = declared(m).len().saturating_sub(1);
                    new.extend(declared(m).into_iter().take(if *after { places } else { 0 }));
                    pass(m)
                },
                send: |(_, new): &mut (bool, HashSet<i64>), m: &mut Json| {
                    if id(m).is_some_and(|id| new.contains(&id)) { Vec::new() } else { vec![m.clone()] }
                },
            })
        },
    ),
    fault(
        "takes-back-in-silence",
        "owner-cull/said",
        LEGAL,
        "does not tell the other end about its culls",
        || {
            Box::new(OnSend(
                |m: &mut Json| if name(m) == Some("cull") { Vec::new() } else { vec![m.clone()] },
            ))
        },
    ),
    fault(
        "runs-what-it-culled",
        "owner-cull/gone",
        HOSTILE,
        "still runs functions that it has culled",
        || {
            Box::new(Both {
                state: HashSet::new(),
                receive: |gone: &mut HashSet<i64>, m: &mut Json| {
                    let called = id(m).is_some_and(|id| gone.contains(&id));
                    let answer = answer(m, json!("limited")).filter(|_| called).map(Reaction::Answer);
                    pass(m).into_iter().chain(answer).collect()
                },
                send: |gone: &mut HashSet<i64>, m: &mut Json| {
                    gone.extend(culled(m));
                    vec![m.clone()]
                },
            })
        },
    ),
];
