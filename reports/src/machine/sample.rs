//! Machines for tests: the one of the reference peer, with some edges changed.

use dnode_spec::alphabet::Alphabet;
use dnode_spec::clause::Level;
use dnode_spec::machine::{Act, Answer, Edge, File, Machine, Mixed, Output, Then, differences};

use super::{Effort, Input, Judged, Learned, Verdict};

/// The machine of the reference peer.
pub(crate) fn reference() -> Machine {
    File::read(dnode_fixtures::REFERENCE_MACHINE).unwrap().machine
}

/// The machine with each edge changed, and minimal. The change knows the state and the input.
pub(crate) fn changed(machine: &Machine, change: impl Fn(usize, &str, &mut Edge)) -> Machine {
    let row = |state: usize| {
        let mut edges = machine.edges(state).to_vec();
        for (input, edge) in machine.inputs().iter().zip(&mut edges) {
            change(state, input, edge);
        }
        edges
    };
    Machine::new(machine.inputs().to_vec(), (0..machine.len()).map(row).collect()).unwrap().minimal()
}

/// A learned machine, compared with the one of the reference peer.
pub(crate) fn learned(machine: Machine, judge: impl Fn(&str) -> Verdict) -> Learned {
    let expected = reference();
    let alphabet = Alphabet::read(dnode_fixtures::ALPHABET).unwrap();
    let inputs = alphabet.symbols().iter().map(|symbol| Input {
        name: symbol.name.clone(),
        part: symbol.part.clone(),
        about: symbol.about.clone(),
    });
    let differences = differences(&expected, &machine).into_iter().map(|difference| {
        let word: Vec<String> =
            difference.word.iter().map(|input| expected.inputs()[*input].clone()).collect();
        Judged {
            verdict: judge(word.last().unwrap()),
            transcript: format!(
                "{{\"dnode-transcript\":1,\"id\":\"learned/{}\"}}\n{{\"connect\":true}}\n",
                word.join("-")
            ),
            word,
            expected: difference.expected,
            found: difference.found,
            places: difference.places,
            follows: difference.follows,
            repeat: None,
        }
    });
    Learned {
        peer: Some("dnode 1.2.2".to_owned()),
        inputs: inputs.collect(),
        left_out: Vec::new(),
        mixed: Vec::new(),
        broken: Vec::new(),
        against: "reference".to_owned(),
        differences: differences.collect(),
        effort: Effort { queries: 1234, tests: 900, inputs: 5678, seconds: 12.34 },
        cut: None,
        notes: Vec::new(),
        expected,
        machine: Some(machine),
    }
}

/// A verdict that breaks this clause.
pub(crate) fn breaks(clause: &str, level: Level) -> Verdict {
    Verdict::Breaks {
        clause: clause.to_owned(),
        level,
        gates: level != Level::Observed,
        step: "step 8".to_owned(),
        expected: "nothing".to_owned(),
        actual: "{\"method\":5,\"arguments\":[\"repeat\"]}".to_owned(),
    }
}

pub(crate) fn calls(function: &str, arguments: &str) -> Output {
    let act = Act::Calls { function: function.to_owned(), arguments: arguments.to_owned() };
    Output::new(vec![act], Then::Open)
}

/// A peer that equals the reference peer.
pub(crate) fn equal() -> Learned {
    learned(reference(), |_| unreachable!("there is no difference"))
}

/// A peer that still answers calls of a culled function, ignores lines that are not JSON, and
/// answers a cycle in its own way. It is not deterministic, and lacks one function of the probe.
pub(crate) fn differing() -> Learned {
    let machine = changed(&reference(), |state, input, edge| match input {
        "call-culled" if edge.output.then == Then::Open => edge.output = calls("cb", "[\"repeat\"]"),
        "malformed" => *edge = Edge { output: Output::default(), to: Some(state) },
        "send-cycle" => edge.output = calls("cb", "[{\"self\":\"[Circular]\"}]"),
        _ => {}
    });
    let judge = |input: &str| match input {
        "call-culled" => breaks("cull/deletes", Level::Must),
        "malformed" => {
            Verdict::Free { reason: "no clause says what follows a line that is not JSON".to_owned() }
        }
        _ => Verdict::Unclear { reason: "the transcript could not be played again".to_owned() },
    };
    let answer = |count, output| Answer { count, output };
    let mixed = Mixed {
        word: vec!["cull-p".to_owned(), "call-q".to_owned()],
        answers: vec![answer(17, calls("cb", "[\"repeat\"]")), answer(1, Output::default())],
    };
    Learned {
        mixed: vec![mixed],
        left_out: vec![("cull-both".to_owned(), "the probe lacks repeat".to_owned())],
        cut: Some("the time of 60 s was over".to_owned()),
        ..learned(machine, judge)
    }
}

/// A peer with many faults, one of which needs inputs of two parts.
pub(crate) fn faulty() -> Learned {
    let died = || Edge { output: Output::new(Vec::new(), Then::Died), to: None };
    let machine = changed(&reference(), |state, input, edge| {
        let is_answered = edge.output != Output::default();
        match input {
            "call-culled" if edge.output.then == Then::Open => edge.output = calls("cb", "[\"repeat\"]"),
            "cull-twice" if edge.to != Some(state) => *edge = died(),
            "cull-unknown" => {
                edge.output = Output::new(vec![Act::Breaks("message/object".to_owned())], Then::Open)
            }
            "call-q" if is_answered && state > 0 => edge.output = Output::default(),
            "second-object" if state == 1 => edge.to = Some(1),
            "call-by-name" => edge.output = Output::default(),
            "call-unknown-id" => *edge = died(),
            "send-cycle" => edge.output = calls("cb", "[{\"self\":\"[Circular]\"}]"),
            "give-ours-again" if is_answered => edge.output = calls("cb", "[\"no\"]"),
            "fire-ours" if is_answered => edge.output.acts.extend(calls("f", "[1]").acts),
            "drop-ours" if state > 2 && is_answered && edge.to != Some(state) => {
                edge.output = Output::new(vec![Act::Culls("f".to_owned())], Then::Open);
            }
            "call-ours" if state == 4 => edge.output = calls("cb", "[null]"),
            "malformed" => *edge = died(),
            "half-close" => edge.output = Output::new(Vec::new(), Then::Lingers),
            _ => {}
        }
    });
    learned(machine, |input| match input {
        "call-culled" => breaks("cull/deletes", Level::Must),
        "call-by-name" => breaks("methods/by-name", Level::Must),
        "send-cycle" => Verdict::Free { reason: "links are optional".to_owned() },
        "drop-ours" | "call-ours" => {
            Verdict::Unclear { reason: "the transcript could not be judged".to_owned() }
        }
        "give-ours-again" => breaks("callback/same-id", Level::Observed),
        "malformed" | "call-unknown-id" | "cull-twice" => breaks("robust/survives", Level::Robust),
        _ => breaks("framing/half-close", Level::Should),
    })
}
