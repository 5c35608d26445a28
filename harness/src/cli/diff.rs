//! `dnode-conform diff OLD NEW`

use super::failure::Failure;
use super::output;
use super::report::read_run;
use clap::{Args, ValueEnum};
use dnode_reports::diff::Diff;
use std::path::PathBuf;

/// The arguments of `diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The report of the older run, written by --report json=PATH, --report events=PATH or
    /// --snapshot
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The report of the newer run
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// The output format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Html,
}

/// Compares two runs. The exit status is 1 if they differ, as with diff(1).
pub(super) fn diff(args: &DiffArgs) -> Result<u8, Failure> {
    let [old, new] = [&args.old, &args.new].map(|path| read_run(path, None));
    let diff = Diff::new(&old?, &new?)?;
    let text = match args.format {
        Format::Text => diff.text(),
        Format::Markdown => diff.markdown(),
        Format::Html => diff.html(),
    };
    output::print("the difference", text)?;
    Ok(u8::from(!diff.is_empty()))
}
