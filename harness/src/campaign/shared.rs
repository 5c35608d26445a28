//! The state of a campaign that its lanes share.

use super::backlog::{Backlog, Work};
use super::corpus::{Corpus, Saved};
use super::error::CampaignError;
use super::finding::{Finding, Scene};
use super::input::{Input, Methods};
use super::notice::{Notice, Status};
use super::novelty::{Behaviour, Novelty};
use super::options::CampaignOptions;
use super::oracle::Identity;
use super::source::{Job, Source};
use super::store::Findings;
use super::suspicion::{Suspicion, Unshrunk};
use crate::cases::{Case, catalogue, recorded};
use crate::conversation::facts::Facts;
use crate::learn::{LearnError, states};
use dnode_reports::event::Wire;
use dnode_spec::dialect::Dialect;
use dnode_spec::machine::File;
use fastrand::Rng;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// When this share of the time is left, all lanes examine suspicions, as long as any wait.
const LATE: u32 = 6;

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
    /// Cancelled when the campaign ends, for whatever reason.
    pub end: CancellationToken,
}

/// The state behind the lock.
#[derive(Debug)]
struct Shared {
    source: Source,
    corpus: Corpus,
    novelty: Novelty,
    findings: Findings,
    /// The number of sessions of this campaign.
    sessions: u64,
    /// The number of sessions of earlier campaigns.
    sessions_before: u64,
    backlog: Backlog,
    /// Symptoms whose shorter sessions have another identity.
    merged: BTreeSet<Identity>,
    /// The numbers of suspicions and of findings that this campaign leaves to the next one.
    left: (usize, usize),
    problem: Option<CampaignError>,
    /// Whether something could not be written.
    unwritten: bool,
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
        let reference = || File::read(dnode_fixtures::REFERENCE_MACHINE).map(|file| file.machine);
        let machine = options.machine.clone().map_or_else(reference, Ok).map_err(LearnError::from)?;
        let states = states(&machine, &facts)?;
        let (shard, shards) = options.shard;
        let seeds = if saved.seeded { Vec::new() } else { cases };
        let of_shard = |(n, _): &(usize, _)| *n as u64 % shards.max(1) == shard;
        let seeds = seeds
            .into_iter()
            .chain(states.iter().cloned())
            .chain(others)
            .enumerate()
            .filter(of_shard)
            .map(|(_, case)| case)
            .collect();
        // Each shard generates its own sessions.
        let generated = saved.generated.max(shard << 40);
        let unfinished = findings.unfinished(&methods);
        let shared = Shared {
            source: Source { seeds, states, generated, risk: saved.risk, ..Source::default() },
            corpus,
            novelty: Novelty::restored(saved.tuples, saved.rows),
            findings,
            sessions: 0,
            sessions_before: saved.sessions,
            backlog: Backlog::of(unfinished),
            merged: BTreeSet::new(),
            left: (0, 0),
            problem: None,
            unwritten: false,
        };
        let patience = options.patience.max(facts.calls.round_trip * 50);
        let (started, end) = (Instant::now(), options.interrupted.child_token());
        let shared = Mutex::new(shared);
        Ok(Campaign { options, facts, methods, patience, started, shared, notices, end })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn started_notice(&self) -> Notice {
        let shared = self.shared();
        Notice::Started {
            peer: self.facts.object.name.clone(),
            notes: self.facts.notes.clone(),
            known: shared.findings.known().count(),
            unfinished: shared.backlog.suspicions(),
        }
    }

    /// The number of lanes. A peer that we did not start gets only one, so that the session that
    /// ends it is known.
    pub(super) fn lanes(&self) -> u64 {
        if self.options.target.is_many() { self.options.jobs.max(1) as u64 } else { 1 }
    }

    /// Whether the campaign has ended.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_cancelled()
    }

    /// Whether little time is left, which is for suspicions.
    pub(super) fn is_late(&self) -> bool {
        self.started.elapsed() + self.options.time / LATE > self.options.time
    }

    /// The number of lanes that examine suspicions from the start: half of them, so that the other
    /// half always plays new sessions.
    pub(super) fn examiners(&self) -> u64 {
        self.lanes().div_ceil(2)
    }

    /// Whether more work waits than the lanes that always examine can do at once. As long as it
    /// does, no lane looks for more.
    pub(super) fn has_backlog(&self) -> bool {
        self.shared().backlog.quick() as u64 > self.examiners()
    }

    /// Queues a suspicion, unless there is one with the same key.
    pub(super) fn suspect(&self, suspicion: Suspicion) {
        self.shared().backlog.suspect(suspicion);
    }

    /// Takes the next suspicion or confirmed symptom.
    pub(super) fn take_work(&self) -> Option<Work> {
        self.shared().backlog.take(self.options.fail_fast)
    }

    /// Notes that a suspicion was examined.
    pub(super) fn finish(&self, key: &str) {
        self.shared().backlog.finish(key);
    }

    /// Queues a confirmed symptom whose session is to be shrunk, unless another lane did.
    pub(super) fn hold(&self, unshrunk: Unshrunk) {
        let identity = &unshrunk.whole.symptom.identity;
        if unshrunk.resumes.is_some() || !self.settled(identity) {
            self.shared().backlog.hold(unshrunk);
        }
    }

    /// Offers an input to the symptom of this identity, if it still waits to be shrunk.
    pub(super) fn offer(&self, identity: &Identity, input: Input) {
        self.shared().backlog.offer(identity, input);
    }

    /// Notes that the session of this symptom was shrunk, and the identity of its finding.
    pub(super) fn release(&self, symptom: &Identity, finding: &Identity) {
        let shared = &mut *self.shared();
        shared.backlog.release(symptom);
        if symptom != finding {
            shared.merged.insert(symptom.clone());
        }
    }

    /// Reports confirmed findings that are not shrunk yet, and leaves the suspicions to the next
    /// campaign in this folder.
    pub(super) fn leave_unfinished(&self) {
        let (shrinking, left) = self.shared().backlog.drain();
        let again = left.iter().filter(|it| it.resumes.is_some()).count();
        let counts = (left.len() - again, shrinking.len() + again);
        shrinking.into_iter().for_each(|it| self.report(it.whole.finding(false), false));
        // A finding of an earlier campaign is still in its folder.
        let likeliest = left.iter().filter(|it| it.resumes.is_none()).filter_map(|it| it.suspects.first());
        let cases: Vec<Case> = likeliest.filter_map(|played| self.case(&played.job)).collect();
        let shared = &mut *self.shared();
        shared.left = counts;
        let written = shared.findings.set_unfinished(&cases);
        let folder = &self.options.findings;
        self.note_unwritten(shared, written.map_err(|error| CampaignError::Folder(folder.clone(), error)));
    }

    /// Converts a job to a case.
    pub(super) fn case(&self, job: &Job) -> Option<Case> {
        match job {
            Job::Case(case) => Some((**case).clone()),
            Job::Input(input) => input.case("campaign/input", &self.methods, &self.facts),
        }
    }

    /// Ends the campaign with this error.
    pub(super) fn give_up(&self, why: CampaignError) {
        self.shared().problem.get_or_insert(why);
        self.end.cancel();
    }

    /// Chooses the next job, and says where it comes from. `careful`: only operations that the peer
    /// has answered before.
    pub(super) fn next_job(&self, rng: &mut Rng, careful: bool) -> (Job, &'static str) {
        let shared = &mut *self.shared();
        let unseen = shared.novelty.unseen();
        shared.source.next(rng, self.options.seed, &shared.corpus, &self.methods, &unseen, careful)
    }

    /// Records a session. Keeps its input if it showed something new.
    pub(super) fn record_session(&self, input: Option<&Input>, wire: &[Wire], ending: impl Hash) {
        // Other lanes wait for the lock, so the log is read before.
        let behaviour = Behaviour::of(wire, ending, &self.methods);
        let mut shared = self.shared();
        shared.sessions += 1;
        let new = shared.novelty.add(behaviour);
        let Some(input) = input.filter(|_| new) else { return };
        let place = shared.corpus.keep(input);
        // To write a file may take longer than a session, and other lanes wait for the lock.
        drop(shared);
        if let Some(place) = place {
            let written = place.write(input, &self.methods, &self.facts);
            self.note_unwritten(&mut self.shared(), written);
        }
    }

    /// Says once that something cannot be written. The campaign continues: there may be space again
    /// for a finding.
    fn note_unwritten(&self, shared: &mut Shared, written: Result<(), CampaignError>) {
        if let Err(error) = written
            && !std::mem::replace(&mut shared.unwritten, true)
        {
            let _ = self.notices.send(Notice::Unwritten(error));
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
        let shared = self.shared();
        shared.findings.known().chain(shared.backlog.confirmed()).any(is)
    }

    /// Whether there is such a finding, or one that it was merged with, or one that is being shrunk, or
    /// whether this was seen several times and never reproduced.
    pub(super) fn settled(&self, identity: &Identity) -> bool {
        let shared = self.shared();
        let elsewhere = shared.merged.contains(identity) || shared.findings.is_elusive(identity);
        drop(shared);
        elsewhere || self.knows(|known| known == identity)
    }

    /// Writes a finding to its folder and sends a notice, unless it is known. `again`: it replaces
    /// the known one.
    pub(super) fn report(&self, finding: Finding, again: bool) {
        let scene = Scene {
            target: &self.options.target,
            facts: &self.facts,
            methods: &self.methods,
            command: &self.options.command,
        };
        let shared = &mut *self.shared();
        if !again && shared.findings.known().any(|known| *known == finding.identity) {
            return;
        }
        let first = finding.is_reproduced() || shared.findings.was_seen(&finding.identity) == 0;
        let written = shared.findings.write(&finding, &scene);
        if written.is_err() || finding.fails() && self.options.fail_fast {
            self.end.cancel();
        }
        let what = finding.identity.to_string();
        let folder = written.map_err(|error| CampaignError::Finding(what, error));
        let folder = folder.map_err(|error| self.note_unwritten(shared, Err(error))).ok();
        let notice = if again { Notice::Shrunk } else { Notice::Found };
        if first {
            let _ = self.notices.send(notice(Box::new(finding), folder));
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
        let (failing, warning) = shared.findings.counts();
        Status {
            sessions: shared.sessions,
            elapsed: self.started.elapsed(),
            coverage: shared.novelty.coverage(),
            corpus: shared.corpus.len(),
            failing,
            warning,
            unreached: shared.novelty.unreached(),
            unexamined: shared.left.0,
            unshrunk: shared.left.1,
            interrupted: self.options.interrupted.is_cancelled(),
            unwritten: shared.unwritten,
        }
    }

    /// The error that ended the campaign, unless a finding fails the campaign anyway.
    pub(super) fn take_problem(&self) -> Option<CampaignError> {
        let problem = self.shared().problem.take();
        problem.filter(|_| self.status().failing == 0)
    }

    /// Saves the state for a later campaign.
    pub(super) fn save(&self) {
        let shared = &mut *self.shared();
        let rest = Saved {
            sessions: shared.sessions_before + shared.sessions,
            generated: shared.source.generated,
            seeded: shared.source.seeds.is_empty(),
            risk: shared.source.risk.clone(),
            ..Saved::default()
        };
        let saved = shared.corpus.save(&shared.novelty, rest);
        self.note_unwritten(shared, saved);
    }
}
