//! Each end may call the other end at any time without being asked, also by a name that it never
//! called before, and may call each method of the other end's object by its name. No case may fail
//! because of such a call.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::cases::catalogue;
use dnode_conform::in_process;
use dnode_conform::reference::conduct::{Both, Chain, Conduct, Json, callbacks, name, pass};
use dnode_conform::reference::{self, MakeConduct, Manner, variant};
use dnode_conform::run::Options;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use fastrand::Rng;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use support::library::{judge, on_threads, options};

/// Calls, after each message but the first, a name that it never called before, or a method of the
/// other end's object by its name.
fn calls_anything(seed: u64) -> Box<dyn Conduct> {
    Box::new(Both {
        state: Rng::with_seed(seed),
        receive: |_: &mut Rng, message: &mut Json| pass(message),
        send: |random: &mut Rng, message: &mut Json| {
            let called = if random.bool() { "hello".to_owned() } else { format!("tick{}", random.u64(..)) };
            let call =
                json!({"method": called, "arguments": [0, random.u8(..)], "callbacks": {}, "links": []});
            let call = (name(message) != Some("methods")).then_some(call);
            [message.clone()].into_iter().chain(call).collect()
        },
    })
}

/// Calls the methods of the other end's object by name. If a link puts a method at a second name, it
/// calls that one.
fn calls_by_name() -> Box<dyn Conduct> {
    Box::new(Both {
        state: HashMap::<i64, Json>::new(),
        receive: |names: &mut HashMap<i64, Json>, message: &mut Json| {
            if name(message) == Some("methods") {
                let links: Vec<Json> = message["links"].as_array().cloned().unwrap_or_default();
                let at = |path: &Json, key: &str| path == &json!(["0", key]);
                *names = callbacks(message)
                    .into_iter()
                    .filter_map(|(id, path)| {
                        let key = path.as_array().filter(|path| path.len() == 2)?[1].as_str()?;
                        let link = links.iter().find(|link| at(&link["from"], key));
                        Some((
                            id.parse().ok()?,
                            link.map_or_else(|| json!(key), |link| link["to"][1].clone()),
                        ))
                    })
                    .collect();
            }
            pass(message)
        },
        send: |names: &mut HashMap<i64, Json>, message: &mut Json| {
            if let Some(name) = message["method"].as_i64().and_then(|id| names.get(&id)) {
                message["method"] = name.clone();
            }
            vec![message.clone()]
        },
    })
}

/// Runs all cases against this peer with these variants. Returns the cases that fail.
fn blamed(
    peer: fn(u64) -> Box<dyn Conduct>,
    variants: &'static [&'static str],
    dialect: Dialect,
) -> Vec<String> {
    let connections = AtomicU64::new(0);
    let connect = move || {
        let number = connections.fetch_add(1, Ordering::Relaxed);
        let make: MakeConduct = Arc::new(move |_| {
            let all = variants.iter().map(|name| (variant::find(name).unwrap().make)(number));
            Box::new(Chain(std::iter::once(peer(number)).chain(all).collect()))
        });
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(reference::speak(theirs, Manner::from(make).speaking(dialect)));
        ours
    };
    let options = Options { dialect, ..options(in_process::target("a caller", connect)) };
    let outcomes = judge(&options, catalogue(dialect).unwrap());
    let blamed = outcomes.iter().filter(|outcome| outcome.gates(Level::Robust));
    blamed.map(|it| format!("{}: {:?} {:?}", it.id, it.verdict, it.divergence)).collect()
}

#[test]
fn calls_that_a_peer_makes_unasked_are_never_blamed() {
    let peers: Vec<(&'static [&'static str], Dialect)> = vec![
        (&[], Dialect::V0_2),
        (&["concurrent-handlers"], Dialect::V0_2),
        (&["concurrent-handlers"], Dialect::V0_1),
    ];
    let blamed =
        on_threads(2, peers, |(variants, dialect)| blamed(calls_anything, variants, dialect)).concat();
    assert!(blamed.is_empty(), "{}", blamed.join("\n"));
}

#[test]
fn a_peer_that_calls_by_name_is_not_blamed() {
    let dialects = vec![Dialect::V0_2, Dialect::V0_1];
    let blamed = on_threads(2, dialects, |dialect| blamed(|_| calls_by_name(), &[], dialect)).concat();
    assert!(blamed.is_empty(), "{}", blamed.join("\n"));
}
