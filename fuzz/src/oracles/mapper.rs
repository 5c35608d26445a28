//! The learner's mapper between inputs and bytes.

use dnode_spec::alphabet::{Alphabet, Begins, Mapper, Saying};
use dnode_spec::clause;
use dnode_spec::machine::{Output, Then};
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::path::PathForm;
use dnode_spec::transcript::{Addressing, Fault, Transcript};
use std::sync::LazyLock;

static ALPHABET: LazyLock<Alphabet> = LazyLock::new(|| {
    let text = include_str!("../../../fixtures/machine/alphabet.jsonl");
    Alphabet::read(text).unwrap_or_else(|error| panic!("the alphabet is rejected: {error}"))
});

/// Sends every input of the alphabet to a peer that answers each with the next line of the stream.
///
/// 1. Nothing panics, whatever the peer declares, calls or culls.
/// 2. Every problem names an existing clause.
/// 3. The same stream gives the same outputs, whether methods are called by name or by id, as long as
///    the mapper has something to send.
///
/// 4. The word with these outputs is a transcript that can be read.
///
/// # Panics
/// If one of these does not hold.
pub fn mapper(data: &[u8]) {
    let [by_name, by_id] = [Addressing::ByName, Addressing::ById].map(|by| converse(data, by));
    check_transcript(&by_name);
    for (one, two) in by_name.iter().zip(&by_id) {
        if one.then == Then::Impossible || two.then == Then::Impossible {
            return;
        }
        assert_eq!(one, two);
    }
}

fn check_transcript(outputs: &[Output]) {
    let word: Vec<usize> = (0..outputs.len()).collect();
    for begins in [Begins::WithNothing, Begins::WithObject] {
        let text = ALPHABET.transcript("fuzz/mapper", &word, outputs, begins);
        if let Err(error) = Transcript::read(&text) {
            panic!("the transcript cannot be read: {error}\n{text}");
        }
    }
}

fn converse(data: &[u8], by: Addressing) -> Vec<Output> {
    let mut mapper = good(Mapper::new(&ALPHABET, by, PathForm::default()));
    let mut monitor = Monitor::new();
    let mut answers = data.split(|&byte| byte == b'\n');
    let mut outputs = Vec::new();
    // The first line is the object of the peer.
    hear(&mut mapper, &mut monitor, answers.next());
    let bytes = good(mapper.set_up());
    say(&mut monitor, &bytes);
    hear(&mut mapper, &mut monitor, answers.next());
    mapper.begin();
    for input in 0..ALPHABET.symbols().len() {
        let then = match good(mapper.say(input)) {
            Saying::Bytes(bytes) => {
                say(&mut monitor, &bytes);
                hear(&mut mapper, &mut monitor, answers.next());
                Then::Open
            }
            Saying::HalfClose => Then::Open,
            Saying::Impossible => Then::Impossible,
        };
        outputs.push(mapper.output(then));
    }
    outputs
}

fn good<T>(made: Result<T, Fault>) -> T {
    made.unwrap_or_else(|fault| panic!("the alphabet is at fault: {fault}"))
}

fn say(monitor: &mut Monitor, bytes: &[u8]) {
    bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| {
        monitor.line(End::A, line);
    });
}

fn hear(mapper: &mut Mapper<'_>, monitor: &mut Monitor, line: Option<&[u8]>) {
    let Some(line) = line else { return };
    let judgement = monitor.line(End::B, line);
    for problem in &judgement.problems {
        assert!(clause::find(problem.clause).is_some(), "there is no clause {}", problem.clause);
        mapper.hear_broken(problem.clause);
    }
    if let Some(received) = &judgement.received {
        mapper.hear(received);
    }
}
