//! Faults of giving functions back.

use super::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{
    Both, Conduct, Heard, Hears, Json, Says, callbacks, culled, id, name, pass, set, set_callbacks,
};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

pub(super) const FAULTS: &[Fault] = &[
    fault("closes-on-second-cull", "cull/unknown-id", LEGAL, "closes when a second cull comes", || {
        let mut culls = 0;
        Box::new(Hears(move |m: &mut Json| {
            culls += u32::from(name(m) == Some("cull"));
            if culls == 2 { vec![Heard::Close] } else { pass(m) }
        }))
    }),
    fault(
        "cull-cancels",
        "cull/only-named",
        LEGAL,
        "drops the answers that are under way when a cull comes",
        || Box::new(CullCancels { culled: false }),
    ),
    fault("culls-in-quotes", "cull/integral", LEGAL, "culls with the id as a string", || {
        culls_after_calls(|id| json!(id.to_string()))
    }),
    fault("culls-unknown", "cull/declared", LEGAL, "culls ids that nobody declared", || {
        culls_after_calls(|id| json!(id + 7_000_000))
    }),
    fault("ignores-cull", "cull/deletes", HOSTILE, "goes on running functions that were culled", || {
        hears_cull(|_| Vec::new())
    }),
    fault("answers-cull", "cull/no-answer", LEGAL, "answers a cull", || {
        Box::new(Hears(|m: &mut Json| {
            let answer =
                json!({"method": "culled", "arguments": m["arguments"], "callbacks": {}, "links": []});
            let said = (name(m) == Some("cull")).then_some(Heard::Say(answer));
            pass(m).into_iter().chain(said).collect()
        }))
    }),
    fault("culls-the-first", "cull/several", HOSTILE, "takes only the first id of a cull", || {
        hears_cull(|ids| ids.into_iter().take(1).collect())
    }),
    fault(
        "culls-everything",
        "cull/only-named",
        LEGAL,
        "forgets all functions that it passed on when one is culled",
        || {
            Box::new(Both {
                state: HashSet::new(),
                hears: |declared: &mut HashSet<i64>, m: &mut Json| {
                    if name(m) == Some("cull") {
                        set(
                            m,
                            "arguments",
                            json!(declared.iter().copied().filter(|id| *id > 13).collect::<Vec<_>>()),
                        );
                    }
                    pass(m)
                },
                says: |declared: &mut HashSet<i64>, m: &mut Json| {
                    declared.extend(callbacks(m).iter().filter_map(|(id, _)| id.parse::<i64>().ok()));
                    vec![m.clone()]
                },
            })
        },
    ),
    fault(
        "closes-on-unknown-cull",
        "cull/unknown-id",
        HOSTILE,
        "closes when an id is culled that it does not know",
        || {
            Box::new(Both {
                state: HashSet::new(),
                hears: |known: &mut HashSet<i64>, m: &mut Json| {
                    let unknown = culled(m).into_iter().any(|id| !known.remove(&id));
                    if unknown { vec![Heard::Close] } else { pass(m) }
                },
                says: |known: &mut HashSet<i64>, m: &mut Json| {
                    known.extend(callbacks(m).iter().filter_map(|(id, _)| id.parse::<i64>().ok()));
                    vec![m.clone()]
                },
            })
        },
    ),
    fault(
        "culled-for-good",
        "cull/sent-again",
        LEGAL,
        "does not declare anything any more after a cull",
        || {
            Box::new(Both {
                state: false,
                hears: |after: &mut bool, m: &mut Json| {
                    *after |= name(m) == Some("cull");
                    pass(m)
                },
                says: |after: &mut bool, m: &mut Json| {
                    if *after && id(m).is_some() {
                        set_callbacks(m, []);
                    }
                    vec![m.clone()]
                },
            })
        },
    ),
    fault(
        "name-goes-with-id",
        "cull/by-name",
        LEGAL,
        "no longer answers to the name of a method whose id was culled",
        || {
            Box::new(Both {
                state: (HashMap::new(), HashSet::new()),
                hears: |(names, gone): &mut (HashMap<i64, String>, HashSet<String>), m: &mut Json| {
                    gone.extend(culled(m).iter().filter_map(|id| names.get(id).cloned()));
                    if name(m).is_some_and(|name| gone.contains(name)) { Vec::new() } else { pass(m) }
                },
                says: |(names, _): &mut (HashMap<i64, String>, HashSet<String>), m: &mut Json| {
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

/// Culls a callback after each call of it, with the id written in this way.
fn culls_after_calls(written: fn(i64) -> Json) -> Box<dyn Conduct> {
    Box::new(Says(move |m: &mut Json| {
        let cull = id(m).map(|id| json!({"method": "cull", "arguments": [written(id)]}));
        std::iter::once(m.clone()).chain(cull).collect()
    }))
}

fn hears_cull(takes: fn(Vec<i64>) -> Vec<i64>) -> Box<dyn Conduct> {
    Box::new(Hears(move |m: &mut Json| {
        if name(m) == Some("cull") {
            set(m, "arguments", json!(takes(culled(m))));
        }
        pass(m)
    }))
}

struct CullCancels {
    culled: bool,
}

impl Conduct for CullCancels {
    fn hear(&mut self, line: Vec<u8>) -> Vec<Heard> {
        self.culled |=
            serde_json::from_slice::<Json>(&line).is_ok_and(|message| name(&message) == Some("cull"));
        vec![Heard::Line(line)]
    }

    fn hold(&mut self, answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        if std::mem::take(&mut self.culled) {
            answers.clear();
        }
        Some(Duration::from_millis(5))
    }
}
