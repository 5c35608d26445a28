//! Each oracle finds a peer with exactly this harm (harmful.py), and a peer without harm gets no
//! finding.

use super::*;
use crate::campaign::CampaignOptions;
use crate::campaign::backlog::Work;
use crate::campaign::finding::Finding;
use crate::campaign::input::{End, Line};
use crate::campaign::notice::Notice;
use crate::campaign::oracle::Pace;
use crate::campaign::shared::Campaign;
use crate::clock::Clock;
use crate::conversation::preflight::preflight;
use crate::peer::Peer;
use crate::program::Target;
use crate::verdict::Command;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::aim;
use dnode_spec::state::TABLE;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The time of a session before the harm of the slow peer. Half a second would be far from this.
const USUAL: Duration = Duration::from_millis(10);

/// The file that shows the seconds of a clock.
const CLOCK: &str = "clock";

/// Shows a clock in a file. A peer that is slow by this clock is slow however busy the machine is.
async fn show_clock(folder: PathBuf) {
    let clock = Clock::of_stranger();
    let begun = clock.now();
    loop {
        let unfinished = folder.join("unfinished");
        std::fs::write(&unfinished, clock.now().since(begun).as_secs_f64().to_string()).unwrap();
        std::fs::rename(&unfinished, folder.join(CLOCK)).unwrap();
        clock.sleep(Duration::from_millis(20)).await;
    }
}

fn line(text: &str) -> Input {
    Input { lines: vec![Line { bytes: text.as_bytes().to_vec(), cuts: Vec::new() }], end: End::Asked }
}

fn options(harm: &str, findings: &Path) -> CampaignOptions {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/campaign/lane/harmful.py");
    let clock = findings.join(CLOCK);
    let peer =
        Target::exec(&format!("exec python3 '{}' {{port}} {harm} '{}'", script.display(), clock.display()));
    CampaignOptions {
        target: if harm == "reference" { Target::Reference(Dialect::default()) } else { peer },
        ping: None,
        time: Duration::from_secs(600),
        seed: 1,
        shard: (0, 1),
        jobs: 1,
        machine: None,
        corpus: None,
        findings: findings.to_owned(),
        gate: Level::Robust,
        // The slow peer must answer before the deadline.
        patience: Duration::from_secs(if harm == "slow" { 7 } else { 1 }),
        fail_fast: false,
        command: Command::default(),
        interrupted: CancellationToken::new(),
    }
}

/// A campaign on the peer with this harm, and its notices.
async fn campaign(harm: &str, folder: &Path) -> (Campaign, UnboundedReceiver<Notice>) {
    let options = options(harm, folder);
    let peer = Peer::start(&options.target).await.unwrap_or_else(|error| panic!("{error}"));
    let facts = preflight(peer.route(), Dialect::default(), None, options.patience).await.unwrap();
    peer.stop().await;
    let (sender, notices) = tokio::sync::mpsc::unbounded_channel();
    (Campaign::open(options, facts, sender).unwrap(), notices)
}

/// The oracles that find something when a lane plays valid lines and a few harmful ones.
async fn oracles(harm: &str) -> Vec<Oracle> {
    let folder = tempfile::tempdir().unwrap();
    let shown = (harm == "slow").then(|| tokio::spawn(show_clock(folder.path().to_owned())));
    let (campaign, mut notices) = campaign(harm, folder.path()).await;
    let mut lane = Lane::new(&campaign, 0);
    assert!(lane.confirmer.ready().await);
    let valid = line(r#"{"method":"hello"}"#);
    lane.check_memory().await;
    lane.check_canary().await;
    for _ in 0..70 {
        lane.play_input(&valid, "a test").await;
    }
    if harm == "slow" {
        // A busy machine makes the usual answers slow as well.
        (0..Pace::KEPT).for_each(|_| lane.pace.add(USUAL));
    }
    // The memory grows slowly, because a large step would also be slow on a busy machine.
    for _ in 0..if harm == "memory" { 48 } else { 1 } {
        lane.play_input(&line("no JSON"), "a test").await;
    }
    if !lane.confirmer.slot.is_empty() {
        lane.check_memory().await;
        lane.check_canary().await;
    }
    // This test needs no shrinking.
    while let Some(work) = campaign.take_work() {
        if let Work::Examine(suspicion) = work {
            lane.examine(suspicion).await;
        }
    }
    campaign.leave_unfinished();
    let mut found = Vec::new();
    while let Ok(Notice::Found(finding, _)) = notices.try_recv() {
        found.push(finding.identity.oracle);
    }
    found.sort();
    found.dedup();
    lane.confirmer.slot.stop().await;
    shown.inspect(JoinHandle::abort);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_oracle_finds_its_harm() {
    let harms = [
        ("disturbed", Oracle::Disturbed),
        ("hang", Oracle::Hang),
        ("memory", Oracle::Memory),
        ("slow", Oracle::Slow),
        ("amplified", Oracle::Amplified),
    ];
    let all = tokio::join!(
        oracles("disturbed"),
        oracles("hang"),
        oracles("memory"),
        oracles("slow"),
        oracles("amplified")
    );
    let all = [all.0, all.1, all.2, all.3, all.4];
    for ((harm, oracle), found) in harms.iter().zip(&all) {
        assert!(found.contains(oracle), "{harm}: {found:?}");
    }
    // A peer that hangs is also deaf for the session that caused it. The others have one finding.
    let single = [&all[0], &all[2], &all[3], &all[4]];
    assert!(single.iter().all(|found| found.len() == 1), "another oracle found something too: {all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn harmless_peer_gets_no_finding() {
    assert_eq!(oracles("none").await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_lead_to_all_transitions_that_the_reference_peer_can_make() {
    let folder = tempfile::tempdir().unwrap();
    let (campaign, _notices) = campaign("reference", folder.path()).await;
    let mut lane = Lane::new(&campaign, 0);
    assert!(lane.confirmer.ready().await);
    for session in (0..TABLE.len()).filter_map(|row| aim(row).ok()) {
        lane.play_case(&Case::read(&session).unwrap(), "a test").await;
    }
    let status = campaign.status();
    assert_eq!(status.coverage.transitions, (TABLE.len() - 1, TABLE.len()), "{:?}", status.unreached);
    assert_eq!(status.coverage.states.0, status.coverage.states.1);
    assert!(campaign.take_work().is_none());
    lane.stop().await;
}

/// Examines a session of the peer that ends in one way after a long line, and in another way after a
/// short one. Returns the findings, and the key of the first suspicion that is left.
async fn shrunk(job: Job) -> (Vec<Finding>, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let (campaign, mut notices) = campaign("ends", folder.path()).await;
    let mut lane = Lane::new(&campaign, 0);
    lane.suspect(vec![Played { job, source: "a test", ended_well: false }], None, false);
    let Some(Work::Examine(suspicion)) = campaign.take_work() else { panic!("no suspicion") };
    lane.examine(suspicion).await;
    let Some(Work::Shrink(unshrunk)) = campaign.take_work() else { panic!("nothing to shrink") };
    lane.shrink(*unshrunk).await;
    let left = match campaign.take_work() {
        Some(Work::Examine(suspicion)) => Some(suspicion.key),
        _ => None,
    };
    lane.stop().await;
    let mut findings = Vec::new();
    while let Ok(Notice::Found(finding, _)) = notices.try_recv() {
        findings.push(*finding);
    }
    (findings, left)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shorter_input_that_ends_the_process_in_another_way_is_a_suspicion() {
    let (findings, left) = shrunk(Job::Input(line(&"x".repeat(30)))).await;
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert!(finding.identity.what.contains("end_after_long_line"), "{}", finding.identity);
    assert_eq!((finding.confirmed, finding.input.as_ref().unwrap().size()), ((3, 3), 21));
    assert!(left.unwrap().contains("end_after_short_line"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shorter_transcript_ends_the_process_in_the_same_way() {
    // As an input, the first line is too long. Without it, the second line ends the process.
    let text = "{\"dnode-transcript\":1,\"id\":\"t/x\",\"since\":\"0.1.0\",\"clauses\":[\"robust/survives\"],\"hostile\":true,\"about\":\"A.\"}\n\
                {\"line\":[{\"nest\":[\"x\",\"x\",\"x\"],\"times\":9000}]}\n{\"line\":\"x\"}\n{\"survive\":true}\n";
    let (findings, _) = shrunk(Job::Case(Box::new(Case::read(text).unwrap()))).await;
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert!(finding.identity.what.contains("end_after_long_line"), "{}", finding.identity);
    assert_eq!((finding.confirmed, finding.steps()), ((3, 3), 2), "{}", finding.transcript);
    assert!(finding.transcript.contains("nest"), "{}", finding.transcript);
}
