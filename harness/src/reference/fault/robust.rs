//! Faults on hostile input.

use super::definition::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{
    Conduct, DIED, Json, OnReceive, Reaction, callbacks, is_call, name, pass, place,
};
use dnode_spec::message;
use dnode_spec::scrub::unscrub;
use dnode_spec::value::Value;
use serde_json::json;

pub(super) const FAULTS: &[Fault] = &[
    fault("dies-of-bad-lines", "robust/survives", HOSTILE, "crashes on a line that is not JSON", || {
        on_bad_line(|line| Value::parse(line).is_err(), Reaction::Crash)
    }),
    fault(
        "dies-of-bad-messages",
        "robust/survives",
        HOSTILE,
        "crashes on a line that is JSON but not a valid message",
        || on_bad_line(|line| Value::parse(line).is_ok() && !is_sound(line), Reaction::Crash),
    ),
    fault(
        "dies-of-odd-input",
        "robust/survives",
        HOSTILE,
        "crashes on valid but unusual input: deep values, long lines, special names, negative ids",
        || on_bad_line(is_odd, Reaction::Crash),
    ),
    fault(
        "deaf-after-bad-lines",
        "robust/not-deaf",
        HOSTILE,
        "stays open and ignores all input after a line that is not JSON",
        || on_bad_line(|line| Value::parse(line).is_err(), Reaction::Deaf),
    ),
    fault(
        "deaf-after-bad-messages",
        "robust/not-deaf",
        HOSTILE,
        "stays open and ignores all input after an invalid message",
        || on_bad_line(|line| Value::parse(line).is_ok() && !is_sound(line), Reaction::Deaf),
    ),
    fault(
        "drops-after-bad-lines",
        "robust/not-deaf",
        HOSTILE,
        "drops the lines that follow invalid JSON in the same segment",
        || Box::new(DropsAfterBadLines),
    ),
    fault("dies-of-many-arguments", "robust/survives", HOSTILE, "dies of 100,000 arguments", || {
        Box::new(OnReceive(|m: &mut Json| {
            let count = m["arguments"].as_array().map_or(0, Vec::len);
            if count > 100_000 { vec![Reaction::Crash] } else { pass(m) }
        }))
    }),
    fault(
        "pollutes-known-names",
        "robust/arguments-only",
        HOSTILE,
        "dies when it writes after a path with __proto__ has set a name that its library uses",
        || {
            let mut polluted = false;
            Box::new(OnReceive(move |m: &mut Json| {
                let sets = |path: &Json| {
                    let path = path.to_string();
                    path.contains("__proto__") && (path.contains("toJSON") || path.contains("links"))
                };
                let harmed = polluted;
                polluted |= callbacks(m).iter().any(|(_, path)| sets(path));
                if harmed {
                    return vec![Reaction::Crash];
                }
                pass(m)
            }))
        },
    ),
    fault(
        "pollutes",
        "robust/arguments-only",
        HOSTILE,
        "writes through a path with __proto__ into every object",
        || Box::new(Pollutes { polluted: false }),
    ),
    fault(
        "counts-to-the-index",
        "robust/bounded",
        HOSTILE,
        "hangs on a large index, depth or length",
        || on_bad_line(is_large, Reaction::Hang),
    ),
    fault("dies-when-a-method-throws", "robust/throws", HOSTILE, "crashes when a method throws", || {
        Box::new(OnReceive(|m: &mut Json| if throws(m) { vec![Reaction::Crash] } else { pass(m) }))
    }),
    fault(
        "deaf-when-a-method-throws",
        "robust/throws",
        HOSTILE,
        "stays open and ignores all input after a method throws",
        || Box::new(OnReceive(|m: &mut Json| if throws(m) { vec![Reaction::Deaf] } else { pass(m) })),
    ),
    fault(
        "dies-of-links-to-themselves",
        "robust/survives",
        HOSTILE,
        "crashes on a link to its own place, or from the arguments as a whole",
        || on_bad_line(links_to_itself, Reaction::Crash),
    ),
    fault(
        "dies-of-links-from-strings",
        "robust/survives",
        HOSTILE,
        "crashes on a link from beneath a string",
        || dies_of_links(|parent, _| parent.is_string()),
    ),
    fault(
        "dies-of-links-past-the-end",
        "robust/survives",
        HOSTILE,
        "crashes on a link from the place after the last of a list",
        || dies_of_links(|parent, index| parent.as_array().is_some_and(|list| index == list.len() as u64)),
    ),
    fault(
        "dies-of-links-far-past-the-end",
        "robust/survives",
        HOSTILE,
        "crashes on a link from far past the end of a list",
        || {
            dies_of_links(|parent, index| {
                parent.as_array().is_some_and(|list| index > list.len() as u64 + 1000)
            })
        },
    ),
    fault(
        "dies-of-depth",
        "robust/survives",
        HOSTILE,
        "crashes on a value nested more than 500 deep",
        || on_bad_line(is_deep, Reaction::Crash),
    ),
    fault(
        "stops-in-a-flood",
        "robust/bounded",
        HOSTILE,
        "hangs after 300 messages on one connection",
        || {
            let mut count = 0;
            Box::new(OnReceive(move |m: &mut Json| {
                count += 1;
                if count == 300 { vec![Reaction::Hang] } else { pass(m) }
            }))
        },
    ),
    fault("dies-of-resets", "robust/survives", HOSTILE, "crashes when a connection is reset", || {
        Box::new(DiesOfResets)
    }),
    fault(
        "dies-of-half-lines",
        "robust/survives",
        HOSTILE,
        "crashes when a connection ends in the middle of a line",
        || Box::new(DiesOfHalfLines),
    ),
    fault(
        "dies-after-a-cull",
        "robust/survives",
        LEGAL,
        "crashes when a connection that carried a cull ends",
        || Box::new(DiesAfterACull { culled: false }),
    ),
    fault(
        "dies-of-an-early-end",
        "robust/survives",
        HOSTILE,
        "crashes when a connection ends before the first line",
        || Box::new(DiesOfAnEarlyEnd { received: false }),
    ),
];

/// Crashes on a link whose `from` has such an index in such a value.
fn dies_of_links(harms: fn(&Json, u64) -> bool) -> Box<dyn Conduct> {
    Box::new(OnReceive(move |m: &mut Json| {
        let arguments = &m["arguments"];
        let links = m["links"].as_array().into_iter().flatten();
        let dies = links.filter_map(|link| link["from"].as_array()?.split_last()).any(|(last, parent)| {
            let parent = place(arguments, parent);
            parent.zip(last.as_u64()).is_some_and(|(parent, index)| harms(parent, index))
        });
        if dies { vec![Reaction::Crash] } else { pass(m) }
    }))
}

fn on_bad_line(bad: fn(&[u8]) -> bool, then: Reaction) -> Box<dyn Conduct> {
    Box::new(OnBadLine { bad, then })
}

struct OnBadLine {
    bad: fn(&[u8]) -> bool,
    then: Reaction,
}

impl Conduct for OnBadLine {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        if (self.bad)(&line) { vec![self.then.clone()] } else { vec![Reaction::Pass(line)] }
    }
}

fn is_sound(line: &[u8]) -> bool {
    let Ok(value) = Value::parse(line) else { return false };
    let decoded = message::decode(&value);
    let sound = decoded.is_sound() && decoded.problems.is_empty();
    let Some(message) = decoded.message.filter(|_| sound) else { return false };
    unscrub(&message, |id| id).problems.is_empty()
}

fn links_to_itself(line: &[u8]) -> bool {
    let message: Json = serde_json::from_slice(line).unwrap_or_default();
    let links = message["links"].as_array().into_iter().flatten();
    links.into_iter().any(|link| link["from"] == link["to"] || link["from"] == json!([]))
}

fn is_deep(line: &[u8]) -> bool {
    let mut depth = 0_u32;
    line.iter().any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 500
    })
}

fn is_large(line: &[u8]) -> bool {
    let links = line.windows(6).filter(|window| window == b"\"from\"").count();
    let functions = line.windows(12).filter(|window| window == b"\"[Function]\"").count();
    links > 40
        || functions > 500
        || line.len() > 200_000
        || line.windows(9).any(|digits| digits.iter().all(u8::is_ascii_digit))
}

fn is_odd(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let known = ["-1", "__proto__", "constructor", "toString", "length", "\\u0000", "prototype"];
    is_sound(line) && (line.len() > 50_000 || known.iter().any(|odd| text.contains(odd)))
}

/// Whether the call makes a method of the probe throw: `throwNow`, or a method that lacks its
/// callback.
fn throws(message: &Json) -> bool {
    // `throwNow` is the thirteenth method of the object.
    let throw_now = message["method"] == json!(12) || name(message) == Some("throwNow");
    let no_callback = message["callbacks"].as_object().is_none_or(serde_json::Map::is_empty);
    // A function in an answer gets null instead of its callback.
    let null = message["arguments"] == json!([null]);
    let own = message["method"].as_i64().is_some_and(|id| (0..14).contains(&id)) || name(message).is_some();
    throw_now || (is_call(message) && no_callback && (own || null))
}

struct Pollutes {
    polluted: bool,
}

const POLLUTION: &str = "dnodeConformPolluted";

impl Conduct for Pollutes {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let text = String::from_utf8_lossy(&line);
        self.polluted |=
            text.contains(POLLUTION) && (text.contains("__proto__") || text.contains("prototype"));
        vec![Reaction::Pass(line)]
    }

    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        if !self.polluted {
            return vec![line];
        }
        let text = String::from_utf8_lossy(&line).replace("[{}]", &format!("[{{\"{POLLUTION}\":1}}]"));
        vec![text.into_bytes()]
    }
}

struct DropsAfterBadLines;

impl Conduct for DropsAfterBadLines {
    fn segment(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let mut valid = 0;
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if line.ends_with(b"\n") && Value::parse(line).is_err() {
                bytes.truncate(valid);
                break;
            }
            valid += line.len();
        }
        bytes
    }
}

struct DiesOfResets;

impl Conduct for DiesOfResets {
    fn dies_of_resets(&self) -> bool {
        true
    }
}

struct DiesAfterACull {
    culled: bool,
}

impl Conduct for DiesAfterACull {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        self.culled |=
            serde_json::from_slice::<Json>(&line).is_ok_and(|message| name(&message) == Some("cull"));
        vec![Reaction::Pass(line)]
    }

    fn end(&mut self, _rest: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        if self.culled {
            std::process::exit(DIED);
        }
        (None, Vec::new())
    }
}

struct DiesOfAnEarlyEnd {
    received: bool,
}

impl Conduct for DiesOfAnEarlyEnd {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        self.received = true;
        vec![Reaction::Pass(line)]
    }

    fn end(&mut self, _rest: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        if !self.received {
            std::process::exit(DIED);
        }
        (None, Vec::new())
    }
}

struct DiesOfHalfLines;

impl Conduct for DiesOfHalfLines {
    fn end(&mut self, rest: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        if !rest.is_empty() {
            std::process::exit(DIED);
        }
        (None, Vec::new())
    }
}
