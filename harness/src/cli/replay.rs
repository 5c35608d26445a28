//! `dnode-conform replay FILE|DIR… [TARGET]`

use super::run::{judge, target};
use super::{PeerArgs, transcripts};
use crate::cases::Selection;
use clap::Args;
use std::path::Path;

/// The arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    /// Transcripts or folders of them (all *.jsonl beneath), and last the peer's address (HOST:PORT); without it and without
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
    let target = target(address.as_deref(), args.peer.exec.clone())?;
    let cases = transcripts::read(&args.files)?;
    if let Some(case) = transcripts::speaking_for(true, &cases) {
        return Err(format!(
            "caller: {} speaks for the accepting end, which is not supported yet",
            case.id()
        ));
    }
    let selection = Selection::new(&[]).map_err(|error| format!("caller: {error}"))?;
    judge(&args.peer, target, selection, cases).await
}
