//! Faults of the method `error`, in dialect 0.1.

use super::definition::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{Both, Json, OnReceive, Reaction, answer, callbacks, id, name, pass, set};
use serde_json::json;

pub(super) const FAULTS: &[Fault] = &[
    fault("answers-errors", "error/not-answered", LEGAL, "calls a function in an error message", || {
        Box::new(OnReceive(|m: &mut Json| {
            let answer = answer(m, json!("sorry")).filter(|_| name(m) == Some("error"));
            pass(m).into_iter().chain(answer.map(Reaction::Answer)).collect()
        }))
    }),
    fault(
        "calls-error-by-name",
        "error/reserved",
        LEGAL,
        "calls the other end's own method `error` by its name",
        || {
            Box::new(Both {
                state: None,
                receive: |error: &mut Option<i64>, m: &mut Json| {
                    let is_error = |path: &Json| path.get(1).and_then(Json::as_str) == Some("error");
                    if name(m) == Some("methods") {
                        let own = callbacks(m).into_iter().find(|(_, path)| is_error(path));
                        *error = own.and_then(|(id, _)| id.parse().ok());
                    }
                    pass(m)
                },
                send: |error: &mut Option<i64>, m: &mut Json| {
                    if id(m).is_some() && id(m) == *error {
                        set(m, "method", json!("error"));
                    }
                    vec![m.clone()]
                },
            })
        },
    ),
    fault(
        "deaf-after-odd-errors",
        "error/any-arguments",
        HOSTILE,
        "ignores all input after an error whose argument is no object",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let odd = name(m) == Some("error") && !m["arguments"][0].is_object();
                if odd { vec![Reaction::Deaf] } else { pass(m) }
            }))
        },
    ),
];
