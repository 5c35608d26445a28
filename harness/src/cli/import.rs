//! `dnode-conform import FILE…`

use super::failure::Failure;
use super::notices::Told;
use super::output;
use super::record::Seat;
use super::report::STDIN;
use super::signal::on_signal;
use crate::commands::import::{CaptureOptions, Imported, import, import_capture};
use crate::commands::recording::RecordingOptions;
use crate::files;
use clap::Args;
use dnode_capture::{Form, Summary};
use dnode_reports::count;
use dnode_reports::escape::terminal;
use std::fmt::Display;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The arguments of `import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Packet captures (pcap or pcapng) or line logs; - is a file on standard input
    ///
    /// The connections of a capture are judged, and the exit status is that of `record`: 1 if an end
    /// broke a clause, 2 if the capture lacks bytes or holds no dnode. A line log has one JSON object a
    /// line: first {"client","server"}, then {"ms","from","line"} or {"ms","from","end"}.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write the transcripts to this folder, under the names of their files; without it, captures are
    /// only judged
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The end that the suite plays when the transcripts are replayed
    #[arg(long, value_enum, default_value = "client")]
    seen_from: Seat,
    /// Import only the connections to this port of a capture, and judge all of them as dnode
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Replace strings and numbers by placeholders, equal values by equal placeholders; keep method
    /// names and keys
    #[arg(long, requires = "out")]
    redact: bool,
}

/// Converts captures and line logs to transcripts, and judges captures.
pub(super) fn run(args: &ImportArgs) -> Result<u8, Failure> {
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).map_err(|error| failure(folder, &error))?;
    }
    let mut told = Told::default();
    for path in &args.files {
        if args.files.len() > 1 {
            output::say(place(path))?;
        }
        let (head, reader) = open(path).map_err(|error| failure(path, &error))?;
        if head.is_empty() {
            return Err(failure(path, &"it is empty"));
        }
        match Form::of(&head) {
            Some(_) => import_packets(args, path, reader, &mut told)?,
            None if head.first().is_none_or(|byte| b"{ \t\r\n".contains(byte)) => {
                import_log(args, path, reader)?;
            }
            None => {
                return Err(failure(path, &"it is neither a packet capture (pcap, pcapng) nor a line log"));
            }
        }
    }
    Ok(told.status())
}

fn failure(path: &Path, error: &dyn Display) -> Failure {
    Failure::caller(format!("{}: {error}", place(path)))
}

/// A file, in words.
fn place(path: &Path) -> String {
    if path == Path::new(STDIN) { "standard input".to_owned() } else { terminal(path.display().to_string()) }
}

/// Opens a file. Gives its first bytes, and a reader of all its bytes.
fn open(path: &Path) -> io::Result<(Vec<u8>, impl Read + use<>)> {
    let mut reader: Box<dyn Read> = if path == Path::new(STDIN) {
        // An interrupt ends the program at the other end of the pipe, and so the input.
        on_signal(|| {});
        Box::new(io::stdin())
    } else {
        Box::new(fs::File::open(path)?)
    };
    let mut head = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut head)?;
    Ok((head.clone(), io::Cursor::new(head).chain(reader)))
}

/// The name of the transcripts of a file.
fn name(path: &Path) -> String {
    if path == Path::new(STDIN) {
        return "stdin".to_owned();
    }
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn import_log(args: &ImportArgs, path: &Path, reader: impl Read) -> Result<(), Failure> {
    let Some(folder) = &args.out else {
        return Err(failure(path, &"a line log becomes a transcript: add --out DIR"));
    };
    if args.port.is_some() {
        return Err(failure(path, &"a line log has no ports: leave out --port"));
    }
    let text = files::read_from(reader).map_err(|error| failure(path, &error))?;
    let name = name(path);
    let transcript =
        import(&text, &name, args.seen_from.into(), args.redact).map_err(|error| failure(path, &error))?;
    let path = folder.join(format!("{name}.jsonl"));
    create(&path, &transcript).map_err(|error| failure(&path, &error))?;
    output::say(place(&path))
}

/// Writes a file that does not exist.
fn create(path: &Path, text: &str) -> io::Result<()> {
    // An empty file reserves the name.
    fs::File::create_new(path)?;
    files::replace(path, text).inspect_err(|_| drop(fs::remove_file(path)))
}

fn import_packets(args: &ImportArgs, path: &Path, reader: impl Read, told: &mut Told) -> Result<(), Failure> {
    let recording = RecordingOptions {
        out: args.out.clone(),
        name: name(path),
        seen_from: args.seen_from.into(),
        redact: args.redact,
    };
    let options = CaptureOptions { port: args.port, recording };
    let imported = import_capture(reader, &options, &mut |notice| told.tell(&notice))
        .map_err(|error| failure(path, &error))?;
    let place = place(path);
    let Imported { connections, summary } = imported;
    tell_summary(&place, &summary, told);
    let ports = ports(&summary);
    if connections == 0 {
        let to = args.port.map_or_else(String::new, |port| format!(" to port {port}"));
        let packets = count(usize::try_from(summary.packets).unwrap_or(usize::MAX), "packet");
        let hint = match summary.packets {
            0 => "; if packets were sent, tcpdump lost them in its buffer: start it with --immediate-mode",
            _ => "",
        };
        let what = format!("{place}: no connection{to} that carries dnode, in {packets}; {ports}{hint}");
        return Err(Failure::caller(what));
    }
    if args.port.is_none() && summary.ports.len() > 1 {
        output::say(format_args!("{ports}; --port PORT imports those to one port"))?;
    }
    Ok(())
}

/// The ports of a capture, in words.
fn ports(summary: &Summary) -> String {
    let mut words: Vec<String> = summary
        .ports
        .iter()
        .map(|(port, connections)| format!("{port} ({})", count(*connections, "connection")))
        .collect();
    words.extend(summary.other_ports.iter().map(u16::to_string));
    match words.is_empty() {
        true => "it holds no bytes of TCP connections".to_owned(),
        false => format!("ports with connections: {}", words.join(", ")),
    }
}

/// Prints why traffic of a capture was not judged.
fn tell_summary(place: &str, summary: &Summary, told: &mut Told) {
    if summary.ends_early {
        output::warn(format_args!("dnode-conform: {place}: the file ends within a packet"));
    }
    let number = |number: u64, what| count(usize::try_from(number).unwrap_or(usize::MAX), what);
    if summary.cut > 0 {
        let cut = number(summary.cut, "TCP segment");
        told.warn(&format!("{place}: {cut} captured only in part; capture whole packets: tcpdump -s 0"));
    }
    if let Some(first) = summary.first_fragment {
        let fragments = number(summary.fragments, "fragment");
        told.warn(&format!(
            "{place}: {fragments} of IP packets, from packet {first} on, cannot be put together"
        ));
    }
    for (link, packets) in &summary.unknown_links {
        let packets = number(*packets, "packet");
        told.warn(&format!("{place}: {packets} of link type {link}, which is not known; try tcpdump -i any"));
    }
    if let Some(first) = summary.after_close.first {
        let segments = number(summary.after_close.segments, "segment");
        told.warn(&format!(
            "{place}: {segments} with bytes after the end of their connection, from packet {first} on; they are not judged"
        ));
    }
    if summary.refused > 0 {
        let segments = number(summary.refused, "segment");
        let most = dnode_capture::limits::CONNECTIONS;
        told.warn(&format!(
            "{place}: {segments} of connections that are left out, because more than {most} are open at one time; \
             filter the capture: tcpdump -r FILE -w PART 'port 5050'"
        ));
    }
}
