//! Faults of whole messages.

use super::definition::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{
    Both, Conduct, Ignores, Json, OnReceive, OnSend, Reaction, arguments, callbacks, id, is_call, name, pass,
    set, set_callbacks,
};
use serde_json::json;
use std::collections::HashMap;

pub(super) const FAULTS: &[Fault] = &[
    fault("sends-lists", "message/object", LEGAL, "sends a call as a list of method and arguments", || {
        Box::new(OnSend(|m: &mut Json| {
            if is_call(m) { vec![json!([m["method"], m["arguments"]])] } else { vec![m.clone()] }
        }))
    }),
    fault("fractional-method", "message/method", LEGAL, "sends a fraction as the method of a call", || {
        Box::new(OnSend(|m: &mut Json| {
            if let Some(id) = id(m) {
                #[allow(clippy::cast_precision_loss, reason = "ids are small here")]
                set(m, "method", json!(id as f64 + 0.5));
            }
            vec![m.clone()]
        }))
    }),
    fault(
        "booleans-are-ids",
        "callback/unknown-id",
        HOSTILE,
        "calls the function 1 if the method is true, and 0 if it is false",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                if let Some(method) = m["method"].as_bool() {
                    set(m, "method", json!(u8::from(method)));
                }
                pass(m)
            }))
        },
    ),
    fault(
        "null-for-broken-ids",
        "message/method",
        HOSTILE,
        "answers with the method null if the key of the callback is a number with more behind it",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let is_broken = |key: &str| {
                    key.starts_with(|it: char| it.is_ascii_digit()) && key.parse::<u64>().is_err()
                };
                if callbacks(m).iter().any(|(key, _)| is_broken(key)) {
                    return vec![Reaction::Answer(json!({"method": null, "arguments": []}))];
                }
                pass(m)
            }))
        },
    ),
    fault(
        "reads-longer-fields",
        "message/unknown-fields",
        LEGAL,
        "takes a field for the arguments whose name only begins like theirs",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let fields = m.as_object().into_iter().flatten();
                let mut longer =
                    fields.filter(|(key, _)| key.starts_with("arguments")).map(|(_, value)| value.clone());
                if let Some(value) = longer.next_back() {
                    set(m, "arguments", value);
                }
                pass(m)
            }))
        },
    ),
    fault(
        "arguments-object",
        "message/arguments",
        LEGAL,
        "sends the arguments of a call as an object",
        || {
            Box::new(OnSend(|m: &mut Json| {
                if is_call(m) {
                    let list = m["arguments"].as_array().cloned().unwrap_or_default();
                    let object =
                        list.into_iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect();
                    set(m, "arguments", Json::Object(object));
                }
                vec![m.clone()]
            }))
        },
    ),
    fault(
        "callbacks-list",
        "message/callbacks",
        LEGAL,
        "sends empty callbacks as a list, as the PHP port does",
        || {
            Box::new(OnSend(|m: &mut Json| {
                if callbacks(m).is_empty() {
                    set(m, "callbacks", json!([]));
                }
                vec![m.clone()]
            }))
        },
    ),
    fault("links-object", "message/links", LEGAL, "sends links as an object", || {
        Box::new(OnSend(|m: &mut Json| {
            set(m, "links", json!({}));
            vec![m.clone()]
        }))
    }),
    fault("needs-arguments", "message/omitted-fields", LEGAL, "ignores a message without arguments", || {
        without("arguments")
    }),
    fault("needs-callbacks", "message/omitted-fields", LEGAL, "ignores a message without callbacks", || {
        without("callbacks")
    }),
    fault(
        "dies-without-callbacks",
        "message/omitted-fields",
        LEGAL,
        "crashes on a message without callbacks",
        || {
            Box::new(OnReceive(
                |m: &mut Json| if m.get("callbacks").is_none() { vec![Reaction::Crash] } else { pass(m) },
            ))
        },
    ),
    fault("needs-links", "message/omitted-fields", LEGAL, "ignores a message without links", || {
        without("links")
    }),
    fault("digits-are-ids", "message/string-method", HOSTILE, "reads the method \"0\" as the id 0", || {
        Box::new(OnReceive(|m: &mut Json| {
            if let Some(id) = name(m).and_then(|name| name.parse::<i64>().ok()) {
                set(m, "method", json!(id));
            }
            pass(m)
        }))
    }),
    fault("ids-in-quotes", "message/string-method", LEGAL, "writes the id of a call as a string", || {
        Box::new(OnSend(|m: &mut Json| {
            if let Some(id) = id(m) {
                set(m, "method", json!(id.to_string()));
            }
            vec![m.clone()]
        }))
    }),
    fault(
        "digit-names-are-ids",
        "message/string-method",
        LEGAL,
        "calls a method whose name is a number with that number as its id",
        digit_names_are_ids,
    ),
    fault(
        "needs-an-argument",
        "message/omitted-fields",
        LEGAL,
        "ignores a call with empty arguments",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let empty = m["arguments"].as_array().is_none_or(Vec::is_empty);
                if is_call(m) && empty { Vec::new() } else { pass(m) }
            }))
        },
    ),
    fault(
        "functions-first",
        "message/argument-order",
        LEGAL,
        "puts a function before the other arguments",
        || {
            Box::new(OnSend(|m: &mut Json| {
                let [(id, path)] = &callbacks(m)[..] else { return vec![m.clone()] };
                let index = path.as_array().filter(|keys| keys.len() == 1).and_then(|keys| keys[0].as_str());
                if let Some(index) = index.and_then(|index| index.parse::<usize>().ok())
                    && is_call(m)
                    && let Some(list) = arguments(m)
                {
                    list[..=index].rotate_right(1);
                    set_callbacks(m, [(id.clone(), json!(["0"]))]);
                }
                vec![m.clone()]
            }))
        },
    ),
    fault(
        "ids-off-by-one",
        "message/integer-method",
        LEGAL,
        "runs the function with the next id instead of the called one",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                if let Some(id) = id(m) {
                    set(m, "method", json!(id + 1));
                }
                pass(m)
            }))
        },
    ),
    fault(
        "swaps-arguments",
        "message/argument-order",
        LEGAL,
        "swaps the first two arguments of its calls",
        || {
            Box::new(OnSend(|m: &mut Json| {
                if is_call(m)
                    && callbacks(m).is_empty()
                    && let Some([first, second, ..]) = arguments(m).map(Vec::as_mut_slice)
                {
                    std::mem::swap(first, second);
                }
                vec![m.clone()]
            }))
        },
    ),
    fault(
        "drops-last-argument",
        "message/argument-order",
        LEGAL,
        "sends at most one argument in a call",
        || {
            Box::new(OnSend(|m: &mut Json| {
                if is_call(m)
                    && callbacks(m).is_empty()
                    && let Some(list) = arguments(m)
                {
                    list.truncate(1);
                }
                vec![m.clone()]
            }))
        },
    ),
    fault(
        "null-arguments-removed",
        "message/argument-order",
        LEGAL,
        "omits trailing arguments that are null",
        || {
            Box::new(OnSend(|m: &mut Json| {
                if is_call(m)
                    && callbacks(m).is_empty()
                    && let Some(list) = arguments(m)
                {
                    while list.len() > 1 && list.last().is_some_and(Json::is_null) {
                        list.pop();
                    }
                }
                vec![m.clone()]
            }))
        },
    ),
    fault(
        "method-first",
        "message/field-order",
        LEGAL,
        "ignores a message whose first field is not method",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                let first = m.as_object().and_then(|object| object.keys().next());
                if first.is_some_and(|first| first != "method") { Vec::new() } else { pass(m) }
            }))
        },
    ),
    fault(
        "no-point-zero",
        "message/integer-by-value",
        LEGAL,
        "ignores a call whose id is written as a fraction, such as 0.0",
        || Box::new(OnReceive(|m: &mut Json| if m["method"].is_f64() { Vec::new() } else { pass(m) })),
    ),
    fault(
        "known-fields-only",
        "message/unknown-fields",
        LEGAL,
        "ignores a message with an unknown field",
        || {
            Box::new(OnReceive(|m: &mut Json| {
                const KNOWN: [&str; 4] = ["method", "arguments", "callbacks", "links"];
                let known =
                    m.as_object().is_none_or(|object| object.keys().all(|key| KNOWN.contains(&key.as_str())));
                if known { pass(m) } else { Vec::new() }
            }))
        },
    ),
    fault(
        "no-duplicate-fields",
        "message/duplicate-fields",
        LEGAL,
        "ignores a message with a duplicate field",
        || {
            Box::new(Ignores(|line: &[u8]| {
                let count =
                    |field: &[u8]| line.windows(field.len()).filter(|window| *window == field).count();
                count(b"\"method\":") > 1 || count(b"\"arguments\":") > 1 || count(b"\"callbacks\":") > 1
            }))
        },
    ),
];

fn digit_names_are_ids() -> Box<dyn Conduct> {
    Box::new(Both {
        state: HashMap::new(),
        receive: |names: &mut HashMap<i64, i64>, m: &mut Json| {
            if name(m) == Some("methods") {
                names.extend(callbacks(m).iter().filter_map(|(id, path)| {
                    let name = path.as_array()?.last()?.as_str()?;
                    Some((id.parse::<i64>().ok()?, name.parse::<i64>().ok()?))
                }));
            }
            pass(m)
        },
        send: |names: &mut HashMap<i64, i64>, m: &mut Json| {
            if let Some(number) = id(m).and_then(|id| names.get(&id)) {
                set(m, "method", json!(number));
            }
            vec![m.clone()]
        },
    })
}

/// Ignores calls that lack this field.
fn without(field: &'static str) -> Box<dyn Conduct> {
    Box::new(OnReceive(move |m: &mut Json| -> Vec<Reaction> {
        if is_call(m) && m.get(field).is_none() { Vec::new() } else { pass(m) }
    }))
}
