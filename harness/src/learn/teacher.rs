//! Asks the words that the learner wants, and decides what holds if the answers vary.

use super::error::LearnError;
use super::lane::Lane;
use super::options::LearnOptions;
use super::query::Asked;
use super::store::Store;
use super::{Notice, Progress, Subject, judge};
use crate::cases::level;
use dnode_reports::machine::{Broken, Effort, Judged};
use dnode_spec::learn::{Conflict, Learner, Next, Suite, random_word};
use dnode_spec::machine::{Act, Answer, Difference, Machine, Mixed, Output, Word};
use dnode_spec::message::Problem;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;

/// How often a word with two answers is asked again.
const REPEATS: usize = 10;
/// A peer with more words than this that have several answers has no machine.
const MIXED: usize = 100;
/// How many words are asked before the answers are looked at.
const BATCH: usize = 256;
/// How many inputs a random word has at most.
const LONGEST: usize = 24;

type Emit<'e> = &'e mut (dyn FnMut(Notice) + Send);

/// The teacher.
pub(super) struct Teacher<'o> {
    options: &'o LearnOptions,
    subject: Arc<Subject>,
    lanes: Vec<Lane>,
    learner: Learner,
    /// The words that distinguish states of the reference peer: they may do so for this peer, too.
    distinguishing: Vec<Word>,
    store: Store,
    resumed: usize,
    /// All answers.
    answers: Vec<(Word, Vec<Output>)>,
    /// Culls are no part of an output.
    ignores_culls: bool,
    /// How often each answer to the last input of a word came, for words with several answers.
    mixed: BTreeMap<Word, HashMap<Output, u64>>,
    /// The first line that broke each clause, as the monitor judges it, and its word.
    broken: BTreeMap<&'static str, (Word, Problem)>,
    effort: Effort,
    begun: Instant,
}

impl<'o> Teacher<'o> {
    /// Opens the lanes and the file of answers.
    pub(super) async fn open(
        options: &'o LearnOptions,
        subject: Arc<Subject>,
        reference: &Machine,
    ) -> Result<Teacher<'o>, LearnError> {
        let names = subject.alphabet.names();
        let (store, answers) =
            Store::open(&options.store, &options.command.arguments, &names, options.resume)?;
        let lanes = (0..options.jobs).map(|_| Lane::new(Arc::clone(&subject), &options.target)).collect();
        let mut teacher = Teacher {
            options,
            subject,
            lanes,
            learner: Learner::new(names),
            distinguishing: distinguishing(reference),
            store,
            resumed: answers.len(),
            answers: Vec::new(),
            ignores_culls: false,
            mixed: BTreeMap::new(),
            broken: BTreeMap::new(),
            effort: Effort::default(),
            begun: Instant::now(),
        };
        for (word, outputs) in answers {
            teacher.note(&word, outputs).await?;
        }
        Ok(teacher)
    }

    /// How many answers of an interrupted run are known.
    pub(super) fn resumed(&self) -> usize {
        self.resumed
    }

    /// The effort so far.
    pub(super) fn effort(&self) -> Effort {
        Effort { seconds: self.begun.elapsed().as_secs_f64(), ..self.effort }
    }

    /// The words that the peer answered in several ways.
    pub(super) fn mixed(&self) -> Vec<Mixed> {
        let names = self.subject.alphabet.names();
        let mixed = self.mixed.iter().map(|(word, counts)| {
            let answers =
                counts.iter().map(|(output, count)| Answer { count: *count, output: output.clone() });
            let mut answers: Vec<Answer> = answers.collect();
            answers.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.output.cmp(&b.output)));
            Mixed { word: word.iter().map(|&input| names[input].clone()).collect(), answers }
        });
        mixed.collect()
    }

    /// The clauses that lines of the peer broke, in whatever state.
    pub(super) fn broken(&self) -> Vec<Broken> {
        let names = self.subject.alphabet.names();
        let broken = self.broken.iter().map(|(clause, (word, problem))| Broken {
            clause: (*clause).to_owned(),
            level: level(clause),
            gates: level(clause) <= self.options.gate,
            word: word.iter().map(|&input| names[input].clone()).collect(),
            at: problem.at.clone(),
            expected: problem.expected.clone(),
            actual: problem.actual.clone(),
        });
        broken.collect()
    }

    /// Ends the peers, and removes the file of answers.
    pub(super) async fn close(self) {
        for lane in self.lanes {
            lane.stop().await;
        }
        self.store.remove();
    }

    /// Learns the machine. Gives it, and why it was not learned or not tested to the end.
    pub(super) async fn learn(
        &mut self,
        emit: Emit<'_>,
    ) -> Result<(Option<Machine>, Option<String>), LearnError> {
        loop {
            match self.learner.advance() {
                Next::Ask(words) => {
                    for words in words.chunks(BATCH) {
                        if let Some(reason) = self.limit()? {
                            return Ok((None, Some(reason)));
                        }
                        self.ask(words, false, emit).await?;
                    }
                }
                Next::Hypothesis(machine) => match self.test(&machine, emit).await? {
                    Tested::Wrong => {}
                    Tested::Right => return Ok((Some(machine.minimal()), None)),
                    Tested::Cut(reason) => return Ok((Some(machine.minimal()), Some(reason))),
                },
            }
        }
    }

    /// Asks the words of differences that were not asked. Returns whether the peer answers all of
    /// them as the machine says. The words have inputs of `expected`.
    pub(super) async fn confirms(
        &mut self,
        machine: Option<&Machine>,
        expected: &Machine,
        found: &[Difference],
    ) -> Result<bool, LearnError> {
        let Some(machine) = machine else { return Ok(true) };
        let input = |input: &usize| self.subject.alphabet.input(&expected.inputs()[*input]);
        let words = found.iter().filter_map(|it| it.word.iter().map(input).collect::<Option<Word>>());
        let words: Vec<Word> = words.filter(|word| self.learner.known(word).is_none()).collect();
        for (word, outputs) in self.ask_all(&words).await? {
            self.note(&word, outputs).await?;
        }
        let agrees =
            |word: &Word| self.learner.known(word).is_none_or(|known| machine.run(word).eq(known.iter()));
        Ok(words.iter().all(agrees))
    }

    /// The answers so far that differ from those of this machine.
    pub(super) fn differences(&self, expected: &Machine) -> Vec<Difference> {
        self.learner.differences(expected)
    }

    /// Why to stop, if a limit is reached.
    fn limit(&self) -> Result<Option<String>, LearnError> {
        let (states, queries) = (self.learner.states(), self.effort.queries);
        if self.options.interrupted.is_cancelled() {
            return Err(LearnError::Interrupted { states, queries });
        }
        if states > self.options.states {
            return Ok(Some(format!("it has more than {} states", self.options.states)));
        }
        if self.mixed.len() > MIXED {
            return Ok(Some(format!("it answers more than {MIXED} words in several ways")));
        }
        let is_over = self.begun.elapsed() > self.options.time;
        let time = humantime::format_duration(self.options.time);
        Ok(is_over.then(|| format!("{time} were over, with {states} states so far")))
    }

    /// Tests a hypothesis: the words of the Wp-method first, then random words.
    async fn test(&mut self, machine: &Machine, emit: Emit<'_>) -> Result<Tested, LearnError> {
        let mut rng = fastrand::Rng::with_seed(self.options.seed);
        let random = (0..self.options.words).map(|_| {
            let length = rng.usize(1..=LONGEST);
            random_word(machine, length, |below| rng.usize(0..below))
        });
        let mut words = Suite::new(machine, self.options.depth, &self.distinguishing).chain(random);
        loop {
            let batch: Vec<Word> = words.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(Tested::Right);
            }
            if let Some(reason) = self.limit()? {
                return Ok(Tested::Cut(reason));
            }
            let unknown: Vec<Word> =
                batch.iter().filter(|word| self.learner.known(word).is_none()).cloned().collect();
            self.ask(&unknown, true, emit).await?;
            // If a limit was reached meanwhile, some words were not asked.
            if unknown.iter().any(|word| self.learner.known(word).is_none())
                && let Some(reason) = self.limit()?
            {
                return Ok(Tested::Cut(reason));
            }
            let differs = |word: &Word| {
                let known = self.learner.known(word);
                known.is_some_and(|known| !machine.run(word).eq(known.iter()))
            };
            if batch.iter().any(differs) {
                return Ok(Tested::Wrong);
            }
        }
    }

    /// Asks these words, and notes the answers.
    async fn ask(&mut self, words: &[Word], tests: bool, emit: Emit<'_>) -> Result<(), LearnError> {
        for (word, outputs) in self.ask_all(words).await? {
            self.note(&word, outputs).await?;
            self.effort.tests += u64::from(tests);
        }
        self.store.flush()?;
        let (states, queries) = (self.learner.states(), self.effort.queries);
        emit(Notice::Tick(Progress { states, queries, tests }));
        Ok(())
    }

    /// The answers to these words, asked on all lanes. If the run is interrupted or its time is over,
    /// some are missing.
    async fn ask_all(&mut self, words: &[Word]) -> Result<Vec<(Word, Vec<Output>)>, LearnError> {
        let shared: Arc<[Word]> = words.into();
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for mut lane in self.lanes.drain(..) {
            let (words, next) = (Arc::clone(&shared), Arc::clone(&next));
            let interrupted = self.options.interrupted.clone();
            let (begun, time) = (self.begun, self.options.time);
            tasks.spawn(async move {
                let mut answers = Vec::new();
                while begun.elapsed() <= time
                    && let Some((n, word)) = take(&words, &next)
                {
                    let asked = tokio::select! {
                        asked = lane.ask(word) => asked,
                        () = interrupted.cancelled() => break,
                    };
                    let failed = asked.is_err();
                    answers.push((n, asked));
                    if failed {
                        break;
                    }
                }
                (lane, answers)
            });
        }
        let mut all = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            let (lane, answers) = joined.map_err(|_| LearnError::Lane)?;
            self.lanes.push(lane);
            all.extend(answers);
        }
        // The order of the answers must not depend on the lanes.
        all.sort_by_key(|(n, _)| *n);
        self.effort.queries += all.len() as u64;
        let answers = all.into_iter().map(|(n, asked)| {
            let (word, Asked { outputs, broken }) = (shared[n].clone(), asked?);
            self.effort.inputs += word.len() as u64;
            for (clause, problem) in broken {
                self.broken.entry(clause).or_insert_with(|| (word.clone(), problem));
            }
            Ok((word, outputs))
        });
        answers.collect()
    }

    /// Notes the answer to a word. If it contradicts an earlier one, asks again, and keeps the most
    /// frequent answer.
    async fn note(&mut self, word: &Word, mut outputs: Vec<Output>) -> Result<(), LearnError> {
        loop {
            self.forget_culls(&mut outputs);
            self.settle(word, &mut outputs);
            match self.learner.answer(word, &outputs) {
                Ok(()) => {
                    self.store.add(word, &outputs)?;
                    self.answers.push((word.clone(), outputs));
                    return Ok(());
                }
                Err(conflict) if !self.ignores_culls && differ_by_culls(&conflict) => self.ignore_culls(),
                Err(conflict) => self.decide(conflict).await?,
            }
        }
    }

    /// The peer culls functions of ours at times of its own, so from now on culls are no part of an
    /// output. Learns all answers again.
    fn ignore_culls(&mut self) {
        self.ignores_culls = true;
        self.learner = Learner::new(self.subject.alphabet.names());
        self.mixed.clear();
        for (word, mut outputs) in std::mem::take(&mut self.answers) {
            self.forget_culls(&mut outputs);
            // What still contradicts is asked again.
            if self.learner.answer(&word, &outputs).is_ok() {
                self.answers.push((word, outputs));
            }
        }
    }

    fn forget_culls(&self, outputs: &mut [Output]) {
        if self.ignores_culls {
            outputs.iter_mut().for_each(forget_culls);
        }
    }

    /// Notes for the reader about the outputs.
    pub(super) fn notes(&self) -> Vec<String> {
        let culls = "the peer culls functions of ours at times of its own, which it may: culls are no part of the answers";
        self.ignores_culls.then(|| culls.to_owned()).into_iter().collect()
    }

    /// For each input that is known to have several answers, counts the answer and replaces it with
    /// the one that holds.
    fn settle(&mut self, word: &Word, outputs: &mut Vec<Output>) {
        for n in 0..outputs.len() {
            let Some(counts) = self.mixed.get_mut(&word[..=n]) else { continue };
            *counts.entry(outputs[n].clone()).or_default() += 1;
            let Some(known) = self.learner.known(&word[..=n]).and_then(|mut known| known.pop()) else {
                continue;
            };
            let ends = known.then.is_end() || outputs[n].then.is_end();
            if outputs[n] != known {
                outputs[n] = known;
                if ends {
                    outputs.truncate(n + 1);
                    return;
                }
            }
        }
    }

    /// Asks a word with two answers again, and lets the most frequent answer hold.
    async fn decide(&mut self, conflict: Conflict) -> Result<(), LearnError> {
        let Conflict { word, known, new } = conflict;
        let mut counts: HashMap<Output, u64> = HashMap::from([(known.clone(), 1), (new, 1)]);
        let again = vec![word.clone(); REPEATS];
        for (_, mut outputs) in self.ask_all(&again).await? {
            self.forget_culls(&mut outputs);
            if outputs.len() == word.len()
                && let Some(last) = outputs.into_iter().next_back()
            {
                *counts.entry(last).or_default() += 1;
            }
        }
        let most = counts.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
        if let Some((output, _)) = most
            && *output != known
        {
            self.learner.replace(&word, output);
        }
        self.mixed.insert(word, counts);
        Ok(())
    }

    /// Judges differences: plays each one as a transcript, with the answers of the reference peer.
    pub(super) async fn judge(
        &mut self,
        differences: &[Difference],
        reference: &Machine,
        expected: &Machine,
    ) -> Result<Vec<Judged>, LearnError> {
        let mut judged = Vec::new();
        for difference in differences {
            let Some(lane) = self.lanes.first_mut() else { break };
            let subject = Arc::clone(&self.subject);
            judged.push(judge::judge(difference, reference, expected, &subject, lane, self.options).await?);
        }
        Ok(judged)
    }
}

fn forget_culls(output: &mut Output) {
    output.acts.retain(|act| !matches!(act, Act::Culls(_)));
}

/// Whether two answers differ only by culls.
fn differ_by_culls(conflict: &Conflict) -> bool {
    let [mut known, mut new] = [conflict.known.clone(), conflict.new.clone()];
    forget_culls(&mut known);
    forget_culls(&mut new);
    known == new
}

/// Words that distinguish states of this machine: those that it needs, and all single inputs that
/// do.
fn distinguishing(machine: &Machine) -> Vec<Word> {
    let varies = |input: &usize| {
        (1..machine.len()).any(|state| machine.edge(state, *input).output != machine.edge(0, *input).output)
    };
    let single = (0..machine.inputs().len()).filter(varies).map(|input| vec![input]);
    machine.characterising().concat().into_iter().chain(single).collect()
}

/// How a test ended.
enum Tested {
    Wrong,
    Right,
    /// It ended early, for this reason.
    Cut(String),
}

/// The next word that no lane has taken.
fn take<'w>(words: &'w [Word], next: &AtomicUsize) -> Option<(usize, &'w Word)> {
    let n = next.fetch_add(1, Ordering::Relaxed);
    words.get(n).map(|word| (n, word))
}
