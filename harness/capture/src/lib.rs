//! Reads packet captures and reassembles their TCP connections.
//!
//! [`Capture`] is an iterator: it reads a pcap or pcapng file, live or complete, and gives the
//! [`Event`]s of its connections. When it has ended, [`Capture::summary`] names everything that it
//! left out.
//!
//! The promise: the bytes of one direction are the bytes that its sender wrote, in order, and a
//! [`Gap`] stands for each run of bytes that the capture lacks. Bytes of the two directions are in
//! an order that both ends could have seen: an end that had acknowledged bytes has read them before
//! it wrote. So a reader that forgets all earlier messages at each gap accuses no end because of a
//! loss.
//!
//! A capture is hostile input: nothing here panics, and [`limits`] bound the memory.
//!
//! Deliberately absent: IP fragments, checksums, tunnels, decryption.

mod capture;
mod event;
mod file;
mod flow;
mod frame;
mod lane;
pub mod limits;
mod table;

pub use capture::{Capture, Summary};
pub use event::{Close, Event, Gap, What};
pub use file::{CaptureError, Form};
pub use table::AfterClose;

/// The README is an example that must compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
