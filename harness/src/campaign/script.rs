//! The script of a finding: Python without dependencies that reproduces it without this program.
//!
//! The script connects, does the handshake and sends the bytes. Then it checks if the peer still
//! answers on this connection, on an older one and on a new one. For a broken clause, it plays the
//! whole wire log and checks if the peer sends the same lines as before. The peer may choose other
//! ids than before, so the script learns them from the peer's lines.

use super::finding::{Finding, Scene};
use super::input::{End, Input, Methods};
use super::oracle::Oracle;
use crate::conversation::greet::HELLO;
use dnode_reports::event::{Act, Origin, Wire};
use dnode_spec::message::{self, Method};
use dnode_spec::transcript::{Action, Addressing, Names, Split, Step, Transcript};
use dnode_spec::value::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The longest line for which the script is built from the transcript. The wire log has the start
/// of longer ones.
const LONGEST: usize = 1 << 20;

const BODY: &str = include_str!("repeat.py");

/// Builds the script of a finding.
#[must_use]
pub(super) fn script(finding: &Finding, scene: &Scene<'_>) -> String {
    let identity = &finding.identity;
    let mut out = format!("#!/usr/bin/env python3\n# {}\n", plain(&identity.to_string()));
    let _ = writeln!(
        out,
        "# {}\n# python3 repeat.py HOST PORT, over TCP. Exit status: 1 = reproduced, 0 = not reproduced, 2 = could not try.\n",
        identity.oracle.sentence()
    );
    let _ = writeln!(out, "ORACLE = {:?}", identity.oracle.word());
    let _ = writeln!(out, "HELLO = {}", bytes(HELLO));
    let _ = writeln!(out, "GREETS = {}", if scene.facts.object.members.is_some() { "True" } else { "False" });
    let _ = writeln!(
        out,
        "# A call that the peer answers; \"%d\" stands for the number of its callback.\nPING = {}",
        ping(scene)
    );
    let is_clause = identity.oracle == Oracle::Clause;
    let joined = if identity.clause == "framing/segments" { "True" } else { "False" };
    let _ = writeln!(
        out,
        "# Whether lines go out in one segment if the peer sent nothing between them.\nJOINED = {joined}"
    );
    let _ = writeln!(
        out,
        "# The lines to send: after how many lines of the peer, the pieces, and where they are cut.\n\
         # (\"method\", NAME) stands for the id of that method, or for its quoted name, and (\"id\", N) for the id that was N.\nSENT = ["
    );
    let (sent, end) = sent(finding, scene, is_clause);
    sent.iter().for_each(|line| {
        let _ = writeln!(out, "    {line},");
    });
    let _ = writeln!(
        out,
        "]\nEND = {:?}",
        match end {
            End::Asked => "ask",
            End::HalfClosed => "half-close",
            End::Reset => "reset",
        }
    );
    let received = if is_clause { received(&finding.wire) } else { Vec::new() };
    let _ = writeln!(out, "# The lines of the peer when the finding was made.\nRECEIVED = [");
    received.iter().for_each(|line| {
        let _ = writeln!(out, "    {},", bytes(line.strip_suffix(b"\n").unwrap_or(line)));
    });
    out.push_str("]\n");
    out.push_str(BODY);
    out
}

/// Makes a text safe for a comment.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).collect()
}

/// Writes bytes as a Python literal. A long run of one byte becomes a product.
fn bytes(bytes: &[u8]) -> String {
    let mut out = String::from("b\"");
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let run = bytes[at..].iter().take_while(|&&next| next == byte).count();
        let one = match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b'\n' => "\\n".to_owned(),
            0x20..0x7f => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        };
        if run > 64 {
            let _ = write!(out, "\" + b\"{one}\" * {run} + b\"");
            at += run;
        } else {
            out.push_str(&one);
            at += 1;
        }
    }
    out.push('"');
    out
}

/// The lines to send, and the end. A broken clause is shown by the whole session, the rest by the
/// input. The log cuts long lines.
fn sent(finding: &Finding, scene: &Scene<'_>, is_clause: bool) -> (Vec<String>, End) {
    let transcript = || Transcript::read(&finding.transcript).ok();
    let is_cut = |entry: &Wire| matches!(entry, Wire::Bytes { from: Origin::Suite, cut: 1.., .. });
    let is_whole = !finding.wire.iter().any(is_cut) && !finding.wire.is_empty();
    let input = finding.input.clone().filter(|_| !is_clause || !is_whole);
    let whole = || Input::up_to(LONGEST, &transcript()?, scene.methods);
    match input.or_else(|| whole().filter(|_| !is_whole)) {
        Some(input) => (of_input(&input, scene.methods), input.end),
        None => {
            let splits = transcript().map(|transcript| splits(&transcript)).unwrap_or_default();
            (of_wire(&finding.wire, &splits), end_of(&finding.wire))
        }
    }
}

/// The lines of an input.
fn of_input(input: &Input, methods: &Methods) -> Vec<String> {
    let last = input.lines.len();
    let line = |(n, line): (usize, &super::input::Line)| {
        let mut pieces: Vec<String> = methods
            .pieces(&line.bytes)
            .into_iter()
            .map(|piece| match piece {
                Ok(piece) => bytes(piece),
                Err(method) => format!("(\"method\", {})", serde_json::Value::from(method)),
            })
            .collect();
        if input.end != End::HalfClosed || n + 1 < last {
            pieces.push("b\"\\n\"".to_owned());
        }
        format!("(0, [{}], {:?})", pieces.join(", "), line.cuts)
    };
    input.lines.iter().enumerate().map(line).collect()
}

/// Where the steps of a transcript cut what they send, in their order.
fn splits(transcript: &Transcript) -> Vec<Split> {
    let split = |step: &Step| match &step.action {
        Action::Call(_, _, split) | Action::Send(_, split) | Action::Bytes(_, _, split) => {
            Some(split.clone())
        }
        _ => None,
    };
    transcript.steps.iter().filter_map(split).collect()
}

/// The lines that we sent after our object, from the wire log.
fn of_wire(wire: &[Wire], splits: &[Split]) -> Vec<String> {
    let (mut sent, mut declared, mut count, mut hello) = (Vec::new(), BTreeSet::new(), 0, true);
    for entry in wire {
        match entry {
            Wire::Bytes { from: Origin::Peer, bytes, .. } => {
                count += 1;
                let value = Value::parse(bytes);
                let message = value.as_ref().ok().and_then(|value| message::decode(value).message);
                declared.extend(message.iter().flat_map(|it| it.callbacks.iter().map(|(id, _)| id.0)));
            }
            Wire::Bytes { from: Origin::Suite, .. } if std::mem::take(&mut hello) => {}
            Wire::Bytes { from: Origin::Suite, bytes: line, cut: 0, .. } => {
                let cuts: Vec<usize> = match splits.get(sent.len()) {
                    Some(Split::At(cuts)) => cuts.clone(),
                    Some(Split::Each) => (1..line.len()).collect(),
                    Some(Split::Whole) | None => Vec::new(),
                };
                sent.push(format!("({count}, [{}], {cuts:?})", with_ids(line, &declared).join(", ")));
            }
            _ => {}
        }
    }
    sent
}

/// A line of ours as pieces. The ids of the peer in it stand for themselves: the one that it calls, or
/// those that it culls.
fn with_ids(line: &[u8], declared: &BTreeSet<i64>) -> Vec<String> {
    let value = Value::parse(line);
    let message = value.as_ref().ok().and_then(|value| message::decode(value).message);
    let Some(message) = message else { return vec![bytes(line)] };
    let called = if let Method::Id(id) = message.method { Some(id) } else { None };
    let mut ids: Vec<i64> = message.culls().into_iter().chain(called).map(|id| id.0).collect();
    ids.retain(|id| declared.contains(id));
    let (mut pieces, mut rest) = (Vec::new(), line);
    for id in ids {
        let text = id.to_string();
        let is_digit = |at: usize| rest.get(at).is_some_and(u8::is_ascii_digit);
        let ends = |at: &usize| {
            rest[*at..].starts_with(text.as_bytes())
                && !is_digit(at + text.len())
                && (*at == 0 || !is_digit(at - 1))
        };
        let Some(at) = (0..rest.len()).find(ends) else { continue };
        pieces.push(bytes(&rest[..at]));
        pieces.push(format!("(\"id\", \"{text}\")"));
        rest = &rest[at + text.len()..];
    }
    pieces.push(bytes(rest));
    pieces
}

fn end_of(wire: &[Wire]) -> End {
    let has = |act: Act| {
        wire.iter().any(|entry| matches!(entry, Wire::Event { from: Origin::Suite, what } if *what == act))
    };
    match () {
        () if has(Act::Resets) => End::Reset,
        () if has(Act::HalfCloses) => End::HalfClosed,
        () => End::Asked,
    }
}

/// The lines that the peer sent, from the wire log.
fn received(wire: &[Wire]) -> Vec<&[u8]> {
    let theirs = wire.iter().filter_map(|entry| match entry {
        Wire::Bytes { from: Origin::Peer, bytes, cut: 0, .. } => Some(bytes.as_slice()),
        _ => None,
    });
    theirs.collect()
}

/// The known-good call, as a list of pieces with `%d`; empty if there is none.
fn ping(scene: &Scene<'_>) -> String {
    let Some(ping) = &scene.facts.calls.ping else { return "[]".to_owned() };
    let (line, id) = ping.line(&mut Names::new(7_777_777), Addressing::ByName);
    let text = String::from_utf8_lossy(&line).replace('%', "%%").replace(&id.to_string(), "%d");
    let method = serde_json::Value::from(ping.method()).to_string();
    let by_id = scene.facts.calls.by == Addressing::ById;
    match text.split_once(&method).filter(|_| by_id) {
        Some((before, after)) => {
            format!("[{}, (\"method\", {method}), {}]", bytes(before.as_bytes()), bytes(after.as_bytes()))
        }
        None => format!("[{}]", bytes(text.as_bytes())),
    }
}
