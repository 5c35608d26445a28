//! `dnode-conform record --listen ADDR --to ADDR`

use super::failure::Failure;
use super::notices::Told;
use super::output;
use super::signal::on_signal;
use crate::commands::record::{RecordOptions, record as forward};
use crate::commands::recording::RecordingOptions;
use clap::{Args, ValueEnum};
use dnode::transport::Address;
use dnode::transport::Trust;
use dnode_spec::monitor::End;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
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
    let recording = RecordingOptions {
        out: args.out,
        name: "session".to_owned(),
        seen_from: args.seen_from.into(),
        redact: args.redact,
    };
    let told = Mutex::new(Told::default());
    forward(listener, RecordOptions { to, recording }, stopped, &|notice| {
        told.lock().unwrap_or_else(PoisonError::into_inner).tell(&notice);
    })
    .await
    .map_err(Failure::harness)?;
    Ok(told.into_inner().unwrap_or_else(PoisonError::into_inner).status())
}
