//! The script of a finding: Python without dependencies that reproduces it without this program.
//!
//! The script connects, does the handshake and sends the bytes. Then it checks if the peer still
//! answers on this connection, on an older one and on a new one. For a broken clause, it checks if
//! the peer sends the same lines as before.

use super::finding::{Finding, Scene};
use super::input::{End, Input, Methods};
use super::oracle::Oracle;
use crate::conversation::greet::HELLO;
use crate::conversation::ping::Addressing;
use dnode_reports::event::{Act, Origin, Wire};
use dnode_spec::transcript::{Names, Transcript};
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
    let _ = writeln!(
        out,
        "# The lines to send; (\"method\", NAME) stands for the id of that method, or for its quoted name.\nSENT = ["
    );
    // The log cuts long lines.
    let is_cut = |entry: &Wire| matches!(entry, Wire::Bytes { from: Origin::Suite, cut: 1.., .. });
    let whole = || Input::up_to(LONGEST, &Transcript::read(&finding.transcript).ok()?, scene.methods);
    let input = finding.input.clone().or_else(|| whole().filter(|_| finding.wire.iter().any(is_cut)));
    let (sent, end) = match &input {
        Some(input) => (of_input(input, scene.methods), input.end),
        None => (of_wire(&finding.wire), end_of(&finding.wire)),
    };
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
    let received = if identity.oracle == Oracle::Clause { received(&finding.wire) } else { Vec::new() };
    let _ =
        writeln!(out, "# The lines of the peer when the finding was made, after its object.\nRECEIVED = [");
    received.iter().for_each(|line| {
        let _ = writeln!(out, "    {},", bytes(line));
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

/// The lines of an input, each as a list of pieces.
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
        format!("[{}]", pieces.join(", "))
    };
    input.lines.iter().enumerate().map(line).collect()
}

/// The lines that we sent after our object, from the wire log.
fn of_wire(wire: &[Wire]) -> Vec<String> {
    let ours = wire.iter().filter_map(|entry| match entry {
        Wire::Bytes { from: Origin::Suite, bytes, cut: 0 } => Some(bytes.as_slice()),
        _ => None,
    });
    ours.skip(1).map(|line| format!("[{}]", bytes(line))).collect()
}

fn end_of(wire: &[Wire]) -> End {
    let reset = |entry: &Wire| matches!(entry, Wire::Event { from: Origin::Suite, what: Act::Resets });
    if wire.iter().any(reset) { End::Reset } else { End::Asked }
}

/// The lines that the peer sent after its object, from the wire log.
fn received(wire: &[Wire]) -> Vec<&[u8]> {
    let theirs = wire.iter().filter_map(|entry| match entry {
        Wire::Bytes { from: Origin::Peer, bytes, cut: 0 } => Some(bytes.as_slice()),
        _ => None,
    });
    theirs.skip(1).collect()
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
