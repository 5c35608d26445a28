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

/// The arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    /// Transcripts or folders of them (all *.jsonl beneath), and last the peer's address (as for `run`); without it and without
    /// --exec, the reference peer
    #[arg(value_name = "FILE|DIR… [TARGET]", required = true)]
    files: Vec<String>,
    #[command(flatten)]
    peer: PeerArgs,
}

/// Replays transcripts from files.
pub(super) async fn replay(mut args: ReplayArgs) -> Result<u8, String> {
    let address = args.files.pop_if(|last| !Path::new(last).exists() && last.contains(':'));
    if address.is_some() && args.peer.exec.is_some() {
        return Err("caller: give a target or --exec, not both".to_owned());
    }
    let cases = transcripts::read(&args.files)?;
    let (server, client) =
        (transcripts::speaking_for(true, &cases), transcripts::speaking_for(false, &cases));
    match (server, client) {
        (Some(server), Some(client)) => Err(format!(
            "caller: {} speaks for the end that accepts (role server) and {} for the one that connects: replay them apart",
            server.id(),
            client.id()
        )),
        (Some(case), None) if !args.peer.reach.listens() => Err(format!(
            "caller: {} speaks for the end that accepts (role server): replay it with --listen ADDR, for example \
             --listen 127.0.0.1:0 --exec 'node client.js {{host}} {{port}}'",
            case.id()
        )),
        (Some(_), None) => serve(&args.peer, address.as_deref(), cases).await,
        _ => {
            let target = args.peer.target(address.as_deref()).await?;
            judge(&args.peer, target, (Selection::all(), None), cases.into(), None).await
        }
    }
}

/// Replays transcripts in the server's seat.
async fn serve(peer: &PeerArgs, address: Option<&str>, cases: Vec<Case>) -> Result<u8, String> {
    if peer.ping.is_some() {
        return Err("caller: --ping is no help with transcripts of role server: the client calls by itself"
            .to_owned());
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    let Some(host) = peer.host(address).await? else { return Err("caller: --listen is missing".to_owned()) };
    let options = Options {
        gate: super::run::gate(peer)?,
        patience: peer.deadline,
        command: Command {
            program: quote(&std::env::args().next().unwrap_or_else(|| "dnode-conform".to_owned())),
            arguments: host.listen().arguments(),
        },
        fail_fast: peer.fail_fast,
        interrupted: Arc::clone(&interrupted),
    };
    super::on_signal(move || interrupted.store(true, Ordering::Relaxed));
    let mut told = Told::new(peer)?;
    accept(&host, &options, cases, &mut |event| told.tell(&event)).await;
    told.progress.finish();
    told.status()
}
