//! Learns the state machine of a live peer, and judges how it differs from that of the reference
//! peer.
//!
//! - The learner (`dnode_spec::learn`) says which words to ask. A lane (`lane.rs`) has its own peer
//!   process, and asks one word on each connection (`query.rs`). The teacher (`teacher.rs`) divides
//!   the words among the lanes and keeps all answers in a file (`store.rs`), so that an interrupted
//!   run can continue.
//! - If a peer answers a word in two ways, the word is asked again several times. The most frequent
//!   answer counts, and all answers are reported.
//! - A hypothesis is tested with the Wp-method and with random words.
//! - Each difference becomes a transcript. The replayer plays it under the rules of judgement
//!   (`judge.rs`), so a difference alone is no accusation.
//!
//! Deliberately absent: clients that connect to us. They make their own calls, so the suite cannot
//! choose the inputs.

mod error;
mod judge;
mod lane;
mod options;
mod query;
mod states;
mod store;
mod teacher;

pub use error::LearnError;
pub use options::LearnOptions;
pub use states::states;

use crate::cases::level;
use crate::conversation::facts::Facts;
use crate::conversation::preflight::preflight;
use crate::peer::{Peer, StartError};
use crate::program::{Route, Target};
use dnode_reports::machine::{Broken, Input, Judged, Learned, Verdict};
use dnode_spec::alphabet::{Alphabet, Begins};
use dnode_spec::clause::{Level, find};
use dnode_spec::dialect::Dialect;
use dnode_spec::machine::{File, Machine, Output, differences};
use lane::Lane;
use query::query;
use std::sync::Arc;
use std::time::Duration;
use teacher::Teacher;
use tokio::sync::mpsc;

/// A message of the learner while it works.
#[derive(Debug, Clone)]
pub enum Notice {
    /// The peer is known.
    Started {
        /// The name that it gives itself.
        peer: Option<String>,
        /// Notes of the preflight.
        notes: Vec<String>,
        /// How many answers of an interrupted run are known.
        resumed: usize,
    },
    /// A batch of words was asked.
    Tick(Progress),
}

/// How far the learner is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The number of states so far.
    pub states: usize,
    /// The number of words asked so far.
    pub queries: u64,
    /// Whether the words now test a hypothesis.
    pub tests: bool,
}

/// What all lanes know about the peer and the words to ask.
#[derive(Debug)]
struct Subject {
    alphabet: Alphabet,
    facts: Facts,
    begins: Begins,
    patience: Duration,
}

impl Subject {
    /// Starts the peer once, and learns how to ask it. Also gives the inputs that are left out.
    async fn meet(options: &LearnOptions) -> Result<(Subject, Vec<(String, String)>), LearnError> {
        if matches!(options.target, Target::Client(_)) {
            return Err(LearnError::Client);
        }
        let alphabet = Alphabet::read(dnode_fixtures::ALPHABET)?;
        let mut peer = Peer::start(&options.target).await?;
        let facts = meet(&mut peer, options).await?;
        let (alphabet, left_out) = alphabet.without(|method| facts.lacks(method));
        let begins = begins(peer.route(), &alphabet, &facts, options.patience).await?;
        peer.stop().await;
        Ok((Subject { alphabet, facts, begins, patience: options.patience }, left_out))
    }

    /// The part of a machine that this peer can show.
    fn fit(&self, machine: &Machine) -> Machine {
        let kept = machine.restricted(|input| self.alphabet.input(input).is_some());
        let object = kept.inputs().iter().position(|input| input == query::OBJECT);
        match (self.begins, object) {
            (Begins::WithObject, Some(object)) => kept.after(object).unwrap_or(kept),
            _ => kept,
        }
    }

    /// A note for the reader about the words.
    fn note(&self) -> Option<String> {
        let note = "the peer answers no call before it has an object, so each word begins with ours";
        (self.begins == Begins::WithObject).then(|| note.to_owned())
    }
}

/// Learns the machine of a peer.
///
/// # Errors
/// [`LearnError`]. It says who is at fault.
pub async fn learn(
    options: &LearnOptions,
    emit: &mut (dyn FnMut(Notice) + Send),
) -> Result<Learned, LearnError> {
    let (subject, left_out) = Subject::meet(options).await?;
    let subject = Arc::new(subject);
    let reference = subject.fit(&File::read(dnode_fixtures::REFERENCE_MACHINE)?.machine);
    let mut teacher = Teacher::open(options, Arc::clone(&subject), &reference).await?;
    emit(Notice::Started {
        peer: subject.facts.object.name.clone(),
        notes: subject.facts.notes.clone(),
        resumed: teacher.resumed(),
    });
    let (against, expected) = match &options.against {
        Some(File { peer, machine, .. }) => {
            (peer.clone().unwrap_or_else(|| "the other machine".to_owned()), subject.fit(machine))
        }
        None => ("the reference".to_owned(), reference.clone()),
    };
    let (machine, cut, found) = loop {
        let (machine, cut) = teacher.learn(emit).await?;
        let found = match &machine {
            Some(machine) => differences(&expected, machine),
            None if expected.inputs() == subject.alphabet.names() => teacher.differences(&expected),
            None => Vec::new(),
        };
        // A machine is never certain. The words that accuse a peer are asked.
        if teacher.confirms(machine.as_ref(), &expected, &found).await? {
            break (machine, cut, found);
        }
    };
    let differences = teacher.judge(&found, &reference, &expected).await?;
    let notes = notes(&subject, &expected).chain(teacher.notes()).collect();
    let learned = Learned {
        peer: subject.facts.object.name.clone(),
        inputs: inputs(&subject.alphabet),
        left_out,
        mixed: teacher.mixed(),
        broken: broken(&subject.facts, teacher.broken(), &differences, options.gate),
        against,
        expected,
        differences,
        effort: teacher.effort(),
        cut,
        notes,
        machine,
    };
    teacher.close().await;
    Ok(learned)
}

/// Asks words one after another, for other learners. A word has the names of its inputs, with spaces
/// between them. `answer` gets the outputs of each one, up to the end of the connection.
///
/// # Errors
/// [`LearnError`]: also if a word has an input that the alphabet does not have, or that the peer's
/// program cannot take.
pub async fn ask<E: From<LearnError>>(
    options: &LearnOptions,
    mut words: mpsc::Receiver<String>,
    mut answer: impl FnMut(Vec<Output>) -> Result<(), E>,
) -> Result<(), E> {
    let (subject, left_out) = Subject::meet(options).await?;
    let mut lane = Lane::new(Arc::new(subject), &options.target);
    while let Some(word) = words.recv().await {
        let inputs = word.split_whitespace().map(|name| {
            let input = lane.subject().alphabet.input(name);
            input.ok_or_else(|| match left_out.iter().find(|(input, _)| input == name) {
                Some((_, reason)) => LearnError::Input(name.to_owned(), reason.clone()),
                None => LearnError::Input(
                    name.chars().take(60).collect(),
                    format!("the inputs are {}", lane.subject().alphabet.names().join(", ")),
                ),
            })
        });
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        answer(lane.ask(&inputs).await?.outputs)?;
    }
    lane.stop().await;
    Ok(())
}

/// Notes for the reader about the words and the comparison.
fn notes(subject: &Subject, expected: &Machine) -> impl Iterator<Item = String> {
    let missing: Vec<String> =
        subject.alphabet.names().into_iter().filter(|name| !expected.inputs().contains(name)).collect();
    let missing = (!missing.is_empty()).then(|| {
        format!("the other machine lacks these inputs, so they were not compared: {}", missing.join(", "))
    });
    subject.note().into_iter().chain(missing)
}

/// Runs the preflight.
async fn meet(peer: &mut Peer, options: &LearnOptions) -> Result<Facts, LearnError> {
    let facts = preflight(peer.route(), Dialect::default(), options.ping.as_ref(), options.patience).await;
    let facts = facts.map_err(|error| StartError::of_preflight(peer.route(), error))?;
    if let Some(death) = peer.death(Duration::ZERO).await {
        return Err(LearnError::Ended(death));
    }
    match (&facts.calls.ping, facts.unusable) {
        (_, Some(unusable)) => Err(LearnError::Unusable(unusable)),
        (None, None) => Err(LearnError::NoCall),
        (Some(_), None) => Ok(facts),
    }
}

/// How a connection must begin: some peers answer no call before they have our object.
async fn begins(
    route: &Route,
    alphabet: &Alphabet,
    facts: &Facts,
    patience: Duration,
) -> Result<Begins, LearnError> {
    for begins in [Begins::WithNothing, Begins::WithObject] {
        if query(route, alphabet, facts, begins, &[], patience).await.is_ok() {
            return Ok(begins);
        }
    }
    Err(LearnError::NotServed)
}

/// The clauses that the peer broke in the preflight, and those that its lines broke later, without
/// those that a difference names.
fn broken(facts: &Facts, of_lines: Vec<Broken>, differences: &[Judged], gate: Level) -> Vec<Broken> {
    let missing = facts.missing.iter().filter(|clause| of_lines.iter().all(|it| it.clause != **clause));
    let preflight = missing.map(|clause| Broken {
        clause: (*clause).to_owned(),
        level: level(clause),
        gates: level(clause) <= gate,
        word: Vec::new(),
        at: String::new(),
        expected: find(clause).map(|clause| clause.text.to_owned()).unwrap_or_default(),
        actual: String::new(),
    });
    let is_named = |it: &Broken| {
        let names = |difference: &Judged| matches!(&difference.verdict, Verdict::Breaks { clause, .. } if *clause == it.clause);
        differences.iter().any(names)
    };
    preflight.chain(of_lines.iter().cloned()).filter(|it| !is_named(it)).collect()
}

fn inputs(alphabet: &Alphabet) -> Vec<Input> {
    let symbols = alphabet.symbols().iter();
    let inputs = symbols.map(|symbol| Input {
        name: symbol.name.clone(),
        part: symbol.part.clone(),
        about: symbol.about.clone(),
    });
    inputs.collect()
}
