//! Parsing lines and decoding messages.

use super::emitted;
use dnode_spec::message::{self, Decoded};
use dnode_spec::text::Text;
use dnode_spec::value::{Kind, ParseError, Ref, Value};
use std::collections::HashMap;

/// Parses and decodes each line of a stream.
///
/// 1. A line is rejected at its first wrong byte, or its value survives writing and parsing.
/// 2. A line that serde_json accepts is accepted with the same value.
/// 3. Encoding and decoding a message gives the same message, and adds no problem to a sound one.
///
/// # Panics
/// If one of these does not hold.
pub fn decode(data: &[u8]) {
    for line in data.split(|&byte| byte == b'\n') {
        match Value::parse(line) {
            Ok(value) => {
                check_value(line, &value);
                check_message(&value);
            }
            Err(error) => check_error(line, error),
        }
    }
}

fn check_value(line: &[u8], value: &Value<'_>) {
    let json = value.root().to_json();
    assert!(!json.iter().any(|&byte| byte < b' '), "the written value is not one line");
    assert_eq!(Value::parse(&json).as_ref(), Ok(value));
    assert!(value.len_nodes() <= line.len());
    if let Some(theirs) = serde_json_value(line) {
        assert!(same(value.root(), &theirs), "{value:?} is not {theirs}");
    }
}

fn check_error(line: &[u8], error: ParseError) {
    assert_eq!(error.found, line.get(error.offset).copied());
    if let Err(before) = Value::parse(&line[..error.offset]) {
        assert_eq!(
            (before.offset, before.found),
            (error.offset, None),
            "an earlier byte is already wrong: {error}"
        );
    }
    if let Some(theirs) = serde_json_value(line) {
        panic!("{theirs} is rejected: {error}");
    }
}

/// The value that serde_json reads. `None` if it rejects the line, or if the line may contain a key
/// that serde_json reserves.
fn serde_json_value(line: &[u8]) -> Option<serde_json::Value> {
    const RESERVED: &[u8] = b"serde_json::private";
    let is_special = line.windows(RESERVED.len()).any(|window| window == RESERVED);
    serde_json::from_slice(line).ok().filter(|_| !is_special)
}

/// Whether both values are equal. Recursion is safe: serde_json reads at most 128 levels.
fn same(ours: Ref<'_>, theirs: &serde_json::Value) -> bool {
    match theirs {
        serde_json::Value::Null => ours.is_null(),
        serde_json::Value::Bool(flag) => ours.as_bool() == Some(*flag),
        serde_json::Value::String(text) => ours.as_text().is_some_and(|ours| ours == text.as_str()),
        serde_json::Value::Number(theirs) => {
            ours.as_number().zip(theirs.as_f64()).is_some_and(|(ours, theirs)| is_near(ours.to_f64(), theirs))
        }
        serde_json::Value::Array(theirs) => {
            let mut pairs = ours.items().zip(theirs);
            ours.kind() == Kind::Array
                && ours.len() == theirs.len()
                && pairs.all(|(ours, theirs)| same(ours, theirs))
        }
        serde_json::Value::Object(theirs) => {
            let last: HashMap<_, _> = ours.members().collect();
            let their = |key: Text<'_>| key.to_str().and_then(|key| theirs.get(key));
            ours.kind() == Kind::Object
                && last.len() == theirs.len()
                && last.into_iter().all(|(key, ours)| their(key).is_some_and(|theirs| same(ours, theirs)))
        }
    }
}

/// Whether two doubles are equal up to serde_json's rounding error, which it has without the
/// feature `float_roundtrip`.
fn is_near(ours: f64, theirs: f64) -> bool {
    let same_sign = ours.is_sign_negative() == theirs.is_sign_negative();
    ours == theirs || (same_sign && ours.to_bits().abs_diff(theirs.to_bits()) <= 4)
}

fn check_message(value: &Value<'_>) {
    let decoded = message::decode(value);
    let Decoded { message: Some(message), .. } = &decoded else {
        assert!(!decoded.problems.is_empty(), "no message and no problem");
        return;
    };
    let arguments = message.arguments.map_or_else(|| b"[]".to_vec(), Ref::to_json);
    let line = message::encode(&message.method, arguments.clone(), &message.callbacks, &message.links);
    let again = emitted::parse(&line);
    let decoded_again = message::decode(&again);
    let Some(again) = &decoded_again.message else { panic!("an encoded message is not a message") };
    assert_eq!(again.method, message.method);
    assert_eq!(again.arguments.map(Ref::to_json), Some(arguments));
    // Encoding omits these fields in a cull, as the reference implementation does.
    if !message.method.is("cull") {
        assert_eq!(again.callbacks, message.callbacks);
        assert_eq!(again.links, message.links);
    }
    assert!(decoded_again.is_sound() || !decoded.is_sound(), "{:?}", decoded_again.problems);
}
