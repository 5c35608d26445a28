//! Faults of bytes and lines.

use super::definition::{Fault, HOSTILE, LEGAL, fault};
use crate::reference::conduct::{Conduct, Ignores, OnSend, Reaction, declared, id, is_call, name};
use std::time::Duration;

pub(super) const FAULTS: &[Fault] = &[
    fault("lenient-json", "framing/strict", HOSTILE, "reads objects whose keys have no quotes", || {
        Box::new(Lenient)
    }),
    fault("reads-nan", "framing/strict", HOSTILE, "reads the word NaN as null", || Box::new(ReadsNan)),
    fault(
        "drops-unread",
        "framing/line-length",
        LEGAL,
        "drops the rest of a line that is not read at once",
        || Box::new(DropsUnread),
    ),
    fault(
        "unfinished-last-line",
        "framing/newline",
        LEGAL,
        "ends a connection with a message that has no newline",
        || Box::new(UnfinishedLastLine),
    ),
    fault("single-quotes", "framing/json", LEGAL, "writes strings in single quotes", || {
        Box::new(SingleQuotes)
    }),
    fault("latin-1", "framing/utf8", LEGAL, "writes text in Latin-1 instead of UTF-8", || Box::new(Latin1)),
    fault(
        "one-message-a-segment",
        "framing/segments",
        LEGAL,
        "reads only the first message of a segment",
        || Box::new(OneMessageASegment),
    ),
    fault(
        "twenty-messages-a-segment",
        "framing/segments",
        LEGAL,
        "reads only the first twenty messages of a segment",
        || Box::new(TwentyMessagesASegment),
    ),
    fault(
        "closes-on-two-messages",
        "framing/segments",
        LEGAL,
        "closes if a segment is not exactly one message",
        || Box::new(OneReadIsOneMessage { closes: true, closing: false }),
    ),
    fault(
        "drops-two-messages",
        "framing/segments",
        LEGAL,
        "drops a segment that is not exactly one message",
        || Box::new(OneReadIsOneMessage { closes: false, closing: false }),
    ),
    fault(
        "one-segment-a-message",
        "framing/segments",
        LEGAL,
        "drops a message that arrives in two segments",
        || Box::new(OneSegmentAMessage),
    ),
    fault(
        "decodes-each-segment",
        "framing/split-character",
        LEGAL,
        "decodes the UTF-8 of each segment separately, as npm dnode does",
        || Box::new(DecodesEachSegment),
    ),
    fault(
        "no-white-space",
        "framing/white-space",
        LEGAL,
        "ignores a message with white space around it",
        || {
            Box::new(Ignores(|line: &[u8]| {
                let blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
                blank(line.first()) || blank(line.last())
            }))
        },
    ),
    fault(
        "no-inner-white-space",
        "framing/white-space",
        LEGAL,
        "ignores a message with white space between its parts",
        || {
            Box::new(Ignores(|line: &[u8]| {
                line.windows(2).any(|two| matches!(two, b": " | b":\t" | b"{ " | b"{\t" | b" :"))
            }))
        },
    ),
    fault(
        "no-escapes",
        "framing/escapes",
        LEGAL,
        "reads an escape such as \\u0041 as six characters",
        || Box::new(NoEscapes),
    ),
    fault("short-lines", "framing/line-length", LEGAL, "ignores lines of more than 8 KiB", || {
        Box::new(Ignores(|line: &[u8]| line.len() > 8192))
    }),
    fault("lines-up-to-64k", "framing/line-length", LEGAL, "ignores lines of more than 64 KiB", || {
        Box::new(Ignores(|line: &[u8]| line.len() > 65_536))
    }),
    fault("lines-below-1m", "framing/line-length", LEGAL, "ignores lines of 1 MiB and more", || {
        Box::new(Ignores(|line: &[u8]| line.len() >= 1 << 20))
    }),
    fault(
        "loses-answers-at-half-close",
        "framing/half-close",
        LEGAL,
        "drops its answers when the other end closes its sending half",
        || Box::new(LosesHeld),
    ),
    fault(
        "acts-on-unfinished-line",
        "framing/last-line",
        LEGAL,
        "accepts a last line without a newline as a message",
        || Box::new(ActsOnRest),
    ),
    fault(
        "never-calls-methods",
        "framing/equal-ends",
        LEGAL,
        "answers, but never calls a method of the other end's object",
        || Box::new(NeverCallsMethods { methods: Vec::new() }),
    ),
];

struct UnfinishedLastLine;

impl Conduct for UnfinishedLastLine {
    fn end(&mut self, _rest: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        (None, b"{\"method\":\"bye\",\"arguments\":[]}".to_vec())
    }
}

struct SingleQuotes;

impl Conduct for SingleQuotes {
    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        vec![line.into_iter().map(|byte| if byte == b'"' { b'\'' } else { byte }).collect()]
    }
}

struct Latin1;

impl Conduct for Latin1 {
    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let text = String::from_utf8_lossy(&line).into_owned();
        vec![text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()]
    }
}

struct OneMessageASegment;

impl Conduct for OneMessageASegment {
    fn segment(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if let Some(newline) = bytes.iter().position(|&byte| byte == b'\n') {
            bytes.truncate(newline + 1);
        }
        bytes
    }
}

struct TwentyMessagesASegment;

impl Conduct for TwentyMessagesASegment {
    fn segment(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if let Some(newline) = memchr::memchr_iter(b'\n', &bytes).nth(19) {
            bytes.truncate(newline + 1);
        }
        bytes
    }
}

/// Takes one read for one message.
struct OneReadIsOneMessage {
    closes: bool,
    /// It closes at the next line.
    closing: bool,
}

impl Conduct for OneReadIsOneMessage {
    fn segment(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        match bytes.iter().position(|&byte| byte == b'\n') {
            Some(newline) if newline + 1 == bytes.len() => bytes,
            _ if self.closes => {
                self.closing = true;
                b"\n".to_vec()
            }
            _ => Vec::new(),
        }
    }

    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        if self.closing { vec![Reaction::Close] } else { vec![Reaction::Pass(line)] }
    }
}

struct OneSegmentAMessage;

impl Conduct for OneSegmentAMessage {
    fn segment(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let complete = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        bytes.truncate(complete);
        // The rest of a message that began in an earlier segment does not start with a brace.
        let whole = bytes
            .split_inclusive(|&byte| byte == b'\n')
            .filter(|line| line.trim_ascii_start().first() == Some(&b'{'));
        whole.flatten().copied().collect()
    }
}

struct DecodesEachSegment;

impl Conduct for DecodesEachSegment {
    fn segment(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        String::from_utf8_lossy(&bytes).into_owned().into_bytes()
    }
}

struct NoEscapes;

impl Conduct for NoEscapes {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let text = String::from_utf8_lossy(&line).replace("\\u", "\\\\u");
        vec![Reaction::Pass(text.into_bytes())]
    }
}

struct LosesHeld;

impl Conduct for LosesHeld {
    fn hold(&mut self, _answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        Some(Duration::from_millis(20))
    }

    fn loses_held(&self) -> bool {
        true
    }
}

struct ActsOnRest;

impl Conduct for ActsOnRest {
    fn end(&mut self, rest: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        (Some(rest.to_vec()), Vec::new())
    }
}

/// Leaves out calls of the methods of the other end's object.
struct NeverCallsMethods {
    methods: Vec<i64>,
}

impl Conduct for NeverCallsMethods {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        if let Ok(message) = serde_json::from_slice::<serde_json::Value>(&line)
            && name(&message) == Some("methods")
        {
            self.methods.extend(declared(&message));
        }
        vec![Reaction::Pass(line)]
    }

    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let methods = &self.methods;
        OnSend(|message: &mut serde_json::Value| {
            let calls_method = is_call(message) && id(message).is_some_and(|id| methods.contains(&id));
            if calls_method { Vec::new() } else { vec![message.clone()] }
        })
        .send(line)
    }
}

struct DropsUnread;

impl Conduct for DropsUnread {
    fn drops_unread(&self) -> bool {
        true
    }
}

/// Reads keys without quotes, of the fields of a message.
struct Lenient;

impl Conduct for Lenient {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let Some(text) = std::str::from_utf8(&line).ok().filter(|text| text.starts_with("{method:")) else {
            return vec![Reaction::Pass(line)];
        };
        let quoted =
            ["method", "arguments", "callbacks", "links"].iter().fold(text.to_owned(), |text, key| {
                text.replacen(&format!("{{{key}:"), &format!("{{\"{key}\":"), 1).replacen(
                    &format!(",{key}:"),
                    &format!(",\"{key}\":"),
                    1,
                )
            });
        vec![Reaction::Pass(quoted.into_bytes())]
    }
}

struct ReadsNan;

impl Conduct for ReadsNan {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let read = std::str::from_utf8(&line).map(|text| text.replace(":NaN", ":null").into_bytes());
        vec![Reaction::Pass(read.unwrap_or(line))]
    }
}
