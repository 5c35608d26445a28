//! The file of all answers: an interrupted run continues from there.
//!
//! The first line names the target and the inputs, and each other line is a word with its outputs.

use super::error::LearnError;
use crate::files::{self, NewFile};
use dnode_spec::machine::{Output, Word};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "dnode-answers")]
    version: u32,
    target: String,
    inputs: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    word: Word,
    outputs: Vec<Output>,
}

/// Words with their outputs.
type Answers = Vec<(Word, Vec<Output>)>;

/// The file, open for more answers.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Store {
    /// Opens the file. Gives the answers of an interrupted run if `resume` says so; without it, the
    /// file begins empty.
    pub(super) fn open(
        path: &Path,
        target: &str,
        inputs: &[String],
        resume: bool,
    ) -> Result<(Store, Answers), LearnError> {
        let failed = |error| LearnError::Store(path.to_owned(), error);
        let header = Header { version: VERSION, target: target.to_owned(), inputs: inputs.to_vec() };
        let answers = match resume {
            true => read(path, &header)?,
            false => Vec::new(),
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        // The old answers stay until all of them are in the new file.
        let output = NewFile::open(path).map_err(failed)?;
        let file = BufWriter::new(output.writer().map_err(failed)?);
        let mut store = Store { path: path.to_owned(), file };
        store.line(&header)?;
        for (word, outputs) in &answers {
            store.add(word, outputs)?;
        }
        store.flush()?;
        output.keep().map_err(failed)?;
        Ok((store, answers))
    }

    /// Adds an answer.
    pub(super) fn add(&mut self, word: &[usize], outputs: &[Output]) -> Result<(), LearnError> {
        self.line(&Answer { word: word.to_vec(), outputs: outputs.to_vec() })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), LearnError> {
        let written = serde_json::to_writer(&mut self.file, line).map_err(io::Error::from);
        let written = written.and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| LearnError::Store(self.path.clone(), error))
    }

    /// Writes everything to the file.
    pub(super) fn flush(&mut self) -> Result<(), LearnError> {
        self.file.flush().map_err(|error| LearnError::Store(self.path.clone(), error))
    }

    /// Removes the file: the run has ended.
    pub(super) fn remove(self) {
        // A file that stays does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// Reads the answers of an interrupted run. A last line that was not written to its end is left out.
fn read(path: &Path, header: &Header) -> Result<Answers, LearnError> {
    let text = match files::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LearnError::OtherAnswers(path.to_owned(), "there is no interrupted run".to_owned()));
        }
        Err(error) => return Err(LearnError::Store(path.to_owned(), error)),
    };
    let mut lines = text.lines();
    let first = lines.next().and_then(|line| serde_json::from_str::<Header>(line).ok());
    if first.as_ref() != Some(header) {
        let what = "the answers in it are of another target or other inputs".to_owned();
        return Err(LearnError::OtherAnswers(path.to_owned(), what));
    }
    let answers = lines.map_while(|line| serde_json::from_str::<Answer>(line).ok());
    let in_range = |answer: &Answer| answer.word.iter().all(|&input| input < header.inputs.len());
    Ok(answers.filter(in_range).map(|answer| (answer.word, answer.outputs)).collect())
}
