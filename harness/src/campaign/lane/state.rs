//! The state of a lane, and the methods that all of its parts use.

use crate::campaign::canary::Canary;
use crate::campaign::confirm::Confirmer;
use crate::campaign::input::Input;
use crate::campaign::operation;
use crate::campaign::oracle::{Identity, Oracle, Pace};
use crate::campaign::shared::Campaign;
use crate::campaign::suspicion::{Confirmed, Played, Reproduced, Shown};
use crate::campaign::symptom::Symptom;
use crate::peer::Slot;
use fastrand::Rng;
use std::collections::VecDeque;
use std::time::Duration;

/// How many sessions are kept as possible causes of a later symptom.
const HISTORY: usize = 48;

/// A peer process, and the sessions that were played on it.
pub(in crate::campaign) struct Lane<'a> {
    pub(super) campaign: &'a Campaign,
    pub(super) confirmer: Confirmer<'a>,
    pub(super) rng: Rng,
    pub(super) canary: Option<Canary>,
    /// The last sessions on this peer process, the newest last.
    pub(super) history: VecDeque<Played>,
    pub(super) pace: Pace,
    pub(super) time: TimeUse,
    pub(super) sessions: u64,
    /// Whether the lane examines suspicions, its own and those of other lanes.
    pub(super) examines: bool,
    /// The memory of the peer process after its start.
    pub(super) first_memory: Option<u64>,
}

/// How a lane spent its recent time.
#[derive(Debug, Default)]
pub(super) struct TimeUse {
    /// On sessions that did not end well, and on the restarts after them.
    harm: Duration,
    /// On all sessions.
    all: Duration,
}

impl TimeUse {
    /// After this time, the earlier time counts half.
    const RECENT: Duration = Duration::from_secs(10);

    pub(super) fn spend(&mut self, time: Duration, harm: bool) {
        self.all += time;
        if harm {
            self.harm += time;
        }
        if self.all > TimeUse::RECENT {
            (self.harm, self.all) = (self.harm / 2, self.all / 2);
        }
    }

    /// Whether harm took more than half of the time.
    pub(super) fn is_harmed(&self) -> bool {
        self.harm * 2 > self.all
    }
}

impl<'a> Lane<'a> {
    pub(in crate::campaign) fn new(campaign: &'a Campaign, number: u64) -> Lane<'a> {
        let options = &campaign.options;
        let confirmer = Confirmer {
            slot: Slot::new(&options.target),
            facts: &campaign.facts,
            methods: &campaign.methods,
            patience: campaign.patience,
            gate: options.gate,
        };
        let rng = Rng::with_seed(
            options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 32) ^ options.shard.0,
        );
        Lane {
            campaign,
            confirmer,
            rng,
            canary: None,
            history: VecDeque::new(),
            pace: Pace::default(),
            time: TimeUse::default(),
            sessions: 0,
            examines: number < campaign.examiners(),
            first_memory: None,
        }
    }

    pub(super) fn remember(&mut self, played: Played) {
        self.history.push_back(played);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// The operation that an input is named after.
    pub(super) fn operation(&self, input: &Input) -> String {
        operation::of_input(input, &self.campaign.methods)
    }

    /// All operations of an input.
    pub(super) fn operations(&self, input: &Input) -> Vec<String> {
        operation::all_of_input(input, &self.campaign.methods)
    }

    /// Whether a finding says that the peer breaks this clause.
    pub(super) fn is_broken(&self, clause: &str) -> bool {
        self.campaign.knows(|known| known.oracle == Oracle::Clause && known.clause == clause)
    }

    /// Whether one of the operations of this input has a finding of this oracle.
    pub(super) fn is_known(&self, input: &Input, oracle: Oracle) -> bool {
        let operations = self.operations(input);
        self.campaign.knows(|known| known.oracle == oracle && operations.contains(&known.what))
    }

    /// Whether there is a finding of a process that ended with these last words.
    pub(super) fn is_known_death(&self, words: &str) -> bool {
        self.campaign.knows(|known| known.oracle == Oracle::Died && known.what == words)
    }

    pub(super) fn knows(&self, identity: &Identity) -> bool {
        self.campaign.settled(identity)
    }

    /// Reports a finding that is as short as it gets.
    pub(super) fn report(&self, symptom: Symptom, shown: Shown, confirmed: Confirmed) {
        self.campaign.report(Reproduced { symptom, shown, confirmed }.finding(true), false);
    }
}
