//! What a campaign can tell beside broken clauses, each on a peer with just this harm (harmful.py), and that it blames the peer without harm
//! for nothing.

use super::super::input::Line;
use super::*;
use crate::campaign::{Notice, Options};
use crate::conversation::preflight::preflight;
use crate::peer::Peer;
use crate::program::Target;
use crate::verdict::Command;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use std::path::Path;
use tokio_util::sync::CancellationToken;

fn line(text: &str) -> Input {
    Input { lines: vec![Line { bytes: text.as_bytes().to_vec(), cuts: Vec::new() }], end: End::Asked }
}

fn options(harm: &str, findings: &Path) -> Options {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/campaign/lane/harmful.py");
    Options {
        target: Target::exec(&format!("exec python3 '{}' {{port}} {harm}", script.display())),
        ping: None,
        time: Duration::from_secs(600),
        seed: 1,
        shard: (0, 1),
        jobs: 1,
        corpus: None,
        findings: findings.to_owned(),
        gate: Level::Robust,
        patience: Duration::from_secs(1),
        first: false,
        command: Command::default(),
        interrupted: CancellationToken::new(),
    }
}

/// What a lane finds that plays this line a few times, where all else that it plays is right.
async fn found(harm: &str) -> Vec<Oracle> {
    let folder = tempfile::tempdir().unwrap();
    let options = options(harm, folder.path());
    let peer = Peer::start(&options.target).await.unwrap_or_else(|error| panic!("{error}"));
    let facts = preflight(peer.route(), Dialect::default(), None, options.patience).await.unwrap();
    peer.stop().await;
    let (sender, mut notices) = tokio::sync::mpsc::unbounded_channel();
    let campaign = Campaign::open(options, facts, sender).unwrap();
    let mut lane = Lane::new(&campaign, 0);
    assert!(lane.bench.ready().await);
    let right = line(r#"{"method":"hello"}"#);
    lane.weigh().await;
    lane.listen().await;
    for _ in 0..70 {
        lane.play_input(&right, "a test").await;
    }
    // Memory grows by and by: much at once would be late too where the machine is busy.
    for _ in 0..if harm == "memory" { 48 } else { 1 } {
        lane.play_input(&line("no JSON"), "a test").await;
    }
    if !lane.bench.slot.is_empty() {
        lane.weigh().await;
        lane.listen().await;
    }
    let mut oracles = Vec::new();
    {
        let mut looking = std::pin::pin!(async {
            while let Some(suspicion) = campaign.take_suspicion() {
                lane.look_into(suspicion).await;
            }
        });
        loop {
            tokio::select! {
                () = &mut looking => break,
                Some(Notice::Found(finding, _)) = notices.recv() => {
                    oracles.push(finding.identity.oracle);
                    // Shorter it need not be here.
                    campaign.options.interrupted.cancel();
                }
            }
        }
    }
    while let Ok(Notice::Found(finding, _)) = notices.try_recv() {
        oracles.push(finding.identity.oracle);
    }
    oracles.sort();
    oracles.dedup();
    lane.bench.slot.stop().await;
    oracles
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_harm_is_told_by_its_oracle() {
    let harms = [
        ("disturbed", Oracle::Disturbed),
        ("hang", Oracle::Hang),
        ("memory", Oracle::Memory),
        ("slow", Oracle::Slow),
        ("amplified", Oracle::Amplified),
    ];
    let all =
        tokio::join!(found("disturbed"), found("hang"), found("memory"), found("slow"), found("amplified"));
    let all = [all.0, all.1, all.2, all.3, all.4];
    for ((harm, oracle), found) in harms.iter().zip(&all) {
        assert!(found.contains(oracle), "{harm}: {found:?}");
    }
    // Who hangs is deaf too, for the session that made him.
    let least = [&all[0], &all[2], &all[3], &all[4]];
    assert!(least.iter().all(|found| found.len() == 1), "something else is blamed too: {all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_peer_without_harm_is_blamed_for_nothing() {
    assert_eq!(found("none").await, []);
}
