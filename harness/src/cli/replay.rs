//! `dnode-conform replay FILE… [TARGET]`

use super::PeerArgs;
use super::run::{judge, target};
use crate::cases::{Case, Selection};
use clap::Args;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest transcript that is read, in bytes: long input is written as an expression.
const FILE_LIMIT: u64 = 64 << 20;

/// The arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    /// Transcripts, and last the peer's address (HOST:PORT); without it and without --exec, the reference peer
    #[arg(value_name = "FILE… [TARGET]", required = true)]
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
    let cases: Vec<Case> = args.files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    if cases.is_empty() {
        return Err("caller: no transcript is named".to_owned());
    }
    if let Some(case) = cases.iter().find(|case| case.transcript.header.server) {
        return Err(format!(
            "caller: {} speaks for the accepting end, which is not supported yet",
            case.id()
        ));
    }
    judge(&args.peer, target, Selection::all(), cases.into()).await
}

pub(super) fn read(file: &str) -> Result<Case, String> {
    let fault = |error: io::Error| format!("caller: {file}: {error}");
    let mut bytes = Vec::new();
    File::open(file).map_err(fault)?.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(format!("caller: {file} has more than {FILE_LIMIT} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("caller: {file} is not UTF-8"))?;
    let case = Case::read(&text).map_err(|error| format!("caller: {file}, {error}"))?;
    Ok(Case { file: Some(file.to_owned()), ..case })
}
