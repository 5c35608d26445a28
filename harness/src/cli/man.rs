//! `dnode-conform man`

use super::failure::Failure;
use crate::files;
use clap::{Args, Command};
use clap_mangen::Man;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The arguments of `man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write dnode-conform.1 and a dnode-conform-COMMAND.1 for each command to this folder; without
    /// it, all pages go to standard output, for `man -l -`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Writes the manual: one page for the program and one for each command.
pub(super) fn man(args: &ManArgs, program: Command) -> Result<u8, Failure> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let commands = program.get_subcommands().cloned();
    let pages: Vec<Command> = std::iter::once(program.clone()).chain(commands).collect();
    match write(pages, args.out.as_deref()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::caller(format!("the manual cannot be written: {error}")))
        }
        _ => Ok(0),
    }
}

fn write(pages: Vec<Command>, folder: Option<&Path>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)?;
    }
    for page in pages.into_iter().map(Man::new) {
        let mut text = Vec::new();
        page.render(&mut text)?;
        match folder {
            Some(folder) => files::replace(&folder.join(page.get_filename()), text)?,
            None => out.write_all(&text)?,
        }
    }
    out.flush()
}
