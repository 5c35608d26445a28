//! The inputs that showed something new, and what a campaign knows from one run to the next.
//!
//! In a folder, each input is an ordinary transcript, so a person can put others there, and `state.json` holds the rest. Everything is written
//! aside and renamed.

use super::input::{Input, Methods};
use super::novelty::Novelty;
use crate::cases::Case;
use crate::conversation::facts::Facts;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// How many inputs are kept.
const KEPT: usize = 20_000;
/// How long a transcript of a corpus may be, in bytes.
const FILE_LIMIT: u64 = 4 << 20;

/// What is saved beside the inputs.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Saved {
    /// See [`Novelty`].
    pub tuples: Vec<u64>,
    /// See [`Novelty`].
    pub rows: Vec<usize>,
    /// How many sessions were played.
    pub sessions: u64,
    /// The number of the next generated session.
    pub generated: u64,
    /// The seeds were played.
    pub seeded: bool,
    /// How often each operation harmed the peer.
    pub risk: BTreeMap<String, u32>,
}

/// The inputs.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    folder: Option<PathBuf>,
    inputs: Vec<Input>,
    known: HashSet<u64>,
}

impl Corpus {
    /// Opens a folder; `None`: only in memory. Gives what was saved, and the transcripts that others put there.
    ///
    /// # Errors
    /// What cannot be read or written.
    pub(super) fn open(folder: Option<&Path>, methods: &Methods) -> io::Result<(Corpus, Saved, Vec<Case>)> {
        let mut corpus = Corpus { folder: folder.map(Path::to_owned), ..Corpus::default() };
        let Some(folder) = folder else { return Ok((corpus, Saved::default(), Vec::new())) };
        std::fs::create_dir_all(folder)?;
        let saved = std::fs::read_to_string(folder.join("state.json")).ok();
        let saved = saved.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let mut seeds = Vec::new();
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let small = std::fs::metadata(&file).is_ok_and(|data| data.is_file() && data.len() <= FILE_LIMIT);
            let text = std::fs::read_to_string(&file).ok().filter(|_| small);
            let Some(case) = text.and_then(|text| Case::read(&text).ok()) else { continue };
            corpus.take(Input::of(&case.transcript, methods));
            if !case.id().starts_with(GROUP) {
                seeds.push(case);
            }
        }
        Ok((corpus, saved, seeds))
    }

    /// Takes an input without writing it down.
    pub(super) fn take(&mut self, input: Option<Input>) -> Option<u64> {
        let input = input.filter(|_| self.inputs.len() < KEPT)?;
        let hash = hash(&input);
        self.known.insert(hash).then(|| {
            self.inputs.push(input);
            hash
        })
    }

    /// Keeps an input that showed something new.
    pub(super) fn keep(&mut self, input: &Input, methods: &Methods, facts: &Facts) {
        let Some(hash) = self.take(Some(input.clone())) else { return };
        let Some(folder) = &self.folder else { return };
        let id = format!("{GROUP}{hash:016x}");
        let text = input.transcript(&id, "An input that showed something new.", methods, facts);
        // A disk that is full takes nothing from the campaign but its memory.
        let _ = write_whole(folder, &format!("{hash:016x}.jsonl"), &text);
    }

    /// One of them; the newer, the likelier.
    #[must_use]
    pub(super) fn pick(&self, rng: &mut Rng) -> Input {
        let back = rng.f64() * rng.f64();
        let at = self.inputs.len().saturating_sub(1 + (back * self.inputs.len() as f64) as usize);
        self.inputs.get(at).cloned().unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Saves what is known beside the inputs.
    pub(super) fn save(&self, novelty: &Novelty, rest: Saved) {
        let Some(folder) = &self.folder else { return };
        let (tuples, rows) = novelty.saved();
        if let Ok(text) = serde_json::to_string(&Saved { tuples, rows, ..rest }) {
            let _ = write_whole(folder, "state.json", &text);
        }
    }
}

/// The group of the ids of inputs in a corpus.
const GROUP: &str = "corpus/";

fn hash(input: &Input) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    hasher.finish()
}

fn write_whole(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let draft = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
    std::fs::write(draft.path(), text)?;
    draft.persist(folder.join(name)).map_err(|error| error.error)?;
    Ok(())
}
