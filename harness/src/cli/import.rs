//! `dnode-conform import FILE… --out DIR`

use super::failure::Failure;
use super::output;
use super::record::Seat;
use crate::commands::import::import;
use crate::files;
use clap::Args;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The arguments of `import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Line logs, one JSON object a line: first {"client","server"}, then {"ms","from","line"} or
    /// {"ms","from","end"}
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write the transcripts to this folder, under the names of their logs
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The end that the suite plays when the transcripts are replayed
    #[arg(long, value_enum, default_value = "client")]
    seen_from: Seat,
}

/// Converts line logs to transcripts.
pub(super) fn run(args: &ImportArgs) -> Result<u8, Failure> {
    let fault =
        |path: &Path, error: &dyn std::fmt::Display| Failure::caller(format!("{}: {error}", path.display()));
    fs::create_dir_all(&args.out).map_err(|error| fault(&args.out, &error))?;
    for file in &args.files {
        let text = files::read(file).map_err(|error| fault(file, &error))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let transcript = import(&text, &name, args.seen_from.into()).map_err(|error| fault(file, &error))?;
        let path = args.out.join(format!("{name}.jsonl"));
        create(&path, &transcript).map_err(|error| fault(&path, &error))?;
        output::say(path.display())?;
    }
    Ok(0)
}

/// Writes a file that does not exist.
fn create(path: &Path, text: &str) -> io::Result<()> {
    // An empty file reserves the name.
    fs::File::create_new(path)?;
    files::replace(path, text).inspect_err(|_| drop(fs::remove_file(path)))
}
