//! Variants of the text of messages.

use crate::reference::conduct::{Conduct, Json, OnSend, arguments, callbacks, is_call, rewrite, set};
use serde_json::json;

pub(super) fn sends(change: fn(&mut Json)) -> Box<dyn Conduct> {
    Box::new(OnSend(move |m: &mut Json| {
        change(m);
        vec![m.clone()]
    }))
}

pub(super) fn integer_paths() -> Box<dyn Conduct> {
    fn integers(path: &mut Json) {
        for key in path.as_array_mut().into_iter().flatten() {
            if let Some(index) = key.as_str().and_then(|key| key.parse::<u64>().ok()) {
                *key = json!(index);
            }
        }
    }
    sends(|m| {
        for path in
            m.get_mut("callbacks").and_then(Json::as_object_mut).into_iter().flat_map(|all| all.values_mut())
        {
            integers(path);
        }
        for link in m.get_mut("links").and_then(Json::as_array_mut).into_iter().flatten() {
            ["from", "to"].into_iter().for_each(|end| integers(&mut link[end]));
        }
    })
}

pub(super) fn omitted_fields() -> Box<dyn Conduct> {
    sends(|m| {
        if let Some(object) = m.as_object_mut() {
            object.retain(|field, value| {
                let empty = value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(serde_json::Map::is_empty);
                field == "method" || !empty
            });
        }
    })
}

pub(super) fn field_order() -> Box<dyn Conduct> {
    sends(|m| {
        if let Some(object) = m.as_object_mut() {
            *object = std::mem::take(object).into_iter().rev().collect();
        }
    })
}

pub(super) fn other_placeholder() -> Box<dyn Conduct> {
    sends(|m| {
        for (_, path) in callbacks(m) {
            let keys = path.as_array().into_iter().flatten().filter_map(Json::as_str);
            let pointer: String =
                keys.map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
            if let Some(place) = m["arguments"].pointer_mut(&pointer).filter(|place| **place == "[Function]")
            {
                *place = Json::Null;
            }
        }
    })
}

pub(super) fn links_for_duplicates() -> Box<dyn Conduct> {
    sends(|m| {
        let pair = m["arguments"][0]
            .as_array()
            .is_some_and(|list| list.len() == 2 && list[0] == list[1] && list[0].is_object());
        if is_call(m) && pair && callbacks(m).is_empty() && m["links"] == json!([]) {
            m["arguments"][0][1] = json!("[Circular]");
            set(m, "links", json!([{"from": ["0", "0"], "to": ["0", "1"]}]));
        }
    })
}

pub(super) struct SmallWrites;

impl Conduct for SmallWrites {
    fn piece(&self) -> Option<usize> {
        Some(3)
    }
}

pub(super) struct Escapes;

impl Conduct for Escapes {
    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let Ok(text) = String::from_utf8(line.clone()) else { return vec![line] };
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if c.is_ascii() {
                out.push(c);
            } else {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
            }
        }
        vec![out.into_bytes()]
    }
}

pub(super) struct WhiteSpace;

impl Conduct for WhiteSpace {
    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let Some(body) = line.strip_suffix(b"\n").and_then(|body| body.strip_prefix(b"{")) else {
            return vec![line];
        };
        vec![[b" \t{ ", body, b" \t\r\n"].concat()]
    }
}

pub(super) fn points() -> Box<dyn Conduct> {
    sends(|m| {
        if is_call(m) {
            arguments(m).into_iter().flatten().for_each(|argument| {
                rewrite(argument, &mut |value| {
                    if let Some(number) = value.as_i64().filter(|number| number.abs() < 1 << 53) {
                        #[allow(clippy::cast_precision_loss, reason = "exact below 2^53")]
                        let float = number as f64;
                        *value = json!(float);
                    }
                })
            });
        }
    })
}
