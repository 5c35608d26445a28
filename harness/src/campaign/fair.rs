//! Inputs that are not played, because the peer need not behave well after them.
//!
//! - A cull of the peer's methods, in any spelling: the peer need not answer the known-good call.
//! - A call of `callMe` for a member called `methods` or `cull`: a peer that calls members by their
//!   names would say a message of the protocol with our arguments.
//! - A call of `later` without a function: the program of the probe fails in its own timer, and no
//!   library can catch that.

use super::input::{Input, MARK, Methods};
use dnode_spec::message::{self, Id, Method};
use dnode_spec::value::{Ref, Value};
use memchr::memmem;

/// Whether the peer must survive the input and answer the known-good call after it.
#[must_use]
pub(super) fn is_fair(input: &Input, methods: &Methods) -> bool {
    input.lines.iter().all(|line| {
        let bytes = &line.bytes;
        let cull = !mentions(bytes, b"cull") || is_harmless_cull(bytes);
        let reserved = !mentions(bytes, b"methods") && !mentions(bytes, b"cull") || asks_nothing(bytes);
        let later = methods.mark(LATER).unwrap_or_else(|| LATER.into());
        let timer = !(mentions(bytes, LATER.as_bytes()) || mentions(bytes, &later)) || has_function(bytes);
        cull && reserved && timer && calls_no_small_id(bytes)
    })
}

const LATER: &str = "later";

/// Whether the bytes have this word, or an escape that may hide it.
fn mentions(bytes: &[u8], word: &[u8]) -> bool {
    memmem::find(bytes, word).is_some() || memmem::find(bytes, b"\\u00").is_some()
}

/// Whether a message culls only ids that were never declared, or values that are no id in any
/// language.
fn is_harmless_cull(bytes: &[u8]) -> bool {
    let Ok(value) = Value::parse(bytes) else { return false };
    let Some(message) = message::decode(&value).message else { return false };
    if !message.method.is("cull") {
        let method = value.root().get("method").map(|it| it.to_json()).unwrap_or_default();
        return !mentions(&method, b"cull");
    }
    // Marks stand for methods, so they are excluded.
    let fresh = |id: Id| (900_000..i64::from(MARK)).contains(&id.0);
    let harmless = |argument: Ref<'_>| match argument.as_number() {
        Some(number) => Id::from_number(number).is_some_and(fresh),
        None => argument.is_null() || argument.as_bool().is_some(),
    };
    message.links.is_empty()
        && message.arguments.is_none_or(|arguments| arguments.items().all(harmless))
        && value.root().members().filter(|(key, _)| key.to_str() == Some("arguments")).count() <= 1
}

/// Whether no argument is a name of the protocol.
fn asks_nothing(bytes: &[u8]) -> bool {
    let Ok(value) = Value::parse(bytes) else { return false };
    let decoded = message::decode(&value);
    let is_name = |argument: Ref<'_>| argument.as_text().is_some_and(|it| it == "methods" || it == "cull");
    let arguments = decoded.message.and_then(|message| message.arguments);
    !decoded.ambiguous && !arguments.into_iter().flat_map(Ref::items).any(is_name)
}

/// Whether the second argument is certainly a function: no reader can understand the message in
/// another way.
fn has_function(bytes: &[u8]) -> bool {
    let Ok(value) = Value::parse(bytes) else { return false };
    let decoded = message::decode(&value);
    let is_clear = decoded.problems.is_empty() && !decoded.ambiguous;
    decoded.message.is_some_and(|message| {
        let second = |path: &dnode_spec::path::Path| matches!(path.keys(), [key] if *key == "1");
        is_clear && message.links.is_empty() && message.callbacks.iter().any(|(_, path)| second(path))
    })
}

/// Whether the message calls no id that `later` may have. The ids that no end declares and the
/// marks are large.
fn calls_no_small_id(bytes: &[u8]) -> bool {
    let Ok(value) = Value::parse(bytes) else { return true };
    let method = message::decode(&value).message.map(|message| message.method);
    !matches!(method, Some(Method::Id(Id(0..900_000)))) || has_function(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::input::{End, Line};
    use crate::conversation::facts::Facts;

    /// Whether this line is fair. `LATER` stands for the mark of `later`.
    fn fair(line: &str) -> bool {
        let methods = Methods::of(&Facts::of_client());
        let mark = String::from_utf8(methods.mark(LATER).unwrap()).unwrap();
        let line = Line { bytes: line.replace("LATER", &mark).into(), cuts: Vec::new() };
        is_fair(&Input { lines: vec![line], end: End::Asked }, &methods)
    }

    #[test]
    fn culls_of_methods_are_rejected() {
        assert!(fair(r#"{"method":"cull","arguments":[900001,null]}"#));
        assert!(fair(r#"{"method":"echo","arguments":[["cull"]]}"#));
        for bad in ["[0]", "[\"0\"]", "[[0]]", "[770000000]", "[-1]"] {
            assert!(!fair(&format!("{{\"method\":\"cull\",\"arguments\":{bad}}}")), "{bad}");
        }
        assert!(!fair(r#"{"method":"\u0063ull","arguments":[0]}"#));
        assert!(!fair(r#"{"method":["cull"],"arguments":[0]}"#));
    }

    #[test]
    fn the_peer_is_not_asked_to_say_methods_or_cull() {
        assert!(fair(r#"{"method":"callMe","arguments":["hello",[],0],"callbacks":{"100":[2]}}"#));
        assert!(fair(r#"{"method":"methods","arguments":[{}]}"#));
        assert!(!fair(r#"{"method":"callMe","arguments":["methods",[],0],"callbacks":{"100":[2]}}"#));
        assert!(!fair(r#"{"method":770000011,"arguments":["\u006dethods",[]]}"#));
        assert!(!fair(r#"{"method":7,"arguments":["cull",["first"]]}"#));
    }

    #[test]
    fn later_is_called_only_with_a_function() {
        for called in ["\"later\"", "LATER", "13"] {
            let call = |rest: &str| fair(&format!("{{\"method\":{called},\"arguments\":[1,2]{rest}}}"));
            assert!(call(r#","callbacks":{"100":[1]}"#), "{called}");
            for bad in
                ["", r#","callbacks":{"100":[0]}"#, r#","callbacks":{"x":[1]}"#, r#","callbacks":[[1]]"#]
            {
                assert!(!call(bad), "{called} {bad}");
            }
            let linked = r#","callbacks":{"100":[1]},"links":[{"from":[0],"to":[1]}]"#;
            assert!(!call(linked), "{called}");
        }
        assert!(!fair(r#"{"method":"later","arguments":["#));
        assert!(fair(r#"{"method":900001,"arguments":[1]}"#));
    }
}
