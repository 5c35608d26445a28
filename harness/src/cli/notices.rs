//! Prints the notices of recorded connections, and keeps the exit status.

use super::failure::{COULD_NOT_RUN, Failure};
use super::output;
use crate::commands::recording::{Lost, Notice};
use crate::conversation::stranger::Protocol;
use dnode_capture::Gap;
use dnode_reports::count;
use dnode_reports::escape::terminal;
use dnode_spec::clause::Level;
use dnode_spec::message::Problem;
use dnode_spec::monitor::End;
use std::net::SocketAddr;

/// The exit status that the notices so far decide.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// An end broke a clause that gates.
    broken: bool,
    /// Something was not forwarded, judged, written or printed.
    incomplete: bool,
}

impl Told {
    /// Prints a notice.
    pub(super) fn tell(&mut self, notice: &Notice) {
        match notice {
            Notice::Finding { problem, .. } => {
                self.broken |= matches!(crate::cases::level(problem.clause), Level::Must | Level::Should);
            }
            Notice::Warning(_) | Notice::Gap { .. } => self.incomplete = true,
            Notice::Opened { .. } | Notice::Other { .. } | Notice::Closed { .. } => {}
        }
        self.incomplete |= print(notice).is_err();
    }

    /// Prints a warning: there is no verdict about a part of the traffic.
    pub(super) fn warn(&mut self, text: &str) {
        self.tell(&Notice::Warning(text.to_owned()));
    }

    /// The exit status.
    pub(super) fn status(&self) -> u8 {
        match (self.broken, self.incomplete) {
            (true, _) => 1,
            // There is no verdict about the missing part.
            (false, true) => COULD_NOT_RUN,
            (false, false) => 0,
        }
    }
}

fn word(end: End) -> &'static str {
    match end {
        End::A => "client",
        End::B => "server",
    }
}

fn print(notice: &Notice) -> Result<(), Failure> {
    match notice {
        Notice::Opened { connection, ends, is_guess } => {
            let guess =
                "; the capture lacks its beginning, so the client is a guess; --port PORT names the server";
            let guess = if *is_guess { guess } else { "" };
            output::say(format_args!("connection {connection}: {}{guess}", addresses(ends)))
        }
        Notice::Other { connection, ends, protocol } => {
            output::say(format_args!("connection {connection}: {}: {}", addresses(ends), other(*protocol)))
        }
        Notice::Finding { connection, end, problem, packet } => {
            output::say(format_args!("connection {connection}: {}", finding(*end, problem, *packet)))
        }
        Notice::Gap { connection, gap } => {
            output::say(format_args!("connection {connection}: {}", missing(gap)))
        }
        Notice::Closed { connection, lines: [client, server], broken, lost, file } => {
            let broken: Vec<String> = broken
                .iter()
                .map(|((from, clause), times)| {
                    format!("{clause} {times}x by the {}", if *from == 0 { "client" } else { "server" })
                })
                .collect();
            let broken = if broken.is_empty() { "nothing broken".to_owned() } else { broken.join(", ") };
            let file = file
                .as_ref()
                .map_or_else(String::new, |file| format!(", {}", terminal(file.display().to_string())));
            output::say(format_args!(
                "connection {connection}: {} from the client, {server} from the server, {broken}{}{file}",
                count(usize::try_from(*client).unwrap_or(usize::MAX), "line"),
                loss(lost),
            ))
        }
        Notice::Warning(text) => {
            output::warn(format_args!("dnode-conform: {}", terminal(text)));
            Ok(())
        }
    }
}

fn addresses([client, server]: &[SocketAddr; 2]) -> String {
    format!("{client} to {server}")
}

/// Which clause an end broke, and how.
fn finding(end: End, problem: &Problem, packet: Option<u64>) -> String {
    let level = crate::cases::level(problem.clause).word();
    let at = if problem.at.is_empty() { String::new() } else { format!(" at {}", problem.at) };
    let packet = packet.map_or_else(String::new, |packet| format!(" in packet {packet}"));
    let what = format!("expected {}, got {}", problem.expected, problem.actual);
    let (who, clause) = (word(end), problem.clause);
    format!("the {who} breaks {clause} ({level}){packet}{}: {}", terminal(&at), terminal(&what))
}

/// Why a connection is not judged.
fn other(protocol: Option<(End, Protocol)>) -> String {
    match protocol {
        Some((end, Protocol::Tls)) => {
            format!("the {} speaks TLS; its bytes are encrypted, so it is not judged", word(end))
        }
        Some((end, Protocol::Http)) => {
            format!("the {} speaks HTTP, which a WebSocket begins with; it is not judged", word(end))
        }
        Some((end, Protocol::Json)) => format!(
            "the {} speaks line JSON, but not dnode: none of the first lines has \"method\" and one of \
             \"arguments\", \"callbacks\" and \"links\"; it is not judged; --port judges it",
            word(end)
        ),
        Some((end, protocol)) => format!("the {} speaks {protocol}, not dnode; it is not judged", word(end)),
        None => "none of its first lines could be a message of dnode, so it is not judged; --port judges it"
            .to_owned(),
    }
}

/// Which bytes a capture lacks, and what follows from that.
fn missing(gap: &Gap) -> String {
    let who = word(gap.from);
    let what = match (gap.bytes, gap.at) {
        (None, _) => format!("the capture lacks the beginning of what the {who} sent"),
        (Some(0), at) => {
            format!("the capture does not show the order of both ends, at offset {at} of what the {who} sent")
        }
        (Some(bytes), at) if gap.copies.is_some() => {
            let bytes = count(usize::try_from(bytes).unwrap_or(usize::MAX), "byte");
            let [one, other] = gap.copies.unwrap_or_default();
            format!(
                "two copies of {bytes} that the {who} sent, at offset {at}, differ in packets {one} and {other}"
            )
        }
        (Some(bytes), at) => {
            let bytes = count(usize::try_from(bytes).unwrap_or(usize::MAX), "byte");
            format!("the capture lacks {bytes} that the {who} sent, at offset {at}")
        }
    };
    let before = gap.before.filter(|_| gap.copies.is_none());
    let before = before.map_or_else(String::new, |packet| format!(", before packet {packet}"));
    format!("{what}{before}; from here on, only the form of each line is judged")
}

fn loss(lost: &Lost) -> String {
    let gaps = count(usize::try_from(lost.gaps).unwrap_or(usize::MAX), "gap");
    match (lost.gaps, lost.bytes) {
        (0, _) => String::new(),
        (_, 0) => format!(", {gaps}"),
        (_, bytes) => format!(", {gaps} of {bytes} bytes"),
    }
}
