//! The state of a campaign that its lanes share.

use super::confirm::CONFIRMATIONS;
use super::corpus::{Corpus, Saved};
use super::error::CampaignError;
use super::finding::{Finding, Scene};
use super::input::{Input, Methods};
use super::notice::{Notice, Status};
use super::novelty::Novelty;
use super::options::CampaignOptions;
use super::oracle::Identity;
use super::source::{Job, Source};
use super::store::Findings;
use super::suspicion::Suspicion;
use crate::cases::{catalogue, recorded};
use crate::conversation::facts::Facts;
use dnode_reports::event::Wire;
use dnode_spec::dialect::Dialect;
use fastrand::Rng;
use std::collections::VecDeque;
use std::hash::Hash;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The most suspicions that wait.
const SUSPICIONS: usize = 128;

/// A running campaign.
#[derive(Debug)]
pub(super) struct Campaign {
    pub options: CampaignOptions,
    pub facts: Facts,
    pub methods: Methods,
    pub patience: Duration,
    pub started: Instant,
    shared: Mutex<Shared>,
    notices: UnboundedSender<Notice>,
    over: CancellationToken,
}

/// The state behind the lock.
#[derive(Debug)]
struct Shared {
    source: Source,
    corpus: Corpus,
    novelty: Novelty,
    findings: Findings,
    /// All findings, including those of earlier campaigns, and whether they fail the campaign.
    fails: Vec<(Identity, bool)>,
    /// The number of sessions of this campaign.
    sessions: u64,
    /// The number of sessions of earlier campaigns.
    sessions_before: u64,
    /// The suspicions to examine, at most one for each key.
    suspicions: VecDeque<(String, Suspicion)>,
    problem: Option<CampaignError>,
}

impl Campaign {
    /// Opens the folders, and reads the seeds and the results of earlier campaigns.
    pub(super) fn open(
        options: CampaignOptions,
        facts: Facts,
        notices: UnboundedSender<Notice>,
    ) -> Result<Campaign, CampaignError> {
        let methods = Methods::of(&facts);
        let fault = |folder: &Path, error: io::Error| CampaignError::Folder(folder.to_owned(), error);
        let findings = Findings::open(&options.findings).map_err(|error| fault(&options.findings, error))?;
        let folder = options.corpus.as_deref();
        let (mut corpus, saved, others) = Corpus::open(folder, &methods)
            .map_err(|error| fault(folder.unwrap_or(&options.findings), error))?;
        let cases = catalogue(Dialect::default())?;
        for case in cases.iter().chain(&recorded()) {
            corpus.add(Input::of(&case.transcript, &methods));
        }
        let (shard, shards) = options.shard;
        let seeds = if saved.seeded { Vec::new() } else { cases };
        let of_shard = |(n, _): &(usize, _)| *n as u64 % shards.max(1) == shard;
        let seeds =
            seeds.into_iter().chain(others).enumerate().filter(of_shard).map(|(_, case)| case).collect();
        // Each shard generates its own sessions.
        let generated = saved.generated.max(shard << 40);
        let fails = findings.known().map(|known| (known.clone(), known.oracle.fails())).collect();
        let shared = Shared {
            source: Source { seeds, generated, risk: saved.risk, ..Source::default() },
            corpus,
            novelty: Novelty::restored(saved.tuples, saved.rows),
            findings,
            fails,
            sessions: 0,
            sessions_before: saved.sessions,
            suspicions: VecDeque::new(),
            problem: None,
        };
        let patience = options.patience.max(facts.calls.round_trip * 50);
        let (started, over) = (Instant::now(), CancellationToken::new());
        let shared = Mutex::new(shared);
        Ok(Campaign { options, facts, methods, patience, started, shared, notices, over })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn started_notice(&self) -> Notice {
        let known = self.shared().fails.len();
        Notice::Started { peer: self.facts.object.name.clone(), notes: self.facts.notes.clone(), known }
    }

    /// The number of lanes. A peer that we did not start gets only one, so that the session that
    /// ends it is known.
    pub(super) fn lanes(&self) -> u64 {
        if self.options.target.is_many() { self.options.jobs.max(1) as u64 } else { 1 }
    }

    /// Whether no new sessions are played.
    pub(super) fn is_over(&self) -> bool {
        let over = self.over.is_cancelled() || self.options.interrupted.is_cancelled();
        over || self.started.elapsed() >= self.options.time
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.options.interrupted.is_cancelled()
    }

    /// The number of lanes that examine suspicions: half of them, so that the other half always
    /// plays new sessions.
    pub(super) fn examiners(&self) -> u64 {
        self.lanes().div_ceil(2)
    }

    /// Queues a suspicion, unless one with the same key waits already.
    pub(super) fn suspect(&self, key: String, suspicion: Suspicion) {
        let suspicions = &mut self.shared().suspicions;
        if suspicions.len() < SUSPICIONS && suspicions.iter().all(|(known, _)| *known != key) {
            suspicions.push_back((key, suspicion));
        }
    }

    pub(super) fn take_suspicion(&self) -> Option<Suspicion> {
        self.shared().suspicions.pop_front().map(|(_, suspicion)| suspicion)
    }

    /// Whether suspicions are left to examine. They are also examined after the time of the
    /// campaign, but not after an interruption.
    pub(super) fn has_suspicions(&self) -> bool {
        let ended = self.over.is_cancelled() || self.is_interrupted();
        !ended && !self.shared().suspicions.is_empty()
    }

    /// Ends the campaign with this error.
    pub(super) fn give_up(&self, why: CampaignError) {
        self.over.cancel();
        self.shared().problem.get_or_insert(why);
    }

    /// Chooses the next job, and says where it comes from. `careful`: only operations that the peer
    /// has answered before.
    pub(super) fn next_job(&self, rng: &mut Rng, careful: bool) -> (Job, &'static str) {
        let shared = &mut *self.shared();
        shared.source.next(rng, self.options.seed, &shared.corpus, &self.methods, careful)
    }

    /// Records a session. Keeps its input if it showed something new.
    pub(super) fn record_session(&self, input: Option<&Input>, wire: &[Wire], ending: impl Hash) {
        let shared = &mut *self.shared();
        shared.sessions += 1;
        let new = shared.novelty.take(wire, ending, &self.methods);
        if let Some(input) = input.filter(|_| new) {
            shared.corpus.keep(input, &self.methods, &self.facts);
        }
    }

    pub(super) fn harmed(&self, operations: impl IntoIterator<Item = String>) {
        self.shared().source.harmed(operations);
    }

    pub(super) fn unharmed(&self, operations: impl IntoIterator<Item = String>) {
        self.shared().source.unharmed(operations);
    }

    /// Whether there is such a finding.
    pub(super) fn knows(&self, is: impl Fn(&Identity) -> bool) -> bool {
        self.shared().findings.known().any(is)
    }

    /// Withdraws a finding.
    pub(super) fn forget(&self, identity: &Identity) {
        let shared = &mut *self.shared();
        shared.findings.forget(identity);
        shared.fails.retain(|(known, _)| known != identity);
    }

    /// Writes a finding to its folder and sends a notice.
    pub(super) fn report(&self, finding: Finding) {
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
                // A finding that is not confirmed yet may be withdrawn, so it does not end the
                // campaign.
                if fails && self.options.fail_fast && finding.confirmed.1 >= CONFIRMATIONS {
                    self.over.cancel();
                }
                let _ = self.notices.send(Notice::Found(Box::new(finding), folder));
            }
            Err(error) => {
                self.over.cancel();
                shared.problem.get_or_insert(CampaignError::Finding(error));
            }
        }
    }

    /// The number of sessions, including earlier campaigns, and the time of this campaign in
    /// milliseconds.
    pub(super) fn clock(&self) -> (u64, u64) {
        let shared = self.shared();
        let after = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        (shared.sessions_before + shared.sessions, after)
    }

    pub(super) fn status(&self) -> Status {
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

    /// The error that ended the campaign, unless a finding fails the campaign anyway.
    pub(super) fn take_problem(&self) -> Option<CampaignError> {
        let problem = self.shared().problem.take();
        problem.filter(|_| self.status().failing == 0)
    }

    /// Saves the state for a later campaign.
    pub(super) fn save(&self) {
        let shared = self.shared();
        let rest = Saved {
            sessions: shared.sessions_before + shared.sessions,
            generated: shared.source.generated,
            seeded: shared.source.seeds.is_empty(),
            risk: shared.source.risk.clone(),
            ..Saved::default()
        };
        shared.corpus.save(&shared.novelty, rest);
    }
}
