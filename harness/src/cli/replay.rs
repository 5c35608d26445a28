//! `dnode-conform replay FILE|DIR… [TARGET]`, and with `--listen` the same in the server's seat

use super::run::{Told, judge};
use super::{PeerArgs, transcripts};
use crate::cases::{Case, Selection};
use crate::run::Command;
use crate::run::accept::{Options, accept};
use crate::target::quote;
use clap::Args;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;

/// The arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    /// Transcripts or folders of them (all *.jsonl beneath), and last the peer's address (as for `run`); without it and without
    /// --exec, the reference peer
    #[arg(value_name = "FILE|DIR… [TARGET]", required = true)]
    files: Vec<String>,
    /// Replay transcripts of role server: listen here, HOST:PORT, for one client a transcript; port 0 takes a free one, which is
    /// printed. --exec then starts each client, with {host} and {port}, and HOST and PORT in its environment
    #[arg(long, value_name = "ADDR", conflicts_with = "ping")]
    listen: Option<String>,
    #[command(flatten)]
    peer: PeerArgs,
}

/// Replays transcripts from files.
pub(super) async fn replay(mut args: ReplayArgs) -> Result<u8, String> {
    let address = args.files.pop_if(|last| !Path::new(last).exists() && last.contains(':'));
    if address.is_some() && args.peer.exec.is_some() {
        return Err("caller: give a target or --exec, not both".to_owned());
    }
    if address.is_some() && args.listen.is_some() {
        return Err(
            "caller: give a target or --listen, not both: with --listen the clients come to us".to_owned()
        );
    }
    let target = args.peer.target(address.as_deref())?;
    let cases = transcripts::read(&args.files)?;
    match (args.listen, transcripts::speaking_for(true, &cases), transcripts::speaking_for(false, &cases)) {
        (None, Some(case), _) => Err(format!(
            "caller: {} speaks for the end that accepts (role server): replay it with --listen ADDR, for example \
             --listen 127.0.0.1:0 --exec 'node client.js {{port}}'",
            case.id()
        )),
        (Some(_), _, Some(case)) => Err(format!(
            "caller: {} speaks for the end that connects (role client): replay it without --listen, against a TARGET \
             or --exec",
            case.id()
        )),
        (None, None, _) => judge(&args.peer, target, (Selection::all(), None), cases.into(), None).await,
        (Some(listen), _, None) => serve(&listen, &args.peer, cases).await,
    }
}

/// Replays transcripts in the server's seat.
async fn serve(listen: &str, peer: &PeerArgs, cases: Vec<Case>) -> Result<u8, String> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let exec = peer.exec.as_ref().map(|exec| format!(" --exec {}", quote(exec))).unwrap_or_default();
    let options = Options {
        exec: peer.exec.clone(),
        gate: super::run::gate(peer)?,
        patience: peer.deadline,
        command: Command {
            program: quote(&std::env::args().next().unwrap_or_else(|| "dnode-conform".to_owned())),
            arguments: format!("--listen {}{exec}", quote(listen)),
        },
        fail_fast: peer.fail_fast,
        interrupted: Arc::clone(&interrupted),
    };
    let bound = TcpListener::bind(listen).await;
    let listener = bound.map_err(|error| format!("caller: cannot listen at {listen}: {error}"))?;
    let address = listener.local_addr().map_err(|error| format!("harness: {error}"))?;
    super::on_signal(move || interrupted.store(true, Ordering::Relaxed));
    let mut told = Told::new(peer)?;
    match super::report::stdout_is_taken(&peer.report) {
        true => eprintln!("listening at {address}"),
        false => println!("listening at {address}"),
    }
    let outcome = accept(&listener, &options, cases, &mut |event| told.tell(&event)).await;
    told.progress.finish();
    outcome.map_err(|error| error.to_string())?;
    told.status()
}
