//! The parts of a machine, as every drawing shows them.
//!
//! The whole machine is roughly the product of independent parts, and unreadable as one picture. A
//! part is the machine on the inputs of one part of the alphabet. It has few states.
//!
//! A state of a part lists the inputs that do not leave it. So no picture has loops.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dnode_spec::machine::{Act, Input, Machine, Output, State, Then};

use super::{Learned, Verdict};
use crate::escape::cut;

/// How many inputs of a word are in the name of a state.
const LONGEST: usize = 3;

/// How many characters of one text in an answer are shown.
const ANSWER: usize = 300;

/// One part of a machine.
pub(super) struct Part<'a> {
    /// Its word in the alphabet.
    pub(super) name: &'a str,
    pub(super) states: Vec<Place<'a>>,
    /// At most one for each pair of different states, and for each state and end.
    pub(super) arrows: Vec<Arrow<'a>>,
}

/// A state, with the inputs that do not leave it.
pub(super) struct Place<'a> {
    /// `start`, or `after` and the shortest word that reaches it.
    pub(super) name: String,
    /// The inputs that the peer answers, and those that it answers wrongly.
    pub(super) stays: Vec<Line<'a>>,
    /// The inputs that it rightly does not answer.
    pub(super) ignores: Vec<&'a str>,
    /// The inputs that name a function that does not exist here.
    pub(super) impossible: Vec<&'a str>,
}

/// The inputs that lead from one state to another one, or to the end of the connection.
pub(super) struct Arrow<'a> {
    pub(super) from: State,
    pub(super) to: Target,
    pub(super) lines: Vec<Line<'a>>,
}

/// The target of an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    State(State),
    /// The connection ends in this way.
    End(Then),
}

/// One input and its answer.
pub(super) struct Line<'a> {
    pub(super) input: &'a str,
    pub(super) answer: String,
    /// The expected answers, if they differ from this one.
    pub(super) marks: Vec<Mark<'a>>,
}

/// What kind of difference a mark shows. The worst one is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Free,
    Unclear,
    Breaks,
}

/// An answer that was expected instead.
#[derive(Clone)]
pub(super) struct Mark<'a> {
    pub(super) kind: Kind,
    /// The number of the difference, from 1; `None` if it is not in the list.
    pub(super) number: Option<usize>,
    pub(super) expected: String,
    /// The clause that the answer breaks.
    pub(super) clause: Option<&'a str>,
    /// The states of the other machine in which it is expected. Empty if it is always expected.
    pub(super) when: Vec<String>,
}

impl Kind {
    pub(super) fn of(verdict: &Verdict) -> Kind {
        match verdict {
            Verdict::Breaks { .. } => Kind::Breaks,
            Verdict::Free { .. } => Kind::Free,
            Verdict::Unclear { .. } => Kind::Unclear,
        }
    }

    /// The sign before the number of a difference.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Kind::Breaks => "!",
            Kind::Free => "~",
            Kind::Unclear => "?",
        }
    }

    /// The class in a style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Kind::Breaks => "breaks",
            Kind::Free => "free",
            Kind::Unclear => "unclear",
        }
    }

    /// The class of a note below a line of this kind.
    pub(super) fn note(self) -> &'static str {
        match self {
            Kind::Breaks => "breaks wanted",
            Kind::Free => "free wanted",
            Kind::Unclear => "unclear wanted",
        }
    }

    /// `!N: difference N, breaks a clause`.
    pub(super) fn legend(self) -> String {
        format!("{}N: difference N, {}", self.sign(), self.meaning())
    }

    /// The meaning of the sign.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Kind::Breaks => "breaks a clause",
            Kind::Free => "differs, and the protocol leaves it open",
            Kind::Unclear => "differs, and could not be judged",
        }
    }
}

impl Line<'_> {
    /// `input / answer`, raw.
    pub(super) fn text(&self) -> String {
        format!("{} / {}", self.input, self.answer)
    }

    /// The worst kind of its marks.
    pub(super) fn kind(&self) -> Option<Kind> {
        self.marks.iter().map(|mark| mark.kind).max()
    }
}

impl Mark<'_> {
    /// `!1`.
    pub(super) fn sign(&self) -> String {
        self.number.map_or_else(|| self.kind.sign().to_owned(), |n| format!("{}{n}", self.kind.sign()))
    }

    /// `!1 expected silence (cull/deletes)`, raw.
    pub(super) fn text(&self) -> String {
        let when = match self.when.as_slice() {
            [] => String::new(),
            states => format!(" {}:", states.join(" or ")),
        };
        let why = match (self.kind, self.clause) {
            (Kind::Breaks, Some(clause)) => format!(" ({clause})"),
            (Kind::Breaks, None) => String::new(),
            (Kind::Free, _) => " (free)".to_owned(),
            (Kind::Unclear, _) => " (unclear)".to_owned(),
        };
        format!("{}{when} expected {}{why}", self.sign(), self.expected)
    }
}

impl Arrow<'_> {
    /// The worst kind of its lines.
    pub(super) fn kind(&self) -> Option<Kind> {
        self.lines.iter().filter_map(Line::kind).max()
    }
}

impl Target {
    /// The name of an end.
    pub(super) fn end(then: Then) -> String {
        Output { acts: Vec::new(), then }.to_string()
    }
}

impl Part<'_> {
    /// What its inputs are about, in a few words.
    pub(super) fn title(&self) -> &str {
        match self.name {
            "object" => "the objects that we send",
            "call" => "calls of the peer's methods",
            "theirs" => "the functions that the peer gave us",
            "ours" => "the functions that we gave the peer",
            "end" => "the end of the connection",
            other => other,
        }
    }

    /// All lines, with those of the states first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line<'_>> {
        self.states.iter().flat_map(|state| &state.stays).chain(self.arrows.iter().flat_map(|it| &it.lines))
    }

    /// The ends that an arrow leads to.
    pub(super) fn ends(&self) -> BTreeSet<Then> {
        let ends = self.arrows.iter().filter_map(|arrow| match arrow.to {
            Target::End(then) => Some(then),
            Target::State(_) => None,
        });
        ends.collect()
    }
}

/// The kinds of the marks of these parts, the worst one first.
pub(super) fn kinds(parts: &[Part<'_>]) -> Vec<Kind> {
    let kinds: BTreeSet<Kind> =
        parts.iter().flat_map(Part::lines).flat_map(|it| &it.marks).map(|mark| mark.kind).collect();
    kinds.into_iter().rev().collect()
}

/// The indexes of the differences that no part shows: they need inputs of several parts.
pub(super) fn hidden(learned: &Learned, parts: &[Part<'_>]) -> Vec<usize> {
    let marks = parts.iter().flat_map(Part::lines).flat_map(|line| &line.marks);
    let shown: BTreeSet<usize> = marks.filter_map(|mark| mark.number).collect();
    (0..learned.differences.len()).filter(|index| !shown.contains(&(index + 1))).collect()
}

/// An answer as every format shows it, raw. Its texts are cut before they are copied.
pub(super) fn answer(output: &Output) -> String {
    let short = |text: &String| cut(text, ANSWER).into_owned();
    let acts = output.acts.iter().map(|act| match act {
        Act::Calls { function, arguments } => {
            Act::Calls { function: short(function), arguments: short(arguments) }
        }
        Act::CallsUnknown(name) => Act::CallsUnknown(short(name)),
        Act::Object => Act::Object,
        Act::Culls(function) => Act::Culls(short(function)),
        Act::Breaks(clause) => Act::Breaks(short(clause)),
    });
    Output { acts: acts.collect(), then: output.then }.to_string()
}

/// The parts of the machine, in the order of their first inputs.
pub(super) fn parts(learned: &Learned) -> Vec<Part<'_>> {
    let mut names: Vec<&str> = Vec::new();
    for input in &learned.inputs {
        if !names.contains(&input.part.as_str()) {
            names.push(&input.part);
        }
    }
    let Some(machine) = &learned.machine else { return Vec::new() };
    names.into_iter().map(|name| part(learned, machine, name)).collect()
}

fn part<'a>(learned: &'a Learned, whole: &'a Machine, name: &'a str) -> Part<'a> {
    let of_part = |word: &str| learned.inputs.iter().any(|input| input.name == word && input.part == name);
    let machine = whole.restricted(of_part);
    let mut marks = marks(learned, &learned.expected.restricted(of_part), &machine);
    // The names live as long as the caller's machine; the restricted one does not.
    let inputs: Vec<&str> = whole.inputs().iter().map(String::as_str).filter(|it| of_part(it)).collect();
    let mut states = Vec::new();
    let mut arrows: BTreeMap<(State, Target), Vec<Line<'a>>> = BTreeMap::new();
    for (state, name) in names(&machine).into_iter().enumerate() {
        let mut place = Place { name, stays: Vec::new(), ignores: Vec::new(), impossible: Vec::new() };
        for (number, (input, edge)) in inputs.iter().copied().zip(machine.edges(state)).enumerate() {
            let marks = marks.remove(&(state, number)).unwrap_or_default();
            let is_silent = edge.output.acts.is_empty() && marks.is_empty();
            let line = || Line { input, answer: answer(&edge.output), marks };
            match (edge.to, edge.output.then) {
                (Some(to), Then::Impossible) if to == state && is_silent => place.impossible.push(input),
                (Some(to), Then::Open) if to == state && is_silent => place.ignores.push(input),
                (Some(to), _) if to == state => place.stays.push(line()),
                (Some(to), _) => arrows.entry((state, Target::State(to))).or_default().push(line()),
                (None, then) => arrows.entry((state, Target::End(then))).or_default().push(line()),
            }
        }
        states.push(place);
    }
    let arrows = arrows.into_iter().map(|((from, to), lines)| Arrow { from, to, lines });
    Part { name, states, arrows: arrows.collect() }
}

/// The names of the states.
pub(super) fn names(machine: &Machine) -> Vec<String> {
    let words = machine.access();
    let name = |(state, word): (State, &Vec<Input>)| {
        let inputs: Vec<&str> = word.iter().map(|input| machine.inputs()[*input].as_str()).collect();
        match inputs.as_slice() {
            [] => "start".to_owned(),
            inputs if inputs.len() <= LONGEST => format!("after {}", inputs.join(" → ")),
            // The number keeps two long names apart.
            [first, .., last] => format!("state {state}, after {first} → … → {last}"),
            [only] => format!("after {only}"),
        }
    };
    words.iter().enumerate().map(name).collect()
}

/// The expected answers, for each state and input of a part with an unexpected answer.
fn marks<'a>(
    learned: &'a Learned,
    expected: &Machine,
    found: &Machine,
) -> BTreeMap<(State, Input), Vec<Mark<'a>>> {
    let mut wanted: BTreeMap<(State, Input), BTreeMap<&Output, Vec<State>>> = BTreeMap::new();
    let others: Vec<Option<Input>> =
        found.inputs().iter().map(|name| expected.inputs().iter().position(|other| other == name)).collect();
    let mut seen = BTreeSet::from([(0, 0)]);
    let mut queue = VecDeque::from([(0, 0)]);
    while let Some((other, state)) = queue.pop_front() {
        for (input, other_input) in others.iter().enumerate() {
            let Some(other_input) = *other_input else { continue };
            let (one, two) = (expected.edge(other, other_input), found.edge(state, input));
            wanted.entry((state, input)).or_default().entry(&one.output).or_default().push(other);
            if let (Some(one), Some(two)) = (one.to, two.to)
                && seen.insert((one, two))
            {
                queue.push_back((one, two));
            }
        }
    }
    let names = names(expected);
    let mut marks = BTreeMap::new();
    for ((state, input), outputs) in wanted {
        let answer = &found.edge(state, input).output;
        let wrong = outputs.iter().filter(|(output, _)| **output != answer).map(|(output, states)| {
            // States with the same expectation are named only if there are others.
            let when = if outputs.len() > 1 { states.as_slice() } else { &[] };
            let when = when.iter().map(|state| names[*state].clone()).collect();
            mark(learned, &found.inputs()[input], output, answer, when)
        });
        let wrong: Vec<Mark<'a>> = wrong.collect();
        if !wrong.is_empty() {
            marks.insert((state, input), wrong);
        }
    }
    marks
}

fn mark<'a>(
    learned: &'a Learned,
    input: &str,
    expected: &Output,
    found: &Output,
    when: Vec<String>,
) -> Mark<'a> {
    let number = learned.differences.iter().position(|difference| {
        difference.word.last().is_some_and(|last| last == input)
            && difference.expected == *expected
            && difference.found == *found
    });
    let verdict = number.map(|number| &learned.differences[number].verdict);
    Mark {
        kind: verdict.map_or(Kind::Unclear, Kind::of),
        number: number.map(|number| number + 1),
        expected: answer(expected),
        clause: verdict.and_then(|verdict| match verdict {
            Verdict::Breaks { clause, .. } => Some(clause.as_str()),
            Verdict::Free { .. } | Verdict::Unclear { .. } => None,
        }),
        when,
    }
}
