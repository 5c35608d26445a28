//! `dnode-conform site [FOLDER] --out DIR`
//!
//! The folder of reports is read first, so a broken file changes nothing. The list of all files of
//! the site is in the site itself. The next build reads it, and removes the files that it no longer
//! writes.

mod documents;
mod folder;

use super::failure::Failure;
use super::output;
use super::report::read_run;
use crate::files;
use clap::Args;
use dnode_reports::site::{self, Content, Machine, Sources};
use dnode_reports::{count, grid};
use folder::SiteFolder;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The facts about implementations, and the grid, in a folder of reports.
const MANIFEST: &str = "site/implementations.json";
const GRID: &str = "site/interop.json";

/// The arguments of `site`.
#[derive(Debug, Args)]
pub(super) struct SiteArgs {
    /// A folder of reports that --report json=FILE wrote. It may have notes, machines, a grid and
    /// facts about the implementations (harness/docs/site.md)
    #[arg(value_name = "FOLDER", default_value = "reports/known")]
    reports: PathBuf,
    /// Write the site into this folder: an empty one, or an earlier site
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Builds a site.
pub(super) fn site(args: &SiteArgs) -> Result<u8, Failure> {
    let sources = sources(&args.reports)?;
    let content = Content::new(sources).map_err(|error| {
        let help = error.help();
        Failure::caller(format!("{}: {error}; {help}", args.reports.display()))
    })?;
    let folder = SiteFolder::open(&args.out)?;
    let files = site::build(&content);
    folder.write(&files)?;
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    let [pages, size] = [count(files.len(), "file"), format!("{} kB", bytes.div_ceil(1000))];
    output::say(format!("{pages}, {size}; open {}", args.out.join("index.html").display()))?;
    Ok(0)
}

/// Reads the folder of reports.
fn sources(folder: &Path) -> Result<Sources, Failure> {
    let mut sources = Sources { documents: documents::all(), ..Sources::default() };
    for (name, ending, path) in files_of(folder)? {
        match &*ending {
            "json" => drop(sources.reports.insert(name, read_run(&path, None)?)),
            "md" => drop(sources.notes.insert(name, read(&path)?)),
            _ => {}
        }
    }
    let [manifest, interop, machines] = [MANIFEST, GRID, "machines"].map(|name| folder.join(name));
    if manifest.exists() {
        sources.manifest = Some(read(&manifest)?);
    }
    if interop.exists() {
        let problem = |error| Failure::from(error).within(format_args!("{} is no grid: ", interop.display()));
        sources.grid = Some(grid::read(&read(&interop)?).map_err(problem)?);
    }
    if machines.is_dir() {
        sources.machines = read_machines(&machines)?;
    }
    Ok(sources)
}

/// Reads the reports of `learn`, with their drawings.
fn read_machines(folder: &Path) -> Result<BTreeMap<String, Machine>, Failure> {
    let mut machines: BTreeMap<String, Machine> = BTreeMap::new();
    let files = files_of(folder)?;
    for (name, _, path) in files.iter().filter(|(_, ending, _)| ending == "md") {
        machines.insert(name.clone(), Machine { text: read(path)?, drawing: None });
    }
    for (name, _, path) in files.iter().filter(|(_, ending, _)| ending == "svg") {
        if let Some(machine) = machines.get_mut(name) {
            machine.drawing = Some(read(path)?);
        }
    }
    Ok(machines)
}

/// The files of a folder, sorted: the name without the ending, the ending, and the path.
fn files_of(folder: &Path) -> Result<Vec<(String, String, PathBuf)>, Failure> {
    let failed = |error: std::io::Error| {
        let folder = folder.display();
        Failure::caller(format!(
            "the folder of reports, {folder}, cannot be read: {error}; name yours: dnode-conform site FOLDER --out DIR"
        ))
    };
    let entries =
        fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>()).map_err(failed)?;
    let mut paths: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|it| it.is_file()).collect();
    paths.sort();
    let word = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    Ok(paths.into_iter().map(|path| (word(path.file_stem()), word(path.extension()), path)).collect())
}

fn read(path: &Path) -> Result<String, Failure> {
    files::read(path).map_err(|error| Failure::caller(format!("{} cannot be read: {error}", path.display())))
}
