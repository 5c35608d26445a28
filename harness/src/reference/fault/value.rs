//! Faults of values. They show in the arguments of the peer's calls.

use super::definition::{Fault, LEGAL, fault};
use crate::reference::conduct::{Conduct, Ignores, Json, OnSend, Reaction, is_call, rewrite};
use serde_json::json;

pub(super) const FAULTS: &[Fault] = &[
    fault("ignores-huge-numbers", "value/beyond-doubles", LEGAL, "ignores a message with 1e400", || {
        Box::new(Ignores(|line: &[u8]| line.windows(5).any(|bytes| bytes == b"1e400")))
    }),
    fault("booleans-are-numbers", "value/scalars", LEGAL, "sends true as 1 and false as 0", || {
        changes(|value| {
            if let Some(truth) = value.as_bool() {
                *value = json!(u8::from(truth));
            }
        })
    }),
    fault("null-is-empty", "value/scalars", LEGAL, "sends null as an empty string", || {
        changes(|value| {
            if value.is_null() {
                *value = json!("");
            }
        })
    }),
    fault("numbers-are-strings", "value/scalars", LEGAL, "sends numbers as strings", || {
        changes(|value| {
            if value.is_number() {
                *value = json!(value.to_string());
            }
        })
    }),
    fault(
        "objects-become-lists",
        "value/containers",
        LEGAL,
        "sends empty objects as lists, as PHP does",
        || {
            changes(|value| {
                if value.as_object().is_some_and(serde_json::Map::is_empty) {
                    *value = json!([]);
                }
            })
        },
    ),
    fault("empty-lists-become-null", "value/containers", LEGAL, "sends empty lists as null", || {
        changes(|value| {
            if value.as_array().is_some_and(Vec::is_empty) {
                *value = Json::Null;
            }
        })
    }),
    fault("long-lists-are-cut", "value/containers", LEGAL, "sends at most 1000 elements of a list", || {
        changes(|value| {
            if let Some(items) = value.as_array_mut() {
                items.truncate(1000);
            }
        })
    }),
    fault(
        "drops-byte-order-marks",
        "value/strings",
        LEGAL,
        "sends strings without a U+FEFF at the beginning",
        || {
            changes(|value| {
                if let Some(text) = value.as_str() {
                    *value = json!(text.trim_start_matches('\u{feff}'));
                }
            })
        },
    ),
    fault("single-precision", "value/numbers", LEGAL, "rounds numbers to single precision", || {
        changes(|value| {
            if let Some(number) = value.as_f64() {
                #[allow(clippy::cast_possible_truncation, reason = "it is the fault")]
                let rounded = f64::from(number as f32);
                *value = json!(rounded);
            }
        })
    }),
    fault("integers-only", "value/numbers", LEGAL, "truncates numbers to integers", || {
        changes(|value| {
            if let Some(number) = value.as_f64().filter(|number| number.fract() != 0.0) {
                *value = json!(number.trunc());
            }
        })
    }),
    fault(
        "ascii-only",
        "value/strings",
        LEGAL,
        "sends a question mark for each character outside ASCII",
        || {
            changes(|value| {
                if let Some(text) = value.as_str().filter(|text| !text.is_ascii()) {
                    *value =
                        json!(text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect::<String>());
                }
            })
        },
    ),
    fault("basic-plane-only", "value/strings", LEGAL, "drops characters above U+FFFF", || {
        changes(|value| {
            if let Some(text) = value.as_str().filter(|text| text.chars().any(|c| c > '\u{ffff}')) {
                *value = json!(text.chars().filter(|c| *c <= '\u{ffff}').collect::<String>());
            }
        })
    }),
    fault("strings-end-at-nul", "value/strings", LEGAL, "ends strings at a NUL character, as C does", || {
        changes(|value| {
            if let Some((text, _)) = value.as_str().and_then(|text| text.split_once('\0')) {
                *value = json!(text);
            }
        })
    }),
    fault(
        "composes-characters",
        "value/strings",
        LEGAL,
        "sends an e and a combining accent as one character",
        || {
            changes(|value| {
                if let Some(text) = value.as_str().filter(|text| text.contains("e\u{301}")) {
                    *value = json!(text.replace("e\u{301}", "\u{e9}"));
                }
            })
        },
    ),
    fault("marker-is-a-function", "value/strings", LEGAL, "sends the string \"[Function]\" as null", || {
        changes(|value| {
            if value == "[Function]" {
                *value = Json::Null;
            }
        })
    }),
    fault("keys-are-paths", "value/keys", LEGAL, "reads a dot in a key as a path", || {
        changes(|value| {
            let Some(members) = value.as_object_mut() else { return };
            let dotted: Vec<String> = members.keys().filter(|key| key.contains('.')).cloned().collect();
            for key in dotted {
                let member = members.remove(&key);
                let (head, rest) = key.split_once('.').unwrap_or((&key, ""));
                members.insert(head.to_owned(), json!({rest: member}));
            }
        })
    }),
    fault(
        "digit-keys-are-lists",
        "value/keys",
        LEGAL,
        "sends an object whose keys are 0, 1, … as a list",
        || {
            changes(|value| {
                let Some(members) = value.as_object().filter(|members| !members.is_empty()) else { return };
                if members.keys().enumerate().all(|(n, key)| *key == n.to_string()) {
                    *value = Json::Array(members.values().cloned().collect());
                }
            })
        },
    ),
    fault(
        "special-keys-are-lost",
        "value/keys",
        LEGAL,
        "drops members whose names are special in the language or the protocol",
        || {
            changes(|value| {
                const SPECIAL: [&str; 11] = [
                    "__proto__",
                    "constructor",
                    "toString",
                    "hasOwnProperty",
                    "length",
                    "method",
                    "arguments",
                    "callbacks",
                    "to_json",
                    "each",
                    "__toString",
                ];
                if let Some(members) = value.as_object_mut() {
                    members.retain(|key, _| !SPECIAL.contains(&key.as_str()));
                }
            })
        },
    ),
    fault(
        "no-nul-in-keys",
        "value/keys",
        LEGAL,
        "drops members whose keys contain a NUL character, as the PHP port does",
        || {
            changes(|value| {
                if let Some(members) = value.as_object_mut() {
                    members.retain(|key, _| !key.contains('\0'));
                }
            })
        },
    ),
    fault("shallow", "value/depth", LEGAL, "sends null for values nested more than 32 deep", || {
        Box::new(OnSend(|m: &mut Json| {
            if is_call(m) {
                cut(&mut m["arguments"], 32);
            }
            vec![m.clone()]
        }))
    }),
    fault(
        "closes-on-surrogates",
        "value/lone-surrogate",
        LEGAL,
        "closes when a string has an unpaired surrogate",
        || Box::new(ClosesOnSurrogates),
    ),
];

/// Changes each value in the arguments of outgoing calls.
fn changes(change: fn(&mut Json)) -> Box<dyn Conduct> {
    Box::new(OnSend(move |m: &mut Json| {
        if is_call(m) {
            let mut change = change;
            m["arguments"].as_array_mut().into_iter().flatten().for_each(|value| rewrite(value, &mut change));
        }
        vec![m.clone()]
    }))
}

/// Replaces containers below this depth by null.
fn cut(value: &mut Json, depth: u32) {
    match value {
        Json::Array(_) | Json::Object(_) if depth == 0 => *value = Json::Null,
        Json::Array(items) => items.iter_mut().for_each(|item| cut(item, depth - 1)),
        Json::Object(members) => members.values_mut().for_each(|member| cut(member, depth - 1)),
        _ => {}
    }
}

struct ClosesOnSurrogates;

impl Conduct for ClosesOnSurrogates {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let text = String::from_utf8_lossy(&line).to_lowercase();
        let lone = (text.contains("\\ud8") || text.contains("\\udc"))
            && serde_json::from_slice::<Json>(&line).is_err();
        if lone { vec![Reaction::Close] } else { vec![Reaction::Pass(line)] }
    }
}
