//! The shortest transcript that still shows a finding.
//!
//! A candidate is kept where the peer shows the same finding, wherever in the session (the same clause, kind of difference and class of what came),
//! and, if the whole transcript passes on the reference peer, the candidate passes there too: so that nothing is blamed on a peer that a shortened session has broken itself.
//! Every candidate has a connection of its own. Steps go first, in groups of what belongs together; then values; fragmentation last.
//! Tries and restarts of the peer are bounded. What is left is confirmed three times, or says how often it showed.

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
use dnode_reports::event::{Divergence, Outcome};
use dnode_spec::dialect::Dialect;
use draft::Draft;
use std::time::Duration;

/// How many candidates are tried at most, how many of them before the last look at the steps, and how often a peer is started again for them.
const TRIES: usize = 500;
const TRIES_OF_VALUES: usize = 400;
const RESTARTS: usize = 60;

/// How many steps are few enough for each two of them to be tried.
const FEW: usize = 8;

/// How often the result is confirmed.
const CONFIRMATIONS: usize = 3;

/// While candidates are tried, a missing answer is one sooner than in a verdict. The reference peer has longer: what it does not answer
/// is no candidate, and it answers nearly all.
const IMPATIENCE: Duration = Duration::from_millis(200);
const PATIENCE_WITH_REFERENCE: Duration = Duration::from_millis(800);

/// What shrinking gave.
#[derive(Debug)]
pub struct Shrunk {
    /// The shortest case that shows the finding.
    pub case: Case,
    /// What it gives.
    pub outcome: Outcome,
    /// How many steps the case had before.
    pub from: usize,
    /// How often of three it showed.
    pub confirmed: usize,
    /// How many candidates were tried.
    pub tries: usize,
}

impl Shrunk {
    /// In one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let steps = self.case.transcript.steps.len();
        let sure = if self.confirmed == CONFIRMATIONS {
            String::new()
        } else {
            format!("; flaky: it showed in {} of {CONFIRMATIONS} runs", self.confirmed)
        };
        format!("shrunk from {} steps to {steps} in {} tries{sure}", self.from, self.tries)
    }
}

/// What a candidate must show.
enum Wanted {
    /// What the whole session showed, or, of a peer that is not the same each time, another difference of its kind.
    First(Divergence),
    /// What is like that which the whole session showed the first time, wherever it is.
    Like(String),
}

/// Asks peers whether candidates still show the finding.
struct Prober<'a> {
    facts: &'a Facts,
    patience: Duration,
    command: &'a Command,
    /// What is looked for.
    wanted: Wanted,
    peer: Slot,
    /// The reference peer, where the whole transcript passes on it.
    reference: Option<(Peer, Facts)>,
    tries: usize,
    restarts: usize,
}

/// Shrinks a case that diverged in this way; `None` where it does not do so again.
pub async fn shrink(
    case: &Case,
    found: &Divergence,
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
        wanted: Wanted::First(found.clone()),
        peer: Peer::start(target).await.ok()?.into(),
        reference: legal_on_reference(&whole, facts.terms.dialect, patience).await,
        tries: 0,
        restarts: 0,
    };
    // A finding that needs all its time is looked at with all its time.
    if prober.shows(&draft).await.is_none() {
        prober.patience = patience;
        prober.shows(&draft).await?;
    }
    let from = draft.len();
    steps(&mut draft, &mut prober).await;
    values(&mut draft, &mut prober).await;
    let simpler = draft.with_one_object();
    prober.try_instead(&mut draft, simpler).await;
    // Without what the values held, more can go.
    steps(&mut draft, &mut prober).await;
    pairs(&mut draft, &mut prober).await;
    let whole = draft.without_splits();
    prober.try_instead(&mut draft, Some(whole)).await;
    prober.patience = patience;
    let tries = std::mem::take(&mut prober.tries);
    prober.restarts = 0;
    let (mut confirmed, mut shown) = (0, None);
    for _ in 0..CONFIRMATIONS {
        if let Some(outcome) = prober.shows(&draft).await {
            confirmed += 1;
            shown = Some(outcome);
        }
    }
    prober.stop().await;
    draft.describe(from, tries, confirmed, CONFIRMATIONS);
    Some(Shrunk { case: draft.case()?, outcome: shown?, from, confirmed, tries })
}

/// The reference peer, where the case passes on it.
async fn legal_on_reference(case: &Case, dialect: Dialect, patience: Duration) -> Option<(Peer, Facts)> {
    let peer = Peer::start(&Target::Reference(dialect)).await.ok()?;
    let facts = preflight(peer.route(), dialect, None, patience).await.ok()?;
    let replayed = replay(case, peer.route(), &facts, patience).await;
    matches!(replayed.judged, Judged::Pass).then_some((peer, facts))
}

/// Takes groups of steps away: many at once first, from the end.
async fn steps(draft: &mut Draft, prober: &mut Prober<'_>) {
    let mut size = draft.groups().div_ceil(2);
    while size > 0 {
        let mut end = draft.groups();
        let before = draft.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let candidate = draft.without_groups(start..end);
            let taken = prober.try_instead(draft, candidate).await;
            // Neighbours may need each other gone, wherever they stand.
            end = if size == 2 && !taken { end - 1 } else { start.min(draft.groups()) };
        }
        // Once nothing single can go, nothing can.
        if size > 1 || draft.len() == before {
            // Pairs are never left out: many things come in two.
            size = if size == 3 { 2 } else { size / 2 };
        }
    }
}

/// Takes steps away by themselves or in twos, where few enough are left for that.
async fn pairs(draft: &mut Draft, prober: &mut Prober<'_>) {
    let mut at = 0;
    while draft.len() <= FEW {
        let Some(candidate) = draft.without_pair(at) else { return };
        at = if prober.try_instead(draft, Some(candidate)).await { 0 } else { at + 1 };
    }
}

/// Makes values null, the largest first.
async fn values(draft: &mut Draft, prober: &mut Prober<'_>) {
    let mut at = 0;
    while let Some(candidate) = draft.without_value(at).filter(|_| prober.tries < TRIES_OF_VALUES) {
        if !prober.try_instead(draft, Some(candidate)).await {
            at += 1;
        }
    }
}

impl Prober<'_> {
    /// Takes the candidate where it shows the finding; says whether.
    async fn try_instead(&mut self, draft: &mut Draft, candidate: Option<Draft>) -> bool {
        let Some(candidate) = candidate.filter(|candidate| candidate != draft) else { return false };
        if self.shows(&candidate).await.is_none() {
            return false;
        }
        *draft = candidate;
        true
    }

    /// What the candidate gives, where it is legal and that is the finding.
    async fn shows(&mut self, draft: &Draft) -> Option<Outcome> {
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
            Judged::Diverged(_) => peer.health(self.facts, self.patience).await,
        };
        if !health.is_good() {
            self.restarts += 1;
            self.peer.discard().await;
        }
        let (outcome, likeness) = likened(&case, replayed, health, self.command);
        let shows = match &self.wanted {
            Wanted::First(wanted) => {
                let like = |it: &Divergence| it.clause == wanted.clause && it.kind == wanted.kind;
                outcome.divergence.as_ref().is_some_and(like)
            }
            Wanted::Like(wanted) => likeness.as_ref() == Some(wanted),
        };
        if let (true, Some(likeness)) = (shows, likeness) {
            self.wanted = Wanted::Like(likeness);
        }
        shows.then_some(outcome)
    }

    async fn stop(self) {
        self.peer.stop().await;
        if let Some((reference, _)) = self.reference {
            reference.stop().await;
        }
    }
}
