//! `dnode-conform replay FILE|DIR… [TARGET]`; with `--listen`, the suite is the server.

use super::failure::Failure;
use super::last_run::LastRun;
use super::peer::PeerArgs;
use super::run::{Plan, judge, seat};
use super::transcripts;
use crate::cases::Selection;
use clap::Args;
use std::path::Path;

/// The arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    /// Transcripts, or folders of transcripts (*.jsonl), and then the peer's address as for `run`
    ///
    /// Without an address, --exec and --listen, the reference peer is tested.
    #[arg(value_name = "FILE|DIR… [TARGET]", required = true)]
    files: Vec<String>,
    #[command(flatten)]
    peer: PeerArgs,
}

/// Replays transcripts from files.
pub(super) async fn replay(mut args: ReplayArgs) -> Result<u8, Failure> {
    let address = args.files.pop_if(|last| !Path::new(last).exists() && last.contains(':'));
    if address.is_some() && args.peer.exec.is_some() {
        return Err(Failure::caller("give a target or --exec, not both"));
    }
    // A replay is about few sessions, so their findings are shown in full.
    args.peer.text.details = true;
    let cases = transcripts::read(&args.files)?;
    let (server, client) =
        (transcripts::speaking_for(true, &cases), transcripts::speaking_for(false, &cases));
    match (server, client) {
        (Some(server), Some(client)) => Err(Failure::caller(format!(
            "{} is for a client peer (role server), but {} is for a server peer; replay them separately",
            server.id(),
            client.id()
        ))),
        (Some(case), None) if !args.peer.listen.listens() => Err(Failure::caller(format!(
            "{} is for a client peer (role server): replay it with --listen ADDR, for example \
             --listen 127.0.0.1:0 --exec 'node client.js {{host}} {{port}}'",
            case.id()
        ))),
        (Some(_), None) => seat(&args.peer, address.as_deref(), cases, Vec::new(), None).await,
        _ => {
            let target = args.peer.target(address.as_deref()).await?;
            let (selection, cases) = (Selection::all(), cases.into());
            let plan = Plan { selection, shard: None, cases, snapshot: None, last: LastRun::none() };
            judge(&args.peer, target, plan).await
        }
    }
}
