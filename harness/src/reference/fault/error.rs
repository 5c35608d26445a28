//! Faults of the method `error`, in dialect 0.1.

use super::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{Both, Heard, Hears, Json, callbacks, id, name, pass, set};
use serde_json::json;

pub(super) const FAULTS: &[Fault] = &[
    fault("answers-errors", "error/not-answered", LEGAL, "answers what tells of an error", || {
        Box::new(Hears(|m: &mut Json| {
            let sorry = json!({"method": "sorry", "arguments": []});
            let said = (name(m) == Some("error")).then_some(Heard::Say(sorry));
            pass(m).into_iter().chain(said).collect()
        }))
    }),
    fault(
        "calls-error-by-name",
        "error/reserved",
        LEGAL,
        "calls the member error of the other end's object by its name",
        || {
            Box::new(Both {
                state: None,
                hears: |error: &mut Option<i64>, m: &mut Json| {
                    let is_error = |path: &Json| path.get(1).and_then(Json::as_str) == Some("error");
                    if name(m) == Some("methods") {
                        let own = callbacks(m).into_iter().find(|(_, path)| is_error(path));
                        *error = own.and_then(|(id, _)| id.parse().ok());
                    }
                    pass(m)
                },
                says: |error: &mut Option<i64>, m: &mut Json| {
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
        "hears nothing any more once an error came without an object",
        || {
            Box::new(Hears(|m: &mut Json| {
                let odd = name(m) == Some("error") && !m["arguments"][0].is_object();
                if odd { vec![Heard::Deaf] } else { pass(m) }
            }))
        },
    ),
];
