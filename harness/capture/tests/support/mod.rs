//! For the tests of this crate.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod packets;

use dnode_capture::{Capture, Event, Gap, Summary, What};
use dnode_spec::state::End;
use std::fmt::Write;

/// The events of a capture, which must be readable to its end, and its summary.
pub fn read(file: &[u8]) -> (Vec<Event>, Summary) {
    read_port(file, None)
}

pub fn read_port(file: &[u8], port: Option<u16>) -> (Vec<Event>, Summary) {
    let mut capture = Capture::read(file, port).unwrap();
    let events = capture.by_ref().collect::<Result<_, _>>().unwrap();
    (events, capture.summary())
}

/// The events as text, a line each; bytes of one end that follow each other are one line.
pub fn describe(events: &[Event]) -> String {
    let (mut out, mut last) = (String::new(), None);
    for Event { connection, what } in events {
        let of = |from: &End| if *from == End::A { "client" } else { "server" };
        let current = match what {
            What::Bytes { from, .. } => Some((*connection, *from)),
            _ => None,
        };
        if current.is_none() || current != last {
            write!(out, "{}{connection} ", if out.is_empty() { "" } else { "\n" }).unwrap();
        }
        match what {
            What::Opened { client, server, is_guess } => {
                write!(out, "{client} to {server}{}", if *is_guess { ", a guess" } else { "" })
            }
            What::Bytes { from, bytes, .. } if current != last => {
                write!(out, "{}: {}", of(from), bytes.escape_ascii())
            }
            What::Bytes { bytes, .. } => write!(out, "{}", bytes.escape_ascii()),
            What::Gap(Gap { from, at, bytes, before, copies }) => {
                let copies = copies.map_or_else(String::new, |copies| format!(", copies {copies:?}"));
                write!(out, "{}: gap at {at} of {bytes:?} before {before:?}{copies}", of(from))
            }
            What::Ended { from } => write!(out, "{}: end", of(from)),
            What::Closed(close) => write!(out, "{close:?}"),
        }
        .unwrap();
        last = current;
    }
    out
}

/// The events of a capture as text.
pub fn described(file: &[u8]) -> String {
    describe(&read(file).0)
}
