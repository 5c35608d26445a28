//! Mutations of an input: of a message, of the bytes of a line, of the order of lines, of the cuts,
//! and of the end.
//!
//! Each function changes one thing. The weights are in [`mutate`]. The corpus keeps the mutations
//! that show something new (`novelty.rs`).

use super::input::{End, Input, Line, Methods, UNDECLARED};
use fastrand::Rng;
use serde_json::{Map, Value as Json, json};

/// An odd value for a field or an argument.
fn odd(rng: &mut Rng) -> Json {
    match rng.u8(..20) {
        0 => Json::Null,
        1 => json!(true),
        2 => json!(false),
        3 => json!(0),
        4 => json!(-1),
        5 => json!(1.5),
        6 => json!(9_007_199_254_740_993_u64),
        7 => json!(""),
        8 => json!("x"),
        9 => json!("__proto__"),
        10 => json!("length"),
        11 => json!([]),
        12 => json!({}),
        13 => json!([null]),
        14 => json!({ "length": -1 }),
        15 => json!({ "0": ["0"], "length": 4_294_967_296_u64 }),
        16 => json!("[Function]"),
        17 => json!("[Circular]"),
        18 => json!([[["x"]]]),
        _ => json!({ "__proto__": { "x": 1 }, "constructor": null, "toString": 1 }),
    }
}

/// An element of a path.
fn key(rng: &mut Rng) -> Json {
    match rng.u8(..14) {
        0..=3 => json!(rng.u8(..4).to_string()),
        4 => json!(rng.u8(..4)),
        5 => json!("x"),
        6 => json!("__proto__"),
        7 => json!("length"),
        8 => json!("constructor"),
        9 => json!("999999999"),
        10 => json!(""),
        11 => json!("-1"),
        12 => json!("prototype"),
        _ => odd(rng),
    }
}

fn path(rng: &mut Rng) -> Json {
    if rng.u8(..8) == 0 {
        return odd(rng);
    }
    Json::Array((0..rng.usize(..4)).map(|_| key(rng)).collect())
}

/// The key of a callback.
fn id(rng: &mut Rng) -> String {
    const IDS: [&str; 14] = [
        "900002",
        "0",
        "64",
        "-1",
        "01",
        "1.0",
        "1e3",
        "x",
        "",
        " 1",
        "9007199254740993",
        "__proto__",
        "length",
        "99999999999999999999",
    ];
    IDS[rng.usize(..IDS.len())].to_owned()
}

/// The method of a call.
fn called(rng: &mut Rng, methods: &Methods) -> Json {
    const NAMES: [&str; 12] = [
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "methods",
        "plain",
        "emit",
        "error",
        "handle",
        "end",
        "nosuch",
        "",
    ];
    match rng.u8(..10) {
        0..=3 => known(rng, methods),
        4 => json!(900_001),
        5 => json!(-1),
        6 => odd(rng),
        _ => json!(NAMES[rng.usize(..NAMES.len())]),
    }
}

/// A method of the peer, by its mark or by its name.
fn known(rng: &mut Rng, methods: &Methods) -> Json {
    let name = rng.choice(methods.names()).cloned().unwrap_or_default();
    let marked = methods.mark(&name).filter(|_| rng.bool());
    marked.and_then(|mark| serde_json::from_slice(&mark).ok()).unwrap_or_else(|| json!(name))
}

/// A valid call, as a line to start from.
#[must_use]
pub(super) fn fresh_line(rng: &mut Rng, methods: &Methods) -> Line {
    let place = rng.u8(..3);
    let mut arguments: Vec<Json> = (0..place).map(|_| odd(rng)).collect();
    arguments.push(json!("[Function]"));
    let callbacks = json!({ (100 + u16::from(rng.u8(..8))).to_string(): [place.to_string()] });
    let message = match rng.u8(..10) {
        0 => json!({ "method": "cull", "arguments": [900_000 + u32::from(rng.u8(..4))] }),
        1 => {
            json!({ "method": "methods", "arguments": [{ "hello": "[Function]" }], "callbacks": { "64": ["0", "hello"] } })
        }
        _ => {
            json!({ "method": known(rng, methods), "arguments": arguments, "callbacks": callbacks, "links": [] })
        }
    };
    Line { bytes: message.to_string().into_bytes(), cuts: Vec::new() }
}

/// Changes one to three things. May take lines from `other`.
#[must_use]
pub(super) fn mutate(rng: &mut Rng, input: &Input, other: &Input, methods: &Methods) -> Input {
    const MOST: usize = 12;
    let mut input = input.clone();
    // A pause at each cut takes as long as a whole session, and most new behaviour does not depend
    // on the cuts. So they are seldom inherited.
    if rng.u8(..8) > 0 {
        input.lines.iter_mut().for_each(|line| line.cuts.clear());
    }
    for _ in 0..rng.u8(1..4) {
        if input.lines.is_empty() {
            input.lines.push(fresh_line(rng, methods));
        }
        let at = rng.usize(..input.lines.len());
        match rng.u8(..40) {
            0..=23 => of_message(rng, &mut input.lines[at], methods),
            24..=28 => of_bytes(rng, &mut input.lines[at]),
            29..=31 => input.lines.insert(at, fresh_line(rng, methods)),
            32..=33 => drop(input.lines.remove(at)),
            34 => input.lines.push(input.lines[at].clone()),
            35 => {
                let with = rng.usize(..input.lines.len());
                input.lines.swap(at, with);
            }
            36..=37 => {
                let taken = rng.choice(&other.lines).map(|line| line.bytes.clone());
                input.lines.extend(taken.map(|bytes| Line { bytes, cuts: Vec::new() }));
            }
            38 => of_cuts(rng, &mut input.lines[at]),
            _ => input.end = [End::Asked, End::Asked, End::HalfClosed, End::Reset][rng.usize(..4)],
        }
        input.lines.truncate(MOST);
    }
    input
}

/// Changes the message of a line. If the line is not a JSON object, changes its bytes or replaces
/// it.
fn of_message(rng: &mut Rng, line: &mut Line, methods: &Methods) {
    let Ok(Json::Object(mut message)) = serde_json::from_slice::<Json>(&line.bytes) else {
        match rng.u8(..3) {
            0 => *line = fresh_line(rng, methods),
            _ => of_bytes(rng, line),
        }
        return;
    };
    match rng.u8(..12) {
        0 => drop(message.insert("method".to_owned(), called(rng, methods))),
        1 => drop(message.insert(field(rng).to_owned(), odd(rng))),
        2 => drop(message.remove(field(rng))),
        3 | 4 => of_callbacks(rng, &mut message),
        5 | 6 => of_links(rng, &mut message),
        7 => {
            line.bytes = doubled(rng, &message);
            return;
        }
        8 => {
            line.bytes = grown(rng, &message);
            return;
        }
        _ => of_arguments(rng, &mut message),
    }
    line.bytes = Json::Object(message).to_string().into_bytes();
}

fn field(rng: &mut Rng) -> &'static str {
    ["method", "arguments", "callbacks", "links", "extra"][rng.usize(..5)]
}

fn of_callbacks(rng: &mut Rng, message: &mut Map<String, Json>) {
    let callbacks = message.entry("callbacks").or_insert_with(|| json!({}));
    let Some(callbacks) = callbacks.as_object_mut() else { return };
    match rng.u8(..4) {
        0 => drop(callbacks.insert(id(rng), path(rng))),
        1 => callbacks.clear(),
        _ => {
            let key = callbacks.keys().next().cloned().unwrap_or_else(|| "100".to_owned());
            callbacks.insert(key, path(rng));
        }
    }
}

fn of_links(rng: &mut Rng, message: &mut Map<String, Json>) {
    let links = message.entry("links").or_insert_with(|| json!([]));
    let Some(links) = links.as_array_mut() else { return };
    let link = match rng.u8(..6) {
        0 => odd(rng),
        1 => json!({ "from": path(rng) }),
        2 => json!({ "to": path(rng) }),
        _ => json!({ "from": path(rng), "to": path(rng) }),
    };
    links.push(link);
}

fn of_arguments(rng: &mut Rng, message: &mut Map<String, Json>) {
    let arguments = message.entry("arguments").or_insert_with(|| json!([]));
    let Some(arguments) = arguments.as_array_mut() else { return };
    let at = rng.usize(..=arguments.len());
    match rng.u8(..4) {
        0 => arguments.insert(at, odd(rng)),
        1 if at < arguments.len() => drop(arguments.remove(at)),
        _ if at < arguments.len() => arguments[at] = odd(rng),
        _ => arguments.push(odd(rng)),
    }
}

/// The message with a duplicate field.
fn doubled(rng: &mut Rng, message: &Map<String, Json>) -> Vec<u8> {
    let mut text = Json::Object(message.clone()).to_string();
    text.pop();
    let comma = if message.is_empty() { "" } else { "," };
    text.push_str(&format!("{comma}{}:{}}}", json!(field(rng)), odd(rng)));
    text.into_bytes()
}

/// The message with a long, deep or large value.
fn grown(rng: &mut Rng, message: &Map<String, Json>) -> Vec<u8> {
    let size = 1 << rng.u8(6..14);
    let value = match rng.u8(..5) {
        0 => format!("\"{}\"", "x".repeat(size)),
        1 => format!("{}{}", "[".repeat(size), "]".repeat(size)),
        2 => format!("{}0{}", "{\"a\":".repeat(size), "}".repeat(size)),
        3 => "1".repeat(size),
        _ => format!("[{}0]", "0,".repeat(size)),
    };
    let (mut message, grown) = (message.clone(), field(rng));
    message.insert(grown.to_owned(), json!("\u{1}grown"));
    let value = if grown == "arguments" { format!("[{value},\"[Function]\"]") } else { value };
    Json::Object(message).to_string().replacen("\"\\u0001grown\"", &value, 1).into_bytes()
}

/// Changes bytes, regardless of their meaning.
fn of_bytes(rng: &mut Rng, line: &mut Line) {
    const PIECES: [&[u8]; 16] = [
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"\r",
        b"\n",
        b"\"",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\\u0000",
        b"\\ud800",
        b"\xef\xbb\xbf",
        b"1e400",
        UNDECLARED,
        b",",
    ];
    let bytes = &mut line.bytes;
    let at = rng.usize(..=bytes.len());
    let end = (at + rng.usize(..8)).min(bytes.len());
    match rng.u8(..6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
        1 => drop(bytes.drain(at..end)),
        2 => drop(bytes.splice(at..at, bytes[at..end].to_vec()).collect::<Vec<_>>()),
        3 => bytes.truncate(at),
        _ => {
            drop(bytes.splice(at..at, PIECES[rng.usize(..PIECES.len())].iter().copied()).collect::<Vec<_>>())
        }
    }
}

fn of_cuts(rng: &mut Rng, line: &mut Line) {
    line.cuts = (0..rng.u8(1..3)).map(|_| rng.usize(..=line.bytes.len())).collect();
    line.cuts.sort_unstable();
    line.cuts.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::facts::Facts;

    #[test]
    fn most_mutations_have_no_cuts_but_some_inherit_them() {
        let methods = Methods::of(&Facts::of_client());
        let line = Line { bytes: b"{\"method\":\"echo\"}".to_vec(), cuts: vec![3] };
        let base = Input { lines: vec![line], end: End::Asked };
        let mut rng = Rng::with_seed(1);
        let mutated = (0..2000).map(|_| mutate(&mut rng, &base, &base, &methods));
        let cut = mutated.filter(|input| input.lines.iter().any(|line| !line.cuts.is_empty())).count();
        assert!((200..400).contains(&cut), "{cut} of 2000");
    }

    #[test]
    fn mutations_are_reproducible_by_seed() {
        let methods = Methods::of(&Facts::of_client());
        let run = || {
            let mut rng = Rng::with_seed(7);
            let mut input = Input::default();
            for _ in 0..2000 {
                input = mutate(&mut rng, &input, &Input::default(), &methods);
                let size: usize = input.lines.iter().map(|line| line.bytes.len()).sum();
                if size > 1 << 17 {
                    input = Input::default();
                }
            }
            input
        };
        assert_eq!(run(), run());
    }
}
