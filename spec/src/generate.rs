//! Sessions out of the model: legal by construction, and with one labelled illegal step where that is asked.
//!
//! A [`Plan`] is drawn by proptest: which moves, with which values, together with which others. [`write()`] plays it in memory between a
//! client and the reference peer with the probe and writes down what happened: so what is expected of a peer is what the reference did, up to
//! all that the rules of judgement leave free.
//!
//! Rules: nothing is called that is not held; what depends on state waits for the answer before it; after a cull a barrier stands
//! before anything else, but in sessions that are labelled as crossing. What is legal and seldom seen comes once in a session at most ([`Rare`]). The weights of the moves are drawn anew for each session, and many are zero, so that sessions differ in
//! kind (swarm testing). The same seed gives the same sessions.

mod client;
mod illegal;
mod plan;
mod rare;

pub use illegal::{ILLEGAL, Illegal};
pub use plan::{Move, Plan, Shape, plan};
pub use rare::{RARE, Rare};

use crate::dialect::Dialect;
use crate::transcript::About;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, json};

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// The seed of all sessions.
    pub seed: u64,
    /// Which of them.
    pub number: u64,
    /// What kind of session.
    pub kind: Kind,
}

/// The kinds of sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// What is legal, and what is answered in one way only.
    #[default]
    Legal,
    /// The same, and one illegal step at the end.
    Illegal,
    /// What is legal, with culls and calls that cross what the other end says: which answers come is left free, and the monitor alone
    /// judges.
    Crossing,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Legal, Kind::Illegal, Kind::Crossing];

    /// The group of the ids of these sessions.
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

impl std::str::FromStr for Seed {
    type Err = ();

    /// Reads the id of a generated session.
    fn from_str(id: &str) -> Result<Seed, ()> {
        let (kind, numbers) = id.split_once('/').ok_or(())?;
        let (seed, number) = numbers.split_once('-').ok_or(())?;
        let kind = Kind::ALL.into_iter().find(|it| it.word() == kind).ok_or(())?;
        Ok(Seed { seed: seed.parse().map_err(|_| ())?, number: number.parse().map_err(|_| ())?, kind })
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
        meta,
    };
    write(&plan, seed.kind, &about)
}

/// The same session as an end of this dialect can play it: in 0.1 without what its client culls.
#[must_use]
pub fn session_in(dialect: Dialect, seed: Seed) -> String {
    let session = session(seed);
    match dialect {
        Dialect::V0_2 => session,
        Dialect::V0_1 => {
            let kept = session.lines().filter(|line| !line.starts_with(r#"{"send":{"method":"cull""#));
            kept.map(|line| format!("{line}\n")).collect()
        }
    }
}

/// Plays the plan against the reference peer in memory, and writes it down.
#[must_use]
pub fn write(plan: &Plan, kind: Kind, about: &About) -> String {
    let client = play(plan, kind);
    match kind {
        Kind::Legal => client.finish(plan.rare.map(|(rare, ..)| rare), None, about),
        Kind::Illegal => client.finish(None, Some(Illegal::pick(plan.illegal)), about),
        Kind::Crossing => client.finish_crossing(about),
    }
}

/// A client that has played the plan. Only a legal session has what is rare: in the others it would hide what they are about.
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
