//! Chooses the next session: first each seed once, then sessions that lead to the transitions of
//! the model that were not seen yet; then generated sessions, walks with one deviation, and
//! mutations of the corpus.
//!
//! Operations that have harmed the peer are chosen seldom, because each costs a restart or a
//! deadline and shows a known finding. They are still chosen sometimes, because they may show
//! another finding too. If harm takes most of the time of a lane, the lane is careful for a while:
//! it plays only operations that the peer has answered before, in new combinations.

use super::corpus::Corpus;
use super::fair::is_fair;
use super::input::{End, Input, Line, Methods};
use super::mutate::{fresh_line, mutate};
use super::operation::{of_end, operation};
use crate::cases::Case;
use dnode_spec::generate::{Kind, Seed, aim, session};
use fastrand::Rng;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A session for a lane to play.
#[derive(Debug, Clone)]
pub(super) enum Job {
    /// A transcript, judged by all rules.
    Case(Box<Case>),
    /// An input, played fast.
    Input(Input),
}

/// The source of sessions.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Transcripts that are left to play once.
    pub seeds: VecDeque<Case>,
    /// Sessions that lead to the states of a machine, one for each.
    pub states: Vec<Case>,
    /// The number of the next generated session.
    pub generated: u64,
    /// How often each operation harmed the peer.
    pub risk: BTreeMap<String, u32>,
    /// Operations after which the peer answered.
    pub answered: BTreeSet<String>,
    /// How many sessions led to each transition.
    pub aimed: BTreeMap<usize, u32>,
}

/// How many sessions lead to a transition that is not seen.
const AIMS: u32 = 2;
/// How many candidates are drawn before a risky one is accepted.
const DRAWS: usize = 24;
/// How many answered operations are remembered.
const ANSWERED: usize = 20_000;

impl Source {
    /// Chooses the next job, and says where it comes from. `careful`: only operations that the peer
    /// has answered before. `unseen`: the transitions that were not seen yet.
    pub(super) fn next(
        &mut self,
        rng: &mut Rng,
        seed: u64,
        corpus: &Corpus,
        methods: &Methods,
        unseen: &[usize],
        careful: bool,
    ) -> (Job, &'static str) {
        if let Some(case) = self.seeds.pop_front() {
            return (Job::Case(Box::new(case)), "a seed");
        }
        if let Some(case) = self.aim(unseen) {
            return (Job::Case(Box::new(case)), "a way to a transition");
        }
        let kind = match rng.u8(..100) {
            0..=3 => Some(Kind::Legal),
            4..=5 => Some(Kind::Crossing),
            6..=7 if !careful => Some(Kind::Illegal),
            _ => None,
        };
        if let Some(kind) = kind
            && let Some(case) = self.generate(rng, seed, kind)
        {
            return (Job::Case(Box::new(case)), "the model");
        }
        if !careful {
            let drawn = rng.u8(..100);
            if drawn < 3
                && let Some(case) = self.walk(rng, seed, methods)
            {
                return (Job::Case(Box::new(case)), "a walk with one deviation");
            }
            if (3..6).contains(&drawn)
                && let Some(case) = self.deviate_in_state(rng, seed, methods)
            {
                return (Job::Case(Box::new(case)), "a state with one deviation");
            }
        }
        let input =
            if careful { self.careful(rng, corpus, methods) } else { self.input(rng, corpus, methods) };
        (Job::Input(input), "a mutation")
    }

    /// A session that leads to one of these transitions, a few times for each.
    fn aim(&mut self, unseen: &[usize]) -> Option<Case> {
        unseen.iter().find_map(|row| {
            let aimed = self.aimed.entry(*row).or_default();
            *aimed += 1;
            if *aimed > AIMS {
                return None;
            }
            Case::read(&aim(*row).ok()?).ok()
        })
    }

    /// An input whose operations were all answered before.
    fn careful(&self, rng: &mut Rng, corpus: &Corpus, methods: &Methods) -> Input {
        let is_safe = |word: &str| self.answered.contains(word) && !self.risk.contains_key(word);
        for _ in 0..DRAWS {
            let (base, other) = (corpus.pick(rng), corpus.pick(rng));
            let input = mutate(rng, &base, &other, methods);
            if input.end == End::Asked
                && is_fair(&input, methods)
                && input.lines.iter().all(|line| is_safe(&operation(&line.bytes, methods)))
            {
                return input;
            }
        }
        Input::default()
    }

    /// The text of the next generated session; `None` for most of those with split messages. Their
    /// pauses take as long as thirty other sessions.
    fn session(&mut self, rng: &mut Rng, seed: u64, kind: Kind) -> Option<String> {
        self.generated += 1;
        let text = session(Seed { seed, number: self.generated, kind });
        (!text.contains("\"split\"") || rng.u8(..8) == 0).then_some(text)
    }

    fn generate(&mut self, rng: &mut Rng, seed: u64, kind: Kind) -> Option<Case> {
        let case = Case::read(&self.session(rng, seed, kind)?).ok()?;
        let harms = case.text.lines().filter_map(|step| serde_json::from_str::<Json>(step).ok());
        let lines = harms.filter_map(|step| step["line"].as_str().map(str::to_owned));
        let risk = lines.map(|line| self.risk_of(line.as_bytes(), &Methods::none())).max();
        (risk.unwrap_or(0) < 3).then_some(case)
    }

    fn input(&self, rng: &mut Rng, corpus: &Corpus, methods: &Methods) -> Input {
        let mut input = Input::default();
        for _ in 0..DRAWS {
            let (base, other) = (corpus.pick(rng), corpus.pick(rng));
            input = mutate(rng, &base, &other, methods);
            if !is_fair(&input, methods) {
                continue;
            }
            let risk = input.lines.iter().map(|line| self.risk_of(&line.bytes, methods)).max().unwrap_or(0);
            let risk = risk.max(self.risk.get(of_end(input.end)).copied().unwrap_or(0));
            if rng.u32(..=risk * risk * 16) == 0 {
                return input;
            }
        }
        if is_fair(&input, methods) {
            input
        } else {
            Input { lines: vec![fresh_line(rng, methods)], end: End::Asked }
        }
    }

    fn risk_of(&self, line: &[u8], methods: &Methods) -> u32 {
        if self.risk.is_empty() {
            return 0;
        }
        self.risk.get(&operation(line, methods)).copied().unwrap_or(0)
    }

    /// Notes that one of these operations harmed the peer.
    pub(super) fn harmed(&mut self, operations: impl IntoIterator<Item = String>) {
        for operation in operations {
            let harms = self.risk.entry(operation).or_default();
            *harms = harms.saturating_add(1).min(1000);
        }
    }

    /// Notes that these operations did not harm the peer. This clears operations that were only in
    /// the same input as a harmful one.
    pub(super) fn unharmed(&mut self, operations: impl IntoIterator<Item = String>) {
        for operation in operations {
            match self.risk.get_mut(&operation) {
                Some(harms) if *harms > 1 => *harms -= 1,
                Some(_) => drop(self.risk.remove(&operation)),
                None => {}
            }
            if self.answered.len() < ANSWERED {
                self.answered.insert(operation);
            }
        }
    }

    /// A legal session up to some step, followed by one deviating message.
    fn walk(&mut self, rng: &mut Rng, seed: u64, methods: &Methods) -> Option<Case> {
        let text = self.session(rng, seed, Kind::Legal)?;
        let mut steps: Vec<Json> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>().ok()?;
        let mut header = steps.remove(0);
        let mut at = rng.usize(..=steps.len());
        // Pending answers may arrive in any order, so the walk expects all of them or none.
        while steps.get(at).is_some_and(|step| step.get("expect").is_some()) {
            at += 1;
        }
        let line = match steps.get(at).filter(|step| step["call"].is_string()) {
            Some(step) => deviated(rng, step, methods)?,
            None => self.deviation(rng, methods)?,
        };
        steps.truncate(at);
        header["id"] = json!(format!("walk/{seed}-{}", self.generated));
        header["about"] =
            json!("A session generated from the model, with one message that is not as it should be.");
        with_deviation(header, steps, &line)
    }

    /// A session that leads to a state of the machine, followed by one deviating message.
    fn deviate_in_state(&mut self, rng: &mut Rng, seed: u64, methods: &Methods) -> Option<Case> {
        self.generated += 1;
        let state = rng.choice(&self.states)?;
        let mut steps: Vec<Json> =
            state.text.lines().map(serde_json::from_str).collect::<Result<_, _>>().ok()?;
        let mut header = steps.remove(0);
        header["id"] = json!(format!("state/{seed}-{}", self.generated));
        header["about"] = json!(
            "A session that leads to a state of the machine, then a message that is not as it should be."
        );
        let line = self.deviation(rng, methods)?;
        with_deviation(header, steps, &line)
    }

    /// A mutated line that is not known to harm the peer, as bytes for a transcript.
    fn deviation(&self, rng: &mut Rng, methods: &Methods) -> Option<Json> {
        let input = mutate(rng, &Input::default(), &Input::default(), methods);
        let line = input.lines.into_iter().next().filter(|_| input.end == End::Asked)?;
        let harmless = Input { lines: vec![line.clone()], end: End::Asked };
        let known = rng.u32(..=self.risk_of(&line.bytes, methods)) > 0;
        if known || !is_fair(&harmless, methods) {
            return None;
        }
        Some(json!(String::from_utf8(line.bytes).ok()?))
    }
}

/// A transcript with this header and these steps, then a deviating message that the peer must
/// survive.
fn with_deviation(mut header: Json, mut steps: Vec<Json>, line: &Json) -> Option<Case> {
    header["hostile"] = json!(true);
    header.as_object_mut()?.remove("requires");
    steps.push(json!({ "line": line, "label": "deviation", "clause": "robust/survives" }));
    steps.push(json!({ "survive": true, "clause": "robust/not-deaf" }));
    let rows: Vec<String> = std::iter::once(&header).chain(&steps).map(Json::to_string).collect();
    Case::read(&rows.join("\n")).ok()
}

/// The call of a step, mutated, as pieces for a transcript.
fn deviated(rng: &mut Rng, step: &Json, methods: &Methods) -> Option<Json> {
    let function = step["call"].as_str()?;
    let message =
        json!({ "method": 900_001, "arguments": step["arguments"], "callbacks": { "900002": ["0"] } });
    let base = Input {
        lines: vec![Line { bytes: message.to_string().into_bytes(), cuts: Vec::new() }],
        end: End::Asked,
    };
    let line = mutate(rng, &base, &Input::default(), methods).lines.into_iter().next()?;
    let text = String::from_utf8(line.bytes).ok()?;
    let (before, after) = text.split_once("900001")?;
    let bytes = format!("{before}{}{after}", json!(function)).into_bytes();
    let called = Input { lines: vec![Line { bytes, cuts: Vec::new() }], end: End::Asked };
    is_fair(&called, methods).then_some(())?;
    Some(json!([before, { "id": function }, after]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::facts::Facts;
    use crate::learn::states;
    use dnode_spec::machine::File;

    #[test]
    fn walk_does_not_split_a_group_of_pending_answers() {
        let methods = Methods::of(&Facts::of_client());
        let (mut source, mut rng, mut walks) = (Source::default(), Rng::with_seed(1), 0);
        for _ in 0..300 {
            let Some(walk) = source.walk(&mut rng, 1, &methods) else { continue };
            walks += 1;
            let number = source.generated;
            let session = session(Seed { seed: 1, number, kind: Kind::Legal });
            let kept = walk.text.lines().count() - 2;
            let last = walk.text.lines().nth(kept - 1).unwrap();
            let next = session.lines().nth(kept).unwrap_or_default();
            assert!(!(last.starts_with("{\"expect\"") && next.starts_with("{\"expect\"")), "{}", walk.text);
        }
        assert!(walks > 100, "{walks}");
    }

    #[test]
    fn session_in_a_state_leads_there_before_the_deviation() {
        let facts = Facts::of_client();
        let methods = Methods::of(&facts);
        let machine = File::read(dnode_fixtures::REFERENCE_MACHINE).unwrap().machine;
        let states = states(&machine, &facts).unwrap();
        let (mut source, mut rng) = (Source { states, ..Source::default() }, Rng::with_seed(1));
        let cases: Vec<Case> =
            (0..200).filter_map(|_| source.deviate_in_state(&mut rng, 1, &methods)).collect();
        assert!(cases.len() > 100, "{}", cases.len());
        let starts = |state: &Case, case: &Case| {
            let steps = |case: &Case| case.text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
            let (state, case) = (steps(state), steps(case));
            case.starts_with(&state) && case.len() == state.len() + 2
        };
        for state in &source.states {
            assert!(cases.iter().any(|case| starts(state, case)), "no session begins in {}", state.id());
        }
    }
}
