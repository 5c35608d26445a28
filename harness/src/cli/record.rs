//! `dnode-conform record --listen ADDR --to ADDR`

use super::failure::{COULD_NOT_RUN, Failure};
use super::output;
use super::signal::on_signal;
use crate::commands::record::{Notice, RecordOptions, record as forward};
use clap::{Args, ValueEnum};
use dnode::transport::Address;
use dnode::transport::Trust;
use dnode_reports::count;
use dnode_reports::escape::terminal;
use dnode_spec::clause::Level;
use dnode_spec::monitor::End;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The arguments of `record`.
#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// Listen for the client at HOST:PORT; port 0 chooses a free port; the address is printed
    #[arg(long, value_name = "ADDR")]
    listen: String,
    /// The address of the server, HOST:PORT
    #[arg(long, value_name = "ADDR")]
    to: String,
    /// Write a transcript of each connection to this folder; without it, traffic is only judged
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The end that the suite plays when the transcripts are replayed
    #[arg(long, value_enum, default_value = "client")]
    seen_from: Seat,
    /// Replace strings and numbers by placeholders, equal values by equal placeholders; keep method
    /// names and keys
    #[arg(long, requires = "out")]
    redact: bool,
}

/// One of the two ends.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Seat {
    Client,
    Server,
}

impl From<Seat> for End {
    fn from(seat: Seat) -> End {
        match seat {
            Seat::Client => End::A,
            Seat::Server => End::B,
        }
    }
}

/// Records until a signal ends the program.
pub(super) async fn record(args: RecordArgs) -> Result<u8, Failure> {
    let to = Address::parse(&args.to, &Trust::System)?;
    let Some(to) = to.tcp().map(str::to_owned) else {
        return Err(Failure::caller(format!("--to {to}: record supports only TCP; write HOST:PORT")));
    };
    if let Some(folder) = &args.out {
        let writable = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
        writable.map_err(|error| Failure::caller(format!("--out {}: {error}", folder.display())))?;
    }
    let listener = TcpListener::bind(&args.listen)
        .await
        .map_err(|error| Failure::caller(format!("cannot listen at {}: {error}", args.listen)))?;
    let address = listener.local_addr().map_err(Failure::harness)?;
    output::say(format_args!("listening at {address}, forwarding to {to}; interrupt to end"))?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    on_signal(move || stop.cancel());
    let (broken, incomplete) = (AtomicBool::new(false), AtomicBool::new(false));
    let options = RecordOptions { to, out: args.out, seen_from: args.seen_from.into(), redact: args.redact };
    forward(listener, options, stopped, &|notice| {
        if let Notice::Finding { problem, .. } = &notice {
            let gates = matches!(crate::cases::level(problem.clause), Level::Must | Level::Should);
            broken.fetch_or(gates, Ordering::Relaxed);
        }
        incomplete
            .fetch_or(matches!(notice, Notice::Warning(_)) | print(&notice).is_err(), Ordering::Relaxed);
    })
    .await
    .map_err(Failure::harness)?;
    Ok(match (broken.into_inner(), incomplete.into_inner()) {
        (true, _) => 1,
        // There is no verdict about traffic that was not forwarded, judged or written.
        (false, true) => COULD_NOT_RUN,
        (false, false) => 0,
    })
}

fn word(end: End) -> &'static str {
    match end {
        End::A => "client",
        End::B => "server",
    }
}

fn print(notice: &Notice) -> Result<(), Failure> {
    match notice {
        Notice::Finding { connection, end: from, problem } => {
            let level = crate::cases::level(problem.clause).word();
            let at = if problem.at.is_empty() { String::new() } else { format!(" at {}", problem.at) };
            let what = format!("expected {}, got {}", problem.expected, problem.actual);
            output::say(format_args!(
                "connection {connection}: the {} breaks {} ({level}){}: {}",
                word(*from),
                problem.clause,
                terminal(&at),
                terminal(&what)
            ))
        }
        Notice::Closed { connection, lines: [client, server], broken, file } => {
            let broken: Vec<String> = broken
                .iter()
                .map(|((from, clause), times)| {
                    format!("{clause} {times}x by the {}", if *from == 0 { "client" } else { "server" })
                })
                .collect();
            let broken = if broken.is_empty() { "nothing broken".to_owned() } else { broken.join(", ") };
            let file = file.as_ref().map_or_else(String::new, |file| format!(", {}", file.display()));
            output::say(format_args!(
                "connection {connection}: {} from the client, {server} from the server, {broken}{file}",
                count(usize::try_from(*client).unwrap_or(usize::MAX), "line"),
            ))
        }
        Notice::Warning(text) => {
            output::warn(format_args!("dnode-conform: {}", terminal(text)));
            Ok(())
        }
    }
}
