//! Campaigns: fuzzing a live peer.
//!
//! Lanes (`lane.rs`), each with a peer of its own, play sessions that a source chooses (`source.rs`): transcripts under all rules of judgement, and inputs
//! (`input.rs`), mutated (`mutate.rs`) and played fast (`visit.rs`). What a session showed that is new (`novelty.rs`) puts it into the corpus. What
//! looks wrong (`oracle.rs`) is played again by itself, shrunk, confirmed (`confirm.rs`) and written down at once (`finding.rs`).
//!
//! Rules: after input that is illegal only `robust` clauses can be violated, and what the monitor says of the peer's own lines; nothing is a finding
//! that did not show again. Deliberately absent: a verdict on time alone, and a hash of an input as the name of a finding.

mod claim;
mod confirm;
mod corpus;
mod finding;
mod input;
mod lane;
mod mutate;
mod novelty;
mod operation;
mod oracle;
mod reduce;
mod script;
mod source;
mod visit;

pub use confirm::CONFIRMATIONS;
pub use finding::Finding;
pub use novelty::Coverage;
pub use oracle::{Identity, Oracle};

use crate::cases::{CatalogueError, catalogue, recorded};
use crate::conversation::facts::Facts;
use crate::conversation::ping::Ping;
use crate::conversation::preflight::preflight;
use crate::error::{Fault, Faulted};
use crate::peer::{Peer, StartError};
use crate::program::Target;
use crate::verdict::Command;
use corpus::{Corpus, Saved};
use dnode_reports::event::{Death, Wire};
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use fastrand::Rng;
use finding::{Findings, Scene};
use input::{Input, Methods};
use lane::{Lane, Suspicion};
use novelty::Novelty;
use source::{Job, Source};
use std::collections::VecDeque;
use std::hash::Hash;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between two tellings of how far a campaign is, and between two savings of what it knows.
const TICK: Duration = Duration::from_millis(250);
const SAVE: u32 = 20;
/// How many suspicions wait at most.
const SUSPICIONS: usize = 128;
/// How long findings at hand may still be shrunk when the time is over.
const GRACE: Duration = Duration::from_secs(30);

/// Why a campaign could not run, or not go on.
#[derive(Debug, Error)]
pub enum CampaignError {
    /// There is no peer.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The peer's process ended with its first connection.
    #[error("the peer's process ended with its first connection, with {status}", status = .0.status)]
    Ended(Death),
    /// The peer ended and cannot be started again.
    #[error("the peer cannot be started again")]
    Gone,
    /// The peer serves no connections any more, and we cannot start it again.
    #[error("the peer serves no connections any more, and the suite cannot start it again")]
    NotServing,
    /// Another campaign uses this folder.
    #[error("another campaign uses the folder {}", .0.display())]
    Claimed(PathBuf),
    /// A folder cannot be read or written.
    #[error("{folder}: {problem}", folder = .0.display(), problem = .1)]
    Folder(PathBuf, io::Error),
    /// A finding cannot be written.
    #[error("a finding cannot be written: {0}")]
    Finding(io::Error),
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A part of the campaign panicked.
    #[error("a lane of the campaign failed")]
    Lane,
}

impl Faulted for CampaignError {
    fn fault(&self) -> Fault {
        match self {
            CampaignError::Start(error) => error.fault(),
            CampaignError::Ended(_) | CampaignError::Gone | CampaignError::NotServing => Fault::Peer,
            CampaignError::Claimed(_) | CampaignError::Folder(..) | CampaignError::Finding(_) => {
                Fault::Caller
            }
            CampaignError::Catalogue(_) | CampaignError::Lane => Fault::Harness,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            CampaignError::Start(error) => error.help(),
            CampaignError::Ended(death) => Some(format!("Its standard error:\n{}", death.stderr)),
            CampaignError::Claimed(_) => {
                Some("Give this campaign its own folders; --shard shares the work.".to_owned())
            }
            _ => None,
        }
    }
}

/// What to fuzz, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The peer.
    pub target: Target,
    /// The call that the caller knows to be answered.
    pub ping: Option<Ping>,
    /// How long.
    pub time: Duration,
    /// The seed of all dice.
    pub seed: u64,
    /// Which shard this is, from 0, and of how many.
    pub shard: (u64, u64),
    /// How many lanes.
    pub jobs: usize,
    /// Where inputs that showed something new are kept.
    pub corpus: Option<PathBuf>,
    /// Where findings are written.
    pub findings: PathBuf,
    /// The weakest level whose clauses count.
    pub gate: Level,
    /// How long an answer may take.
    pub patience: Duration,
    /// Whether the campaign ends with the first finding that fails.
    pub first: bool,
    /// The words that repeat a finding.
    pub command: Command,
    /// Cancelled to end the campaign.
    pub interrupted: CancellationToken,
}

/// What a campaign tells while it runs.
#[derive(Debug)]
pub enum Notice {
    /// It has begun.
    Started {
        /// What the peer calls itself.
        peer: Option<String>,
        /// What a reader should know of the peer.
        notes: Vec<String>,
        /// How many findings are known from before.
        known: usize,
    },
    /// A finding was written to this folder; once more where it has become shorter.
    Found(Box<Finding>, PathBuf),
    /// How far it is.
    Tick(Status),
}

/// How far a campaign is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Status {
    /// How many sessions it has played.
    pub sessions: u64,
    /// For how long.
    pub elapsed: Duration,
    /// What of the model was seen.
    pub coverage: Coverage,
    /// How many inputs the corpus holds.
    pub corpus: usize,
    /// How many distinct findings fail, with those from before.
    pub failing: usize,
    /// How many only warn.
    pub warning: usize,
}

/// A campaign that is running.
#[derive(Debug)]
struct Campaign {
    options: Options,
    facts: Facts,
    methods: Methods,
    patience: Duration,
    started: Instant,
    shared: Mutex<Shared>,
    tell: UnboundedSender<Notice>,
    over: CancellationToken,
}

/// What the lanes share.
#[derive(Debug)]
struct Shared {
    source: Source,
    corpus: Corpus,
    novelty: Novelty,
    findings: Findings,
    /// The findings of this run and of those before, and whether they fail.
    fails: Vec<(Identity, bool)>,
    sessions: u64,
    before: u64,
    /// What is to be looked into, each with what it is called: one of a name is enough.
    suspicions: VecDeque<(String, Suspicion)>,
    problem: Option<CampaignError>,
}

/// Fuzzes the target and tells what happens; gives how far it came.
///
/// # Errors
/// Why it could not run, or not go on; the text says who is at fault.
pub async fn campaign(
    options: Options,
    tell: &mut (dyn FnMut(Notice) + Send),
) -> Result<Status, CampaignError> {
    let _claimed = claim::claim([Some(&options.findings), options.corpus.as_ref()].into_iter().flatten())?;
    let mut peer = Peer::start(&options.target).await?;
    let facts = preflight(peer.route(), Dialect::default(), options.ping.as_ref(), options.patience).await;
    let facts = facts.map_err(|error| StartError::Unreachable(peer.route().clone(), error))?;
    if let Some(death) = peer.death(Duration::ZERO).await {
        return Err(CampaignError::Ended(death));
    }
    peer.stop().await;
    let (sender, mut notices) = unbounded_channel();
    let campaign = Arc::new(Campaign::open(options, facts, sender)?);
    tell(campaign.began());
    let mut lanes = tokio::task::JoinSet::new();
    for number in 0..campaign.lanes() {
        let campaign = Arc::clone(&campaign);
        lanes.spawn(async move { Lane::new(&campaign, number).run().await });
    }
    let mut ticks = 0_u32;
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            joined = lanes.join_next() => match joined {
                None => break,
                Some(Err(error)) if error.is_panic() => campaign.give_up(CampaignError::Lane),
                Some(_) => {}
            },
            Some(notice) = notices.recv() => tell(notice),
            _ = tick.tick() => {
                ticks += 1;
                if ticks.is_multiple_of(SAVE) {
                    campaign.save();
                }
                if campaign.started.elapsed() > campaign.options.time + GRACE {
                    campaign.options.interrupted.cancel();
                }
                tell(Notice::Tick(campaign.status()));
            }
        }
    }
    while let Ok(notice) = notices.try_recv() {
        tell(notice);
    }
    campaign.save();
    let problem = campaign.shared().problem.take();
    match problem {
        Some(problem) if campaign.status().failing == 0 => Err(problem),
        _ => Ok(campaign.status()),
    }
}

impl Campaign {
    fn open(
        options: Options,
        facts: Facts,
        tell: UnboundedSender<Notice>,
    ) -> Result<Campaign, CampaignError> {
        let methods = Methods::of(&facts);
        let fault = |folder: &Path, error: io::Error| CampaignError::Folder(folder.to_owned(), error);
        let findings = Findings::open(&options.findings).map_err(|error| fault(&options.findings, error))?;
        let folder = options.corpus.as_deref();
        let (mut corpus, saved, others) = Corpus::open(folder, &methods)
            .map_err(|error| fault(folder.unwrap_or(&options.findings), error))?;
        let cases = catalogue(Dialect::default())?;
        for case in cases.iter().chain(&recorded()) {
            corpus.take(Input::of(&case.transcript, &methods));
        }
        let (shard, shards) = options.shard;
        let seeds = if saved.seeded { Vec::new() } else { cases };
        let of_shard = |(n, _): &(usize, _)| *n as u64 % shards.max(1) == shard;
        let seeds =
            seeds.into_iter().chain(others).enumerate().filter(of_shard).map(|(_, case)| case).collect();
        // Each shard has sessions of its own.
        let generated = saved.generated.max(shard << 40);
        let fails = findings.known().map(|known| (known.clone(), known.oracle.fails())).collect();
        let shared = Shared {
            source: Source { seeds, generated, risk: saved.risk, ..Source::default() },
            corpus,
            novelty: Novelty::restored(saved.tuples, saved.rows),
            findings,
            fails,
            sessions: 0,
            before: saved.sessions,
            suspicions: VecDeque::new(),
            problem: None,
        };
        let patience = options.patience.max(facts.calls.round_trip * 50);
        let (started, over) = (Instant::now(), CancellationToken::new());
        Ok(Campaign { options, facts, methods, patience, started, shared: Mutex::new(shared), tell, over })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn began(&self) -> Notice {
        let known = self.shared().fails.len();
        Notice::Started { peer: self.facts.object.name.clone(), notes: self.facts.notes.clone(), known }
    }

    /// How many lanes there are. Of a peer that is not ours there is one: what ends it must be known at once.
    fn lanes(&self) -> u64 {
        if self.options.target.is_many() { self.options.jobs.max(1) as u64 } else { 1 }
    }

    fn is_over(&self) -> bool {
        let over = self.over.is_cancelled() || self.options.interrupted.is_cancelled();
        over || self.started.elapsed() >= self.options.time
    }

    fn is_interrupted(&self) -> bool {
        self.options.interrupted.is_cancelled()
    }

    /// How many lanes look into suspicions: half of them, so that a peer with many faults is still played with.
    fn examiners(&self) -> u64 {
        self.lanes().div_ceil(2)
    }

    /// Hands on what is to be looked into; what is so called already is known.
    fn suspect(&self, name: String, suspicion: Suspicion) {
        let suspicions = &mut self.shared().suspicions;
        if suspicions.len() < SUSPICIONS && suspicions.iter().all(|(known, _)| *known != name) {
            suspicions.push_back((name, suspicion));
        }
    }

    fn take_suspicion(&self) -> Option<Suspicion> {
        self.shared().suspicions.pop_front().map(|(_, suspicion)| suspicion)
    }

    /// Whether something is left to be looked into, after the time too, but not after somebody's wish to end.
    fn has_suspicions(&self) -> bool {
        let ended = self.over.is_cancelled() || self.is_interrupted();
        !ended && !self.shared().suspicions.is_empty()
    }

    /// Ends the campaign for this reason.
    fn give_up(&self, why: CampaignError) {
        self.over.cancel();
        self.shared().problem.get_or_insert(why);
    }

    /// The next job, and where it comes from. `careful`: nothing that has not been answered before.
    fn next(&self, rng: &mut Rng, careful: bool) -> (Job, &'static str) {
        let shared = &mut *self.shared();
        shared.source.next(rng, self.options.seed, &shared.corpus, &self.methods, careful)
    }

    /// Takes in a session; an input that showed something new is kept.
    fn played(&self, input: Option<&Input>, wire: &[Wire], ending: impl Hash) {
        let shared = &mut *self.shared();
        shared.sessions += 1;
        let new = shared.novelty.take(wire, ending, &self.methods);
        if let Some(input) = input.filter(|_| new) {
            shared.corpus.keep(input, &self.methods, &self.facts);
        }
    }

    fn harmed(&self, operations: impl IntoIterator<Item = String>) {
        self.shared().source.harmed(operations);
    }

    fn unharmed(&self, operations: impl IntoIterator<Item = String>) {
        self.shared().source.unharmed(operations);
    }

    /// Whether such a finding is known.
    fn knows(&self, is: impl Fn(&Identity) -> bool) -> bool {
        self.shared().findings.known().any(is)
    }

    /// Takes back what turned out to be another finding.
    fn forget(&self, identity: &Identity) {
        let shared = &mut *self.shared();
        shared.findings.forget(identity);
        shared.fails.retain(|(known, _)| known != identity);
    }

    /// Writes a finding down and tells it.
    fn found(&self, finding: Finding) {
        let scene = Scene {
            target: &self.options.target,
            facts: &self.facts,
            methods: &self.methods,
            command: &self.options.command,
        };
        let shared = &mut *self.shared();
        match shared.findings.write(&finding, &scene) {
            Ok(folder) => {
                let fails = finding.fails();
                shared.fails.retain(|(known, _)| *known != finding.identity);
                shared.fails.push((finding.identity.clone(), fails));
                // One that may still turn out to be none, or to get shorter, does not end it.
                if fails && self.options.first && finding.confirmed.1 >= CONFIRMATIONS {
                    self.over.cancel();
                }
                let _ = self.tell.send(Notice::Found(Box::new(finding), folder));
            }
            Err(error) => {
                self.over.cancel();
                shared.problem.get_or_insert(CampaignError::Finding(error));
            }
        }
    }

    /// How many sessions were played, with those of earlier runs; and for how many milliseconds.
    fn clock(&self) -> (u64, u64) {
        let shared = self.shared();
        let after = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        (shared.before + shared.sessions, after)
    }

    fn status(&self) -> Status {
        let shared = self.shared();
        let failing = shared.fails.iter().filter(|(_, fails)| *fails).count();
        Status {
            sessions: shared.sessions,
            elapsed: self.started.elapsed(),
            coverage: shared.novelty.coverage(),
            corpus: shared.corpus.len(),
            failing,
            warning: shared.fails.len() - failing,
        }
    }

    fn save(&self) {
        let shared = self.shared();
        let rest = Saved {
            sessions: shared.before + shared.sessions,
            generated: shared.source.generated,
            seeded: shared.source.seeds.is_empty(),
            risk: shared.source.risk.clone(),
            ..Saved::default()
        };
        shared.corpus.save(&shared.novelty, rest);
    }
}
