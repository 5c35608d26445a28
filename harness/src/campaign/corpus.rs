//! The corpus: inputs that showed new behaviour, and the state that the next campaign continues
//! from.
//!
//! In the folder, each input is an ordinary transcript, so users can add their own. `state.json`
//! holds the rest.

use super::error::CampaignError;
use super::input::{Input, Methods};
use super::novelty::Novelty;
use crate::cases::Case;
use crate::conversation::facts::Facts;
use crate::files;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// The most inputs that are kept.
const KEPT: usize = 20_000;
/// The largest transcript that is read, in bytes.
const FILE_LIMIT: u64 = 4 << 20;

/// The content of `state.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Saved {
    /// See [`Novelty`].
    pub tuples: Vec<u64>,
    /// See [`Novelty`].
    pub rows: Vec<usize>,
    /// The number of sessions played.
    pub sessions: u64,
    /// The number of the next generated session.
    pub generated: u64,
    /// Whether the seeds were played.
    pub seeded: bool,
    /// How often each operation harmed the peer.
    pub risk: BTreeMap<String, u32>,
}

/// The corpus.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    folder: Option<PathBuf>,
    inputs: Vec<Input>,
    known: HashSet<u64>,
}

impl Corpus {
    /// Opens a folder; `None` keeps the corpus in memory. Returns the saved state and the
    /// transcripts that users have added.
    ///
    /// # Errors
    /// The folder cannot be created or read.
    pub(super) fn open(folder: Option<&Path>, methods: &Methods) -> io::Result<(Corpus, Saved, Vec<Case>)> {
        let mut corpus = Corpus { folder: folder.map(Path::to_owned), ..Corpus::default() };
        let Some(folder) = folder else { return Ok((corpus, Saved::default(), Vec::new())) };
        std::fs::create_dir_all(folder)?;
        let saved = files::read(&folder.join("state.json")).ok();
        let saved = saved.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let mut seeds = Vec::new();
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            let small = std::fs::metadata(&file).is_ok_and(|data| data.is_file() && data.len() <= FILE_LIMIT);
            let text = Some(&file).filter(|_| small).and_then(|file| files::read(file).ok());
            let Some(case) = text.and_then(|text| Case::read(&text).ok()) else { continue };
            corpus.add(Input::of(&case.transcript, methods));
            if !case.id().starts_with(GROUP) {
                seeds.push(case);
            }
        }
        Ok((corpus, saved, seeds))
    }

    /// Adds an input in memory. Returns its hash if it is new.
    pub(super) fn add(&mut self, input: Option<Input>) -> Option<u64> {
        let input = input.filter(|_| self.inputs.len() < KEPT)?;
        let hash = hash(&input);
        self.known.insert(hash).then(|| {
            self.inputs.push(input);
            hash
        })
    }

    /// Adds an input that showed something new. Returns its place in the folder if it is new there.
    pub(super) fn keep(&mut self, input: &Input) -> Option<Place> {
        let hash = self.add(Some(input.clone()))?;
        let folder = self.folder.as_ref()?;
        Some(Place { id: format!("{GROUP}{hash:016x}"), file: folder.join(format!("{hash:016x}.jsonl")) })
    }

    /// Picks an input at random; newer ones are more likely.
    #[must_use]
    pub(super) fn pick(&self, rng: &mut Rng) -> Input {
        let back = rng.f64() * rng.f64();
        let at = self.inputs.len().saturating_sub(1 + (back * self.inputs.len() as f64) as usize);
        self.inputs.get(at).cloned().unwrap_or_default()
    }

    /// The number of inputs.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Writes `state.json`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn save(&self, novelty: &Novelty, rest: Saved) -> Result<(), CampaignError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let (tuples, rows) = novelty.saved();
        let text = serde_json::to_string(&Saved { tuples, rows, ..rest }).unwrap_or_default();
        write(folder, "state.json", &text)
    }
}

/// The place of an input in the folder.
#[derive(Debug)]
pub(super) struct Place {
    id: String,
    file: PathBuf,
}

impl Place {
    /// Writes the input there.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(self, input: &Input, methods: &Methods, facts: &Facts) -> Result<(), CampaignError> {
        let Place { id, file } = self;
        let text = input.transcript(&id, "An input that showed something new.", methods, facts);
        // The first lines of a transcript are one, too. So a campaign may be killed here, and no
        // temporary file is needed, which would take as long as the session.
        let written = std::fs::write(&file, text);
        if written.is_err() {
            let _ = std::fs::remove_file(&file);
        }
        written.map_err(|error| CampaignError::Folder(file, error))
    }
}

/// The prefix of the ids of inputs in a corpus.
const GROUP: &str = "corpus/";

fn hash(input: &Input) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    hasher.finish()
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), CampaignError> {
    let file = folder.join(name);
    files::replace(&file, text).map_err(|error| CampaignError::Folder(file, error))
}
