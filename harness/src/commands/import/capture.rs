//! Packet captures: each connection is judged and recorded as if it had been live.

use crate::commands::recording::{Notice, Recording, RecordingOptions};
use crate::conversation::stranger::Protocol;
use dnode_capture::{Capture, CaptureError, Event, Gap, Summary, What};
use dnode_spec::monitor::End;
use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;

/// How many of the first bytes of an end may show another protocol.
const HEAD: usize = 64;

/// The most memory of unfinished lines of all connections together.
const UNFINISHED: usize = 256 << 20;

/// How to import a capture.
#[derive(Debug, Clone)]
pub struct CaptureOptions {
    /// Only connections to this port; `None` imports all that carry dnode.
    pub port: Option<u16>,
    /// How they are recorded.
    pub recording: RecordingOptions,
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The number of connections that carried dnode.
    pub connections: usize,
    /// Everything else in the capture.
    pub summary: Summary,
}

/// Judges the connections of a capture, and writes a transcript of each.
///
/// # Errors
/// It is no capture, or cannot be read to its end. The connections so far have been judged.
pub fn import_capture(
    reader: impl Read,
    options: &CaptureOptions,
    emit: &mut dyn FnMut(Notice),
) -> Result<Imported, CaptureError> {
    let mut capture = Capture::read(reader, options.port)?;
    let mut import = Import { options, live: HashMap::new(), memory: 0, connections: 0 };
    for event in capture.by_ref() {
        import.take(event?, emit);
    }
    Ok(Imported { connections: import.connections, summary: capture.summary() })
}

/// The connections that are not over.
struct Import<'a> {
    options: &'a CaptureOptions,
    live: HashMap<usize, Connection>,
    /// The memory of their unfinished lines.
    memory: usize,
    connections: usize,
}

/// A connection that carries dnode, as far as it is known.
struct Connection {
    recording: Recording,
    ends: [SocketAddr; 2],
    heads: [Head; 2],
}

/// How the next bytes of an end may show its protocol.
enum Head {
    /// They follow these, with which the stream begins.
    Start(Vec<u8>),
    /// They are the first that were captured.
    Middle,
    /// Nothing.
    Over,
}

impl Import<'_> {
    fn take(&mut self, event: Event, emit: &mut dyn FnMut(Notice)) {
        let number = event.connection;
        if let What::Opened { client, server, is_guess } = event.what {
            self.live.insert(number, self.open(number, [client, server], is_guess));
            return;
        }
        let Some(connection) = self.live.get_mut(&number) else { return };
        let before = connection.recording.memory();
        if let Some(protocol) = connection.protocol(&event.what) {
            self.memory -= before;
            emit(Notice::Other { connection: number, ends: connection.ends, protocol: Some(protocol) });
            self.live.remove(&number);
            return;
        }
        let is_over = connection.take(event.what);
        if self.memory - before + connection.recording.memory() > UNFINISHED {
            let limit = UNFINISHED >> 20;
            connection
                .recording
                .stop(&format!("unfinished lines of all connections take more than {limit} MiB"));
        }
        self.memory = self.memory - before + connection.recording.memory();
        connection.recording.take_notices().into_iter().for_each(&mut *emit);
        if is_over {
            self.memory -= connection.recording.memory();
            if connection.recording.is_in_doubt() {
                let protocol = connection.recording.other_protocol();
                emit(Notice::Other { connection: number, ends: connection.ends, protocol });
            } else {
                self.connections += 1;
            }
            self.live.remove(&number);
        }
    }

    fn open(&self, number: usize, ends: [SocketAddr; 2], is_guess: bool) -> Connection {
        let recording = Recording::new(number, &self.options.recording);
        // A named port carries dnode.
        let mut recording = if self.options.port.is_some() { recording } else { recording.doubted() };
        recording.notice(Notice::Opened { connection: number, ends, is_guess });
        Connection { recording, ends, heads: [Head::Start(Vec::new()), Head::Start(Vec::new())] }
    }
}

impl Connection {
    /// The other protocol that an event shows.
    fn protocol(&mut self, what: &What) -> Option<(End, Protocol)> {
        match what {
            What::Bytes { from, bytes, .. } => {
                let head = &mut self.heads[*from as usize];
                let (protocol, is_over) = match head {
                    Head::Start(start) => {
                        start.extend(bytes.iter().take(HEAD - start.len()));
                        (Protocol::of_end(start), start.len() == HEAD || start.starts_with(b"{"))
                    }
                    Head::Middle => (Protocol::of_record(bytes), true),
                    Head::Over => (None, true),
                };
                if is_over {
                    *head = Head::Over;
                }
                protocol.map(|protocol| (*from, protocol))
            }
            What::Gap(Gap { from, bytes, .. }) => {
                self.heads[*from as usize] = if bytes.is_none() { Head::Middle } else { Head::Over };
                None
            }
            _ => None,
        }
    }

    /// Takes an event. Returns whether the connection is over.
    fn take(&mut self, what: What) -> bool {
        match what {
            What::Opened { .. } => {}
            What::Bytes { from, bytes, packet } => self.recording.bytes(from, &bytes, Some(packet)),
            What::Gap(gap) => self.recording.gap(gap),
            What::Ended { from } => self.recording.ended(from),
            What::Closed(_) => {
                self.recording.finish();
                return true;
            }
        }
        false
    }
}
