//! Shrinks a transcript that reproduces a finding.
//!
//! A candidate is kept if it reproduces the same finding anywhere in the session: the same clause,
//! kind of divergence and class of behaviour, or a line of the peer that breaks the same clause. If the whole transcript passes on the reference peer,
//! a candidate must pass there too: shrinking must not introduce new failures. Each candidate has
//! its own connection. First, groups of steps that belong together are removed, then values, and
//! last the fragmentation. The numbers of tries and of restarts are limited. The result is
//! confirmed three times, or labelled flaky.

mod draft;

use crate::cases::Case;
use crate::conversation::facts::Facts;
use crate::conversation::preflight::preflight;
use crate::conversation::replay::judged::Judged;
use crate::conversation::replay::replay;
use crate::peer::{Health, Peer, Slot};
use crate::program::Target;
use crate::verdict::Command;
use crate::verdict::outcome::likened;
use dnode_reports::event::{Kind, Outcome};
use dnode_reports::trace;
use dnode_spec::dialect::Dialect;
use draft::Draft;
use std::time::Duration;

/// The most candidates, the most candidates before the last pass over the steps, and the most
/// restarts of the peer.
const TRIES: usize = 500;
const TRIES_OF_VALUES: usize = 400;
const RESTARTS: usize = 60;

/// If at most this many steps are left, all pairs of them are tried.
const FEW_STEPS: usize = 8;

/// How often the result is confirmed.
const CONFIRMATIONS: usize = 3;

/// The shorter deadline for candidates, which get no verdict. The reference peer has a longer one:
/// it answers nearly all candidates, and a missing answer excludes a candidate.
const IMPATIENCE: Duration = Duration::from_millis(200);
const PATIENCE_WITH_REFERENCE: Duration = Duration::from_millis(800);

/// The result of shrinking.
#[derive(Debug)]
pub struct Shrunk {
    /// The shortest case that reproduces the finding.
    pub case: Case,
    /// Its outcome.
    pub outcome: Outcome,
    /// The number of steps of the original case.
    pub from: usize,
    /// How many of three confirmations reproduced the finding.
    pub confirmed: usize,
    /// The number of candidates tried.
    pub tries: usize,
}

impl Shrunk {
    /// Describes the result in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let steps = self.case.transcript.steps.len();
        let sure = if self.confirmed == CONFIRMATIONS {
            String::new()
        } else {
            format!("; flaky: reproduced in {} of {CONFIRMATIONS} runs", self.confirmed)
        };
        format!("shrunk from {} steps to {steps} in {} tries{sure}", self.from, self.tries)
    }
}

/// The finding to shrink.
#[derive(Debug, Clone)]
pub enum Sought {
    /// A divergence from the expectations of the transcript: its clause and its kind.
    Difference(String, Kind),
    /// A line of the peer that breaks this clause, as the monitor sees it.
    Broken(String),
    /// The end of the process, with the trace of this name; `None` without a trace. A shorter session
    /// must not end the process in another way.
    Ended(Option<String>),
}

/// What a candidate must reproduce.
enum Wanted {
    /// The finding of the whole session, or, for a flaky peer, any other that is sought.
    First(Sought),
    /// A divergence with this likeness, anywhere in the session. It is that of the first
    /// reproduction.
    Like(String),
}

impl Wanted {
    /// Whether a candidate reproduced it. `broken`: the clauses that the lines of the peer broke.
    fn is_in(&self, outcome: &Outcome, likeness: Option<&String>, broken: &[&str]) -> bool {
        match self {
            Wanted::First(Sought::Broken(clause)) => broken.contains(&clause.as_str()),
            Wanted::First(Sought::Difference(clause, kind)) => {
                outcome.divergence.as_ref().is_some_and(|it| it.clause == *clause && it.kind == *kind)
            }
            Wanted::First(Sought::Ended(trace)) => {
                let ended = outcome.divergence.as_ref().is_some_and(|it| it.kind == Kind::Died);
                let death = outcome.evidence.death.as_ref();
                ended && death.and_then(|death| trace::read(&death.stderr)).map(|it| it.key()) == *trace
            }
            Wanted::Like(wanted) => likeness == Some(wanted),
        }
    }
}

/// Runs candidates to see if they reproduce the finding.
struct Prober<'a> {
    facts: &'a Facts,
    patience: Duration,
    command: &'a Command,
    wanted: Wanted,
    peer: Slot,
    /// The reference peer, if the whole transcript passes on it.
    reference: Option<(Peer, Facts)>,
    tries: usize,
    restarts: usize,
}

/// Shrinks a case that shows this finding. `None` if it is not reproduced.
pub async fn shrink(
    case: &Case,
    sought: Sought,
    target: &Target,
    facts: &Facts,
    patience: Duration,
    command: &Command,
) -> Option<Shrunk> {
    let mut draft = Draft::new(case)?;
    let whole = draft.case()?;
    let mut prober = Prober {
        facts,
        patience: patience.min(IMPATIENCE.max(facts.calls.round_trip * 50)),
        command,
        wanted: Wanted::First(sought),
        peer: Peer::start(target).await.ok()?.into(),
        reference: legal_on_reference(&whole, facts.terms.dialect, patience).await,
        tries: 0,
        restarts: 0,
    };
    // If the finding needs the full deadline, use the full deadline.
    if prober.reproduce(&draft).await.is_none() {
        prober.patience = patience;
        prober.reproduce(&draft).await?;
    }
    let from = draft.len();
    remove_groups(&mut draft, &mut prober).await;
    remove_values(&mut draft, &mut prober).await;
    let simpler = draft.with_one_object();
    prober.keep_if_reproduced(&mut draft, simpler).await;
    // With fewer values, more steps may be removable.
    remove_groups(&mut draft, &mut prober).await;
    remove_pairs(&mut draft, &mut prober).await;
    let whole = draft.without_splits();
    prober.keep_if_reproduced(&mut draft, Some(whole)).await;
    prober.patience = patience;
    let tries = std::mem::take(&mut prober.tries);
    prober.restarts = 0;
    let (mut confirmed, mut last) = (0, None);
    for _ in 0..CONFIRMATIONS {
        if let Some(outcome) = prober.reproduce(&draft).await {
            confirmed += 1;
            last = Some(outcome);
        }
    }
    prober.stop().await;
    draft.describe(from, tries, confirmed, CONFIRMATIONS);
    Some(Shrunk { case: draft.case()?, outcome: last?, from, confirmed, tries })
}

/// Starts the reference peer. `None` if the case does not pass on it.
async fn legal_on_reference(case: &Case, dialect: Dialect, patience: Duration) -> Option<(Peer, Facts)> {
    let peer = Peer::start(&Target::Reference(dialect)).await.ok()?;
    let facts = preflight(peer.route(), dialect, None, patience).await.ok()?;
    let replayed = replay(case, peer.route(), &facts, patience).await;
    matches!(replayed.judged, Judged::Pass).then_some((peer, facts))
}

/// Removes groups of steps: many at once first, from the end.
async fn remove_groups(draft: &mut Draft, prober: &mut Prober<'_>) {
    let mut size = draft.groups().div_ceil(2);
    while size > 0 {
        let mut end = draft.groups();
        let before = draft.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let candidate = draft.without_groups(start..end);
            let removed = prober.keep_if_reproduced(draft, candidate).await;
            // Two neighbours may only be removable together, so try all pairs.
            end = if size == 2 && !removed { end - 1 } else { start.min(draft.groups()) };
        }
        // Repeat with size 1 until no single group can be removed.
        if size > 1 || draft.len() == before {
            // Do not skip size 2, because many steps are only removable in pairs.
            size = if size == 3 { 2 } else { size / 2 };
        }
    }
}

/// Removes single steps and pairs of steps, if few steps are left.
async fn remove_pairs(draft: &mut Draft, prober: &mut Prober<'_>) {
    let mut at = 0;
    while draft.len() <= FEW_STEPS {
        let Some(candidate) = draft.without_pair(at) else { return };
        at = if prober.keep_if_reproduced(draft, Some(candidate)).await { 0 } else { at + 1 };
    }
}

/// Replaces values with null, the largest first.
async fn remove_values(draft: &mut Draft, prober: &mut Prober<'_>) {
    let mut at = 0;
    while let Some(candidate) = draft.without_value(at).filter(|_| prober.tries < TRIES_OF_VALUES) {
        if !prober.keep_if_reproduced(draft, Some(candidate)).await {
            at += 1;
        }
    }
}

impl Prober<'_> {
    /// Keeps the candidate if it reproduces the finding. Returns whether it does.
    async fn keep_if_reproduced(&mut self, draft: &mut Draft, candidate: Option<Draft>) -> bool {
        let Some(candidate) = candidate.filter(|candidate| candidate != draft) else { return false };
        if self.reproduce(&candidate).await.is_none() {
            return false;
        }
        *draft = candidate;
        true
    }

    /// The outcome of the candidate, if it is legal and reproduces the finding.
    async fn reproduce(&mut self, draft: &Draft) -> Option<Outcome> {
        if self.tries >= TRIES || self.restarts >= RESTARTS {
            return None;
        }
        let case = draft.case()?;
        self.tries += 1;
        if let Some((peer, facts)) = &self.reference {
            let replayed = replay(&case, peer.route(), facts, PATIENCE_WITH_REFERENCE).await;
            if !matches!(replayed.judged, Judged::Pass) {
                return None;
            }
        }
        let peer = self.peer.ready().await.ok()?;
        let replayed = replay(&case, peer.route(), self.facts, self.patience).await;
        let health = match replayed.judged {
            Judged::Pass | Judged::NotApplicable(_) => Health::Serves,
            Judged::Diverged(_) => peer.health_after(&replayed, self.facts, self.patience).await,
        };
        if !health.is_good() {
            self.restarts += 1;
            self.peer.discard().await;
        }
        let broken: Vec<&str> = replayed.broken.keys().copied().collect();
        let (outcome, likeness) = likened(&case, replayed, health, self.command);
        let reproduced = self.wanted.is_in(&outcome, likeness.as_ref(), &broken);
        if reproduced
            && matches!(self.wanted, Wanted::First(Sought::Difference(..)))
            && let Some(likeness) = likeness
        {
            self.wanted = Wanted::Like(likeness);
        }
        reproduced.then_some(outcome)
    }

    async fn stop(self) {
        self.peer.stop().await;
        if let Some((reference, _)) = self.reference {
            reference.stop().await;
        }
    }
}
