//! Sessions generated from the model: legal by construction, or with one labelled illegal step.
//!
//! proptest draws a plan: the moves, their values, and which moves go together. [`session`] plays
//! it in memory, between a client and the reference peer with the probe, and records the session.
//! The expectations are the behaviour of the reference, except for everything that the rules of
//! judgement leave free.
//!
//! Rules: the client calls only functions that it holds. A call that depends on a state waits for
//! the answers before it. After a cull there is a barrier, except in crossing sessions. A session
//! has at most one rare move. The weights of the moves are drawn for each session, and many are
//! zero, so that sessions differ in kind (swarm testing). The same seed gives the same sessions.

mod aim;
mod client;
mod illegal;
mod plan;
mod rare;

pub use aim::aim;

use illegal::Illegal;
use plan::{Plan, plan};

use crate::dialect::Dialect;
use crate::transcript::About;
use crate::transcript::write::{HeaderLine, Step, text};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, json};

/// Names one generated session. `Display` gives its id, `KIND/SEED-NUMBER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// The seed of all sessions.
    pub seed: u64,
    /// The number of the session.
    pub number: u64,
    /// The kind of the session.
    pub kind: Kind,
}

/// The kinds of sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// Legal moves that have one possible answer.
    #[default]
    Legal,
    /// The same, with one illegal step at the end.
    Illegal,
    /// Legal moves, with culls and calls that cross messages of the other end. The answers are left
    /// free: only the monitor judges.
    Crossing,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Legal, Kind::Illegal, Kind::Crossing];

    /// The group of these sessions, the first part of their ids.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Legal => "generated",
            Kind::Illegal => "illegal",
            Kind::Crossing => "crossing",
        }
    }
}

impl std::fmt::Display for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}-{}", self.kind.word(), self.seed, self.number)
    }
}

/// An id is not that of a generated session. The caller is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a generated session, such as generated/1-7")]
pub struct NotASeed(pub String);

impl std::str::FromStr for Seed {
    type Err = NotASeed;

    fn from_str(id: &str) -> Result<Seed, NotASeed> {
        let read = || {
            let (kind, numbers) = id.split_once('/')?;
            let (seed, number) = numbers.split_once('-')?;
            let kind = Kind::ALL.into_iter().find(|known| known.word() == kind)?;
            Some(Seed { seed: seed.parse().ok()?, number: number.parse().ok()?, kind })
        };
        read().ok_or_else(|| NotASeed(id.to_owned()))
    }
}

/// The transcript of this seed.
///
/// ```
/// use dnode_spec::generate::{Kind, Seed, session};
/// use dnode_spec::transcript::Transcript;
///
/// let seed = Seed { seed: 1, number: 7, kind: Kind::Legal };
/// assert_eq!(session(seed), session(seed));
/// assert_eq!(Transcript::read(&session(seed)).unwrap().header.id, "generated/1-7");
/// ```
#[must_use]
pub fn session(seed: Seed) -> String {
    let (header, steps) = lines(seed);
    text(&header, steps)
}

/// The session of this seed as an end of this dialect can play it: in 0.1 without the client's
/// culls.
#[must_use]
pub fn session_in(dialect: Dialect, seed: Seed) -> String {
    let (header, mut steps) = lines(seed);
    let is_cull = |step: &Step| step.send.as_ref().is_some_and(|message| message.method == "cull");
    steps.retain(|step| dialect != Dialect::V0_1 || !is_cull(step));
    text(&header, steps)
}

fn lines(seed: Seed) -> (HeaderLine, Vec<Step>) {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&seed.number.to_le_bytes());
    bytes[16] = seed.kind as u8;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    let plan = plan().new_tree(&mut runner).map(|tree| tree.current()).unwrap_or_default();
    let mut meta = Map::new();
    meta.insert("seed".to_owned(), json!(seed.seed));
    let about = About {
        id: seed.to_string(),
        since: env!("CARGO_PKG_VERSION").to_owned(),
        about: "A session generated from the model.".to_owned(),
        recorded: false,
        breaks: Vec::new(),
        meta,
    };
    write(&plan, seed.kind, &about)
}

/// Plays the plan against the reference peer in memory, and gives the lines of the transcript.
fn write(plan: &Plan, kind: Kind, about: &About) -> (HeaderLine, Vec<Step>) {
    let client = play(plan, kind);
    match kind {
        Kind::Legal => client.finish(plan.rare.map(|(rare, ..)| rare), None, about),
        Kind::Illegal => client.finish(None, Some(Illegal::pick(plan.illegal)), about),
        Kind::Crossing => client.finish_crossing(about),
    }
}

/// A client that has played the plan. Only a legal session has a rare move: in the others it would
/// hide their subject.
fn play(plan: &Plan, kind: Kind) -> client::Client {
    let rare = plan.rare.filter(|_| kind == Kind::Legal);
    let mut client = client::Client::new(plan.style, rare.map(|(rare, ..)| rare));
    let due = rare.map(|(rare, at, pick)| (rare, usize::from(at) % plan.moves.len().max(1), pick));
    for (n, step) in plan.moves.iter().enumerate() {
        match kind {
            Kind::Crossing => client.cross(step, &plan.weights),
            Kind::Legal | Kind::Illegal => client.play(step, &plan.weights),
        }
        if let Some((rare, _, pick)) = due.filter(|(_, at, _)| *at == n) {
            client.do_rare(rare, pick);
        }
    }
    client.exchange();
    if let Some((rare, _, pick)) = due {
        client.end_rare(rare, pick);
    }
    client
}

#[cfg(test)]
mod tests;
