//! `dnode-conform completions SHELL`

use super::failure::Failure;
use super::output;
use clap::{Args, Command};
use clap_complete::{Shell, generate};

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a completion script.
pub(super) fn completions(args: &CompletionsArgs, program: &mut Command) -> Result<u8, Failure> {
    let mut script = Vec::new();
    generate(args.shell, program, "dnode-conform", &mut script);
    output::print("the script", script)?;
    Ok(0)
}
