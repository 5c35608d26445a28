//! `dnode-conform minimize FILE [TARGET]`

use super::failure::Failure;
use super::output;
use super::peer::PeerArgs;
use super::run::{command, options};
use super::signal::{on_signal, stop};
use super::transcripts;
use super::values::ping;
use crate::cases::Case;
use crate::conversation::preflight::preflight;
use crate::files::NewFile;
use crate::peer::Peer;
use crate::run::{Cases, Options, run};
use crate::shrink::{Sought, shrink};
use clap::Args;
use dnode_reports::event::{Divergence, Event, Kind, Outcome};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The arguments of `minimize`.
#[derive(Debug, Args)]
pub(super) struct MinimizeArgs {
    /// The transcript that reproduces a finding
    file: String,
    /// The peer's address; without it, --exec and --listen, the reference peer is tested
    ///
    /// Forms: HOST:PORT, unix:PATH, tls://HOST:PORT or ws://HOST:PORT/PATH.
    #[arg(value_name = "TARGET", conflicts_with = "exec")]
    target: Option<String>,
    /// Write the shorter transcript to this file; without it, to standard output
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    #[command(flatten)]
    peer: PeerArgs,
}

/// Shrinks a transcript that reproduces a finding.
pub(super) async fn minimize(args: MinimizeArgs) -> Result<u8, Failure> {
    let begun = Instant::now();
    let Some(case) = transcripts::read(std::slice::from_ref(&args.file))?.pop() else {
        return Err(Failure::caller("name at least one transcript"));
    };
    let target = args.peer.target(args.target.as_deref()).await?;
    let ping = ping(args.peer.ping.as_deref())?;
    let options = options(&args.peer, target.clone(), ping.clone())?;
    let unwritten = |error| {
        let path = args.out.as_deref().unwrap_or(Path::new("-"));
        Failure::caller(format!("{}: {error}", path.display()))
    };
    let output = args.out.as_deref().map(NewFile::open).transpose().map_err(unwritten)?;
    // An interruption also ends the peer that we started.
    on_signal(|| stop());
    let found = finding(&options, &case, &args.file).await?;
    let sought = match found.kind {
        Kind::Broken => Sought::Broken(found.clause.clone()),
        kind => Sought::Difference(found.clause.clone(), kind),
    };
    let shrunk = async {
        let peer = Peer::start(&target).await?;
        let facts = preflight(peer.route(), args.peer.dialect, ping.as_ref(), args.peer.deadline).await;
        peer.stop().await;
        let facts = facts.map_err(Failure::peer)?;
        let command = command(&args.peer, &target);
        let shrunk = shrink(&case, sought, &target, &facts, args.peer.deadline, &command).await;
        shrunk.ok_or_else(|| Failure::peer(format!("{} did not reproduce its finding", args.file)))
    };
    let shrunk = match options.max_time.map(|time| time.saturating_sub(begun.elapsed())) {
        Some(left) => tokio::time::timeout(left, shrunk).await.map_err(|_| {
            Failure::caller(format!("--max-time elapsed before {} was shrunk; give it more time", args.file))
        })?,
        None => shrunk.await,
    }?;
    output::warn(format_args!("{}; {} {} at {}", shrunk.describe(), found.clause, found.kind, found.step));
    match output {
        None => output::say(shrunk.case.text)?,
        Some(output) => output.write(shrunk.case.text + "\n").map_err(unwritten)?,
    }
    Ok(0)
}

/// The finding of a transcript: its own, or else a line of the peer that breaks a clause.
async fn finding(options: &Options, case: &Case, file: &str) -> Result<Divergence, Failure> {
    let (mut own, mut broken): (Option<Outcome>, Option<Outcome>) = (None, None);
    run(options, Cases::Listed(vec![case.clone()]), &mut |event| {
        let Event::Judged(judged) = event else { return };
        let is_broken = judged.divergence.as_ref().is_some_and(|found| found.kind == Kind::Broken);
        if judged.id == case.id() {
            own = Some(*judged);
        } else if is_broken && (broken.is_none() || judged.evidence.transcript == case.text) {
            // The preflight may have shown it before the transcript did.
            broken = Some(*judged);
        }
    })
    .await?;
    let own = own.ok_or_else(|| Failure::harness("the transcript got no verdict"))?;
    let found = own.divergence.or_else(|| broken?.divergence);
    found.ok_or_else(|| {
        let reason = own.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        Failure::caller(format!("{file} shows no finding on this peer: {}{reason}", own.verdict))
    })
}
